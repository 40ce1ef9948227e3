"""What a journal consists of."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag, StrEnum
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray


class RecordKind(StrEnum):
    """Kinds of record that this version writes; a reader skips kinds it does not know."""

    START = "start"
    SEGMENT = "segment"
    POINT = "point"
    POINT_PART = "point_part"
    EVENT = "event"
    MONITOR = "monitor"
    SIDECAR = "sidecar"
    FOUND = "found"
    ANALYSIS = "analysis"
    STOP = "stop"


KNOWN_KINDS = frozenset(kind.value for kind in RecordKind)

DURABLE_KINDS = (
    RecordKind.POINT,
    RecordKind.START,
    RecordKind.SEGMENT,
    RecordKind.FOUND,
    RecordKind.STOP,
)
"""Kinds that are on the disk before ``append`` returns."""


class Quality(IntFlag):
    """Why a point is not beyond doubt; 0 is a good point."""

    TEMPERATURE_UNSTABLE = 1 << 0
    TEMPERATURE_TIMEOUT = 1 << 1
    POWER_OUT = 1 << 2
    FIFO_FULL = 1 << 3
    SYNC_BAD = 1 << 4
    RATE_HIGH = 1 << 5
    APD_OVERLIGHT = 1 << 6
    SATURATED = 1 << 7
    FRAME_DROPPED = 1 << 8
    POSITION_OFF = 1 << 9
    RETRIED = 1 << 10
    CLOCK_STEP = 1 << 11
    STALE_READING = 1 << 12
    SUSPENDED_DURING = 1 << 13
    OVERLAP = 1 << 14
    NOT_MEASURED = 1 << 15
    COMPLIANCE = 1 << 16
    """A source-meter gave less than it was set to, because its limit of current was reached."""


class RunStatus(StrEnum):
    """How a run stands or how it ended."""

    RUNNING = "running"
    COMPLETE = "complete"
    ABORTED = "aborted"
    FAILED = "failed"
    CRASHED = "crashed"
    """The process ended without a stop record; nothing has been recovered yet."""
    RECOVERED = "recovered"
    """Crashed, and everything that was stored has been written to the product."""


class NamedArray(Protocol):
    """An array that can be written: whatever has these four, with the meaning of ``ArrayItem``."""

    @property
    def name(self) -> str:
        """Unique in the record."""
        ...

    @property
    def values(self) -> NDArray[Any]:
        """Numbers or booleans of any shape."""
        ...

    @property
    def units(self) -> str:
        """Unit of the numbers."""
        ...

    @property
    def axes(self) -> tuple[str, ...]:
        """One name per dimension."""
        ...


@dataclass(frozen=True, eq=False)
class ArrayItem:
    """One array of a record.

    Attributes:
        name: Unique in the record.
        values: Numbers or booleans of any shape; a zero-dimensional array is a single number.
        units: Unit of the numbers as pint and NeXus write it; empty for dimensionless ones.
        axes: One name per dimension. Arrays that share an axis name share that axis.
    """

    name: str
    values: NDArray[Any]
    units: str
    axes: tuple[str, ...]


@dataclass(frozen=True)
class ArrayLayout:
    """Everything about an array except its numbers; ``dtype`` as numpy writes it (``<u4``)."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    units: str
    axes: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """Length of the stored array."""
        return _size_bytes(self.shape, self.dtype)


# Every point asks for the same few.
@lru_cache(maxsize=256)
def _size_bytes(shape: tuple[int, ...], dtype: str) -> int:
    # The digits of a dtype are its bytes.
    return math.prod(shape) * int(dtype[2:])


class RecordAddress(NamedTuple):
    """Where a record lies: its number and its place in the file, in bytes, and what it holds.

    Attributes:
        seq: Number of the record in its segment.
        offset: First byte of the record.
        length: Bytes of the whole record.
        body_offset: First byte of its arrays, which follow each other without gaps.
        layout: Descriptors of the arrays, in stored order.
    """

    seq: int
    offset: int
    length: int
    body_offset: int
    layout: tuple[ArrayLayout, ...] = ()


@dataclass(frozen=True, eq=False)
class Header:
    """A record without its arrays.

    Attributes:
        kind: A word of ``RecordKind``, or one that a later version added.
        seq: Number in the segment, from 0 without gaps.
        t_mono_s: Monotonic time of the writing process in s.
        t_utc: Time of day, with its zone.
        step_id: Step of the recipe, or empty.
        attempt: 0 for the first try.
        segment: Number of the process that wrote it, from 0.
        data: Content, depending on the kind.
        layout: Descriptors of the arrays, in stored order.
    """

    kind: str
    seq: int
    t_mono_s: float
    t_utc: datetime
    step_id: str
    attempt: int
    segment: int
    data: Mapping[str, Any]
    layout: tuple[ArrayLayout, ...]

    @property
    def known(self) -> bool:
        """Whether this version knows the kind."""
        return self.kind in KNOWN_KINDS


@dataclass(frozen=True, eq=False)
class Record(Header):
    """A whole record.

    Attributes:
        arrays: Arrays by name, in stored order, as read-only views.
        address: Where it lies in its journal.
        raw_header: The JSON header as stored, UTF-8.
    """

    arrays: Mapping[str, ArrayItem] = field(default_factory=dict[str, ArrayItem])
    address: RecordAddress = field(default=RecordAddress(0, 0, 0, 0))
    raw_header: bytes = b""


class TailState(StrEnum):
    """Why a reader stopped."""

    END = "end"
    INCOMPLETE = "incomplete"
    CORRUPT = "corrupt"


@dataclass(frozen=True)
class JournalTail:
    """Where and why reading stopped.

    Attributes:
        state: ``end`` after a whole record, ``incomplete`` if the file ends inside one (it is
            being written, or its writer died), ``corrupt`` if a record does not match its checksum.
        offset: Bytes up to which the journal is whole; continue reading here.
        reason: In words.
    """

    state: TailState
    offset: int
    reason: str
