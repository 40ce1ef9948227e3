"""Dwell times in the ON and OFF state."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured

__all__ = ["DwellSequence"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DwellSequence:
    """Alternating dwells; the first and the last are cut by the ends of the measurement.

    Attributes:
        duration_s: Length of each, (dwell,).
        on: Whether it is ON, (dwell,), bool.
        bin_s: Width of the time bins that dwells are whole numbers of; 0 for change points.
    """

    duration_s: Vector
    on: NDArray[np.bool_]
    bin_s: float = 0.0

    @staticmethod
    def of(on: NDArray[np.bool_], duration_s: Vector, bin_s: float = 0.0) -> "DwellSequence":
        """Join successive stretches (stretch,) of the same state."""
        begins = np.flatnonzero(np.concatenate([[True], on[1:] != on[:-1]]))
        return DwellSequence(np.add.reduceat(duration_s, begins), on[begins], bin_s)

    def complete_s(self, on: bool) -> Vector:
        """Return the dwells of a state whose begin and end were seen, (dwell,)."""
        return self.duration_s[1:-1][self.on[1:-1] == on]

    def unfinished_s(self, on: bool) -> Vector:
        """Return the last dwell if it is of this state and its begin was seen."""
        seen = self.duration_s.size > 1 and bool(self.on[-1]) == on
        return self.duration_s[-1:] if seen else self.duration_s[:0]

    def on_fraction(self) -> Measured:
        """Return the share of the time that is ON, with the error of the law's share.

        The independent things are neither photons nor bins but cycles of one ON and one OFF dwell.
        With ``r = (1 - f) t_on - f t_off`` of each cycle the error is that of a ratio of sums,
        ``sqrt(c / (c - 1) sum r^2) / T`` for c cycles (W. G. Cochran, Sampling Techniques,
        chapter 6). Too small while the longest dwells, which decide it, have not come yet; NaN for
        less than two whole cycles.
        """
        total_s = float(self.duration_s.sum())
        share = float(self.duration_s[self.on].sum()) / total_s
        signed = np.where(self.on, 1 - share, -share) * self.duration_s
        # Cycles begin with the first dwell; an odd one at the end is a cycle that was cut.
        cycles = np.add.reduceat(signed, np.arange(0, signed.size, 2))
        count = signed.size / 2
        if count < 2:
            return Measured(share, float("nan"))
        variance = count / (count - 1) * float(np.sum(cycles**2))
        return Measured(share, float(np.sqrt(variance)) / total_s)
