"""Decay histograms, straight from T3 records."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.photons._analysis import Analysis
from labctl.photons._decoder import PhotonBlock, as_records
from labctl.photons._formats import Family, Stream
from labctl.photons._numba import Array, int64, kernel, uint32, uint64, uintp

__all__ = ["DecayHistogram", "Decays"]

_MANY_RECORDS = 1 << 30
"""Fewer than a counter of 32 bits can take between two transfers."""


@kernel("void(RECORDS, int64, uint32[::1])")
def count_top_bits(records: Array, shift: int, table: Array) -> None:
    """Count records by their upper bits, in a table of four counters for each value.

    Four, because a counter that was just written cannot be read at once, and most photons of a
    short decay fall into a few bins; side by side, so that few pages of memory are touched.
    """
    # The upper bits times four: one shift less than to take them and multiply. Two records are
    # taken as one number, which is one read of memory for both.
    bits, behind, half = uint64(shift - 2), uint64(shift + 30), uint64(32)
    upper, one = uint64(0xFFFFFFFC), uint32(1)
    lower = (uint64(0xFFFFFFFF) >> bits) & upper
    places = uintp(len(records))
    whole = places - places % uintp(4)
    for i in range(uintp(0), whole, uintp(4)):
        first = uint64(records[i]) | (uint64(records[i + uintp(1)]) << half)
        second = uint64(records[i + uintp(2)]) | (uint64(records[i + uintp(3)]) << half)
        table[(first >> bits) & lower] += one
        table[((first >> behind) & upper) + uint64(1)] += one
        table[((second >> bits) & lower) + uint64(2)] += one
        table[((second >> behind) & upper) + uint64(3)] += one
    for i in range(whole, places):
        table[(uint64(records[i]) >> bits) & lower] += one


@kernel("void(uint32[::1], int64[:, ::1])")
def add_counters(table: Array, counts: Array) -> None:
    """Add the four counters of the first (channel, delay bin) to ``counts``."""
    channels, bins = counts.shape
    place = uintp(0)
    for channel in range(channels):
        for delay in range(bins):
            first, second = int64(table[place]), int64(table[place + uintp(1)])
            third, fourth = int64(table[place + uintp(2)]), int64(table[place + uintp(3)])
            counts[channel, delay] += first + second + third + fourth
            place += uintp(4)


@dataclass(frozen=True, eq=False)
class DecayHistogram:
    """Counts by channel and delay.

    Attributes:
        counts: Photons, (channel, delay bin), int64.
        delay_bin_s: Width of a bin, s; bin k holds delays of k to k + 1 widths.
    """

    counts: NDArray[np.int64]
    delay_bin_s: float

    @property
    def delay_ns(self) -> NDArray[np.float64]:
        """Return the beginning of each bin after the sync, ns."""
        return np.arange(self.counts.shape[1], dtype=np.float64) * (self.delay_bin_s * 1e9)


class Decays(Analysis):
    """Counts the photons of T3 records by channel and delay without decoding them.

    The upper bits of a T3 record are (special, channel, delay): each record only increments the
    counter with this number. Specials have counters of their own, which nobody looks at.
    """

    def __init__(self, stream: Stream) -> None:
        kind = stream.format
        if kind.mode != 3:
            raise ValueError("only T3 records carry delays")
        self.stream = stream
        hydra = kind.family is Family.HYDRA
        self._shift = 10 if hydra else 16
        self._shape = (64, kind.delay_bins) if hydra else (15, kind.delay_bins)
        # Memory that is never touched is never there: a few pages for each channel in use.
        self._table = np.zeros(4 << (32 - self._shift), np.uint32)
        self._counts: NDArray[np.int64] | None = None
        self._since = 0

    def feed(self, block: PhotonBlock) -> None:
        """Take the records of the next block."""
        self.feed_records(block.records)

    def feed_records(self, records: NDArray[np.uint32]) -> None:
        """Take the next records; no decoder is needed."""
        if self._since + len(records) > _MANY_RECORDS:
            self._transfer()
        count_top_bits(as_records(records), self._shift, self._table)
        self._since += len(records)

    def result(self, channels: int = 4, delay_bins: int | None = None) -> DecayHistogram:
        """Return the counts of the first channels; ``delay_bins`` shortens the delay axis."""
        # Only what is asked for: most of the large table is memory that nobody ever touched.
        counts = np.zeros((min(channels, self._shape[0]), self._shape[1]), np.int64)
        if self._counts is not None:
            counts += self._counts[:channels]
        add_counters(self._table, counts)
        return DecayHistogram(counts[:, :delay_bins], self.stream.delay_bin_s)

    def _transfer(self) -> None:
        if self._counts is None:
            self._counts = np.zeros(self._shape, np.int64)
        add_counters(self._table, self._counts)
        self._table[:] = 0
        self._since = 0
