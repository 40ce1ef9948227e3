"""The arrays of a point that is safe on disk, read from where its event says that they lie."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.errors import StorageError
from labctl.events import PointStored
from labctl.measurements import DOTS
from labctl.storage import RecordKind, read_journal

__all__ = ["MOST_BYTES", "found_dots", "stored_arrays"]

MOST_BYTES = 8_000_000
"""Display data: a larger array (a cube of frames) is opened from the run, not sent around."""


def stored_arrays(journal: str, event: PointStored) -> dict[str, NDArray[Any]]:
    """Return the arrays of a stored point by name; those that are too large to show are left out.

    A journal that cannot be read gives none: this is a display, the point is stored.
    """
    found: dict[str, NDArray[Any]] = {}
    try:
        with Path(journal).open("rb") as file:
            for item in event.arrays:
                count = int(np.prod(item.shape, dtype=np.int64))
                kind = np.dtype(item.dtype)
                if count * kind.itemsize <= MOST_BYTES:
                    file.seek(item.offset)
                    raw = file.read(count * kind.itemsize)
                    found[item.name] = np.frombuffer(raw, kind).reshape(item.shape)
    except (OSError, ValueError):
        return {}
    return found


def found_dots(journal: str) -> list[dict[str, Any]]:
    """Return the dots that the run has found last, as plain JSON values; none is an empty list."""
    dots: list[dict[str, Any]] = []
    try:
        with read_journal(Path(journal)) as records:
            for record in records:
                if record.kind == RecordKind.FOUND and DOTS in record.data:
                    dots = list(record.data[DOTS])
    except StorageError:
        return []
    return dots
