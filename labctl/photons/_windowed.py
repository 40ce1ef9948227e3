"""Coincidences by lag in bins of ticks, for T2 records and continuous excitation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.photons._coincidences import CROWD, Coincidences, PairBooks, Sides, poisson_error
from labctl.photons._pair_kernels import near_window, split_window

__all__ = ["WindowedG2", "WindowedG2Result"]


@dataclass(frozen=True, eq=False)
class WindowedG2Result:
    """Coincidences by lag.

    Attributes:
        lag_ticks: Beginning of each bin, time of b minus time of a, ticks, int64; bins are
            half-open, so that a lag of zero is in the bin that begins at zero.
        counts: Pairs, int64.
        bin_ticks: Width of a bin, ticks.
        books: Photons and time that were used.
    """

    lag_ticks: NDArray[np.int64]
    counts: NDArray[np.int64]
    bin_ticks: int
    books: PairBooks

    @property
    def expected(self) -> NDArray[np.float64]:
        """Return the pairs of uncorrelated photons: N_a N_b bin / T, less the ends of the run."""
        books = self.books
        length = max(books.covered_ticks, 1)
        overlap = 1.0 - np.abs(self.lag_ticks + (self.bin_ticks - 1) / 2) / length
        return books.photons_a * books.photons_b * self.bin_ticks / length * overlap

    @property
    def g2(self) -> NDArray[np.float64]:
        """Return counts over those of uncorrelated photons."""
        return self.counts / self.expected

    @property
    def g2_error(self) -> NDArray[np.float64]:
        """Return the standard deviation of ``g2`` from counting."""
        return poisson_error(self.counts) / self.expected


class WindowedG2(Coincidences):
    """Counts pairs by the difference of their times."""

    def __init__(self, sides: Sides = (0, 1), *, bin_ticks: int, half_bins: int) -> None:
        """Correlate two channels (or groups of channels).

        Args:
            sides: Channels of a and of b.
            bin_ticks: Width of a bin, whole ticks, so that no bin holds more lags than another.
            half_bins: Bins on each side of zero.
        """
        if bin_ticks < 1 or half_bins < 1:
            raise ValueError("a window has at least one bin of one tick on each side")
        super().__init__(sides, bin_ticks * half_bins, None, delays=False)
        self._bin, self._half = bin_ticks, half_bins
        # One more, for lags of exactly the window, which belong to no bin.
        self._counts = np.zeros(2 * half_bins + 1, np.int64)
        self._table = np.zeros(2 * half_bins + 1, np.uint32)

    def result(self) -> WindowedG2Result:
        """Return the histogram so far."""
        self._transfer()
        lags = np.arange(-self._half, self._half) * self._bin
        return WindowedG2Result(lags, self._counts[:-1].copy(), self._bin, self.books())

    def _count(self, end: int, dense: bool) -> int:
        arrays, rules = (self._time, self._side), (CROWD, end, self._window, self._bin)
        if dense:
            return split_window(*arrays, *rules, self._waiting, self._split, self._table)
        return near_window(*arrays, *rules, self._waiting, self._table)

    def _transfer(self) -> None:
        self._counts += self._table
        self._table[:] = 0
        self._since = 0
