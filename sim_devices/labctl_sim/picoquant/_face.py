"""The library object of a module: ctypes on one side, plain values on the other."""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from labctl_sim.libraries import (
    Function,
    NullPointerError,
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
_TEXT, _UNUSED = "T", "P"


def picoquant_library(prefix: str, functions: Mapping[str, str], call: Call) -> VendorLibrary:
    """Build the library object.

    Args:
        prefix: Before the underscore of every function.
        functions: Name without prefix, and its arguments in words: ``i``, ``u`` and ``T`` (text)
            go in; ``I`` (int), ``U`` (unsigned), ``D`` (double), ``S8`` (text in a buffer of 8)
            and ``B`` (bytes) come out; ``P`` is a pointer that the stand-in never follows.
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
    inputs = [(place, kind) for place, kind in enumerate(kinds) if _goes_in(kind)]
    outputs = [(place, kind) for place, kind in enumerate(kinds) if not _goes_in(kind)]

    def body(*arguments: Any) -> int:
        code, values = call(name, [_read(kind, arguments[place]) for place, kind in inputs])
        if code < 0:
            raise VendorError(code)
        for (place, kind), value in zip(outputs, values, strict=True):
            _write(kind, arguments[place], value)
        return code

    return Function(types, body)


def _goes_in(kind: str) -> bool:
    return kind in _SCALARS or kind in (_TEXT, _UNUSED)


def _read(kind: str, value: Any) -> Any:
    if kind == _UNUSED:
        return None
    if kind != _TEXT:
        return value
    if value is None:
        raise NullPointerError
    return ctypes.string_at(value).decode("latin-1")


def _write(kind: str, address: int | None, value: Any) -> None:
    if kind in ("I", "U"):
        write_int(address, value)
    elif kind == "D":
        write_double(address, value)
    elif kind == "B":
        write_bytes(address, value)
    else:
        write_text(address, value, int(kind[1:]))
