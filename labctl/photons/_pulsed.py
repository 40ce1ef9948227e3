"""Coincidences under pulsed excitation: peak areas by the difference of the pulses' numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.photons._coincidences import CROWD, Coincidences, PairBooks, Sides, poisson_error
from labctl.photons._pair_kernels import near_delays, near_peaks, split_peaks

__all__ = ["PulsedDelays", "PulsedDelaysResult", "PulsedG2", "PulsedG2Result"]


@dataclass(frozen=True, eq=False)
class PulsedG2Result:
    """Peak areas of pulsed coincidences.

    A lifetime that reaches into the next period carries counts from one peak to its neighbours.

    Attributes:
        pulses: Number of the pulse of photon b minus that of photon a, -n to n, int64.
        counts: Pairs, int64.
        books: Photons and pulses that were used.
    """

    pulses: NDArray[np.int64]
    counts: NDArray[np.int64]
    books: PairBooks

    @property
    def expected(self) -> NDArray[np.float64]:
        """Return the pairs of uncorrelated photons: N_a N_b / M for M pulses."""
        books = self.books
        length = max(books.covered_ticks, 1)
        overlap = 1.0 - np.abs(self.pulses) / length
        return books.photons_a * books.photons_b / length * overlap

    @property
    def g2(self) -> NDArray[np.float64]:
        """Return counts over those of uncorrelated photons."""
        return self.counts / self.expected

    @property
    def g2_error(self) -> NDArray[np.float64]:
        """Return the standard deviation of ``g2`` from counting."""
        return poisson_error(self.counts) / self.expected


class PulsedG2(Coincidences):
    """Counts pairs by the difference of their sync numbers."""

    def __init__(
        self,
        sides: Sides = (0, 1),
        *,
        max_pulses: int = 10,
        gate_bins: tuple[int, int] | None = None,
    ) -> None:
        """Correlate two channels (or groups of channels).

        Args:
            sides: Channels of a and of b.
            max_pulses: Largest difference.
            gate_bins: Only photons with a delay from the first to the second bin, exclusive.
        """
        super().__init__(sides, max_pulses, gate_bins, delays=False)
        self._counts = np.zeros(2 * max_pulses + 1, np.int64)
        self._table = np.zeros(2 * max_pulses + 1, np.uint32)

    def result(self) -> PulsedG2Result:
        """Return the peaks so far."""
        self._transfer()
        pulses = np.arange(-self._window, self._window + 1)
        return PulsedG2Result(pulses, self._counts.copy(), self.books())

    def _count(self, end: int, dense: bool) -> int:
        arrays, rules = (self._time, self._side), (CROWD, end, self._window)
        if dense:
            return split_peaks(*arrays, *rules, self._waiting, self._split, self._table)
        return near_peaks(*arrays, *rules, self._waiting, self._table)

    def _transfer(self) -> None:
        self._counts += self._table
        self._table[:] = 0
        self._since = 0


@dataclass(frozen=True, eq=False)
class PulsedDelaysResult:
    """The shape of the peaks of pulsed coincidences.

    Pulse number and delay stay separate, because a sync period is no whole number of bins: the
    lag of a column is ``pulses * period + delay``.

    Attributes:
        pulses: Number of the pulse of photon b minus that of photon a, int64.
        delay_bins: Beginning of each column, delay of b minus delay of a, bins, int64.
        counts: Pairs, (pulses, delay), int64.
        books: Photons and pulses that were used.
    """

    pulses: NDArray[np.int64]
    delay_bins: NDArray[np.int64]
    counts: NDArray[np.int64]
    books: PairBooks


class PulsedDelays(Coincidences):
    """Counts pairs by the difference of their sync numbers and of their delays."""

    def __init__(
        self,
        sides: Sides = (0, 1),
        *,
        max_pulses: int = 10,
        delay_bins: int = 32768,
        bins_per_column: int = 16,
        gate_bins: tuple[int, int] | None = None,
    ) -> None:
        """Correlate two channels (or groups of channels).

        Args:
            sides: Channels of a and of b.
            max_pulses: Largest difference of pulses.
            delay_bins: Delays run from 0 to this, exclusive; later photons are left out.
            bins_per_column: Width of a column, bins.
            gate_bins: Only photons with a delay from the first to the second bin, exclusive.
        """
        first, end = gate_bins or (0, delay_bins)
        super().__init__(sides, max_pulses, (first, min(end, delay_bins)), delays=True)
        self._per_column = bins_per_column
        half = -(-delay_bins // bins_per_column)
        self._counts = np.zeros((2 * max_pulses + 1, 2 * half), np.int64)
        self._table = np.zeros(self._counts.shape, np.uint32)

    def result(self) -> PulsedDelaysResult:
        """Return the histogram so far."""
        self._transfer()
        pulses = np.arange(-self._window, self._window + 1)
        half = self._counts.shape[1] // 2
        delays = np.arange(-half, half) * self._per_column
        return PulsedDelaysResult(pulses, delays, self._counts.copy(), self.books())

    def _count(self, end: int, dense: bool) -> int:
        del dense
        arrays, rules = (self._time, self._side, self._delay), (CROWD, end, self._window)
        return near_delays(*arrays, *rules, self._per_column, self._waiting, self._table)

    def _transfer(self) -> None:
        self._counts += self._table
        self._table[:] = 0
        self._since = 0
