"""Markers: when a stage, a polarizer or a filter moved."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.photons._analysis import Analysis
from labctl.photons._decoder import PhotonBlock
from labctl.photons._formats import Stream

__all__ = ["MarkerLog", "MarkersResult"]


@dataclass(frozen=True, eq=False)
class MarkersResult:
    """Markers in the order in which they came; hardware may swap neighbours slightly.

    Attributes:
        time_ticks: When, ticks since the beginning, int64.
        bits: Which inputs, 1 to 15, uint8: several may coincide.
        tick_s: One tick, s.
    """

    time_ticks: NDArray[np.int64]
    bits: NDArray[np.uint8]
    tick_s: float

    def time_s(self, line: int) -> NDArray[np.float64]:
        """Return the times at which a marker input (1 to 4) was set, sorted, s."""
        if not 1 <= line <= 4:
            raise ValueError(f"there are marker inputs 1 to 4, not {line}")
        chosen = (self.bits >> (line - 1)) & 1 == 1
        return np.sort(self.time_ticks[chosen]).astype(np.float64) * self.tick_s


class MarkerLog(Analysis):
    """Collects every marker."""

    def __init__(self, stream: Stream) -> None:
        self._tick_s = stream.tick_s
        self._ticks: list[NDArray[np.int64]] = []
        self._bits: list[NDArray[np.uint8]] = []

    def feed(self, block: PhotonBlock) -> None:
        """Take the markers of the next block."""
        if len(block.marker_ticks):
            self._ticks.append(block.marker_ticks.copy())
            self._bits.append(block.marker_bits.copy())

    def result(self) -> MarkersResult:
        """Return the markers so far."""
        ticks = np.concatenate([np.empty(0, np.int64), *self._ticks])
        bits = np.concatenate([np.empty(0, np.uint8), *self._bits])
        return MarkersResult(ticks, bits, self._tick_s)
