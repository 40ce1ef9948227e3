"""g2(0) under pulsed excitation, from the areas of the coincidence peaks.

With Z pairs in the same pulse, D pairs per peak of different pulses and backgrounds b of the two
sides among their n clicks in M pulses, ``g2(0) = (Z - C - X) / (D - C)``: C are the pairs with a
background click, ``(b_a n_b + n_a b_b - b_a b_b) / M``, and X those of cross-talk. D is one of

* ``"sides"``: the mean of the side peaks from ``side_pulses[0]`` to ``side_pulses[1]`` on either
  side. Blinking, which is slow against a few periods, raises them as much as it does the pairs
  of the same pulse, so that g2(0) is that of the emitter while it is on. Side peaks at lags
  beyond the blinking time give g2(0) of the light as a whole.
* ``"rates"``: ``n_a n_b / M``, what uncorrelated light of these rates would give; the most
  precise without blinking, and too large a g2(0) with it.

Errors: the clicks of successive pulses are taken as independent, at most one per pulse and
detector. Pairs of all peaks share their clicks, so that all areas go up and down together; the
ratio is known better than from the Poisson errors of the areas alone by about the clicks per
pulse.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._counting_limit import upper_limit
from labctl.analysis._measured import Measured
from labctl.analysis._pair_background import PairBackground
from labctl.analysis._propagate import propagate
from labctl.errors import AnalysisError
from labctl.photons import PulsedDelaysResult, PulsedG2Result

__all__ = ["Normalisation", "PulsedG2Zero", "pulsed_g2"]

Vector = NDArray[np.float64]
Normalisation = Literal["sides", "rates"]
_SIGNIFICANT = 3.0
_LARGE_SHARE = 0.1
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class PulsedG2Zero:
    """Result of `pulsed_g2`; errors are standard errors and contain those of the background.

    Attributes:
        g2_zero: Corrected for background and cross-talk; may lie below 0 by its error.
        g2_raw: Without these corrections.
        upper_limit: g2(0) is below this with 95 % probability: Bayesian, Poisson likelihood of
            the pairs, uniform prior from 0 on, averaged over the errors of background and
            normalisation.
        bunching: Mean side peak over the pairs of uncorrelated light, 1 without blinking; the
            error is that of counting, not that of how often the dot happened to blink.
        zero_counts: Pairs of the same pulse.
        side_counts: Mean pairs of one side peak.
        background_counts: Pairs of the same pulse with a background click, expected.
        crosstalk_counts: Pairs of the same pulse by cross-talk, expected.
        normalisation: ``"sides"`` or ``"rates"``.
        share: Share of the photons that were correlated.
        flags: Words on what was unusual; empty if nothing was.
    """

    g2_zero: Measured
    g2_raw: Measured
    upper_limit: float
    bunching: Measured
    zero_counts: int
    side_counts: float
    background_counts: float
    crosstalk_counts: float
    normalisation: Normalisation
    share: float
    flags: tuple[str, ...]

    @property
    def purity(self) -> Measured:
        """Single-photon purity ``1 - g2(0)``."""
        return Measured(1 - self.g2_zero.value, self.g2_zero.error)

    @property
    def antibunched(self) -> bool:
        """Whether g2(0) is below 1/2 with 95 % probability: a single emitter."""
        return self.upper_limit < 0.5


def pulsed_g2(
    peaks: PulsedG2Result | PulsedDelaysResult,
    *,
    background: PairBackground | None = None,
    side_pulses: tuple[int, int] | None = None,
    normalisation: Normalisation = "sides",
) -> PulsedG2Zero:
    """Determine g2(0) from peak areas.

    To leave out the first nanoseconds (time-gated g2), correlate with ``gate_bins`` and give the
    background within the gate; the areas are then treated as any others.

    Args:
        peaks: Pairs by difference of pulses; delays are summed.
        background: Clicks that are no emission of the dot; None: there are none.
        side_pulses: Nearest and farthest side peak that counts; None: all.
        normalisation: What the peak is compared with, see the module's text.

    Raises:
        AnalysisError: No such side peaks, or nothing left after the background is subtracted.
    """
    areas = _areas(peaks, side_pulses)
    given = background or PairBackground()
    values, covariance = areas.moments(), areas.covariance()
    extra = (given.photons_a, given.photons_b, given.crosstalk)
    full = np.concatenate([values, [one.value for one in extra]])
    matrix = np.zeros((7, 7))
    matrix[:4, :4] = covariance
    matrix[range(4, 7), range(4, 7)] = [one.error**2 for one in extra]
    clicks = full[2:4] - full[4:6]
    if not (clicks.min() > 0 and _signal(full, areas.pulses, normalisation) > 0):
        raise AnalysisError("no pairs are left to compare with after the background")
    corrected = propagate(lambda v: _g2(v, areas.pulses, normalisation), full, matrix)
    bare, bare_matrix = full.copy(), matrix.copy()
    bare[4:], bare_matrix[4:, 4:] = 0.0, 0.0
    false_pairs = propagate(lambda v: sum(_false(v, areas.pulses)), full, matrix)
    scale = propagate(lambda v: _signal(v, areas.pulses, normalisation), full, matrix)
    mixed, crossed = _false(full, areas.pulses)
    bunching = areas.bunching()
    return PulsedG2Zero(
        g2_zero=corrected,
        g2_raw=propagate(lambda v: _g2(v, areas.pulses, normalisation), bare, bare_matrix),
        upper_limit=upper_limit(int(areas.zero), scale, false_pairs, _CONFIDENCE),
        bunching=bunching,
        zero_counts=int(areas.zero),
        side_counts=float(values[1]),
        background_counts=mixed,
        crosstalk_counts=crossed,
        normalisation=normalisation,
        share=peaks.books.share,
        flags=_flags(areas, bunching, (mixed, crossed), peaks.books.share),
    )


@dataclass(frozen=True, eq=False)
class _Areas:
    """Pairs of the same pulse, of the side peaks by lag, clicks of both sides, pulses."""

    zero: float
    lags: NDArray[np.int64]
    sides: Vector
    photons: tuple[float, float]
    pulses: float

    def moments(self) -> Vector:
        """Return Z, D, n_a, n_b."""
        return np.array([self.zero, self.sides.mean(), *self.photons])

    def bunching(self) -> Measured:
        """Return D over the pairs of uncorrelated light."""
        ratio = float(self.sides.mean()) * self.pulses / (self.photons[0] * self.photons[1])
        return Measured(ratio, ratio / math.sqrt(max(float(self.sides.sum()), 1.0)))

    def covariance(self) -> Vector:
        """Return the covariance of Z, D, n_a, n_b for independent pulses, shape (4, 4).

        Sums over pulses i of ``a_i b_i``, ``a_i b_(i+k)``, ``a_i`` and ``b_i`` with a and b 0 or
        1; terms of the fourth order in the clicks per pulse are left out. The variance of z pairs
        is z + 1, that of the posterior of a Poisson mean, so that few pairs weigh no more than
        they should.
        """
        zero, side, n_a, n_b = self.moments()
        a, b = n_a / self.pulses, n_b / self.pulses
        shared, peaks = a + b - 2 * a * b, self.sides.size
        bound = (zero - n_a * n_b / self.pulses) / self.pulses
        own = max(1 - a * b + 2 * bound, 0.0)
        var_side = (side + 1 / peaks) * (
            own / peaks + (1 - 1 / peaks) * max(shared + 2 * bound, 0.0)
        )
        var_zero = (zero + 1) * (1 - zero / self.pulses)
        upper = np.array(
            [
                [var_zero, zero * shared, zero * (1 - a), zero * (1 - b)],
                [0.0, var_side, side * (1 - a) + n_a * bound, side * (1 - b) + n_b * bound],
                [0.0, 0.0, n_a * (1 - a), self.pulses * bound],
                [0.0, 0.0, 0.0, n_b * (1 - b)],
            ]
        )
        return upper + np.triu(upper, 1).T


def _areas(peaks: PulsedG2Result | PulsedDelaysResult, limits: tuple[int, int] | None) -> _Areas:
    counts = peaks.counts.astype(np.float64)
    counts = counts.sum(axis=1) if counts.ndim == 2 else counts
    lags, books = peaks.pulses, peaks.books
    first, last = limits or (1, int(np.abs(lags).max(initial=0)))
    chosen = (np.abs(lags) >= max(first, 1)) & (np.abs(lags) <= last)
    if not chosen.any() or not books.covered_ticks > last:
        raise AnalysisError(f"no side peaks from {first} to {last} pulses")
    if not (books.photons_a > 0 and books.photons_b > 0):
        raise AnalysisError("no photons on one of the sides")
    overlap = 1 - np.abs(lags[chosen]) / books.covered_ticks
    photons = float(books.photons_a), float(books.photons_b)
    zero = float(counts[lags == 0].sum())
    return _Areas(zero, lags[chosen], counts[chosen] / overlap, photons, float(books.covered_ticks))


def _false(values: Vector, pulses: float) -> tuple[float, float]:
    """Return expected pairs with a background click, and by cross-talk."""
    _, _, n_a, n_b, b_a, b_b, crosstalk = values.tolist()
    return (b_a * n_b + n_a * b_b - b_a * b_b) / pulses, crosstalk * (n_a + n_b)


def _signal(values: Vector, pulses: float, normalisation: Normalisation) -> float:
    """Return the pairs of the dot's photons that a peak with g2 = 1 would have."""
    whole = values[1] if normalisation == "sides" else values[2] * values[3] / pulses
    return float(whole) - _false(values, pulses)[0]


def _g2(values: Vector, pulses: float, normalisation: Normalisation) -> float:
    true = float(values[0]) - sum(_false(values, pulses))
    return true / _signal(values, pulses, normalisation)


def _flags(
    areas: _Areas, bunching: Measured, false_pairs: tuple[float, float], share: float
) -> tuple[str, ...]:
    mixed, crossed = false_pairs
    zero = max(areas.zero, 1.0)
    expected_error = math.sqrt(zero)
    wrong = (
        (mixed > 0.5 * zero, "background makes most pairs of the same pulse"),
        (crossed > _LARGE_SHARE * zero, "cross-talk is a large share of the same pulse's pairs"),
        (areas.zero - mixed - crossed < 2 * expected_error, "zero peak not seen, use the limit"),
        (bunching.value - 1 > _SIGNIFICANT * bunching.error, "side peaks raised by blinking"),
        (_spills(areas), "neighbour peaks are low: the decay reaches into the next period"),
        (share < 1, "not all photons were correlated"),
    )
    return tuple(text for happened, text in wrong if happened)


def _spills(areas: _Areas) -> bool:
    near, far = areas.sides[np.abs(areas.lags) == 1], areas.sides[np.abs(areas.lags) > 1]
    if not (near.size and far.size):
        return False
    error = math.sqrt(max(near.sum(), 1.0) / near.size**2 + max(far.sum(), 1.0) / far.size**2)
    return bool(far.mean() - near.mean() > _SIGNIFICANT * error)
