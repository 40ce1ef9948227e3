"""Results as JSON for machines and as a table for people."""

import json
import math
from typing import Any

from labctl.analysis import Measured
from labctl.results._analyze import RunAnalysis
from labctl.results._decays import FittedDecay
from labctl.results._meanings import meaning
from labctl.results._points import FittedPoint
from labctl.results._result import ResultTable
from labctl.results._spectrum_results import peak_table

__all__ = [
    "DECAY_HEADER",
    "TABLE_HEADER",
    "as_json",
    "decay_rows",
    "format_measured",
    "json_text",
    "law_lines",
    "table_rows",
]

TABLE_HEADER = ("T / K", "E / eV", "FWHM observed / meV", "FWHM intrinsic / meV")
"""Header of `table_rows`."""


DECAY_HEADER = ("T / K", "fluence / uJ/cm²", "lifetime / ps", "excitations per pulse", "counts")
"""Header of `decay_rows`."""

_OF_PAIRS = (
    "g2_zero",
    "purity",
    "x_to_xx",
    "biexciton_lifetime",
    "exciton_lifetime",
    "yield_ratio",
)
"""Quantities of single points that stand in no table of text."""


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


def decay_rows(analysis: RunAnalysis) -> list[tuple[str, ...]]:
    """Return one row of text per decay under `DECAY_HEADER`."""
    found = analysis.decays
    return [] if found is None else [_decay_row(one) for one in found.decays]


def law_lines(analysis: RunAnalysis) -> list[str]:
    """Return the laws, and what pairs and streams of photons gave, as lines of text, if any."""
    lines: list[str] = []
    for one in analysis.results:
        of_streams = one.experiment in ("E14", "E15")
        if one.point is None or one.quantity in _OF_PAIRS or of_streams:
            place = "" if one.point is None else f" at point {one.point}"
            value = format_measured(one.measured)
            lines.append(f"{one.quantity}{place} = {value} {one.unit}".rstrip())
    return list(dict.fromkeys(lines))


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


def _decay_row(one: FittedDecay) -> tuple[str, ...]:
    source, fit = one.decay.source, one.fit
    temperature, fluence = source.temperature_k, source.fluence_uj_cm2
    head = (
        "–" if temperature is None else f"{temperature.value:.2f}",
        "–" if fluence is None else f"{fluence:.3g}",
    )
    counts = f"{one.decay.counts.sum():.0f}"
    if fit is None:
        return (*head, "not fitted", "–", counts)
    excitations = format_measured(fit.mean_excitations)
    return (*head, format_measured(fit.lifetime_ps), excitations, counts)
