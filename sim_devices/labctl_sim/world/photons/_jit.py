"""numba, which has no types of its own, behind one decorator."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_numba: Any = import_module("numba")


def jit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function when it is first called; the machine code is kept on disk."""
    compiled: Callable[P, R] = _numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled
