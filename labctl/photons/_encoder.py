"""Photons and markers to generic T2 and T3 records."""

import numpy as np
from numpy.typing import NDArray

from labctl.photons._formats import RecordType
from labctl.photons._numba import Array, fixed, int64, kernel, uint32

__all__ = ["MOST_OVERFLOWS", "Encoder"]

MOST_OVERFLOWS = {2: 127, 3: 1023}
"""Largest count of one overflow record: ptufile 2026.2.6 loses time above 127 in T2."""

_TIME_BITS = {2: 25, 3: 10}


@kernel("UniTuple(int64, 2)(TIMES, CHANNELS, DELAYS, int64, int64, int64, uint32[::1])")
def encode_hydra(
    time: Array,
    code: Array,
    delay: Array,
    overflows: int,
    time_bits: int,
    most: int,
    records: Array,
) -> tuple[int, int]:
    """Write records; return how many, and the overflows so far."""
    written = 0
    for i in range(len(time)):
        missing = (time[i] >> time_bits) - overflows
        overflows += missing
        while missing > 0:
            count = min(missing, most)
            records[written] = uint32((127 << 25) | count)
            written += 1
            missing -= count
        record = (int64(code[i]) << 25) | (time[i] & ((1 << time_bits) - 1))
        if len(delay) > 0:
            record |= int64(delay[i]) << 10
        records[written] = uint32(record)
        written += 1
    return written, overflows


class Encoder:
    """Makes generic records of a point measurement; events must come in the order of time.

    Markers share the channel array: a marker is channel 64 plus its four bits.
    """

    def __init__(self, mode: int) -> None:
        if mode not in MOST_OVERFLOWS:
            raise ValueError(f"mode is 2 or 3, not {mode}")
        self.mode = mode
        self.record_type = RecordType.GENERIC_T2 if mode == 2 else RecordType.GENERIC_T3
        self.overflows = self._last_tick = 0

    def feed(
        self,
        time_ticks: NDArray[np.int64],
        channel: NDArray[np.uint8],
        delay_bins: NDArray[np.uint16] | None = None,
    ) -> NDArray[np.uint32]:
        """Return the records of the next events.

        Args:
            time_ticks: Times since the beginning, not decreasing, int64: sync numbers in T3.
            channel: Inputs from 0, or 64 plus marker bits, uint8.
            delay_bins: Delays after the sync, T3 only, 0 to 32767, uint16.

        Raises:
            ValueError: Arrays of different length, decreasing times, or a delay that does not fit.
        """
        delay = np.empty(0, np.uint16) if delay_bins is None else delay_bins
        self._check(time_ticks, channel, delay)
        if len(time_ticks) == 0:
            return np.empty(0, np.uint32)
        bits, most = _TIME_BITS[self.mode], MOST_OVERFLOWS[self.mode]
        gap = (int(time_ticks[-1]) >> bits) - self.overflows
        records = np.empty(2 * len(time_ticks) + gap // most + 1, np.uint32)
        written, self.overflows = encode_hydra(
            fixed(time_ticks), fixed(channel), fixed(delay), self.overflows, bits, most, records
        )
        self._last_tick = int(time_ticks[-1])
        return records[:written]

    def advance(self, to_tick: int) -> NDArray[np.uint32]:
        """Return overflow records that say that nothing more happened until this time.

        Readers take the last record for the end of the measurement.
        """
        bits, most = _TIME_BITS[self.mode], MOST_OVERFLOWS[self.mode]
        missing = max(0, (to_tick >> bits) - self.overflows)
        self.overflows += missing
        self._last_tick = max(self._last_tick, self.overflows << bits)
        counts = [most] * (missing // most) + [missing % most] * (missing % most > 0)
        return np.array([(127 << 25) | count for count in counts], np.uint32)

    def _check(
        self, time: NDArray[np.int64], channel: NDArray[np.uint8], delay: NDArray[np.uint16]
    ) -> None:
        if len(channel) != len(time) or len(delay) != (len(time) if self.mode == 3 else 0):
            raise ValueError("times, channels and (in T3) delays belong together one by one")
        if len(time) and (int(time[0]) < self._last_tick or bool((np.diff(time) < 0).any())):
            raise ValueError("events must come in the order of time")
        if len(delay) and int(delay.max()) > 0x7FFF:
            raise ValueError("a delay is at most 32767 bins")
        if len(channel) and int(channel.max()) > 79:
            raise ValueError("a channel is 0 to 63, or 64 plus marker bits")
