"""Results as JSON for machines and as a table for people."""

import json
import math
from typing import Any

from labctl.analysis import Measured
from labctl.results._analyze import RunAnalysis
from labctl.results._meanings import meaning
from labctl.results._points import FittedPoint
from labctl.results._result import ResultTable
from labctl.results._spectrum_results import peak_table

__all__ = ["TABLE_HEADER", "as_json", "format_measured", "json_text", "law_lines", "table_rows"]

TABLE_HEADER = ("T / K", "E / eV", "FWHM observed / meV", "FWHM intrinsic / meV")
"""Header of `table_rows`."""


def as_json(analysis: RunAnalysis) -> dict[str, Any]:
    """Return plain values of ``run``, ``results`` and ``tables``; NaN and infinity are None.

    Each result has a ``meaning`` in words beside quantity, value, standard error and unit.
    """
    tables: dict[str, ResultTable] = {}
    for result in analysis.results:
        tables.update({table.name: table for table in result.tables})
    if not tables:
        tables["spectra"] = peak_table("spectra", analysis.points)
    return {
        "run": analysis.run,
        "title": analysis.title,
        "sample": {"name": analysis.sample, "dot": analysis.dot},
        "simulated": analysis.simulated,
        "results": [
            {**result.as_json(), "meaning": meaning(result.quantity)} for result in analysis.results
        ],
        "tables": {name: table.as_json() for name, table in tables.items()},
    }


def json_text(analysis: RunAnalysis) -> str:
    """Return `as_json` as text."""
    return json.dumps(as_json(analysis), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def table_rows(analysis: RunAnalysis) -> list[tuple[str, ...]]:
    """Return one row of text per point under `TABLE_HEADER`."""
    return [_row(point) for point in analysis.points]


def law_lines(analysis: RunAnalysis) -> list[str]:
    """Return the laws as lines of text, empty if there are none."""
    units = {r.quantity: r.unit for r in analysis.results if r.point is None}
    found = {r.quantity: r.measured for r in analysis.results if r.point is None}
    return [f"{name} = {format_measured(found[name])} {units[name]}" for name in found]


def format_measured(measured: Measured | None) -> str:
    """Return ``value ± error`` with two digits of the error, or a dash."""
    if measured is None or not math.isfinite(measured.value):
        return "–"
    if not (measured.error > 0 and math.isfinite(measured.error)):
        return f"{measured.value:.6g}"
    digits = max(0, 1 - math.floor(math.log10(measured.error)))
    return f"{measured.value:.{digits}f} ± {measured.error:.{digits}f}"


def _row(point: FittedPoint) -> tuple[str, ...]:
    temperature = point.spectrum.temperature_k
    shown = "–" if temperature is None else f"{temperature.value:.2f}"
    fit = point.fit
    if fit is None:
        return (shown, "not fitted", "–", "–")
    intrinsic = fit.lorentz_fwhm_mev if fit.fwhm_intrinsic_mev is not None else None
    measured = (point.energy_ev, fit.fwhm_observed_mev, intrinsic)
    return (shown, *(format_measured(value) for value in measured))
