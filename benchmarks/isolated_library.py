"""What a call costs whose library lives in a process of its own.

The library is a fake that answers at once, beneath the PicoQuant driver's own caller; the times are
medians. Numbers of one machine stand in ``docs/decisions/0015``.
"""

import ctypes
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from labctl.transport import Isolation, LibraryLink, StandIn, pointed_to
from labctl_drivers.picoquant._library import Library

__all__ = ["block", "empty", "full", "main"]

_LARGEST = 1 << 20
_ROUNDS = 200


class _Fake:
    """A module whose buffer holds so many records at every read."""

    def __init__(self, records: int) -> None:
        self._size = records
        self._records = np.arange(_LARGEST, dtype=np.uint32)

    def MH_GetFlags(self, index: int, flags: Any) -> int:  # noqa: N802
        pointed_to(flags).value = 0
        return 0

    def MH_ReadFiFo(self, index: int, buffer: Any, count: Any) -> int:  # noqa: N802
        ctypes.memmove(buffer, self._records.ctypes.data, 4 * self._size)
        pointed_to(count).value = self._size
        return 0


def empty(_: object) -> object:
    """Return a module with nothing to read."""
    return _Fake(0)


def block(_: object) -> object:
    """Return a module with 2^17 records at every read."""
    return _Fake(1 << 17)


def full(_: object) -> object:
    """Return a module with 2^20 records at every read."""
    return _Fake(_LARGEST)


def _nobody(*_: object) -> None:
    """Do nothing: nothing is recorded, there is no world."""


def _median_us(call: Callable[[], object]) -> float:
    times_s: list[float] = []
    for _ in range(_ROUNDS):
        began_s = perf_counter()
        call()
        times_s.append(perf_counter() - began_s)
    return 1e6 * median(times_s)


def _measured(build: Callable[[object], object]) -> None:
    stand_in = StandIn(f"isolated_library:{build.__name__}", _nobody, _nobody)
    here = LibraryLink(build(None), _nobody)
    apart = LibraryLink(None, _nobody, Isolation(stand_in=stand_in))
    for where, link in (("here", here), ("apart", apart)):
        began_s = perf_counter()
        library = link.open(Library, "tagger", "MH")
        opened_s = perf_counter() - began_s
        flags_us, read_us = _median_us(library.flags), _median_us(library.records)
        print(
            f"{build.__name__:6} {where:6} opened in {opened_s:5.2f} s,"
            f" flags {flags_us:7.1f} us, read {read_us:8.1f} us"
        )
        link.let_go()


def main() -> None:
    """Print opening, a call without data, and a read, here and apart."""
    for build in (empty, block, full):
        _measured(build)


if __name__ == "__main__":
    main()
