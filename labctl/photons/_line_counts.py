"""Photons by pixel of lines that are scanned on the fly, each of which begins with a marker."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.photons._analysis import Analysis, lookup
from labctl.photons._decoder import PhotonBlock
from labctl.photons._formats import Stream

__all__ = ["LineCounts", "LineCountsResult"]


@dataclass(frozen=True, eq=False)
class LineCountsResult:
    """What the lines have counted.

    Attributes:
        counts: Photons by pixel of each line that is complete, int64, in the order of the lines.
        markers: How many markers came.
        lines: How many lines were scanned.
    """

    counts: tuple[NDArray[np.int64], ...]
    markers: int
    lines: int


class LineCounts(Analysis):
    """Counts photons between the edges of pixels, which are told after each line.

    The n-th marker begins the n-th line. Photons must be in the order of time, as modules give
    them; those outside of lines are left out.
    """

    def __init__(self, stream: Stream, channels: Iterable[int], marker: int) -> None:
        """Count the photons of ``channels`` together; ``marker`` is the marker input, 1 to 4."""
        self._tick_s, self._bit = stream.tick_s, marker - 1
        self._wanted = lookup(dict.fromkeys(channels, 1), 0) == 1
        self._markers: list[int] = []
        self._edges: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.int64]] = []
        self._ticks = [np.empty(0, np.int64)]
        self._end_tick = 0

    @property
    def markers(self) -> int:
        """Markers so far."""
        return len(self._markers)

    def expect(self, edges_s: NDArray[np.float64]) -> None:
        """Say of the next line when its pixels began and ended, s after its marker.

        Args:
            edges_s: Increasing, one more than there are pixels.
        """
        self._edges.append(np.rint(np.asarray(edges_s) / self._tick_s).astype(np.int64))

    def feed(self, block: PhotonBlock) -> None:
        """Take the photons and markers of the next block."""
        self._ticks.append(block.time_ticks[self._wanted[block.channel]].copy())
        ours = (block.marker_bits >> self._bit) & 1 == 1
        self._markers += sorted(block.marker_ticks[ours].tolist())
        self._end_tick = block.end_tick
        self._count(complete=False)

    def result(self) -> LineCountsResult:
        """Return the lines so far; a line that was told of counts as complete."""
        self._count(complete=True)
        return LineCountsResult(tuple(self._counts), len(self._markers), len(self._edges))

    def _count(self, *, complete: bool) -> None:
        first, known = len(self._counts), min(len(self._edges), len(self._markers))
        if first == known:
            return
        ticks = np.concatenate(self._ticks)
        for begin, edges in zip(self._markers[first:known], self._edges[first:known], strict=True):
            at = begin + edges
            if not complete and self._end_tick < at[-1]:
                break
            places = np.searchsorted(ticks, at)
            self._counts.append(np.diff(places).astype(np.int64))
            ticks = ticks[places[-1] :]
        self._ticks = [ticks]
