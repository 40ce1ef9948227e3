"""The arrays of a point that is safe on disk, read from where its event says that they lie."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.events import PointStored

__all__ = ["stored_arrays"]

_MOST_BYTES = 8_000_000
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
                if count * kind.itemsize <= _MOST_BYTES:
                    file.seek(item.offset)
                    raw = file.read(count * kind.itemsize)
                    found[item.name] = np.frombuffer(raw, kind).reshape(item.shape)
    except (OSError, ValueError):
        return {}
    return found
