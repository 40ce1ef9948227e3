"""Where the content of a run comes from: its journals, or its product."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from labctl.errors import StorageError
from labctl.storage._dataset import empty_arrays
from labctl.storage._durable import is_held
from labctl.storage._frame import parse_header
from labctl.storage._h5 import H5Group, open_h5
from labctl.storage._index import Group, RunIndex
from labctl.storage._reader import read_journal, read_record
from labctl.storage._records import Header, JournalTail, Record, RecordAddress, RunStatus


class Source(Protocol):
    """A run that can be read."""

    index: RunIndex
    status: RunStatus
    tails: tuple[JournalTail, ...]

    def headers(self) -> Iterator[Header]:
        """Yield the headers of all records in order."""
        ...

    def arrays(self, group: Group, kept: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the arrays of some points of a group, the points as first dimension."""
        ...


class JournalSource:
    """The journals of all segments, also while the last one is being written."""

    def __init__(self, journals: Sequence[Path]) -> None:
        """Read every header once."""
        self.index = RunIndex()
        self._journals = tuple(journals)
        self._places: list[tuple[Path, RecordAddress]] = []
        self._limits: list[int] = []
        tails: list[JournalTail] = []
        held = is_held(self._journals[-1])
        for path in self._journals:
            with read_journal(path) as reader:
                for record in reader:
                    if self.index.add(record) is not None:
                        self._places.append((path, record.address))
            tails.append(reader.tail)
        self.tails = tuple(tails)
        self.status = self._status(held)

    def headers(self) -> Iterator[Record]:
        """Yield the whole records that were there when the source was made."""
        for path, tail in zip(self._journals, self.tails, strict=True):
            with read_journal(path) as reader:
                for record in reader:
                    if record.address.offset >= tail.offset:
                        break
                    yield record

    def arrays(self, group: Group, kept: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the arrays of some points of a group, the points as first dimension."""
        found = empty_arrays(group.layout, len(kept))
        opened: dict[Path, Any] = {}
        try:
            for number, position in enumerate(kept):
                path, address = self._places[group.rows[int(position)]]
                if path not in opened:
                    opened[path] = path.open("rb")
                for name, item in read_record(opened[path], address).arrays.items():
                    found[name][number] = item.values
        finally:
            for file in opened.values():
                file.close()
        return found

    def _status(self, held: bool) -> RunStatus:
        return self.index.stopped_as or (RunStatus.RUNNING if held else RunStatus.CRASHED)


class ProductSource:
    """The finished ``.nxs`` file."""

    def __init__(self, path: Path) -> None:
        """Read the headers that it keeps of every record.

        Raises:
            StorageError: If it was not written by labctl.
        """
        self.index = RunIndex()
        self.tails: tuple[JournalTail, ...] = ()
        self._path = path
        for header in self.headers():
            self.index.add(header)
        with open_h5(path) as file:
            labctl = _labctl(file, path)
            self.status = RunStatus(labctl.read_text("run_status"))
            self._groups = json.loads(labctl.read_text("data_groups"))
            if labctl.has("stray_sidecars"):
                self.index.sidecars += json.loads(labctl.read_text("stray_sidecars"))

    def headers(self) -> Iterator[Header]:
        """Yield the headers of all records."""
        with open_h5(self._path) as file:
            lines = _labctl(file, self._path).read("record_headers").tobytes()
        for line in lines.splitlines():
            yield parse_header(line)

    def arrays(self, group: Group, kept: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the arrays of some points of a group, the points as first dimension."""
        found: dict[str, NDArray[Any]] = {}
        with open_h5(self._path) as file:
            data = file.group(self._groups[group.key])
            for item in group.layout:
                stack = data.read(item.name)
                if stack.ndim == len(item.shape):
                    stack = np.broadcast_to(stack, (len(group.rows), *stack.shape))
                found[item.name] = np.asarray(stack[kept], np.dtype(item.dtype))
        return found


def _labctl(file: H5Group, path: Path) -> H5Group:
    if not file.has("entry/labctl/record_headers"):
        message = f"{path} holds no run of labctl"
        raise StorageError(message)
    return file.group("entry/labctl")
