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
from labctl.results._power_states import SAME_POWER, BrightPoint, state_of_series
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._warnings import summarized

__all__ = [
    "PowerSeries",
    "fit_power_series",
    "is_series",
    "saturation_results",
    "series_warnings",
    "stored_series",
]

Vector = NDArray[np.float64]

_FEWEST = 3
_W_PER_UJ_S = 1e-6
_DENSITY_REL = 0.01
"""Error of an attenuator's scale, as a share of its optical density (assumed)."""
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
        dim: Whether the dot was brighter at other points: these show its saturation alone.
    """

    saturation: Saturation
    purity: PuritySeries | None
    density_error: Measured
    full_w_cm2: float
    points: tuple[BrightPoint, ...]
    powers_w_cm2: Vector
    dim: bool

    def excitations(self, fluence_uj_cm2: float, rep_rate_hz: float) -> Measured:
        """Return the mean number of excitations per pulse at a fluence as the attenuator says."""
        said = np.array([fluence_uj_cm2 * rep_rate_hz * _W_PER_UJ_S])
        power = _true_power(said, self.full_w_cm2, self.density_error.value)
        return self.saturation.mean_excitations(float(power[0]))


def is_series(points: Sequence[PairPoint]) -> bool:
    """Return whether the points have three fluences or more."""
    known = sorted(f for one in points if (f := one.source.fluence_uj_cm2) is not None and f > 0)
    steps = [b / a > SAME_POWER for a, b in itertools.pairwise(known)]
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
        nothing = Measured(math.nan, math.nan)
        return [_result("p_sat", nothing, "W/cm^2", tables, (text, *warnings))]
    tables = (*tables, _table(used, bright, series))
    flags = (*series_warnings(used, bright, series), *warnings)
    p_sat, rate_max = series.saturation.p_sat, series.saturation.rate_max_hz
    found = [
        _result("p_sat", p_sat, "W/cm^2", tables, flags),
        _result("rate_max", _of_bright(rate_max, series), "Hz", tables, flags),
    ]
    if series.purity is None:
        return found
    flags = (*(f"purity: {flag}" for flag in series.purity.flags), *flags)
    ratio = _of_bright(series.purity.yield_ratio, series)
    found.append(_result("yield_ratio", ratio, "", tables, flags))
    for fraction, purity in zip(series.purity.fractions, series.purity.purity, strict=True):
        name = f"purity_at_{fraction:g}_p_sat"
        found.append(_result(name, _of_bright(purity, series), "", tables, flags))
    return found


def series_warnings(
    used: Sequence[PairPoint], bright: Sequence[BrightPoint], series: PowerSeries
) -> tuple[str, ...]:
    """Return what is to be said of a series, and of the points that its fit left out."""
    flags = [f"saturation: {flag}" for flag in series.saturation.flags]
    if series.dim:
        flags.append(
            "saturation: told by points at which the dot was dim, as if it absorbed the same then; "
            "at no three powers it was bright (repeat the series)"
        )
    state = "brighter or off" if series.dim else "off"
    left = [
        one.source.point
        for one, rate in zip(used, bright, strict=True)
        if not any(rate is kept for kept in series.points)
    ]
    flags += [f"point {place}: left out of the saturation, the dot was {state}" for place in left]
    return tuple(flags)


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

    A point during which the dot was off says nothing of the saturation of the bright dot, and is
    left out, see `state_of_series`.

    Args:
        points: At least three powers.
        full_w_cm2: Power without attenuation.

    Raises:
        AnalysisError: Too few points of one state, or no convergence.
    """
    state = state_of_series(points)
    ordered = state.points
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
        ordered,
        _true_power(power, full_w_cm2, density.value),
        state.dim,
    )


def _true_power(power: Vector, full: float, density: float) -> Vector:
    """Return powers behind densities that are larger than the scale says by a share."""
    return full * (power / full) ** (1 + density)


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


def _of_bright(one: Measured, series: PowerSeries) -> Measured:
    """Return what the bright dot has; NaN if the series does not show it bright."""
    return Measured(math.nan, math.nan) if series.dim else one


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
