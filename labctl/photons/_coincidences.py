"""What pulsed and windowed coincidences have in common: a stretch of photons and its books."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl.photons._analysis import Analysis, lookup
from labctl.photons._decoder import BLOCK_RECORDS, PhotonBlock
from labctl.photons._numba import fixed
from labctl.photons._pair_kernels import CHUNK, EARLY, select, select_gated

__all__ = ["CROWD", "Coincidences", "PairBooks", "Sides", "poisson_error", "sides_of"]

CROWD = 1024
"""So many older photons within the window make a photon crowded: beyond any real light."""

_MANY_PHOTONS = (1 << 32) // CROWD - (1 << 20)
"""No counter of 32 bits overflows from so many photons."""

Sides = tuple[int | Iterable[int], int | Iterable[int]]


@dataclass(frozen=True)
class PairBooks:
    """On what a number of pairs rests.

    Attributes:
        photons_a: Photons on side a that were used.
        photons_b: Photons on side b that were used.
        covered_ticks: Time that was used, ticks: number of pulses in T3.
        seen: Photons on both sides, used or left out in a hurry.
        crowded: Photons left out because too many stood close together: damaged data.
    """

    photons_a: int
    photons_b: int
    covered_ticks: int
    seen: int
    crowded: int

    @property
    def share(self) -> float:
        """Return the share of the photons that were used."""
        return (self.photons_a + self.photons_b) / self.seen if self.seen else 1.0


def poisson_error(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the standard deviation of counts, taking an empty bin for one count."""
    return np.sqrt(np.maximum(counts, 1).astype(np.float64))


def _channels(side: int | Iterable[int]) -> set[int]:
    return {side} if isinstance(side, int) else set(side)


def sides_of(sides: Sides) -> NDArray[np.int8]:
    """Return the side of each channel: -1 for a, 1 for b, 0 for none."""
    a, b = map(_channels, sides)
    if not a or not b or a & b:
        raise ValueError("sides a and b are different, non-empty groups of channels")
    return lookup({**dict.fromkeys(a, -1), **dict.fromkeys(b, 1)}, default=0)


class Coincidences(Analysis):
    """Keeps the photons of two sides that may still find a partner in the next block."""

    heavy: ClassVar[bool] = True

    def __init__(
        self, sides: Sides, window_ticks: int, gate_bins: tuple[int, int] | None, delays: bool
    ) -> None:
        self._side_of = sides_of(sides)
        self._window, self._gate = window_ticks, gate_bins
        self._photons = np.zeros(2, np.int64)
        self._covered = self._seen = self._crowded = self._since = self._last_tick = 0
        self._waiting = np.empty(2 * CHUNK, np.int64)
        self._with_delays = delays
        self._allocate(BLOCK_RECORDS)

    def _allocate(self, photons: int) -> None:
        size = CROWD + photons + 1
        self._time = np.full(size, EARLY, np.int64)
        self._side = np.zeros(size, np.int8)
        self._delay = np.zeros(size if self._with_delays else 0, np.int64)
        self._split = np.empty(2 * size + 2, np.int64)
        self._capacity = photons

    def feed(self, block: PhotonBlock) -> None:
        """Find the pairs whose later photon is in this block."""
        count = len(block.time_ticks)
        if count > self._capacity:
            self._enlarge(count)
        end, balance = self._select(block)
        used = end - CROWD
        if self._since + used > _MANY_PHOTONS:
            self._transfer()
        ticks = block.end_tick - block.begin_tick
        # Above one partner for each photon it pays to put the sides apart first.
        self._crowded += self._count(end, used * self._window > ticks)
        self._book(used, balance, ticks)
        self._carry(end)

    def _select(self, block: PhotonBlock) -> tuple[int, int]:
        """Append the block's photons; return the end of the stretch and the sum of the sides."""
        time = block.time_ticks
        end, balance, falls = self._appended(block, time)
        if falls:
            # Only times of damaged records decrease.
            time = fixed(np.maximum.accumulate(np.maximum(time, self._last_tick)))
            end, balance, _ = self._appended(block, time)
        self._last_tick = int(time[-1]) if len(time) else self._last_tick
        return end, balance

    def _appended(self, block: PhotonBlock, time: NDArray[np.int64]) -> tuple[int, int, int]:
        into = self._last_tick, CROWD, self._time, self._side
        if self._gate is None:
            return select(time, block.channel, self._side_of, *into)
        gate = (block.delay_bins, self._side_of, *self._gate)
        return select_gated(time, block.channel, *gate, *into, self._delay)

    def skip(self, block: PhotonBlock) -> None:
        """Leave a block out, and say so in the books."""
        self._last_tick = max(self._last_tick, int(block.time_ticks.max(initial=0)))
        self._seen += int(np.count_nonzero(self._side_of[block.channel]))
        self._time[:CROWD] = EARLY

    def books(self) -> PairBooks:
        """Return on what the counts rest."""
        a, b = map(int, self._photons)
        return PairBooks(a, b, self._covered, self._seen, self._crowded)

    @abstractmethod
    def _count(self, end: int, dense: bool) -> int:
        """Count the pairs of the stretch; return how many photons were crowded."""

    @abstractmethod
    def _transfer(self) -> None:
        """Move counts from 32 bits to 64."""

    def _book(self, used: int, balance: int, ticks: int) -> None:
        self._photons += ((used - balance) // 2, (used + balance) // 2)
        self._covered += ticks
        self._seen += used
        self._since += used

    def _carry(self, end: int) -> None:
        for array in (self._time, self._side, self._delay):
            if len(array):
                array[:CROWD] = array[end - CROWD : end].copy()

    def _enlarge(self, photons: int) -> None:
        kept = [a[:CROWD].copy() for a in (self._time, self._side, self._delay)]
        self._allocate(photons)
        for array, old in zip((self._time, self._side, self._delay), kept, strict=True):
            array[: len(old)] = old
