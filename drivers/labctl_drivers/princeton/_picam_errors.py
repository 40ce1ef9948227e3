"""Failures of pylablib and of the PICam library, as errors with a remedy."""

import ctypes
import re

from labctl.errors import ConnectionLostError, DeviceError, DeviceRefusedError

__all__ = ["EXCLUSIVE", "PYTHON_FAILURES", "device_error"]

PYTHON_FAILURES: tuple[type[Exception], ...] = (
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    ctypes.ArgumentError,
)
"""What pylablib lets out; its own device errors are RuntimeErrors."""

EXCLUSIVE = "some settings exclude each other; change speed, port, gain or region"
_GONE = {15, 23}
_REFUSED = {2, 10, 11, 12, 14, 20, 25, 28, 29, 30}
_REMEDIES = {
    2: "the camera does not have this value; see the ranges in the snapshot",
    7: "the camera is open in this program already",
    14: "the parameter has no effect with the other settings; EM gain needs its own port",
    15: "check the network or USB cable and the camera's power",
    20: "stop the acquisition first",
    23: "check the network or USB cable and the camera's power, then connect again",
    24: "close LightField and every other program that uses the camera",
    25: "stop the acquisition first",
    28: EXCLUSIVE,
    29: "configure the camera again",
    30: "configure the camera again",
    34: "check cable and power, and that no other program holds the camera",
    52: "let the shutter cool down, use longer exposures",
    53: "switch the camera off and on",
}
_COMMIT_FAILED = re.compile(r"failed to commit following parameters: \[(.*)\]")
_NO_LIBRARY = "install the vendor's PICam software, or run with --simulate"


def device_error(device: str, command: str, error: Exception) -> DeviceError:
    """Translate an exception that came out of pylablib.

    Args:
        device: Name of the instrument.
        command: What was being done; a library function that is named by the error goes first.
        error: The exception.
    """
    code = getattr(error, "code", None)
    if isinstance(code, int):
        function = str(getattr(error, "func", command))
        reply = f"{getattr(error, 'name', 'error')} ({code})"
        return _class_of(code)(device, function, reply, _REMEDIES.get(code, ""))
    refused = _COMMIT_FAILED.search(str(error))
    if refused:
        return DeviceRefusedError(
            device, "Picam_CommitParameters", f"refused {refused[1]}", EXCLUSIVE
        )
    if "no cameras" in str(error):
        return ConnectionLostError(device, command, str(error), _REMEDIES[34])
    if isinstance(error, OSError):
        return DeviceError(device, command, str(error), _NO_LIBRARY)
    reply = str(error) or type(error).__name__
    return DeviceError(device, command, reply, "stop, configure again; if it stays, reconnect")


def _class_of(code: int) -> type[DeviceError]:
    if code in _GONE:
        return ConnectionLostError
    return DeviceRefusedError if code in _REFUSED else DeviceError
