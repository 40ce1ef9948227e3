"""Decay histograms, straight from T3 records."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.photons._analysis import Analysis
from labctl.photons._decoder import PhotonBlock, as_records
from labctl.photons._formats import Family, Stream
from labctl.photons._numba import Array, kernel, uint32, uintp

__all__ = ["DecayHistogram", "Decays"]

_MANY_RECORDS = 1 << 30
"""Fewer than a counter of 32 bits can take between two transfers."""


@kernel("void(RECORDS, int64, uint32[::1], uint32[::1], uint32[::1], uint32[::1])")
def count_top_bits(
    records: Array, shift: int, first: Array, second: Array, third: Array, fourth: Array
) -> None:
    """Count records by their upper bits.

    Four tables, because a counter that was just written cannot be read at once, and most photons
    of a short decay fall into a few bins.
    """
    bits, one, places = uint32(shift), uint32(1), uintp(len(records))
    whole = places - places % uintp(4)
    for i in range(uintp(0), whole, uintp(4)):
        first[records[i] >> bits] += one
        second[records[i + uintp(1)] >> bits] += one
        third[records[i + uintp(2)] >> bits] += one
        fourth[records[i + uintp(3)] >> bits] += one
    for i in range(whole, places):
        first[records[i] >> bits] += one


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
        size = 1 << (32 - self._shift)
        # Memory that is never touched is never there: a few pages for each channel in use.
        first, second = np.zeros(size, np.uint32), np.zeros(size, np.uint32)
        self._tables = first, second, np.zeros(size, np.uint32), np.zeros(size, np.uint32)
        self._counts = np.zeros(self._shape, np.int64)
        self._since = 0

    def feed(self, block: PhotonBlock) -> None:
        """Take the records of the next block."""
        self.feed_records(block.records)

    def feed_records(self, records: NDArray[np.uint32]) -> None:
        """Take the next records; no decoder is needed."""
        if self._since + len(records) > _MANY_RECORDS:
            self._transfer()
        count_top_bits(as_records(records), self._shift, *self._tables)
        self._since += len(records)

    def result(self, channels: int = 4, delay_bins: int | None = None) -> DecayHistogram:
        """Return the counts of the first channels; ``delay_bins`` shortens the delay axis."""
        part = (slice(channels), slice(delay_bins))
        counts = self._counts[part].copy()
        # Only what is asked for: most of the large tables is memory that nobody ever touched.
        for table in self._photons():
            counts += table[part]
        return DecayHistogram(counts, self.stream.delay_bin_s)

    def _photons(self) -> list[NDArray[np.uint32]]:
        return [table[: self._counts.size].reshape(self._shape) for table in self._tables]

    def _transfer(self) -> None:
        for table in self._photons():
            self._counts += table
        for table in self._tables:
            table[:] = 0
        self._since = 0
