"""Counts, and moments or decays, in successive bins of time: traces and the input of FLID."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.photons._analysis import Analysis, grown, lookup
from labctl.photons._decoder import PhotonBlock
from labctl.photons._formats import Stream
from labctl.photons._numba import Array, int64, kernel, uint64, uintp

__all__ = ["BinnedDelays", "BinnedDelaysResult", "Trace", "TraceResult"]

_MOST_CELLS = 1 << 25
"""Longer traces come from damaged data only; what is later is counted as such."""


@kernel("int64(TIMES, CHANNELS, int64[::1], int64, int64[:, ::1], int64[:, ::1])")
def count_in_time(
    time: Array, channel: Array, codes: Array, bin_ticks: int, counts: Array, tables: Array
) -> int:
    """Count the photons of some channels by time bin; return those after the last bin.

    The photons of a bin are first counted by channel, in four tables, because a counter that was
    just written cannot be read at once. Those of ``codes`` are zero before and after.
    """
    width, photons, outside = uint64(bin_ticks), uintp(len(time)), 0
    one, start = uintp(1), uintp(0)
    while start < photons:
        row = time[start] // bin_ticks
        begin, end = row * bin_ticks, start + one
        while end < photons and uint64(time[end] - begin) < width:
            end += one
        whole = end - (end - start) % uintp(4)
        for i in range(start, whole, uintp(4)):
            tables[0, channel[i]] += 1
            tables[1, channel[i + one]] += 1
            tables[2, channel[i + uintp(2)]] += 1
            tables[3, channel[i + uintp(3)]] += 1
        for i in range(whole, end):
            tables[0, channel[i]] += 1
        for column in range(len(codes)):
            found = 0
            for k in range(4):
                found += tables[k, codes[column]]
                tables[k, codes[column]] = 0
            if row < len(counts):
                counts[row, column] += found
            else:
                outside += found
        start = end
    return outside


@kernel(
    "int64(TIMES, CHANNELS, DELAYS, SIDES, int64, int64, int64, int64, int64[::1], int64[::1],"
    " int64[:, ::1])"
)
def delays_in_time(
    time: Array,
    channel: Array,
    delay: Array,
    column_of: Array,
    bin_ticks: int,
    first_bin: int,
    end_bin: int,
    per_column: int,
    counts: Array,
    sums: Array,
    decays: Array,
) -> int:
    """Count gated photons by time bin, and add up or count their delays."""
    row, end, outside = 0, 0, 0
    for i in range(len(time)):
        bins = int64(delay[i])
        if column_of[channel[i]] < 0 or bins < first_bin or bins >= end_bin:
            continue
        if time[i] >= end or time[i] < end - bin_ticks:
            row = time[i] // bin_ticks
            end = (row + 1) * bin_ticks
        if row >= len(counts):
            outside += 1
            continue
        counts[row] += 1
        sums[row] += bins - first_bin
        if decays.shape[1] > 0:
            decays[row, (bins - first_bin) // per_column] += 1
    return outside


@dataclass(frozen=True, eq=False)
class TraceResult:
    """Intensity against time.

    Attributes:
        counts: Photons, (time bin, channel), int64; complete bins only.
        rest: Photons of the bin that is not complete yet, (channel,), int64.
        bin_s: Width of a bin as it really is, a whole number of ticks, s.
        channels: Channel of each column.
        outside: Photons later than a trace can reach: damaged data.
    """

    counts: NDArray[np.int64]
    rest: NDArray[np.int64]
    bin_s: float
    channels: tuple[int, ...]
    outside: int

    @property
    def begin_s(self) -> NDArray[np.float64]:
        """Return the beginning of each bin, s."""
        return np.arange(len(self.counts), dtype=np.float64) * self.bin_s

    @property
    def rate_hz(self) -> NDArray[np.float64]:
        """Return count rates, (time bin, channel), 1/s."""
        return self.counts / self.bin_s


class _Rows:
    """How time is divided, and how many bins there are at a given time."""

    def __init__(self, stream: Stream, bin_s: float, columns: int) -> None:
        self.ticks = max(1, round(bin_s / stream.tick_s))
        self.bin_s = self.ticks * stream.tick_s
        self._most = _MOST_CELLS // max(1, columns)

    def complete(self, end_tick: int) -> int:
        return min(end_tick // self.ticks, self._most - 1)

    def needed(self, end_tick: int) -> int:
        return self.complete(end_tick) + 1


class Trace(Analysis):
    """Counts photons by channel in successive bins of time."""

    def __init__(self, stream: Stream, bin_s: float, channels: Iterable[int] = (0, 1)) -> None:
        self._channels = tuple(channels)
        # Refuses what cannot be a channel.
        lookup(self._channels)
        self._codes = np.array(self._channels, np.int64)
        self._tables = np.zeros((4, 256), np.int64)
        self._rows = _Rows(stream, bin_s, len(self._channels))
        self._counts = np.zeros((1024, len(self._channels)), np.int64)
        self._end_tick = self._outside = 0

    def feed(self, block: PhotonBlock) -> None:
        """Count the photons of the next block."""
        self._end_tick = block.end_tick
        self._counts = grown(self._counts, self._rows.needed(block.end_tick))
        self._outside += count_in_time(
            block.time_ticks,
            block.channel,
            self._codes,
            self._rows.ticks,
            self._counts,
            self._tables,
        )

    def result(self) -> TraceResult:
        """Return the trace so far."""
        complete = self._rows.complete(self._end_tick)
        rest = self._counts[complete : complete + 1].sum(axis=0)
        return TraceResult(
            self._counts[:complete].copy(), rest, self._rows.bin_s, self._channels, self._outside
        )


@dataclass(frozen=True, eq=False)
class BinnedDelaysResult:
    """Intensity and delays against time: what FLID is made of.

    Attributes:
        counts: Photons in the gate, (time bin,), int64; complete bins only.
        delay_sum_bins: Sum of their delays after the beginning of the gate, bins, int64.
        decays: Photons, (time bin, delay column), int64; no columns if none were wanted.
        column_s: Width of a delay column, s.
        bin_s: Width of a time bin, a whole number of ticks, s.
        delay_bin_s: Width of a delay bin, s.
        gate_bins: First delay bin and end of the gate.
        outside: Photons later than a trace can reach: damaged data.
    """

    counts: NDArray[np.int64]
    delay_sum_bins: NDArray[np.int64]
    decays: NDArray[np.int64]
    column_s: float
    bin_s: float
    delay_bin_s: float
    gate_bins: tuple[int, int]
    outside: int

    @property
    def mean_delay_ns(self) -> NDArray[np.float64]:
        """Return the mean delay in each time bin, from the middle of delay bins, ns."""
        counts = np.where(self.counts > 0, self.counts, np.nan)
        return (self.delay_sum_bins / counts + 0.5) * (self.delay_bin_s * 1e9)


class BinnedDelays(Analysis):
    """Counts photons and their delays in successive bins of time."""

    def __init__(
        self,
        stream: Stream,
        bin_s: float,
        *,
        channels: Iterable[int] = (0, 1),
        gate_bins: tuple[int, int] | None = None,
        columns: int = 0,
    ) -> None:
        """Divide time, and delays if wanted.

        Args:
            stream: What the numbers mean; T3 only.
            bin_s: Width of a time bin, s.
            channels: Channels that are taken together.
            gate_bins: First delay bin and end of the gate.
            columns: Into how many columns the gate is divided, so that each time bin has a decay.
        """
        if stream.mode != 3:
            raise ValueError("only T3 records carry delays")
        self._stream, self._rows = stream, _Rows(stream, bin_s, columns)
        self._column_of = lookup(dict.fromkeys(channels, 0))
        self._gate = gate_bins or (0, stream.format.delay_bins)
        width = self._gate[1] - self._gate[0]
        self._per_column = max(1, -(-width // max(1, columns)))
        self._counts, self._sums = np.zeros(1024, np.int64), np.zeros(1024, np.int64)
        self._decays = np.zeros((1024, columns), np.int64)
        self._end_tick = self._outside = 0

    def feed(self, block: PhotonBlock) -> None:
        """Count the photons of the next block."""
        self._end_tick = block.end_tick
        rows = self._rows.needed(block.end_tick)
        self._counts, self._sums = grown(self._counts, rows), grown(self._sums, rows)
        self._decays = grown(self._decays, rows)
        self._outside += delays_in_time(
            block.time_ticks,
            block.channel,
            block.delay_bins,
            self._column_of,
            self._rows.ticks,
            *self._gate,
            self._per_column,
            self._counts,
            self._sums,
            self._decays,
        )

    def result(self) -> BinnedDelaysResult:
        """Return what came so far."""
        complete = self._rows.complete(self._end_tick)
        return BinnedDelaysResult(
            self._counts[:complete].copy(),
            self._sums[:complete].copy(),
            self._decays[:complete].copy(),
            self._per_column * self._stream.delay_bin_s,
            self._rows.bin_s,
            self._stream.delay_bin_s,
            self._gate,
            self._outside,
        )
