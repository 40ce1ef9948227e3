"""How likely a stream of constant intensity passes for one with a change: exact, no simulation.

The statistic of Watkins and Yang (J. Phys. Chem. B 109, 617 (2005)): between two photons lie n
intervals, V_k is the share of the time that the first k of them took. If the intensity is constant
the V_k are ordered uniform numbers, so that "no k has a statistic above c" is "the empirical
distribution of n - 1 uniform numbers stays inside a band". That probability follows from counting
them as a Poisson process which is stopped at the edges of the band (the recursion of Noé, as in
A. Moscovich and B. Nadler, Stat. Probab. Lett. 123, 177 (2017)). Here the share that *leaves* the
band is added up, hence probabilities of 1e-10 are as exact as those of 0.1.
"""

import math

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._numba import Array, kernel

__all__ = ["SMALL", "change_false_alarm", "expected_terms"]

Vector = NDArray[np.float64]

_HARMONIC = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, 20))])
_SQUARES = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, 20) ** 2)])
_COUNTS = np.arange(1, 20)
SMALL: NDArray[np.float64] = np.array(
    [
        np.append(0.0, _COUNTS * (np.log(_COUNTS) + np.euler_gamma - _HARMONIC[:-1])),
        np.append(0.0, _COUNTS**2 * (np.pi**2 / 6 - _SQUARES[:-1]) - _COUNTS),
    ]
)
"""k (ln k - digamma(k)) and k² trigamma(k) - k for k < 20; 0 at 0."""


def expected_terms(counts: NDArray[np.int64]) -> tuple[Vector, Vector]:
    """Return ``k (ln k - digamma(k))`` and ``k² trigamma(k) - k``, each (k,)."""
    k = np.maximum(counts, 1).astype(np.float64)
    mean = 0.5 + 1 / (12 * k) - 1 / (120 * k**3) + 1 / (252 * k**5)
    variance = 0.5 + 1 / (6 * k) - 1 / (30 * k**3) + 1 / (42 * k**5)
    few = counts < SMALL.shape[1]
    mean[few], variance[few] = SMALL[0][counts[few]], SMALL[1][counts[few]]
    return mean, variance


@kernel("float64(float64[::1], float64[::1], int64)")
def leaving(lower: Array, upper: Array, numbers: int) -> float:
    """Return the probability that ordered uniform numbers leave ``lower < V_k < upper``.

    Both bounds have ``numbers`` entries, for k = 1 to ``numbers``, and do not fall.
    """
    state, moved, chances = np.zeros(numbers + 1), np.zeros(numbers + 1), np.zeros(2000)
    state[0] = 1.0
    low, high, next_low, next_high = 0, 0, 0, 0
    now, lost = 0.0, 0.0
    scale = numbers * math.log(numbers) - numbers - math.lgamma(numbers + 1.0)
    while next_high < numbers and low <= high:
        at_low = next_low < numbers and lower[next_low] <= upper[next_high]
        at = lower[next_low] if at_low else upper[next_high]
        mean = numbers * (at - now)
        now = at
        if mean > 0.0:
            chances[0] = math.exp(-mean)
            terms = 1
            while terms < 2000 and (terms < mean + 1.0 or chances[terms - 1] > 1e-25):
                chances[terms] = chances[terms - 1] * mean / terms
                terms += 1
            high, before = min(high + terms - 1, numbers), high
            for j in range(low, high + 1):
                moved[j] = 0.0
                for i in range(max(low, j - terms + 1), min(before, j) + 1):
                    moved[j] += state[i] * chances[j - i]
            state[low : high + 1] = moved[low : high + 1]
        # At a lower bound too many numbers have come, at an upper bound too few.
        if at_low:
            next_low += 1
            first, last, high = next_low, high, min(high, next_low - 1)
        else:
            next_high += 1
            first, last, low = low, min(next_high - 1, high), max(low, next_high)
        for j in range(first, last + 1):
            rest, left = numbers * (1.0 - at), numbers - j
            if rest > 0.0:
                log = left * math.log(rest) - rest - math.lgamma(left + 1.0)
                lost += state[j] * math.exp(log - scale)
            state[j] = 0.0
    return lost


def change_false_alarm(statistic: float, intervals: int, *, fewest: int = 1) -> float:
    """Return how likely a constant intensity gives a larger statistic somewhere.

    Args:
        statistic: Largest standardised and weighted log-likelihood ratio, as in ``ChangePoints``.
        intervals: Number of intervals between photons.
        fewest: Smallest number of intervals on either side of the change.
    """
    k = np.arange(1, intervals, dtype=np.int64)
    mean, variance = expected_terms(np.append(k, intervals))
    before, after = np.arange(intervals - 1), np.arange(intervals - 1)[::-1]
    expected = 2 * (mean[before] + mean[after] - mean[-1])
    sigma = 2 * np.sqrt(variance[before] + variance[after] - variance[-1])
    weight = 0.5 * np.log(4 * k * (intervals - k) / intervals**2)
    # Largest divergence between the shares k/n and V that is not yet called a change.
    allowed = (expected + sigma * (statistic - weight)) / (2 * intervals)
    share = k / intervals
    lower, upper = _crossed(share, allowed, -1.0), _crossed(share, allowed, 1.0)
    free = (k < fewest) | (intervals - k < fewest)
    lower[free], upper[free] = 0.0, 1.0
    lower, upper = np.maximum.accumulate(lower), np.minimum.accumulate(upper[::-1])[::-1]
    return leaving(np.ascontiguousarray(lower), np.ascontiguousarray(upper), intervals - 1)


def _crossed(share: Vector, allowed: Vector, side: float) -> Vector:
    """Return V below or above ``share`` where their divergence is ``allowed``."""
    inner, outer = share.copy(), np.full(share.shape, 0.0 if side < 0 else 1.0)
    for _ in range(60):
        middle = (inner + outer) / 2
        with np.errstate(divide="ignore"):
            far = (
                share * np.log(share / middle) + (1 - share) * np.log((1 - share) / (1 - middle))
                > allowed
            )
        outer, inner = np.where(far, middle, outer), np.where(far, inner, middle)
    return inner
