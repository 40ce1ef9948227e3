"""Codes of the four libraries, as errors with a remedy.

Source: the vendor's ``errorcodes.h`` of PHLib 3.0.0.3, HHLib 3.0.0.2 and MHLib 3.1; the numbers
mean the same in all of them except where a table of one library says otherwise.
"""

from collections.abc import Mapping

from labctl.errors import (
    ConnectionLostError,
    DeviceError,
    DeviceRefusedError,
    GarbledReplyError,
)

__all__ = ["INSTANCE_RUNNING", "USB_CHANCE", "device_error", "word_of"]

INSTANCE_RUNNING = -16
"""A run is on, also one that a program left behind when it died."""

USB_CHANCE = (-36, -37)
"""USB_VCMD_FAIL and USB_BULKRD_FAIL come at random, from a PicoHarp 300 above all."""

_WORDS: Mapping[int, str] = {
    -1: "DEVICE_OPEN_FAIL",
    -2: "DEVICE_BUSY",
    -3: "DEVICE_HEVENT_FAIL",
    -4: "DEVICE_CALLBSET_FAIL",
    -5: "DEVICE_BARMAP_FAIL",
    -6: "DEVICE_CLOSE_FAIL",
    -7: "DEVICE_RESET_FAIL",
    -8: "DEVICE_GETVERSION_FAIL",
    -9: "DEVICE_VERSION_MISMATCH",
    -10: "DEVICE_NOT_OPEN",
    -11: "DEVICE_LOCKED",
    -12: "DEVICE_DRIVERVER_MISMATCH",
    -16: "INSTANCE_RUNNING",
    -17: "INVALID_ARGUMENT",
    -18: "INVALID_MODE",
    -19: "INVALID_OPTION",
    -20: "INVALID_MEMORY",
    -21: "INVALID_RDATA",
    -22: "NOT_INITIALIZED",
    -23: "NOT_CALIBRATED",
    -24: "DMA_FAIL",
    -25: "XTDEVICE_FAIL",
    -26: "FPGACONF_FAIL",
    -27: "IFCONF_FAIL",
    -28: "FIFORESET_FAIL",
    -29: "THREADSTATE_FAIL",
    -30: "THREADLOCK_FAIL",
    -32: "USB_GETDRIVERVER_FAIL",
    -33: "USB_DRIVERVER_MISMATCH",
    -34: "USB_GETIFINFO_FAIL",
    -35: "USB_HISPEED_FAIL",
    -36: "USB_VCMD_FAIL",
    -37: "USB_BULKRD_FAIL",
    -38: "USB_RESET_FAIL",
    -40: "LANEUP_TIMEOUT",
    -41: "DONEALL_TIMEOUT",
    -42: "MB_ACK_TIMEOUT",
    -43: "MACTIVE_TIMEOUT",
    -44: "MEMCLEAR_FAIL",
    -45: "MEMTEST_FAIL",
    -46: "CALIB_FAIL",
    -47: "REFSEL_FAIL",
    -48: "STATUS_FAIL",
    -49: "MODNUM_FAIL",
    -50: "DIGMUX_FAIL",
    -51: "MODMUX_FAIL",
    -52: "MODFWPCB_MISMATCH",
    -53: "MODFWVER_MISMATCH",
    -54: "MODPROPERTY_MISMATCH",
    -55: "INVALID_MAGIC",
    -56: "INVALID_LENGTH",
    -57: "RATE_FAIL",
    -58: "MODFWVER_TOO_LOW",
    -59: "MODFWVER_TOO_HIGH",
    -60: "MB_ACK_FAIL",
    **{-63 - number: f"EEPROM_F{number:02d}" for number in range(1, 16)},
}
_OWN: Mapping[str, Mapping[int, str]] = {
    "PH": {
        -29: "STATUS_FAIL",
        **{-63 - number: f"HARDWARE_F{number:02d}" for number in range(1, 16)},
    },
    "HH": {-42: "MODACK_TIMEOUT"},
}

_GONE = {-1, -10, -35, *USB_CHANCE, -38}
_REFUSED = {-2, -11, *range(-20, -15), -22, -23}
_POWER = "switch the module off and on and connect again; if it comes back, ask the vendor"
_CABLE = "check the USB cable and the module's power, then connect again"
_DRIVER = "install driver and library of the same version from the vendor"
_REMEDIES: Mapping[int, str] = {
    -1: _CABLE,
    -2: "close every other program that uses the module",
    -9: _DRIVER,
    -10: _CABLE,
    -11: "close every other program that uses the module",
    -12: _DRIVER,
    -16: "stop the run first",
    -17: "the module does not take this value; see its manual for the variant at hand",
    -18: "this function does not belong to the mode that is set",
    -19: "this module does not have the option; the vendor can unlock it",
    -22: "configure the module again",
    -23: "configure the module again",
    -32: _DRIVER,
    -33: _DRIVER,
    -35: "plug it into a fast USB port, without a hub",
    -36: _CABLE,
    -37: _CABLE,
    -38: _CABLE,
    -46: "disconnect the inputs and connect again; if it comes back, ask the vendor",
    -47: "check the external clock",
    -58: "update the module's firmware",
    -59: "update the library",
}


def word_of(prefix: str, code: int) -> str:
    """Return the vendor's word for a code of one library; empty if the headers have none."""
    return _OWN.get(prefix, {}).get(code, _WORDS.get(code, ""))


def device_error(device: str, function: str, code: int, word: str) -> DeviceError:
    """Return the error for a negative code.

    Args:
        device: Name of the instrument.
        function: What was called.
        code: What it returned.
        word: The vendor's word or text for the code.
    """
    return _class_of(code)(
        device, function, f"{word or 'unknown error'} ({code})", _REMEDIES.get(code, _POWER)
    )


def _class_of(code: int) -> type[DeviceError]:
    if code in _GONE:
        return ConnectionLostError
    if code == -21:
        return GarbledReplyError
    return DeviceRefusedError if code in _REFUSED else DeviceError
