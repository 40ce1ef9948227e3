"""The NI-DAQmx library object: ctypes on one side, plain values on the other."""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from labctl_sim.libraries import (
    Function,
    VendorError,
    VendorLibrary,
    breakable,
    write_int,
    write_pointer,
    write_text,
)

__all__ = ["INVALID_PARAMETER", "Call", "daqmx_library"]

Call = Callable[[str, list[Any]], Any]

INVALID_PARAMETER = -200077
_FAILED = -50150
"""Code of an unexpected software fault."""
_INPUTS: Mapping[str, type[Any]] = {
    "i": ctypes.c_int32,
    "u": ctypes.c_uint32,
    "d": ctypes.c_double,
    "h": ctypes.c_void_p,
    "t": ctypes.c_void_p,
}
"""Words for what goes in: numbers, task handle, text."""
_OUTPUTS = {"U": write_int, "H": write_pointer}
"""Words for what comes out: unsigned number, task handle; text is ``S`` and the size after it."""
_FUNCTIONS: Mapping[str, str] = {
    "DAQmxGetDevProductType": "t S u",
    "DAQmxGetDevSerialNum": "t U",
    "DAQmxCreateTask": "t H",
    "DAQmxCreateCICountEdgesChan": "h t t i u i",
    "DAQmxSetCICountEdgesTerm": "h t t",
    "DAQmxStartTask": "h",
    "DAQmxReadCounterScalarU32": "h d U reserved",
    "DAQmxStopTask": "h",
    "DAQmxClearTask": "h",
    "DAQmxGetExtendedErrorInfo": "S u",
}


@breakable
def daqmx_library(call: Call) -> VendorLibrary:
    """Build the library object.

    Args:
        call: Asks the card: function and what goes in; answers the library's code and a list of
            what comes out.
    """
    return VendorLibrary(
        {name: _function(name, words.split(), call) for name, words in _FUNCTIONS.items()},
        failure_code=_FAILED,
        null_code=INVALID_PARAMETER,
    )


def _function(name: str, kinds: list[str], call: Call) -> Function:
    def body(*arguments: Any) -> int:
        pairs = list(zip(kinds, arguments, strict=True))
        code, values = call(name, [_plain(kind, value) for kind, value in pairs if kind in _INPUTS])
        if code < 0:
            raise VendorError(code)
        sizes = [value for kind, value in pairs if kind == "u"]
        outputs = [(kind, address) for kind, address in pairs if kind in (*_OUTPUTS, "S")]
        for (kind, address), value in zip(outputs, values, strict=True):
            if kind != "S":
                _OUTPUTS[kind](address, value)
            elif not sizes[0]:
                return len(value) + 1  # the size that the text needs
            else:
                write_text(address, value, sizes[0])
        return code

    return Function([_INPUTS.get(kind, ctypes.c_void_p) for kind in kinds], body)


def _plain(kind: str, value: Any) -> Any:
    if kind != "t":
        return value
    return "" if value is None else ctypes.string_at(value).decode("latin-1")
