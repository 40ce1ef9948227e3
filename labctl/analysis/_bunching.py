"""Bunched light under pulsed excitation: g2(0) above 1, and the time that the bunching lasts.

Pairs of different pulses are what uncorrelated photons of this decay give at each difference of
delays; what pairs of the same pulse have beyond that is fitted with ``exp(-|d| / tau_b)`` behind
the response of pairs. Light whose photons are emitted together from the pulse on bunches for its
decay time, whose mark in the pairs of different pulses is ``exp(-|d| / tau)``.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._g2_cw import two_sided_decay
from labctl.analysis._g2_pulsed import PulsedG2Zero, pulsed_g2
from labctl.analysis._measured import Measured
from labctl.analysis._pair_background import PairBackground
from labctl.analysis._poisson_fit import PoissonFit, fit_poisson
from labctl.errors import AnalysisError
from labctl.photons import PulsedDelaysResult

__all__ = ["Bunching", "measure_bunching"]

Vector = NDArray[np.float64]
_SIGNIFICANT = 3.0
_MANY_SIDES = 10


@dataclass(frozen=True, eq=False)
class Bunching:
    """Result of `measure_bunching`; errors are standard errors.

    Attributes:
        area: g2(0) from the areas, with flags of its own.
        excess_pairs: Pairs of the same pulse beyond those of uncorrelated photons.
        bunching_ns: Time of the excess; None where it is not seen at 3 standard errors.
        decay_ns: Time of the pairs of different pulses, as of one exponential.
        probability: Of a worse fit of the excess; 1 without one.
        flags: Words on what was unusual.
    """

    area: PulsedG2Zero
    excess_pairs: Measured
    bunching_ns: Measured | None
    decay_ns: Measured
    probability: float
    flags: tuple[str, ...]

    @property
    def significance(self) -> float:
        """Standard errors by which g2(0) exceeds 1."""
        return (self.area.g2_zero.value - 1) / self.area.g2_zero.error


def measure_bunching(
    pairs: PulsedDelaysResult,
    delay_bin_s: float,
    *,
    response: Vector | None = None,
    background: PairBackground | None = None,
    side_pulses: tuple[int, int] | None = None,
) -> Bunching:
    """Determine g2(0) and the bunching time.

    Args:
        pairs: Pairs by difference of pulses and of delays, at least 10 side peaks.
        delay_bin_s: Width of a delay bin (not of a column) in s.
        response: Of pairs, shares by column, odd length, centred; None: sharp.
        background: Uncorrelated clicks, for g2(0).
        side_pulses: Nearest and farthest side peak that counts; None: all.

    Raises:
        AnalysisError: Too few side peaks or pairs, or no convergence.
    """
    area = pulsed_g2(pairs, background=background, side_pulses=side_pulses)
    lags = np.abs(pairs.pulses)
    nearest, farthest = side_pulses or (1, int(lags.max()))
    sides = pairs.counts[(lags >= max(nearest, 1)) & (lags <= farthest)].astype(np.float64)
    if len(sides) < _MANY_SIDES:
        raise AnalysisError(f"{len(sides)} side peaks are too few for the shape of a peak")
    zero = pairs.counts[pairs.pulses == 0][0].astype(np.float64)
    if pairs.delay_bins.size < 2:
        raise AnalysisError("the pairs have no columns of delays")
    shape = _Shape(pairs, np.ones(1) if response is None else response / response.sum())
    decay = shape.fit_decay(sides.sum(axis=0))
    mean = sides.mean(axis=0)
    excess = Measured(
        float(zero.sum() - mean.sum()),
        math.sqrt(max(zero.sum(), 1.0) + float(mean.sum()) / len(sides)),
    )
    unit_ns = 1e9 * delay_bin_s * shape.column_bins
    seen = excess.value > _SIGNIFICANT * excess.error
    together = sides.sum(axis=0)
    fit = shape.fit_excess(zero, together, len(sides), excess.value) if seen else None
    return Bunching(
        area=area,
        excess_pairs=excess,
        bunching_ns=_time(fit, unit_ns) if fit else None,
        decay_ns=_time(decay, unit_ns),
        probability=fit.probability if fit else 1.0,
        flags=_flags(fit, decay),
    )


def _time(fit: PoissonFit, unit_ns: float) -> Measured:
    log = fit.parameter(1)
    value = math.exp(log.value) * unit_ns
    return Measured(value, value * log.error)


def _flags(fit: PoissonFit | None, decay: PoissonFit) -> tuple[str, ...]:
    wrong = (
        (fit is None, "no bunching seen"),
        (fit is not None and fit.probability < 1e-3, "the excess is no exponential"),
        (decay.probability < 1e-3, "the decay is not of one exponential"),
    )
    return tuple(text for happened, text in wrong if happened)


class _Shape:
    """Two-sided exponentials over the columns, behind the response; times in columns."""

    def __init__(self, pairs: PulsedDelaysResult, response: Vector) -> None:
        if response.size % 2 == 0:
            raise AnalysisError("the response of pairs has an odd number of columns")
        self.column_bins = int(pairs.delay_bins[1] - pairs.delay_bins[0])
        self._response = response
        half, size = response.size // 2, pairs.delay_bins.size
        # A difference of whole bins stands for differences of half a bin to either side.
        first = (float(pairs.delay_bins[0]) - 0.5) / self.column_bins - half
        self._begins = first + np.arange(size + 2 * half, dtype=np.float64)
        self._size = size

    def of(self, log_tau: float) -> Vector:
        """Return shares of pairs by column."""
        tau = math.exp(log_tau)
        sharp = two_sided_decay(self._begins, tau) / (2 * tau)
        return np.convolve(sharp, self._response, "valid")

    def fit_decay(self, counts: Vector) -> PoissonFit:
        """Fit pairs of different pulses: area, log time, and pairs that come at all differences.

        Clicks at any two delays of a period have a triangle of differences.
        """
        place = np.abs(self._begins[self._response.size // 2 :][: self._size] + 0.5)
        triangle = np.maximum(1 - place / (place.max() + 1), 0.0)
        triangle /= triangle.sum()
        total = float(counts.sum())

        def model(parameters: Vector) -> Vector:
            return parameters[0] * self.of(float(parameters[1])) + parameters[2] * triangle

        width = float(counts @ place) / max(total, 1.0)
        start = np.array([total, math.log(max(width, 0.5)), 0.01 * total])
        return self._fit(model, counts, start)

    def fit_excess(self, counts: Vector, sides: Vector, peaks: int, excess: float) -> PoissonFit:
        """Fit pairs of the same pulse: excess and log time, over those of different pulses.

        What uncorrelated photons would give is unknown in each column: it takes the value that
        is most likely, given the pairs of the same pulse and those of so many side peaks.
        """

        def model(parameters: Vector) -> Vector:
            more = parameters[0] * self.of(float(parameters[1]))
            base = _most_likely_base(counts, sides, peaks, more)
            return np.concatenate([base + more, peaks * base])

        place = np.abs(self._begins[self._response.size // 2 :][: self._size] + 0.5)
        width = abs(float((counts - sides / peaks) @ place)) / excess
        start = np.array([excess, math.log(max(width, 0.5))])
        return self._fit(model, np.concatenate([counts, sides]), start)

    def _fit(self, model: Callable[[Vector], Vector], counts: Vector, start: Vector) -> PoissonFit:
        total = max(float(counts.sum()), 1.0)
        size = start.size
        lower = np.array([0.0, math.log(0.02), 0.0])[:size]
        upper = np.array([10 * total, math.log(20.0 * self._size), 10 * total])[:size]
        scale = np.array([math.sqrt(total), 0.2, math.sqrt(total)])[:size]
        return fit_poisson(model, counts, start, lower, upper, scale)


def _most_likely_base(counts: Vector, sides: Vector, peaks: int, more: Vector) -> Vector:
    """Return b of counts with means ``b + more`` and ``peaks b``, where their likelihood is best.

    The root that is not negative of ``n / (b + more) + s / b = 1 + peaks``.
    """
    half = (counts + sides - (1 + peaks) * more) / (2 * (1 + peaks))
    return half + np.sqrt(half**2 + sides * more / (1 + peaks))
