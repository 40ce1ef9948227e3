"""The search for changes of intensity: windows, whole stretches, short dwells, and placing."""

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._change_kernels import odd_stretches, strongest_change
from labctl.analysis._critical import critical_statistics
from labctl.analysis._crossing import SMALL

__all__ = ["ChangeSearch"]

WINDOW = 1000
"""Intervals that are searched at once, as in the paper: more would bury short dwells."""

_ROUNDS = 5
_RUNS = (2, 4, 8, 16, 32, 64, 128, 256)
_MOST_RUNS = 10_000


class ChangeSearch:
    """Changes of one stream, as indices of photons."""

    def __init__(self, time: NDArray[np.int64], fewest: int, significance: float) -> None:
        """Share the probability of a false alarm between windows and short runs."""
        self.time, self.fewest = time, fewest
        self.windowed = time.size - 1 <= WINDOW
        # A stream no longer than a window is one test.
        share = 1.0 if self.windowed else 0.5
        windows = max(1, 2 * (time.size - 1) // WINDOW)
        self.critical = critical_statistics(share * significance / windows)
        self._rarity = math.log(4 * len(_RUNS) * time.size / significance)

    def strongest(self, first: int, last: int) -> tuple[int, float]:
        """Return the photon of the significant change between two photons, or -1."""
        if last - first < 2 * self.fewest:
            return -1, 0.0
        above = self.critical(last - first)
        k, statistic = strongest_change(self.time, first, last, self.fewest, above, SMALL)
        return (first + k if k > 0 else -1), statistic

    def divide(self, first: int, last: int) -> list[int]:
        """Return all changes between two photons, by repeated division."""
        found: list[int] = []
        open_stretches = [(first, last)]
        while open_stretches:
            begin, end = open_stretches.pop()
            change, _ = self.strongest(begin, end)
            if change > 0:
                found.append(change)
                open_stretches += [(begin, change), (change, end)]
        return sorted(found)

    def windows(self) -> list[int]:
        """Return changes found in windows; each begins at the last change before it."""
        found: list[int] = []
        first, final = 0, self.time.size - 1
        while True:
            last = min(first + WINDOW, final)
            changes = self.divide(first, last)
            found += changes
            if changes:
                first = changes[-1]
            elif last == final:
                return found
            else:
                first += (last - first) // 2

    def whole_stretches(self, changes: list[int]) -> list[int]:
        """Add the changes between changes."""
        final = self.time.size - 1
        edges = [0, *changes, final]
        added = [
            change
            for first, last in itertools.pairwise(edges)
            if last - first > WINDOW or final <= WINDOW
            for change in self.divide(first, last)
        ]
        return sorted({*changes, *added})

    def refine(self, changes: list[int]) -> list[int]:
        """Test and place every change between its neighbours until nothing moves."""
        for _ in range(_ROUNDS):
            kept = [0]
            for place, _change in enumerate(changes):
                end = changes[place + 1] if place + 1 < len(changes) else self.time.size - 1
                found, _ = self.strongest(kept[-1], end)
                if found > 0:
                    kept.append(found)
            if kept[1:] == changes:
                break
            changes = kept[1:]
        return changes

    def short_dwells(self, changes: list[int]) -> list[int]:
        """Add both ends of runs that are too long or too short for the stretch they are in.

        With intensity times duration x of m intervals the chance of a larger or smaller one is
        below ``exp(-(x - m - m ln(x / m)))`` (Chernoff).
        """
        if self.windowed:
            return changes
        limits = [(size, *_limits(size, self._rarity)) for size in _RUNS]
        edges = [0, *changes, self.time.size - 1]
        added: set[int] = set()
        for first, last in itertools.pairwise(edges):
            added.update(self._odd(first, last, limits))
        return sorted({*changes, *added})

    def _odd(self, first: int, last: int, limits: list[tuple[int, float, float]]) -> list[int]:
        per_interval = float(self.time[last] - self.time[first]) / (last - first)
        found: list[tuple[float, int, int]] = []
        table = np.empty((_MOST_RUNS, 2), np.int64)
        for size, low, high in limits:
            if last - first < 4 * size:
                break
            scaled = (low * per_interval, high * per_interval)
            rows = odd_stretches(self.time, first, last, size, *scaled, table)
            for photon, ticks in table[:rows].tolist():
                x = max(ticks / per_interval, 1e-9)
                found.append((x - size - size * math.log(x / size), photon, photon + size))
        taken: list[tuple[int, int]] = []
        for _, begin, end in sorted(found, reverse=True):
            if all(end <= other[0] or begin >= other[1] for other in taken):
                taken.append((begin, end))
        return [edge for pair in taken for edge in pair if first < edge < last]


def _limits(size: int, rarity: float) -> tuple[float, float]:
    """Return the two x at which ``x - m - m ln(x / m)`` is ``rarity``, by Newton's method."""
    found: list[float] = []
    for x in (size * math.exp(-1 - rarity / size), size + rarity + math.sqrt(2 * size * rarity)):
        for _ in range(50):
            x -= (x - size - size * math.log(x / size) - rarity) / (1 - size / x)
        found.append(x)
    return found[0], found[1]
