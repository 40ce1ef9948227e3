"""Change points of the intensity from the arrival times of photons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._change_kernels import region_of_change, strongest_change
from labctl.analysis._change_search import ChangeSearch
from labctl.analysis._crossing import SMALL
from labctl.analysis._numba import fixed
from labctl.errors import AnalysisError

__all__ = ["ChangePoints", "find_change_points"]

Vector = NDArray[np.float64]
Counts = NDArray[np.int64]


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
    fewest: int = 2,
) -> ChangePoints:
    """Find the changes of intensity (K. L. Watkins and H. Yang, J. Phys. Chem. B 109, 617 (2005)).

    Windows of 1000 photons, which overlap by half, are divided at the largest statistic as long as
    it is above its critical value. Then come the whole stretches between changes, for changes too
    small for a window, and short runs of photons in them, because a division in two is blind to a
    short dwell amid a long one. Last, every change is tested and placed again between its
    neighbours. Critical values are exact (``change_false_alarm``) and those of one test among all
    tests of a stream without changes: ``significance`` holds for the stream, not for a window as in
    the paper.

    Photons must come at random within a level. Dead time, afterpulsing and pairs of photons of one
    pulse disturb that little as long as they are rare; ticks must be short
    against the mean interval.

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
    search = ChangeSearch(time, max(1, fewest), significance)
    changes = search.whole_stretches(search.windows())
    changes = search.refine(search.short_dwells(changes))
    return _result(search, changes, tick_s, significance, confidence)


def _result(
    search: ChangeSearch, changes: list[int], tick_s: float, significance: float, confidence: float
) -> ChangePoints:
    time, count = search.time, len(changes)

    def at_s(photons: Counts) -> Vector:
        return time[photons].astype(np.float64) * tick_s

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
        time_s=at_s(edges[1:-1]),
        # The switch itself lies in one of the intervals on either side of its photon.
        region_s=at_s(region + np.array([-1, 1])),
        statistic=statistic,
        critical=critical,
        counts=np.diff(edges),
        duration_s=np.maximum(np.diff(time[edges]), 1) * tick_s,
        begin_s=float(time[0]) * tick_s,
        significance=significance,
        confidence=confidence,
    )
