"""E12: brightness and single-photon purity against power (Feld 2024, Fig. 5d)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    Measured,
    PuritySeries,
    Saturation,
    dead_time_corrected,
    fit_purity_series,
    fit_saturation,
    threshold_trace,
)
from labctl.errors import AnalysisError
from labctl.results._pair_points import PairPoint
from labctl.results._pair_records import PairRecords
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._warnings import summarized

__all__ = [
    "BrightPoint",
    "PowerSeries",
    "bright_rate",
    "fit_power_series",
    "is_series",
    "saturation_results",
]

Vector = NDArray[np.float64]

_FEWEST = 3
_SAME_FLUENCE = 1.05
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
        powers_w_cm2: Corrected for it, shape (n,).
    """

    saturation: Saturation
    purity: PuritySeries | None
    density_error: Measured
    powers_w_cm2: Vector


def is_series(points: Sequence[PairPoint]) -> bool:
    """Return whether the points have three fluences or more."""
    known = sorted(f for one in points if (f := one.source.fluence_uj_cm2) is not None and f > 0)
    steps = [b / a > _SAME_FLUENCE for a, b in zip(known, known[1:], strict=False)]
    return sum(steps) + 1 >= _FEWEST if known else False


def saturation_results(
    points: Sequence[PairPoint], tables: tuple[ResultTable, ...]
) -> list[ExperimentResult]:
    """Return saturation power, largest rate, yield ratio and purity of a series of fluences."""
    warnings = summarized(text for one in points for text in one.warnings)
    used = [one for one in points if one.source.fluence_uj_cm2 and one.source.rep_rate_hz]
    bright = [_bright(one) for one in used]
    full = [one.source.setting("attenuator.full_fluence_uj_cm2") for one in used]
    full_w_cm2 = max(one.power_w_cm2 for one in bright)
    if all(value is not None for value in full):
        full_w_cm2 *= max(v or 0.0 for v in full) / max(
            one.source.fluence_uj_cm2 or 0.0 for one in used
        )
    try:
        series = fit_power_series(bright, full_w_cm2)
    except AnalysisError as error:
        text = f"saturation not fitted: {error}"
        nothing = Measured(float("nan"), float("nan"))
        return [_result("p_sat", nothing, "W/cm^2", tables, (text, *warnings))]
    flags = (*(f"saturation: {flag}" for flag in series.saturation.flags), *warnings)
    all_tables = (*tables, _table(used, bright, series))
    found = [
        _result("p_sat", series.saturation.p_sat, "W/cm^2", all_tables, flags),
        _result("rate_max", series.saturation.rate_max_hz, "Hz", all_tables, flags),
    ]
    if series.purity is None:
        return found
    flags = (*(f"purity: {flag}" for flag in series.purity.flags), *flags)
    found.append(_result("yield_ratio", series.purity.yield_ratio, "", all_tables, flags))
    for fraction, purity in zip(series.purity.fractions, series.purity.purity, strict=True):
        name = f"purity_at_{fraction:g}_p_sat"
        found.append(_result(name, purity, "", all_tables, flags))
    return found


def fit_power_series(points: Sequence[BrightPoint], full_w_cm2: float) -> PowerSeries:
    """Fit rates and g2(0) against power.

    The scale of an attenuator is wrong by a share of its optical density, which bends the series:
    powers are ``P_full (P / P_full)^(1 + d)``, with d known to be 0 within 1 %. What rates say of d
    and that knowledge are combined; its error goes into everything.

    Args:
        points: At least three powers.
        full_w_cm2: Power without attenuation.

    Raises:
        AnalysisError: Too few points or no convergence.
    """
    ordered = sorted(points, key=lambda one: one.power_w_cm2)
    power = np.array([one.power_w_cm2 for one in ordered])

    def at(density: float) -> tuple[Saturation, PuritySeries | None]:
        return _fit(full_w_cm2 * (power / full_w_cm2) ** (1 + density), ordered)

    density = _density(lambda d: at(d)[0].chi2)
    saturation, purity = at(density.value)
    moved = at(density.value + density.error)
    return PowerSeries(
        _shifted(saturation, moved[0]),
        purity if purity is None or moved[1] is None else _shifted_purity(purity, moved[1]),
        density,
        full_w_cm2 * (power / full_w_cm2) ** (1 + density.value),
    )


def bright_rate(
    records: PairRecords,
    dark_hz: tuple[Measured, Measured],
    dead_time_s: tuple[float, float],
    afterpulses: tuple[float, float],
    rep_rate_hz: float,
) -> Measured:
    """Return the photons of both detectors per second while the dot is on, Hz.

    Bins of the trace in which the dot is off are left out; darks, afterpulses and dead times
    are taken off each detector.

    Args:
        records: Of the point.
        dark_hz: Rates without light.
        dead_time_s: Dead times of the detectors, s.
        afterpulses: Chances that a click is followed by one without a photon.
        rep_rate_hz: Of the laser.

    Raises:
        AnalysisError: The trace is too short.
    """
    trace = threshold_trace(records.trace.sum(axis=1), records.trace_bin_s)
    if not trace.on.any():
        raise AnalysisError("the dot was never on")
    rates: list[Measured] = []
    on = records.trace[_inner(trace.on)] if _inner(trace.on).any() else records.trace[trace.on]
    for side in (0, 1):
        mean = float(on[:, side].mean()) / records.trace_bin_s
        lifetime_s = _mean_delay_s(records)
        rate_hz = float(
            dead_time_corrected(
                np.array([mean]),
                dead_time_s[side],
                rep_rate_hz=rep_rate_hz,
                lifetime_s=lifetime_s,
            )[0]
        )
        noise = float(np.sqrt(max(on[:, side].sum(), 1))) / (len(on) * records.trace_bin_s)
        light = Measured((rate_hz - dark_hz[side].value) / (1 + afterpulses[side]), noise)
        rates.append(light.plus_systematic(dark_hz[side].error))
    return Measured(
        rates[0].value + rates[1].value, float(np.hypot(rates[0].error, rates[1].error))
    )


def _bright(one: PairPoint) -> BrightPoint:
    source, g2 = one.source, one.g2
    a, b = source.detectors[:2]
    rep_hz, fluence = source.rep_rate_hz or 0.0, source.fluence_uj_cm2 or 0.0
    live_s = max(source.live_s, 1e-9)
    dark_hz = tuple(
        Measured(x.value / live_s, x.error / live_s)
        for x in (one.background.photons_a, one.background.photons_b)
    )
    rate = _plain_rate(source, dark_hz)
    if one.records is not None:
        dead_s = tuple(
            1e-9 * (source.setting(f"detectors.{name}.dead_time_ns") or 0.0) for name in (a, b)
        )
        after = tuple(
            source.setting(f"detectors.{name}.afterpulse_probability") or 0.0 for name in (a, b)
        )
        rate = bright_rate(one.records, dark_hz, dead_s, after, rep_hz)
    return BrightPoint(
        fluence * rep_hz * _W_PER_UJ_S, rate, None if g2 is None else g2.g2_zero
    )
