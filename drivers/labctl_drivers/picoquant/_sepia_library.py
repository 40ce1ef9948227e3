"""The part of the Sepia2 library that one laser needs. Nothing else of the driver uses ctypes.

Source: the vendor's header ``Sepia2_Lib.h``, ``Sepia2_Def.h`` and ``Sepia2_ErrorCodes.h`` of
version 1.2.xx.767. All functions return an int, 0 for success.
"""

import ctypes
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from labctl.errors import ConnectionLostError, DeviceError, DeviceRefusedError
from labctl.transport import LibraryLink

__all__ = ["DEVICES", "Output", "SepiaLibrary"]

Output = Literal["int", "ubyte", "ushort"]

DEVICES = 8
"""The library numbers its devices from 0 to 7."""
_ERROR_TEXT, _VERSION_TEXT, _MODEL_TEXT, _SERIAL_TEXT = 64, 12, 33, 13
_OUTPUTS: Mapping[Output, type[Any]] = {
    "int": ctypes.c_int,
    "ubyte": ctypes.c_ubyte,
    "ushort": ctypes.c_ushort,
}
_DLLS = ("Sepia2_Lib.dll",)
_PRIMARY = 1
_NO_RESTART = 0
_GONE = {-2001, -2002, -2005, -2006, *range(-3217, -3199)}
_BUSY = {-2003, -3202, -3207}
_REFUSED = {-2011, -2014, -3001, -3201, -5008, -6001, -6002, -6003, *range(-6549, -6530)}
_CABLE = "check the USB cable and the laser driver's power, then connect again"
_FREE = "close every other program that uses the laser driver"
_VALUE = "this laser does not take the value; see its manual"


class SepiaLibrary:
    """Calls of one device; errors come out as ``DeviceError`` with the library's words.

    Attributes:
        index: Number of the open device.
    """

    slow_s: ClassVar[Mapping[str, float]] = {"USB_OpenDevice": 20.0, "FWR_GetModuleMap": 20.0}
    """Functions that look through all of USB, or through all modules, s."""

    def __init__(self, device: str, link: LibraryLink, file: str = "") -> None:
        """Load the vendor's library, or take the one of the link.

        Raises:
            DeviceError: The vendor's library is not installed.
        """
        self._device = device
        library = link.library if link.library is not None else _vendors(device, file)
        self._library: Any = link.watched(library)
        self.index = 0

    def version(self) -> str:
        """Return the library's version."""
        text = ctypes.create_string_buffer(_VERSION_TEXT)
        self.call("LIB_GetVersion", text)
        return _plain(text)

    def open(self, index: int) -> tuple[int, str, str]:
        """Try to open a device; returns the library's code, product and serial number."""
        # What stands in the buffers is a filter: empty ones take any device.
        model = ctypes.create_string_buffer(_MODEL_TEXT)
        serial = ctypes.create_string_buffer(_SERIAL_TEXT)
        code = self._once("USB_OpenDevice", index, model, serial)
        self.index = index
        return code, _plain(model), _plain(serial)

    def close(self) -> None:
        """Forget the modules and close the device."""
        self.device_call("FWR_FreeModuleMap")
        self.device_call("USB_CloseDevice")

    def firmware(self) -> str:
        """Return the firmware's version."""
        text = ctypes.create_string_buffer(_VERSION_TEXT)
        self.device_call("FWR_GetVersion", text)
        return _plain(text)

    def modules(self) -> dict[int, int]:
        """Return slot → type of every primary module that is no backplane."""
        count = ctypes.c_int()
        self.device_call("FWR_GetModuleMap", _NO_RESTART, ctypes.byref(count))
        found: dict[int, int] = {}
        for entry in range(count.value):
            slot = ctypes.c_int()
            flags = [ctypes.c_ubyte() for _ in range(3)]
            outputs = [ctypes.byref(one) for one in (slot, *flags)]
            self.device_call("FWR_GetModuleInfoByMapIdx", entry, *outputs)
            primary, backplane, _ = (bool(flag.value) for flag in flags)
            if primary and not backplane:
                kind = ctypes.c_int()
                self.device_call("COM_GetModuleType", slot.value, _PRIMARY, ctypes.byref(kind))
                found[slot.value] = kind.value
        return found

    def numbers(
        self, name: str, arguments: Sequence[int], outputs: Sequence[Output]
    ) -> tuple[int, ...]:
        """Call a function of the open device that gives numbers of these kinds at its end."""
        made = [_OUTPUTS[kind]() for kind in outputs]
        self.device_call(name, *arguments, *(ctypes.byref(one) for one in made))
        return tuple(int(one.value) for one in made)

    def device_call(self, name: str, *arguments: Any) -> None:
        """Call a function of the open device."""
        self.call(name, self.index, *arguments)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function.

        Raises:
            DeviceError: It returns an error.
        """
        code = self._once(name, *arguments)
        if code != 0:
            raise self.error(name, code)

    def error(self, name: str, code: int) -> DeviceError:
        """Return the error for a code, with the library's words."""
        text = ctypes.create_string_buffer(_ERROR_TEXT)
        known = self._once("LIB_DecodeError", code, text) == 0
        reply = f"{_plain(text) if known else 'unknown error'} ({code})"
        function = f"SEPIA2_{name}"
        if code in _BUSY:
            return DeviceRefusedError(self._device, function, reply, _FREE)
        if code in _GONE:
            return ConnectionLostError(self._device, function, reply, _CABLE)
        if code in _REFUSED:
            return DeviceRefusedError(self._device, function, reply, _VALUE)
        return DeviceError(self._device, function, reply, "switch the laser driver off and on")

    def _once(self, name: str, *arguments: Any) -> int:
        function = f"SEPIA2_{name}"
        call: Any = getattr(self._library, function, None)
        if call is None:
            remedy = "install version 1.2 of the vendor's library"
            raise DeviceError(self._device, function, "the library does not have it", remedy)
        try:
            return int(call(*arguments))
        except OSError as error:
            # Windows reports so that the library itself has crashed.
            raise ConnectionLostError(
                self._device, function, str(error), "connect again"
            ) from error


def _vendors(device: str, file: str) -> object:
    names = [file] if file else list(_DLLS)
    # On 32-bit Windows the functions clean up the stack themselves (stdcall).
    load: Any = getattr(ctypes, "WinDLL" if sys.platform == "win32" else "CDLL")
    failures: list[str] = []
    for name in names:
        try:
            loaded: object = load(name)
            return loaded
        except OSError as error:
            failures.append(str(error))
    raise DeviceError(
        device,
        f"load {' or '.join(names)}",
        "; ".join(failures),
        "install the vendor's PQLaserDrv for Windows, of the same word size as this Python; name "
        "its file as 'library:' in the set-up if it is elsewhere, or run with --simulate",
    )


def _plain(text: "ctypes.Array[ctypes.c_char]") -> str:
    return text.value.decode("latin-1").strip()
