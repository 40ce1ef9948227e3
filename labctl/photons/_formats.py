"""The kinds of 32-bit time-tag records, as PicoQuant's record tables define them.

Source: PicoQuant, Time-Tagged-File-Format-Demos, ``apx_tttrrecords``. Times count ticks of the
global resolution: 1 to 5 ps in T2, one sync period in T3.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from labctl.errors import StorageError

__all__ = ["SYNC_CHANNEL", "Family", "RecordFormat", "RecordType", "Stream", "format_of"]

SYNC_CHANNEL = 64
"""The channel of events on the sync input in T2 records of the Hydra family."""

_LAST_TICK = {2: 1 << 60, 3: 1 << 46}
"""Times stop here, after ten days at least; only a damaged file has more overflows."""


class RecordType(IntEnum):
    """``TTResultFormat_TTTRRecType``."""

    PICOHARP_T2 = 0x00010203
    PICOHARP_T3 = 0x00010303
    HYDRAHARP1_T2 = 0x00010204
    HYDRAHARP1_T3 = 0x00010304
    HYDRAHARP2_T2 = 0x01010204
    HYDRAHARP2_T3 = 0x01010304
    TIMEHARP260N_T2 = 0x00010205
    TIMEHARP260N_T3 = 0x00010305
    TIMEHARP260P_T2 = 0x00010206
    TIMEHARP260P_T3 = 0x00010306
    GENERIC_T2 = 0x00010207
    """MultiHarp 150 and 160, PicoHarp 330, and files that labctl makes itself."""
    GENERIC_T3 = 0x00010307


class Family(Enum):
    """Two ways to divide the 32 bits."""

    PICOHARP = "PicoHarp 300"
    HYDRA = "HydraHarp and later"


@dataclass(frozen=True)
class RecordFormat:
    """What is needed to read records of one kind.

    Attributes:
        record_type: The kind.
        family: How the bits are divided.
        mode: 2 (absolute times) or 3 (sync number and delay).
        wrap_ticks: What one overflow adds to the time.
        counted: Whether an overflow record says how many overflows it stands for.
        delay_bins: Delays run from 0 to this, exclusive; 0 in T2.
    """

    record_type: RecordType
    family: Family
    mode: int
    wrap_ticks: int
    counted: bool
    delay_bins: int

    @property
    def last_overflows(self) -> int:
        """Return the count of overflows at which times stop."""
        return _LAST_TICK[self.mode] // self.wrap_ticks


def format_of(record_type: int) -> RecordFormat:
    """Return the format of a kind of record.

    Raises:
        StorageError: No such kind is known.
    """
    try:
        kind = RecordType(record_type)
    except ValueError as error:
        message = f"time-tag records of unknown type 0x{record_type & 0xFFFFFFFF:08X}"
        raise StorageError(message) from error
    mode = 3 if (kind >> 8) & 3 == 3 else 2
    if kind & 0xFF == 0x03:
        wrap = 65536 if mode == 3 else 210698240
        return RecordFormat(kind, Family.PICOHARP, mode, wrap, False, 4096 * (mode - 2))
    wrap = 1024 if mode == 3 else 33554432
    if kind is RecordType.HYDRAHARP1_T2:
        wrap = 33552000
    counted = kind not in (RecordType.HYDRAHARP1_T2, RecordType.HYDRAHARP1_T3)
    return RecordFormat(kind, Family.HYDRA, mode, wrap, counted, 32768 * (mode - 2))


@dataclass(frozen=True)
class Stream:
    """What the numbers in a stream of records mean.

    Attributes:
        record_type: The kind of records.
        tick_s: What one tick of a time is, s: the unit of T2 times, the sync period in T3.
        delay_bin_s: What one bin of a T3 delay is, s; without meaning in T2.
    """

    record_type: RecordType
    tick_s: float
    delay_bin_s: float = 1e-12

    @property
    def format(self) -> RecordFormat:
        """Return how the records are read."""
        return format_of(self.record_type)

    @property
    def mode(self) -> int:
        """Return 2 or 3."""
        return self.format.mode
