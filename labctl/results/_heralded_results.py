"""E16: lifetime and yield of the biexciton from pairs after one pulse (Feld 2024, Fig. 4)."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    HeraldedBiexciton,
    Irf,
    Measured,
    fit_heralded,
    yield_ratio_from_g2,
)
from labctl.errors import AnalysisError
from labctl.results._pair_points import PairPoint
from labctl.results._pair_records import PairRecords
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._saturation_results import (
    PowerSeries,
    is_series,
    series_warnings,
    stored_series,
)

__all__ = ["fit_pairs", "heralded_results", "yield_ratio_of_any_excitation"]

Vector = NDArray[np.float64]

_SMOOTH_S = 4e-9
"""Afterpulses come over tens of ns."""
_MANY = 50.0
"""Excitations per pulse of which practically every pulse has two at least."""
_UNITS = {
    "point": "",
    "pairs": "counts",
    "cascades": "counts",
    "accidental": "counts",
    "crosstalk": "counts",
    "biexciton_lifetime": "ns",
    "biexciton_lifetime_error": "ns",
    "exciton_lifetime": "ns",
    "exciton_lifetime_error": "ns",
    "probability": "",
    "flags": "",
}


def heralded_results(
    points: Sequence[PairPoint],
    tables: tuple[ResultTable, ...],
    full_fluence_uj_cm2: float | None = None,
) -> list[ExperimentResult]:
    """Return biexciton and exciton lifetime and the yield ratio of each point of ``photons``.

    Points of ``g2`` at other fluences tell how many excitations a pulse makes.
    """
    series, more = _series(points, full_fluence_uj_cm2)
    found: list[ExperimentResult] = []
    for one in points:
        if one.source.measurement != "photons":
            continue
        fit, texts = _fit(one)
        warnings = (*texts, *more, *one.warnings)
        if fit is not None:
            every = (*tables, ResultTable("heralded", _UNITS, (_row(one, fit),)))
            found += [
                _result("biexciton_lifetime", fit.biexciton_ns, "ns", one, every, warnings),
                _result("exciton_lifetime", fit.exciton_ns, "ns", one, every, warnings),
            ]
        ratio, texts = _yield_ratio(one, series)
        warnings = (*warnings, *texts)
        if ratio is not None:
            found.append(_result("yield_ratio", ratio, "", one, tables, warnings))
    return found


def fit_pairs(
    records: PairRecords,
    irfs: tuple[Irf, Irf],
    crosstalk_bins: tuple[int, int] | None,
    darks: float,
) -> HeraldedBiexciton:
    """Fit the pairs of a point with the responses of both detectors.

    Args:
        records: Pairs of the point.
        irfs: Responses of sides a and b, in the bins of the records.
        crosstalk_bins: First bin and end of the gaps that hold cross-talk.
        darks: Clicks of both detectors without light during the point.

    Raises:
        AnalysisError: Responses in other bins, too few pairs, or no convergence.
    """
    bins, own_ps = records.pulses.first.size, 1e12 * records.delay_bin_s / records.group
    for irf in irfs:
        if abs(irf.bin_ps - own_ps) > 1e-3 * own_ps:
            raise AnalysisError(
                f"the response of {irf.detector} has bins of {irf.bin_ps:g} ps, the pairs of "
                f"{own_ps:g} ps"
            )
    a, b = (_response(irf, bins, records.group) for irf in irfs)
    return fit_heralded(
        records.pulses,
        a,
        b,
        crosstalk_bins=crosstalk_bins,
        background_clicks=_background(records, darks),
    )


def _darks(one: PairPoint) -> float:
    return one.source.live_s * sum(rate.value for rate in one.dark_hz)


def _background(records: PairRecords, darks: float) -> Vector:
    """Return darks at any delay and afterpulses of the period before, by delay; smoothed."""
    late = records.late_delays
    width = max(1, round(_SMOOTH_S / records.delay_bin_s))
    inside = np.convolve(np.ones(late.size), np.ones(width), "same")
    smooth = np.convolve(late, np.ones(width), "same") / inside
    return np.maximum(smooth + max(darks, 1.0) / late.size, 0.0)


def _response(irf: Irf, bins: int, group: int) -> Vector:
    """Return the response without background on the delays of the pairs."""
    light = irf.response
    end = light.first_bin + light.counts.size
    found = np.zeros(max(bins * group, end))
    found[light.first_bin : end] = light.counts
    return np.maximum(found[: bins * group].reshape(bins, group).sum(axis=1), 0.0)


def _fit(one: PairPoint) -> tuple[HeraldedBiexciton | None, tuple[str, ...]]:
    source, where = one.source, f"point {one.source.point}"
    a, b = source.detectors[:2]
    missing = [name for name in (a, b) if name not in source.irfs]
    if one.records is None:
        return None, (f"{where}: no biexciton lifetime without raw records",)
    if missing:
        return None, (f"{where}: no response of {', '.join(missing)} (recipe step irf)",)
    try:
        irfs = source.irfs[a], source.irfs[b]
        fit = fit_pairs(one.records, irfs, one.crosstalk_bins, _darks(one))
    except AnalysisError as error:
        return None, (f"{where}: pairs not fitted: {error}",)
    return fit, tuple(f"{where}: {flag}" for flag in fit.flags)


def _series(
    points: Sequence[PairPoint], full_fluence_uj_cm2: float | None
) -> tuple[PowerSeries | None, tuple[str, ...]]:
    if not is_series(points):
        return None, ()
    try:
        used, bright, series = stored_series(points, full_fluence_uj_cm2)
    except AnalysisError as error:
        return None, (f"saturation not fitted: {error}",)
    return series, series_warnings(used, bright, series)


def _yield_ratio(
    one: PairPoint, series: PowerSeries | None
) -> tuple[Measured | None, tuple[str, ...]]:
    """Return q_XX / q_X at the excitation of the point."""
    where = f"point {one.source.point}"
    if one.g2 is None:
        return None, ()
    zero = one.g2.g2_zero
    fluence, rep_rate_hz = one.source.fluence_uj_cm2, one.source.rep_rate_hz
    try:
        if series is not None and fluence and rep_rate_hz:
            return yield_ratio_from_g2(zero, series.excitations(fluence, rep_rate_hz)), ()
        text = f"{where}: excitations per pulse not known; the error of yield_ratio covers any"
        return yield_ratio_of_any_excitation(zero), (text,)
    except AnalysisError as error:
        return None, (f"{where}: no yield ratio: {error}",)


def yield_ratio_of_any_excitation(g2_zero: Measured) -> Measured:
    """Return the yield ratio at an unknown number of excitations per pulse.

    It is g2(0) for few and falls to `yield_ratio_from_g2` of many, half of it where g2(0) is
    small. Anything between counts as equally likely.
    """
    few = g2_zero
    many = yield_ratio_from_g2(g2_zero, Measured(_MANY, 0.0))
    middle = Measured((few.value + many.value) / 2, (few.error + many.error) / 2)
    return middle.plus_systematic(abs(few.value - many.value) / math.sqrt(12))


def _row(one: PairPoint, fit: HeraldedBiexciton) -> tuple[Cell, ...]:
    pairs = None if one.records is None else one.records.pulses.pulses_pair
    return (
        one.source.point,
        pairs,
        fit.cascades.value,
        fit.accidental_pairs.value,
        None if fit.crosstalk_pairs is None else fit.crosstalk_pairs.value,
        fit.biexciton_ns.value,
        fit.biexciton_ns.error,
        fit.exciton_ns.value,
        fit.exciton_ns.error,
        fit.probability,
        "; ".join(fit.flags),
    )


def _result(
    quantity: str,
    measured: Measured,
    unit: str,
    one: PairPoint,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> ExperimentResult:
    value, error = measured.value, measured.error
    point = one.source.point
    return ExperimentResult("E16", quantity, value, error, unit, point, tables, warnings)
