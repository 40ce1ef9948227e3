"""numba, which has no types of its own, behind one decorator."""

import inspect
import zlib
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_numba: Any = import_module("numba")
_HERE = Path(__file__).parent


def jit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function when it is first called; the machine code is kept on disk."""
    return _compiled(function, forceinline=False)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """The same for a small function that is copied into each that calls it, to save the call."""
    return _compiled(function, forceinline=True)


def _compiled(function: Callable[P, R], *, forceinline: bool) -> Callable[P, R]:
    folders = {_HERE, Path(inspect.getfile(function)).parent}
    stamp = sum(_stamp(folder) for folder in folders) & 0xFFFFFFFF
    # numba looks only at the function's own file to tell whether its machine code is of today,
    # and that code holds the functions it calls as well; the name is part of the key.
    function.__qualname__ = f"{function.__qualname__}_{stamp:08x}"
    # These functions make no arrays: counting who uses one would cost as much as a few photons.
    compiled: Callable[P, R] = _numba.njit(
        cache=True, nogil=True, error_model="numpy", forceinline=forceinline, _nrt=False
    )(function)
    return compiled


@cache
def _stamp(folder: Path) -> int:
    stamp = 0
    for file in sorted(folder.glob("*.py")):
        stamp = zlib.crc32(file.read_bytes(), stamp)
    return stamp
