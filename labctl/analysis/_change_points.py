"""Change points of the intensity from the arrival times of photons."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._change_kernels import region_of_change, strongest_change
from labctl.analysis._critical import critical_statistics
from labctl.analysis._crossing import SMALL
from labctl.analysis._numba import fixed
from labctl.errors import AnalysisError

__all__ = ["ChangePoints", "find_change_points"]

Vector = NDArray[np.float64]
Counts = NDArray[np.int64]

WINDOW = 1000
"""Intervals that are searched at once, as in the paper: more would bury short dwells."""

_ROUNDS = 5


@dataclass(frozen=True, eq=False)
class ChangePoints:
    """Where the intensity of a stream of photons changes.

    Times count from tick 0. Changes are photons: the interval before this photon belongs to the
    level before, the interval after it to the level after.

    Attributes:
        photon: Index of the photon of each change, (change,), int64.
        time_s: Time of each change, (change,).
        region_s: Confidence region of each time, (change, 2), from the likelihood ratio.
        statistic: Standardised and weighted log-likelihood ratio, (change,).
        critical: What it had to exceed, (change,).
        counts: Intervals between photons in each segment, (change + 1,), int64.
        duration_s: Length of each segment, (change + 1,).
        begin_s: Time of the first photon.
        significance: Probability that a constant stream has any change.
        confidence: Of the regions.
    """

    photon: Counts
    time_s: Vector
    region_s: Vector
    statistic: Vector
    critical: Vector
    counts: Counts
    duration_s: Vector
    begin_s: float
    significance: float
    confidence: float

    @property
    def rate_hz(self) -> Vector:
        """Return the intensity of each segment, (change + 1,), 1/s."""
        return self.counts / self.duration_s

    @property
    def segment_of(self) -> Counts:
        """Return the segment of each photon, (photon,), int64; the last one is in the last."""
        sizes = self.counts.copy()
        sizes[-1] += 1
        return np.repeat(np.arange(sizes.size), sizes)


def find_change_points(
    time_ticks: NDArray[np.int64],
    tick_s: float,
    *,
    significance: float = 0.05,
    confidence: float = 0.683,
    fewest: int = 5,
) -> ChangePoints:
    """Find the changes of intensity (K. L. Watkins and H. Yang, J. Phys. Chem. B 109, 617 (2005)).

    Windows of 1000 photons, which overlap by half, are divided at the largest statistic as long as
    it is above its critical value; then the whole stretches between changes, for changes too small
    for a window; then every change is tested and placed again between its neighbours. Critical
    values are exact (``change_false_alarm``) and those of one test among all tests of a stream
    without changes: ``significance`` holds for the stream, not for a window as in the paper.

    Photons must come at random within a level. Dead time, afterpulsing and pairs of photons of one
    pulse disturb that little as long as they are rare; ticks must be shorter than the mean interval.

    Args:
        time_ticks: Arrival times of all photons of all detectors, not falling, (photon,), int64.
        tick_s: Length of a tick, s.
        significance: Probability of any change in a stream of constant intensity, at most.
        confidence: Of the regions; that of the likelihood ratio for small changes (D. Siegmund,
            Int. Stat. Rev. 56, 31 (1988)), for which it is exact; larger changes are covered more
            often.
        fewest: Smallest number of intervals on either side of a change.

    Raises:
        AnalysisError: If there are too few photons, or times fall.
    """
    time = fixed(np.asarray(time_ticks, dtype=np.int64))
    if time.size <= 2 * fewest or time[-1] == time[0]:
        raise AnalysisError(f"{time.size} photons are too few for change points")
    if np.any(time[1:] < time[:-1]):
        raise AnalysisError("photons are not in the order of time")
    tests = max(1, 2 * (time.size - 1) // WINDOW)
    search = _Search(time, max(1, fewest), critical_statistics(significance / tests))
    changes = search.refine(search.whole_stretches(search.windows()))
    return _result(search, changes, tick_s, significance, confidence)


class _Search:
    """Changes of one stream, as indices of photons."""

    def __init__(
        self, time: NDArray[np.int64], fewest: int, critical: Callable[[int], float]
    ) -> None:
        self.time, self.fewest, self.critical = time, fewest, critical

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
            for first, last in zip(edges[:-1], edges[1:], strict=True)
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


def _result(
    search: _Search, changes: list[int], tick_s: float, significance: float, confidence: float
) -> ChangePoints:
    time, count = search.time, len(changes)
    edges = np.array([0, *changes, time.size - 1], np.int64)
    drop = -float(np.log1p(-np.sqrt(confidence)))
    region = np.zeros((count, 2), np.int64)
    statistic, critical = np.zeros(count), np.zeros(count)
    for i in range(count):
        first, change, last = (int(edge) for edge in edges[i : i + 3])
        region[i] = region_of_change(time, first, last, change, drop)
        _, statistic[i] = strongest_change(time, first, last, search.fewest, 0.0, SMALL)
        critical[i] = search.critical(last - first)
    return ChangePoints(
        photon=edges[1:-1],
        time_s=time[edges[1:-1]] * tick_s,
        # The switch itself lies in one of the intervals on either side of its photon.
        region_s=time[region + np.array([-1, 1])] * tick_s,
        statistic=statistic,
        critical=critical,
        counts=np.diff(edges),
        duration_s=np.maximum(np.diff(time[edges]), 1) * tick_s,
        begin_s=float(time[0]) * tick_s,
        significance=significance,
        confidence=confidence,
    )
