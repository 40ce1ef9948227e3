"""The library object of a module: ctypes on one side, plain values on the other."""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from labctl_sim.libraries import (
    Function,
    VendorError,
    VendorLibrary,
    write_bytes,
    write_double,
    write_int,
    write_text,
)
from labctl_sim.picoquant._words import Code

__all__ = ["Call", "picoquant_library"]

Call = Callable[[str, list[Any]], Any]

_SCALARS: Mapping[str, type[Any]] = {"i": ctypes.c_int, "u": ctypes.c_uint}


def picoquant_library(prefix: str, functions: Mapping[str, str], call: Call) -> VendorLibrary:
    """Build the library object.

    Args:
        prefix: Before the underscore of every function.
        functions: Name without prefix, and its arguments in words: ``i`` and ``u`` go in; ``I``
            (int), ``D`` (double), ``S8`` (text in a buffer of 8) and ``B`` (bytes) come out.
        call: Asks the module: function and the numbers that go in; answers the library's code and
            a list of what comes out.
    """
    return VendorLibrary(
        {f"{prefix}_{name}": _function(name, words, call) for name, words in functions.items()},
        failure_code=Code.STATUS_FAIL,
        null_code=Code.INVALID_MEMORY,
    )


def _function(name: str, words: str, call: Call) -> Function:
    kinds = words.split()
    types = [_SCALARS.get(kind, ctypes.c_void_p) for kind in kinds]

    def body(*arguments: Any) -> int:
        pairs = list(zip(kinds, arguments, strict=True))
        code, values = call(name, [value for kind, value in pairs if kind in _SCALARS])
        if code < 0:
            raise VendorError(code)
        outputs = [(kind, address) for kind, address in pairs if kind not in _SCALARS]
        for (kind, address), value in zip(outputs, values, strict=True):
            _write(kind, address, value)
        return code

    return Function(types, body)


def _write(kind: str, address: int | None, value: Any) -> None:
    if kind == "I":
        write_int(address, value)
    elif kind == "D":
        write_double(address, value)
    elif kind == "B":
        write_bytes(address, value)
    else:
        write_text(address, value, int(kind[1:]))
