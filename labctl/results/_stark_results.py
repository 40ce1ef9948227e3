"""E23: peak energy against the electric field at the dot, and what its parabola says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from labctl.analysis import Measured, StarkLaw, fit_stark
from labctl.errors import AnalysisError
from labctl.results._points import FittedPoint
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._rows import StoredRun, number, optional, row_values
from labctl.results._spectrum_results import peak_table
from labctl.results._warnings import summarized

__all__ = ["StarkAnalysis", "StarkPoint", "analyze_stark"]

_FIELD = ".field:set"
_NOT_KNOWN = 0.05
"""Relative error of a gap of which the set-up says nothing."""
_TABLE = {
    "point": "",
    "field": "kV/cm",
    "energy": "eV",
    "energy_error": "eV",
    "residual": "meV",
    "voltage": "V",
    "current": "A",
    "in_compliance": "",
}


@dataclass(frozen=True, eq=False)
class StarkPoint:
    """A fitted spectrum at one field.

    Attributes:
        point: Index of the point in the run.
        field_kv_cm: As read, kV/cm.
        energy_ev: Of the peak, with its statistical error.
        time_s: When it began, s.
        voltage_v: At the electrodes, V.
        current_a: Through them, A.
        limited: Whether the limit of current was reached.
    """

    point: int
    field_kv_cm: float
    energy_ev: Measured
    time_s: float
    voltage_v: float | None
    current_a: float | None
    limited: bool


@dataclass(frozen=True, eq=False)
class StarkAnalysis:
    """Points of a sweep and their law; None where it could not be fitted."""

    points: tuple[StarkPoint, ...]
    law: StarkLaw | None
    results: tuple[ExperimentResult, ...]


def analyze_stark(run: StoredRun, fitted: Sequence[FittedPoint]) -> StarkAnalysis | None:
    """Return what a sweep of the field determines; None if no field was swept.

    Points whose current reached its limit are left out: nobody knows where the voltage drops then.
    The relative error of the electrodes' distance (``gap_accuracy``) is in the errors.

    Args:
        run: As returned by `labctl.storage.read_run`.
        fitted: Its fitted spectra.
    """
    source, points = _swept(run, fitted)
    if len({round(one.field_kv_cm, 1) for one in points}) < 2:
        return None
    warnings = list(summarized(text for one in fitted for text in one.warnings))
    limited = [str(one.point) for one in points if one.limited]
    if limited:
        warnings.append(f"points {', '.join(limited)}: in compliance, left out of the law")
    accuracy = optional(_snapshot(run, source).get("gap_accuracy"))
    if accuracy is None:
        accuracy = _NOT_KNOWN
        warnings.append(f"the gap's accuracy is not known: {_NOT_KNOWN:.0%} are assumed")
    law: StarkLaw | None = None
    try:
        law = _fitted([one for one in points if not one.limited], accuracy)
        warnings += [f"Stark law: {flag}" for flag in law.flags]
    except AnalysisError as error:
        warnings.append(f"Stark law not fitted: {error}")
    return StarkAnalysis(tuple(points), law, tuple(_results(points, fitted, law, tuple(warnings))))


def _swept(run: StoredRun, fitted: Sequence[FittedPoint]) -> tuple[str, list[StarkPoint]]:
    """Return the source-meter's name and the fitted points with a field, in order of time."""
    known = {one.spectrum.point: one for one in fitted if one.fit is not None}
    source, found = "", list[StarkPoint]()
    for dataset in run.data.values():
        for row in range(dataset.sizes.get("point", 0)):
            values = row_values(dataset, row)
            swept = [key for key in values if key.endswith(_FIELD)]
            fit = known.get(int(number(values.get("point"), -1.0)))
            if not swept or fit is None or fit.fit is None:
                continue
            source = swept[0].removesuffix(_FIELD)
            point = _point(values, source, fit.spectrum.point, fit.fit.energy_ev)
            found += [point] if point is not None else []
    return source, sorted(found, key=lambda one: one.time_s)


def _point(
    values: Mapping[str, Any], source: str, point: int, energy_ev: Measured
) -> StarkPoint | None:
    field = optional(values.get(f"{source}.field:read"))
    if field is None:
        return None
    return StarkPoint(
        point,
        field,
        energy_ev,
        number(values.get("began_s"), float(point)),
        optional(values.get(f"{source}.voltage:read")),
        optional(values.get(f"{source}.current:read")),
        number(values.get(f"{source}.in_compliance:read"), 0.0) > 0.0,
    )


def _fitted(points: Sequence[StarkPoint], accuracy: float) -> StarkLaw:
    return fit_stark(
        np.array([one.field_kv_cm for one in points]),
        np.array([one.energy_ev.value for one in points]),
        np.array([one.energy_ev.error for one in points]),
        np.array([one.time_s for one in points]),
        accuracy,
    )


def _snapshot(run: StoredRun, source: str) -> Mapping[str, Any]:
    snapshots: Mapping[str, Mapping[str, Any]] = run.start.get("snapshot") or {}
    return snapshots.get(source) or {}


def _results(
    points: Sequence[StarkPoint],
    fitted: Sequence[FittedPoint],
    law: StarkLaw | None,
    warnings: tuple[str, ...],
) -> list[ExperimentResult]:
    if law is None:
        return []
    axis_error_ev = max((one.axis_error_ev for one in fitted), default=0.0)
    half = law.half_polarizability_mev_cm2_kv2
    quantities = (
        ("internal_field", law.internal_field_kv_cm, "kV/cm"),
        ("half_polarizability", half, "meV cm^2/kV^2"),
        ("polarizability", half.scaled(2.0), "meV cm^2/kV^2"),
        ("dipole", law.dipole_e_nm, "e nm"),
        ("zero_field_energy", law.zero_field_ev.plus_systematic(axis_error_ev), "eV"),
        ("vertex_energy", law.vertex_ev.plus_systematic(axis_error_ev), "eV"),
    )
    table = ResultTable("stark", _TABLE, tuple(_row(one, law) for one in points))
    tables = (table, peak_table("spectra", fitted))
    return [
        ExperimentResult("E23", name, found.value, found.error, unit, None, tables, warnings)
        for name, found, unit in quantities
    ]


def _row(one: StarkPoint, law: StarkLaw) -> tuple[Cell, ...]:
    expected_ev = float(law(np.array([one.field_kv_cm]))[0])
    return (
        one.point,
        one.field_kv_cm,
        one.energy_ev.value,
        one.energy_ev.error,
        1e3 * (one.energy_ev.value - expected_ev),
        one.voltage_v,
        one.current_a,
        int(one.limited),
    )
