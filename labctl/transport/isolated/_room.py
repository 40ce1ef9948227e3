"""Memory that two processes share: large arrays are put there instead of into a message."""

import mmap
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Room"]

_BYTES = 1 << 24
_LEAST_BYTES = 1 << 15
"""Below this a message is as fast."""

Place = tuple[int, str, tuple[int, ...]]


class Room:
    """A file that is mapped into memory; holds the arrays of one message at a time.

    Attributes:
        path: Of the file.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open the room of another process, or make one (None), which is removed by ``close``."""
        self._made = path is None
        if path is None:
            descriptor, name = tempfile.mkstemp(prefix="labctl-")
            os.truncate(descriptor, _BYTES)
            self.path = Path(name)
        else:
            descriptor, self.path = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0)), path
        try:
            self._memory = mmap.mmap(descriptor, _BYTES)
        finally:
            os.close(descriptor)
        self._used = 0

    def clear(self) -> None:
        """Begin with the arrays of the next message."""
        self._used = 0

    def put(self, array: NDArray[Any]) -> Place | None:
        """Copy an array in; returns where it is, or None: it is small, or there is no room."""
        begin, end = self._used, self._used + array.nbytes
        if array.nbytes < _LEAST_BYTES or end > _BYTES or array.dtype.hasobject:
            return None
        place = begin, array.dtype.str, array.shape
        np.copyto(self._at(*place), array)
        self._used = -(-end // 64) * 64
        return place

    def get(self, begin: int, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return a copy of an array."""
        return self._at(begin, kind, shape).copy()

    def close(self) -> None:
        """Give the memory up."""
        self._memory.close()
        if self._made:
            with suppress(OSError):
                self.path.unlink()

    def _at(self, begin: int, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
        return np.ndarray(shape, np.dtype(kind), self._memory, begin)
