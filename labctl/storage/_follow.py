"""The points of a journal that grows, one by one, without reading anything twice."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from labctl.storage._index import RunIndex
from labctl.storage._reader import read_journal
from labctl.storage._records import Record, RecordKind

if TYPE_CHECKING:
    import xarray as xr


class PointFollower:
    """Follows the journal of one segment; the work per point does not grow with the run."""

    def __init__(self, journal: Path) -> None:
        """Begin at the start of ``journal``; nothing is read yet."""
        self.path = journal
        self._offset = 0
        self._first: Record | None = None
        self._start: Record | None = None

    def newest(self) -> "xr.Dataset | None":
        """Read on to the end; return the last point that has come since, None without one.

        Returns:
            The arrays of the point with named coordinates and units, as in ``Run.data``, without
            the dimension ``point``.

        Raises:
            StorageError: The journal cannot be read.
        """
        found: Record | None = None
        with read_journal(self.path, offset=self._offset) as reader:
            for record in reader:
                self._first = self._first or record
                if record.kind == RecordKind.START:
                    self._start = record
                if record.kind == RecordKind.POINT:
                    found = record
        self._offset = reader.tail.offset
        return None if found is None else self._dataset(found)

    def _dataset(self, point: Record) -> "xr.Dataset":
        # xarray takes long to import, and whoever only moves something does not need it.
        from labctl.storage._dataset import group_dataset

        index = RunIndex()
        for record in (self._first, self._start):
            if record is not None:
                index.add(record)
        group = index.add(point)
        if group is None:
            message = "a point record without a group"
            raise TypeError(message)
        arrays = {name: item.values[np.newaxis] for name, item in point.arrays.items()}
        return group_dataset(index, group, np.zeros(1, dtype=np.int64), arrays).isel(point=0)
