"""Blinking by a threshold on a binned trace."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._dwells import DwellSequence
from labctl.analysis._fit import normal_cdf
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["BlinkingTrace", "threshold_trace"]

Vector = NDArray[np.float64]
Counts = NDArray[np.int64]

_RARE = 1e-4
_ROUNDS = 500


@dataclass(frozen=True, eq=False)
class BlinkingTrace:
    """A trace divided into ON and OFF.

    Attributes:
        threshold_counts: Bins above it are ON, counts per bin.
        rule: How the threshold was found: ``valley``, ``otsu`` or ``given``.
        on_counts: Mean of ON bins between ON bins, counts per bin; a bin with a switch in it is
            next to a bin of the other state.
        off_counts: The same for OFF; NaN if there are none.
        on: State of each bin, (bin,), bool.
        dwells: The states as dwells.
        on_fraction: Share of the time that is ON, with the error of the number of dwells; corrected
            for a threshold that is not in the middle of the levels.
        on_fraction_by_mean: From the mean of all bins between the levels. Bins with a switch and
            dwells shorter than a bin do not disturb it, drift of the ON level does.
        overlap: Probability that noise puts a bin on the wrong side.
        flags: Words on what was unusual; empty if nothing was.
    """

    threshold_counts: float
    rule: str
    on_counts: Measured
    off_counts: Measured
    on: NDArray[np.bool_]
    dwells: DwellSequence
    on_fraction: Measured
    on_fraction_by_mean: Measured
    overlap: float
    flags: tuple[str, ...]


def threshold_trace(
    counts: Counts, bin_s: float, threshold: Literal["valley", "otsu"] | float = "valley"
) -> BlinkingTrace:
    """Divide a trace into ON and OFF.

    A bin with a switch in it goes to the state that lasted longer, if the threshold is in the
    middle of the levels; a threshold at the share x of the way from OFF to ON makes every ON dwell
    longer by ``1 - 2 x`` bins on average, for which the ON fraction is corrected.

    Args:
        counts: Photons, all detectors, (bin,), int64.
        bin_s: Width of a bin, s.
        threshold: ``valley``: with two Poissonian levels fitted to the histogram, the middle of
            the levels if noise reaches it in less than 1e-4 of the bins, else the count at which a
            bin is as likely ON as OFF. ``otsu``: largest variance between the classes (N. Otsu,
            IEEE Trans. Syst. Man Cybern. 9, 62 (1979)). A number: counts per bin.

    Raises:
        AnalysisError: If there are fewer than 3 bins.
    """
    if counts.size < 3:
        raise AnalysisError(f"{counts.size} bins are too few for blinking")
    limit, rule, found = _limit(counts, threshold)
    on = counts > limit
    dwells = DwellSequence.of(on, np.full(counts.size, bin_s), bin_s)
    direct = dwells.on_fraction()
    bright, dark = _level(counts, on), _level(counts, ~on)
    if dwells.on.size == 1:
        none = (direct, direct, 0.0, found)
        return BlinkingTrace(limit, rule, bright, dark, on, dwells, *none)
    span = bright.value - dark.value
    place = (limit - dark.value) / span
    shift = (1 - 2 * place) * (dwells.on.size - 1) / 2 / counts.size
    fraction = Measured(direct.value - shift, direct.error)
    share = (float(counts.mean()) - dark.value) / span
    of_levels = float(np.hypot(share * bright.error, (1 - share) * dark.error)) / span
    overlap = _overlap(limit, bright.value, dark.value, fraction.value)
    if overlap > 0.01:
        found += (f"the levels overlap: noise puts {overlap:.1%} of the bins on the wrong side",)
    if abs(place - 0.5) > 0.25:
        found += (f"threshold {place:.0%} of the way from OFF to ON: dwells are shifted",)
    if abs(fraction.value - share) > 3 * of_levels + 0.25 * (1 - fraction.value):
        found += ("mean intensity and threshold disagree: dwells shorter than a bin, or drift",)
    by_mean = Measured(share, float(np.hypot(direct.error, of_levels)))
    rest = (fraction, by_mean, overlap, found)
    return BlinkingTrace(limit, rule, bright, dark, on, dwells, *rest)


def _limit(
    counts: Counts, threshold: Literal["valley", "otsu"] | float
) -> tuple[float, str, tuple[str, ...]]:
    """Return threshold, name of the rule, flags."""
    if not isinstance(threshold, str):
        return float(threshold), "given", ()
    limit = _otsu(counts)
    if threshold == "otsu":
        return limit, threshold, ()
    limit, two = _valley(counts, limit)
    return limit, threshold, () if two else ("one level only: nothing is OFF",)


def inside(on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which bins lie between bins of their own state, (bin,)."""
    padded = np.concatenate([on[:1], on, on[-1:]])
    return (padded[:-2] == on) & (padded[2:] == on)


def _level(counts: Counts, state: NDArray[np.bool_]) -> Measured:
    chosen = counts[state & inside(state)]
    if chosen.size < 2:
        chosen = counts[state]
    if chosen.size == 0:
        return Measured(float("nan"), float("nan"))
    # The scatter of the bins themselves, so that a level that wanders has a larger error.
    spread = max(float(chosen.std(ddof=1)) if chosen.size > 1 else 0.0, 1e-300)
    poisson = float(np.sqrt(max(float(chosen.mean()), 1.0)))
    return Measured(float(chosen.mean()), max(spread, poisson) / float(np.sqrt(chosen.size)))


def _otsu(counts: Counts) -> float:
    values, times = np.unique(counts, return_counts=True)
    below = np.cumsum(times)[:-1] / counts.size
    if below.size == 0:
        return float(values[0]) - 0.5
    sums = np.cumsum(values * times)[:-1] / counts.size
    between = (counts.mean() * below - sums) ** 2 / (below * (1 - below))
    best = int(np.argmax(between))
    return float(values[best] + values[best + 1]) / 2


def _valley(counts: Counts, start: float) -> tuple[float, bool]:
    """Return the threshold, and whether two levels describe the counts better than one."""
    values, times = np.unique(counts, return_counts=True)
    high, low = counts[counts > start], counts[counts <= start]
    if high.size == 0 or low.size == 0:
        return -0.5, False
    rates = np.maximum([low.mean(), high.mean()], 1e-3)
    weights = np.array([low.size, high.size]) / counts.size
    likelihood = -np.inf
    for _ in range(_ROUNDS):
        terms = values[:, None] * np.log(rates) - rates + np.log(weights)
        largest = terms.max(axis=1, keepdims=True)
        chances = np.exp(terms - largest)
        total = chances.sum(axis=1, keepdims=True)
        before, likelihood = likelihood, float(times @ (largest + np.log(total))[:, 0])
        if likelihood - before < 1e-7:
            break
        members = chances / total * times[:, None]
        weights = np.maximum(members.sum(axis=0) / counts.size, 1e-12)
        rates = np.maximum(values @ members / np.maximum(members.sum(axis=0), 1e-12), 1e-3)
    mean = max(float(counts.mean()), 1e-3)
    single = float(times @ (values * np.log(mean) - mean))
    if 2 * (likelihood - single) < 2 * np.log(counts.size):
        return -0.5, False
    low_rate, high_rate = (float(rate) for rate in np.sort(rates))
    share = float(weights[int(np.argmax(rates))])
    middle = (low_rate + high_rate) / 2
    if _overlap(middle, high_rate, low_rate, share) < _RARE:
        return middle, True
    crossing = (high_rate - low_rate + np.log((1 - share) / share)) / np.log(high_rate / low_rate)
    return float(crossing), True


def _overlap(limit: float, high: float, low: float, share: float) -> float:
    # Square roots of Poissonian counts are nearly normal with a deviation of one half.
    roots = 2 * (np.sqrt(max(limit, 0.0)) - np.sqrt(np.maximum([high, low], 0.0)))
    wrong = normal_cdf(np.array([roots[0], -roots[1]]))
    return float(share * wrong[0] + (1 - share) * wrong[1])
