"""E12: brightness and single-photon purity against power (Feld 2024, Fig. 5d)."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    Measured,
    PuritySeries,
    Saturation,
    fit_purity_series,
    fit_saturation,
)
from labctl.errors import AnalysisError
from labctl.results._bright import stored_rate
from labctl.results._pair_points import PairPoint
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._warnings import summarized

__all__ = [
    "BrightPoint",
    "PowerSeries",
    "fit_power_series",
    "is_series",
    "saturation_results",
    "stored_series",
]

Vector = NDArray[np.float64]

_FEWEST = 3
_SAME_FLUENCE = 1.05
_W_PER_UJ_S = 1e-6
_DENSITY_REL = 0.01
"""Error of an attenuator's scale, as a share of its optical density (assumed)."""
_NEAR = 0.1
_STEEPEST, _HALVINGS = 100.0, 50
_OFF = 0.7
"""A point with less than this share of the light that is expected was off (a choice)."""
_FRACTIONS = (0.1, 1.5)
_UNITS = {
    "point": "",
    "power": "W/cm^2",
    "power_corrected": "W/cm^2",
    "rate": "Hz",
    "rate_error": "Hz",
    "g2_zero": "",
    "g2_zero_error": "",
}


@dataclass(frozen=True)
class BrightPoint:
    """One power.

    Attributes:
        power_w_cm2: Peak fluence times repetition rate.
        rate_hz: Photons of both detectors per second while the dot is on.
        g2_zero: Of this point; None: it had none.
    """

    power_w_cm2: float
    rate_hz: Measured
    g2_zero: Measured | None


@dataclass(frozen=True, eq=False)
class PowerSeries:
    """Result of `fit_power_series`.

    Attributes:
        saturation: Fit of the rates.
        purity: Fit of g2(0); None without any.
        density_error: Relative error of the attenuator's optical densities, as fitted.
        full_w_cm2: Power without attenuation.
        points: Those that were used, by power.
        powers_w_cm2: Corrected for the densities, shape (n,).
    """

    saturation: Saturation
    purity: PuritySeries | None
    density_error: Measured
    full_w_cm2: float
    points: tuple[BrightPoint, ...]
    powers_w_cm2: Vector

    def excitations(self, fluence_uj_cm2: float, rep_rate_hz: float) -> Measured:
        """Return the mean number of excitations per pulse at a fluence as the attenuator says."""
        said = np.array([fluence_uj_cm2 * rep_rate_hz * _W_PER_UJ_S])
        power = _true_power(said, self.full_w_cm2, self.density_error.value)
        return self.saturation.mean_excitations(float(power[0]))


def is_series(points: Sequence[PairPoint]) -> bool:
    """Return whether the points have three fluences or more."""
    known = sorted(f for one in points if (f := one.source.fluence_uj_cm2) is not None and f > 0)
    steps = [b / a > _SAME_FLUENCE for a, b in itertools.pairwise(known)]
    return sum(steps) + 1 >= _FEWEST if known else False


def saturation_results(
    points: Sequence[PairPoint],
    tables: tuple[ResultTable, ...],
    full_fluence_uj_cm2: float | None = None,
) -> list[ExperimentResult]:
    """Return saturation power, largest rate, yield ratio and purity of a series of fluences."""
    warnings = summarized(text for one in points for text in one.warnings)
    try:
        used, bright, series = stored_series(points, full_fluence_uj_cm2)
    except AnalysisError as error:
        text = f"saturation not fitted: {error}"
        nothing = Measured(float("nan"), float("nan"))
        return [_result("p_sat", nothing, "W/cm^2", tables, (text, *warnings))]
    tables = (*tables, _table(used, bright, series))
    off = [
        f"point {one.source.point}: left out of the saturation, the dot was off"
        for one, rate in zip(used, bright, strict=True)
        if not any(rate is kept for kept in series.points)
    ]
    flags = (*(f"saturation: {flag}" for flag in series.saturation.flags), *off, *warnings)
    found = [
        _result("p_sat", series.saturation.p_sat, "W/cm^2", tables, flags),
        _result("rate_max", series.saturation.rate_max_hz, "Hz", tables, flags),
    ]
    if series.purity is None:
        return found
    flags = (*(f"purity: {flag}" for flag in series.purity.flags), *flags)
    found.append(_result("yield_ratio", series.purity.yield_ratio, "", tables, flags))
    for fraction, purity in zip(series.purity.fractions, series.purity.purity, strict=True):
        found.append(_result(f"purity_at_{fraction:g}_p_sat", purity, "", tables, flags))
    return found


def stored_series(
    points: Sequence[PairPoint], full_fluence_uj_cm2: float | None = None
) -> tuple[list[PairPoint], list[BrightPoint], PowerSeries]:
    """Fit the points whose power is known; returns them, what they gave, and the fit.

    Args:
        points: Of one run.
        full_fluence_uj_cm2: Peak fluence without attenuation; None: the largest of the points.

    Raises:
        AnalysisError: Too few points or no convergence.
    """
    used = [one for one in points if _power_w_cm2(one) > 0]
    if not used:
        raise AnalysisError("no point has a known power")
    bright = [
        BrightPoint(_power_w_cm2(one), stored_rate(one), one.g2 and one.g2.g2_zero) for one in used
    ]
    powers = [_power_w_cm2(one) for one in used]
    ratios = [(full_fluence_uj_cm2 or 0.0) / (one.source.fluence_uj_cm2 or 1.0) for one in used]
    full_w_cm2 = max([p * max(ratio, 1.0) for p, ratio in zip(powers, ratios, strict=True)])
    return used, bright, fit_power_series(bright, full_w_cm2)


def fit_power_series(points: Sequence[BrightPoint], full_w_cm2: float) -> PowerSeries:
    """Fit rates and g2(0) against power.

    The scale of an attenuator is wrong by a share of its optical density, which bends the series:
    powers are ``P_full (P / P_full)^(1 + d)``, with d known to be 0 within 1 %. What rates say of d
    and that knowledge are combined; its error goes into everything.

    A point during which the dot was off says nothing of its saturation, and is left out.

    Args:
        points: At least three powers.
        full_w_cm2: Power without attenuation.

    Raises:
        AnalysisError: Too few points or no convergence.
    """
    ordered = _lit(sorted(points, key=lambda one: one.power_w_cm2))
    power = np.array([one.power_w_cm2 for one in ordered])

    def at(density: float) -> tuple[Saturation, PuritySeries | None]:
        return _fit(_true_power(power, full_w_cm2, density), ordered)

    density = _density(lambda d: at(d)[0].chi2)
    saturation, purity = at(density.value)
    moved = at(density.value + density.error)
    return PowerSeries(
        _with_density(saturation, moved[0]),
        purity if purity is None or moved[1] is None else _purity_with_density(purity, moved[1]),
        density,
        full_w_cm2,
        tuple(ordered),
        _true_power(power, full_w_cm2, density.value),
    )


def _true_power(power: Vector, full: float, density: float) -> Vector:
    """Return powers behind densities that are larger than the scale says by a share."""
    return full * (power / full) ** (1 + density)


def _lit(points: Sequence[BrightPoint]) -> list[BrightPoint]:
    """Return the points without those that are far darker than the law of the bright ones says.

    A dot that is off for a whole point looks as if it were on and dark. Laws through any two points
    are compared: that of the bright dot has no point above it, and most points on it.
    """
    best: list[float] = []
    for pair in itertools.combinations(points, 2):
        if pair[1].power_w_cm2 < _SAME_FLUENCE * pair[0].power_w_cm2:
            continue
        shares = _shares(points, pair)
        if shares and max(shares) < 1 + _NEAR and _near(shares) > _near(best):
            best = shares
    kept = [one for one, share in zip(points, best, strict=False) if share > _OFF]
    return kept if len({one.power_w_cm2 for one in kept}) >= _FEWEST else list(points)


def _near(shares: Sequence[float]) -> int:
    return sum(abs(share - 1) < _NEAR for share in shares)


def _shares(points: Sequence[BrightPoint], pair: Sequence[BrightPoint]) -> list[float]:
    """Return the rates over what the law through two of the points says; empty without a law."""
    low, high = pair
    p_sat = _through(low.power_w_cm2, high.power_w_cm2, high.rate_hz.value / low.rate_hz.value)
    if p_sat is None:
        return []
    law = -np.expm1(-np.array([one.power_w_cm2 for one in points]) / p_sat)
    scale = low.rate_hz.value / -math.expm1(-low.power_w_cm2 / p_sat)
    return [one.rate_hz.value / (scale * float(e)) for one, e in zip(points, law, strict=True)]


def _through(low: float, high: float, ratio: float) -> float | None:
    """Return the saturation power at which rates at two powers have a ratio, None if none has."""
    least, most = math.log(low / _STEEPEST), math.log(high * _STEEPEST)
    if not 1.0 < ratio < 2 * high / low:
        return None
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        found = math.expm1(-high / math.exp(middle)) / math.expm1(-low / math.exp(middle))
        least, most = (middle, most) if found < ratio else (least, middle)
    return math.exp(least)


def _density(chi2: Callable[[float], float]) -> Measured:
    """Return the error of the densities from the parabola of chi-square, and what is known."""
    step = _DENSITY_REL
    low, here, high = chi2(-step), chi2(0.0), chi2(step)
    curvature = max(low + high - 2 * here, 0.0) / step**2 + 2 / step**2
    return Measured(-(high - low) / (2 * step) / curvature, (2 / curvature) ** 0.5)


def _fit(power: Vector, points: Sequence[BrightPoint]) -> tuple[Saturation, PuritySeries | None]:
    """Fit rates without and then with the photons of the biexciton."""
    rates = np.array([one.rate_hz.value for one in points])
    errors = np.array([one.rate_hz.error for one in points])
    saturation = fit_saturation(power, rates, errors)
    known = [(p, one.g2_zero) for p, one in zip(power, points, strict=True) if one.g2_zero]
    if not known:
        return saturation, None
    at = np.array([p for p, _ in known])
    g2 = np.array([value.value for _, value in known])
    g2_error = np.array([value.error for _, value in known])
    purity = fit_purity_series(at, g2, g2_error, saturation.p_sat, fractions=_FRACTIONS)
    saturation = fit_saturation(power, rates, errors, yield_ratio=purity.yield_ratio)
    purity = fit_purity_series(at, g2, g2_error, saturation.p_sat, fractions=_FRACTIONS)
    return saturation, purity


def _moved(one: Measured, other: Measured) -> Measured:
    return one.plus_systematic(abs(other.value - one.value))


def _with_density(one: Saturation, other: Saturation) -> Saturation:
    """Return the first with the difference to the second as a further error."""
    shift = np.array(
        [
            other.p_sat.value - one.p_sat.value,
            other.rate_max_hz.value - one.rate_max_hz.value,
        ]
    )
    return replace(
        one,
        p_sat=_moved(one.p_sat, other.p_sat),
        rate_max_hz=_moved(one.rate_max_hz, other.rate_max_hz),
        covariance=one.covariance + np.outer(shift, shift),
    )


def _purity_with_density(one: PuritySeries, other: PuritySeries) -> PuritySeries:
    moved = tuple(_moved(a, b) for a, b in zip(one.g2_zero, other.g2_zero, strict=True))
    return replace(one, yield_ratio=_moved(one.yield_ratio, other.yield_ratio), g2_zero=moved)


def _power_w_cm2(one: PairPoint) -> float:
    source = one.source
    return (source.fluence_uj_cm2 or 0.0) * (source.rep_rate_hz or 0.0) * _W_PER_UJ_S


def _table(
    points: Sequence[PairPoint], bright: Sequence[BrightPoint], series: PowerSeries
) -> ResultTable:
    corrected = {
        id(one): float(power) for one, power in zip(series.points, series.powers_w_cm2, strict=True)
    }
    pairs = sorted(zip(points, bright, strict=True), key=lambda pair: pair[1].power_w_cm2)
    rows: list[tuple[Cell, ...]] = []
    for one, rate in pairs:
        zero = rate.g2_zero
        head = (one.source.point, rate.power_w_cm2, corrected.get(id(rate)))
        g2 = (None, None) if zero is None else (zero.value, zero.error)
        rows.append((*head, rate.rate_hz.value, rate.rate_hz.error, *g2))
    return ResultTable("saturation", _UNITS, tuple(rows))


def _result(
    quantity: str,
    measured: Measured,
    unit: str,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> ExperimentResult:
    value, error = measured.value, measured.error
    return ExperimentResult("E12", quantity, value, error, unit, None, tables, warnings)
