"""The Sepia2 library object: ctypes on one side, plain values on the other.

Prototypes: the vendor's ``Sepia2_Lib.h``.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from labctl_sim.libraries import (
    Function,
    NullPointerError,
    VendorError,
    VendorLibrary,
    breakable,
    write_bytes,
    write_int,
    write_text,
)

__all__ = ["Call", "sepia_library"]

Call = Callable[[str, list[Any]], Any]

_INVALID_ARGUMENT = -3201
_FAILED = -3210
_SCALARS: Mapping[str, type[Any]] = {"i": ctypes.c_int, "b": ctypes.c_ubyte, "w": ctypes.c_ushort}
_FUNCTIONS: Mapping[str, str] = {
    "LIB_DecodeError": "i S64",
    "LIB_GetVersion": "S12",
    "USB_OpenDevice": "i F33 F13",
    "USB_OpenGetSerNumAndClose": "i F33 F13",
    "USB_CloseDevice": "i",
    "USB_GetStrDescriptor": "i S256",
    "FWR_GetVersion": "i S10",
    "FWR_GetLastError": "i I I I I S55",
    "FWR_GetModuleMap": "i i I",
    "FWR_GetModuleInfoByMapIdx": "i i I B B B",
    "FWR_FreeModuleMap": "i",
    "COM_GetModuleType": "i i i I",
    "COM_DecodeModuleType": "i S55",
    "COM_GetSerialNumber": "i i i S13",
    "SCM_GetPowerAndLaserLEDS": "i i B B",
    "SCM_GetLaserLocked": "i i B",
    "SCM_GetLaserSoftLock": "i i B",
    "SCM_SetLaserSoftLock": "i i b",
    "SLM_DecodeFreqTrigMode": "i S28",
    "SLM_DecodeHeadType": "i S18",
    "SLM_GetPulseParameters": "i i I B I",
    "SLM_SetPulseParameters": "i i i b",
    "SLM_GetIntensityFineStep": "i i W",
    "SLM_SetIntensityFineStep": "i i w",
    "PRI_GetDeviceInfo": "i i S6 S32 S8 I",
    "PRI_DecodeOperationMode": "i i i S16",
    "PRI_GetOperationMode": "i i I",
    "PRI_SetOperationMode": "i i i",
    "PRI_GetTriggerSource": "i i I",
    "PRI_SetTriggerSource": "i i i",
    "PRI_GetFrequencyLimits": "i i I I",
    "PRI_GetFrequency": "i i I",
    "PRI_SetFrequency": "i i i",
    "PRI_DecodeWavelength": "i i i I",
    "PRI_GetWavelengthIdx": "i i I",
    "PRI_SetWavelengthIdx": "i i i",
    "PRI_GetIntensity": "i i i W",
    "PRI_SetIntensity": "i i i w",
}
"""Name without prefix, and its arguments in words: ``i``, ``b`` (unsigned char) and ``w`` (unsigned
short) go in; ``I``, ``B``, ``W`` and ``S64`` (text in a buffer of 64) come out; ``F33`` is a text
that goes in as a filter and comes out as what there is."""


@breakable
def sepia_library(call: Call) -> VendorLibrary:
    """Build the library object.

    Args:
        call: Asks the laser driver: function and what goes in; answers the library's code and a
            list of what comes out.
    """
    return VendorLibrary(
        {f"SEPIA2_{name}": _function(name, words, call) for name, words in _FUNCTIONS.items()},
        failure_code=_FAILED,
        null_code=_INVALID_ARGUMENT,
    )


def _function(name: str, words: str, call: Call) -> Function:
    kinds = words.split()
    types = [_SCALARS.get(kind, ctypes.c_void_p) for kind in kinds]

    def body(*arguments: Any) -> int:
        pairs = list(zip(kinds, arguments, strict=True))
        code, values = call(name, [_read(*pair) for pair in pairs if _goes_in(pair[0])])
        if code < 0:
            raise VendorError(code)
        outputs = [(kind, address) for kind, address in pairs if kind not in _SCALARS]
        for (kind, address), value in zip(outputs, values, strict=True):
            _write(kind, address, value)
        return code

    return Function(types, body)


def _goes_in(kind: str) -> bool:
    return kind in _SCALARS or kind.startswith("F")


def _read(kind: str, value: Any) -> Any:
    if kind in _SCALARS:
        return value
    if value is None:
        raise NullPointerError
    return ctypes.string_at(value).decode("latin-1")


def _write(kind: str, address: int | None, value: Any) -> None:
    if kind == "I":
        write_int(address, value)
    elif kind == "B":
        write_bytes(address, bytes([value]))
    elif kind == "W":
        write_bytes(address, int(value).to_bytes(2, "little"))
    else:
        write_text(address, value, int(kind[1:]))
