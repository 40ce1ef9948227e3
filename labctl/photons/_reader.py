"""PTU files: what their header means, and their records block by block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labctl.errors import StorageError
from labctl.photons._decoder import BLOCK_RECORDS
from labctl.photons._formats import RecordType, Stream, format_of
from labctl.photons._tags import Header, read_header

__all__ = ["PtuFile", "PtuFlag", "read_ptu"]

RECORD_BYTES = 4
_FINEST_S, _COARSEST_S = 1e-13, 10.0
"""No module resolves less than a picosecond, and none counts syncs slower than some per second."""


class PtuFlag(Enum):
    """What is odd about a file that can be read all the same."""

    NOT_COUNTED = "the header counts no records: the file was never closed"
    LONGER = "there are more records than the header counts: written on, or never closed"
    TRUNCATED = "there are fewer records than the header counts"
    PARTIAL_RECORD = "the last record is cut and was left out"


@dataclass(frozen=True)
class PtuFile:
    """A file as it was when it was opened; later records are not seen.

    Attributes:
        path: Where it is.
        header: Its tags.
        stream: What its records mean.
        record_count: Whole records that it holds.
        flags: What is odd about it.
    """

    path: Path
    header: Header
    stream: Stream
    record_count: int
    flags: frozenset[PtuFlag]

    def blocks(self, size: int = BLOCK_RECORDS) -> Iterator[NDArray[np.uint32]]:
        """Give the records in blocks; each lies in the memory of the one before."""
        block, left = np.empty(size, "<u4"), self.record_count
        view = block.data.cast("B")
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.header.size)
            while left:
                if left < len(block):
                    block, view = block[:left], view[: left * RECORD_BYTES]
                if not _fill(view, file.readinto):
                    raise StorageError(f"{self.path}: became shorter while it was read")
                left -= len(block)
                yield block

    def records(self) -> NDArray[np.uint32]:
        """Return all records, 4 bytes of memory each."""
        blocks = list(self.blocks(max(1, self.record_count)))
        return blocks[0] if blocks else np.empty(0, np.uint32)


def _fill(view: memoryview, readinto: Callable[[memoryview], int | None]) -> bool:
    while len(view):
        count = readinto(view)
        if not count:
            return False
        view = view[count:]
    return True


def read_ptu(path: Path) -> PtuFile:
    """Open a PTU file of time-tag records, also one that is being written or is damaged.

    Raises:
        StorageError: It cannot be read, is no PTU file, or its header does not say what the
            records are.
    """
    try:
        with path.open("rb") as file:
            header = read_header(file)
            size = file.seek(0, 2)
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error
    except StorageError as error:
        raise StorageError(f"{path}: {error}") from error
    count, rest = divmod(size - header.size, RECORD_BYTES)
    flags = _count_flags(header, count)
    if rest:
        flags.add(PtuFlag.PARTIAL_RECORD)
    return PtuFile(path, header, _stream(path, header), count, frozenset(flags))


def _count_flags(header: Header, count: int) -> set[PtuFlag]:
    counted = header.number("TTResult_NumberOfRecords") or 0
    if counted == count:
        return set()
    if counted == 0:
        return {PtuFlag.NOT_COUNTED}
    return {PtuFlag.TRUNCATED if counted > count else PtuFlag.LONGER}


def _stream(path: Path, header: Header) -> Stream:
    kind = header.number("TTResultFormat_TTTRRecType")
    if kind is None:
        raise StorageError(f"{path}: TTResultFormat_TTTRRecType is missing: no time-tag records")
    bits = header.number("TTResultFormat_BitsPerRecord")
    if bits not in (None, 32):
        raise StorageError(f"{path}: records of {bits} bits, only 32 are known")
    try:
        mode = format_of(int(kind)).mode
    except StorageError as error:
        raise StorageError(f"{path}: {error}") from error
    tick_s = _resolution_s(path, header, "MeasDesc_GlobalResolution")
    # In T2 the resolution says nothing about times; real files differ from the global one.
    delay_s = _resolution_s(path, header, "MeasDesc_Resolution") if mode == 3 else tick_s
    return Stream(RecordType(int(kind)), tick_s, delay_s)


def _resolution_s(path: Path, header: Header, name: str) -> float:
    value = header.number(name)
    if value is None or not _FINEST_S <= value <= _COARSEST_S:
        message = f"{name} is missing or no possible resolution"
        raise StorageError(f"{path}: {message} ({_FINEST_S:g} to {_COARSEST_S:g} s)")
    return value
