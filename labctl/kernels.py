"""Functions that numba compiles for one signature, when armed; the only place that touches numba.

A kernel has one explicit signature. It is compiled (or loaded from numba's cache on disk) by
``warm_up`` of its set, at the latest at its first call, and never again: other argument types are
refused instead of starting a compiler during an acquisition. Kernels release the lock of the
interpreter.
"""

from collections.abc import Callable, Mapping
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Kernel", "Kernels", "fixed"]

Array = NDArray[Any]
"""An array inside a kernel: what its numbers are stands in the kernel's signature."""

P = ParamSpec("P")
R = TypeVar("R")
Scalar = TypeVar("Scalar", bound=np.generic)

_lock = RLock()


class Kernel(Generic[P, R]):
    """A function that numba compiles for one signature."""

    def __init__(
        self, function: Callable[P, R], signature: str, *, any_order: bool = False
    ) -> None:
        self.function, self.signature, self._any_order = function, signature, any_order
        self._compiled: Callable[P, R] | None = None

    def compile(self) -> Callable[P, R]:
        """Return the compiled function, made at the first call."""
        with _lock:
            if self._compiled is None:
                self._compiled = _compiled(self.function, self.signature, self._any_order)
            return self._compiled

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the compiled function."""
        return (self._compiled or self.compile())(*args, **kwargs)

    @property
    def _numba_type_(self) -> Any:
        """What numba asks for where one kernel calls another one.

        Both stand in one file: numba's cache looks at the caller's alone.
        """
        return cast("Any", self.compile())._numba_type_


def _compiled(function: Callable[P, R], signature: str, any_order: bool) -> Callable[P, R]:
    # Imported late: numba takes longer to load than all of labctl's core.
    from numba import njit

    loose = {"reassoc", "nsz"} if any_order else False

    def build(cache: bool) -> Callable[P, R]:
        make = njit(signature, cache=cache, nogil=True, error_model="numpy", fastmath=loose)
        return cast("Callable[P, R]", make(function))

    try:
        return build(cache=True)
    except RuntimeError:
        # Neither beside the source nor in the user's folder can a cache be written.
        return build(cache=False)


class Kernels:
    """The kernels of one package.

    Args:
        aliases: Words that stand for types in the signatures of this package.
    """

    def __init__(self, aliases: Mapping[str, str]) -> None:
        self._aliases = aliases
        self._made: list[Kernel[..., Any]] = []

    def kernel(
        self, signature: str, *, any_order: bool = False
    ) -> Callable[[Callable[P, R]], Kernel[P, R]]:
        """Return a decorator that makes a kernel with this signature, in numba's notation.

        ``any_order`` lets sums be taken in whatever order is fastest.
        """
        for alias, spelled in self._aliases.items():
            signature = signature.replace(alias, spelled)

        def decorate(function: Callable[P, R]) -> Kernel[P, R]:
            made = Kernel(function, signature, any_order=any_order)
            self._made.append(made)
            return made

        return decorate

    def warm_up(self) -> None:
        """Compile every kernel, or load it from the cache."""
        for one in self._made:
            one.compile()


def fixed(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a contiguous, aligned, read-only view, as kernels take their input."""
    flags = array.flags
    if not (flags.c_contiguous and flags.aligned):
        array = np.require(array, requirements=["C", "A"])
    view = array.view()
    view.flags.writeable = False
    return view
