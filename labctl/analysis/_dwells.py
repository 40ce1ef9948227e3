"""Dwell times in the ON and OFF state, and the choice of their law."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._dwell_laws import DwellData, DwellLaw, LawFit, fit_law
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["DwellFit", "DwellSequence", "fit_dwells"]

Vector = NDArray[np.float64]

_FEWEST = 10
_DECISIVE = 4.0
_MANY_MISSED = 0.05


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
        chapter 6). If few long dwells decide it, as with power laws, it is widened by Student's
        factor for the effective number ``(sum r^2)^2 / sum r^4`` of cycles, and still too small
        while the longest dwells of the law have not come. NaN for less than two whole cycles.
        """
        total_s = float(self.duration_s.sum())
        share = float(self.duration_s[self.on].sum()) / total_s
        signed = np.where(self.on, 1 - share, -share) * self.duration_s
        # Cycles begin with the first dwell; an odd one at the end is a cycle that was cut.
        cycles = np.add.reduceat(signed, np.arange(0, signed.size, 2))
        count = signed.size / 2
        if count < 2:
            return Measured(share, float("nan"))
        squares = float(np.sum(cycles**2))
        if squares == 0.0:
            return Measured(share, float("nan"))
        free = max(squares**2 / float(np.sum(cycles**4)) - 1, 1.0)
        # Half the width of 68 % of Student's distribution, to 1 %.
        student = 1 + 0.5 / free + 0.34 / free**2
        error = student * float(np.sqrt(count / (count - 1) * squares)) / total_s
        return Measured(share, error)


@dataclass(frozen=True)
class DwellFit:
    """The law of the dwell times of one state.

    Attributes:
        best: The law that is chosen.
        fits: Every law that was tried, by rising criterion of Akaike.
        advantage: Its criterion below that of the exponential law (or of the better power law, if
            the exponential law was chosen); small: undecided.
        dwells: Complete dwells that counted.
        shortest_s: Shorter ones did not count.
        flags: Words on what was unusual; empty if nothing was.
    """

    best: LawFit
    fits: tuple[LawFit, ...]
    advantage: float
    dwells: int
    shortest_s: float
    flags: tuple[str, ...]


def fit_dwells(sequence: DwellSequence, on: bool, *, shortest_s: float | None = None) -> DwellFit:
    """Fit dwell times by maximum likelihood and choose their law.

    All times are conditional on being at least the shortest; the last dwell counts as at least so
    long, the first, whose begin nobody saw, does not count. A power law is chosen instead of the
    exponential law if Akaike's criterion is lower by more than 4. It has an end only if that
    lowers it by more than 4 again: a sample always ends, and an end that is put there makes the
    exponent too small. Dwells of the other state that are too short to be seen join two dwells of
    this state; no law is corrected for that, a flag says when it matters.

    Args:
        sequence: Dwells.
        on: State whose dwells are fitted.
        shortest_s: Dwells of at least this are seen without fail; by default two bins, or for
            change points the shortest dwell, which then does not count itself.

    Raises:
        AnalysisError: If fewer than 10 complete dwells are long enough.
    """
    complete_s, unfinished_s = sequence.complete_s(on), sequence.unfinished_s(on)
    if shortest_s is None:
        shortest_s = 2 * sequence.bin_s or float(complete_s.min(initial=np.inf))
    # Half a bin of slack: whole bins that were multiplied by their width.
    slack_s = sequence.bin_s / 2
    complete_s = complete_s[complete_s > shortest_s - slack_s]
    if complete_s.size < _FEWEST:
        state = "ON" if on else "OFF"
        raise AnalysisError(f"{complete_s.size} {state} dwells are too few for their law")
    data = DwellData(
        complete_s / shortest_s, unfinished_s / shortest_s, sequence.bin_s / shortest_s
    )
    fits = sorted((fit_law(data, law, shortest_s) for law in DwellLaw), key=lambda fit: fit.aic)
    exponential = next(fit for fit in fits if fit.law is DwellLaw.EXPONENTIAL)
    power = _power_law(fits)
    difference = exponential.aic - power.aic
    best = power if difference > _DECISIVE else exponential
    return DwellFit(
        best,
        tuple(fits),
        abs(difference),
        int(complete_s.size),
        shortest_s,
        _flags(sequence, on, best),
    )


def _power_law(fits: list[LawFit]) -> LawFit:
    powers = [fit for fit in fits if fit.law is not DwellLaw.EXPONENTIAL]
    endless = next(fit for fit in powers if fit.law is DwellLaw.POWER)
    return powers[0] if endless.aic - powers[0].aic > _DECISIVE else endless


def _shortest_seen_s(dwells_s: Vector) -> float:
    """Return about the shortest that change points can see.

    The shortest of n dwells lies above it by a share 1/n of their mean.
    """
    if dwells_s.size == 0:
        return 0.0
    return max(float(dwells_s.min() - dwells_s.mean() / dwells_s.size), 0.0)


def _flags(sequence: DwellSequence, on: bool, best: LawFit) -> tuple[str, ...]:
    found: list[str] = []
    others_s = sequence.complete_s(not on)
    unseen_s = sequence.bin_s or _shortest_seen_s(others_s)
    others_s = others_s[others_s >= unseen_s]
    if others_s.size > 1:
        mean_s = max(float(others_s.mean()) - unseen_s, 1e-3 * unseen_s)
        missed = 1 - float(np.exp(-unseen_s / mean_s))
        if missed > _MANY_MISSED:
            found.append(
                f"at least {missed:.0%} of the dwells between these are too short to be seen: "
                "these appear longer by as much"
            )
    if best.law is not DwellLaw.POWER and not np.isfinite(best.time_s.error):
        found.append("the longest time of the law is not determined")
    return tuple(found)
