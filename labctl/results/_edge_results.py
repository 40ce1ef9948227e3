"""E08: exciton and biexciton with and without the edge filter."""

import math
from collections.abc import Mapping, Sequence

from labctl.analysis import Measured, Multiplet
from labctl.errors import AnalysisError
from labctl.results._manifolds import (
    SUBLEVELS,
    WIDER_MEV,
    Manifolds,
    areas_of,
    compared,
    fit_manifolds,
)
from labctl.results._points import axis_error_ev
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._source import StoredSpectrum
from labctl.results._warnings import summarized

__all__ = ["edge_results"]

_UNITS = {
    "point": "",
    "edge": "nm",
    "exciton_passed": "",
    "exciton_passed_error": "",
    "biexciton_passed": "",
    "biexciton_passed_error": "",
}


def edge_results(spectra: Sequence[StoredSpectrum]) -> list[ExperimentResult]:
    """Return the lines of both manifolds, and what the edge filter leaves of each.

    The spectra without filter tell the lines; their areas behind the filter, relative to those
    without, tell how much of the biexciton is left and how much of the exciton is lost.

    Raises:
        AnalysisError: There is no spectrum without filter, or it shows no biexciton.
    """
    open_path = [s for s in spectra if s.edge_nm is None]
    if not open_path:
        msg = "no spectrum was taken without the edge filter; there is nothing to compare with"
        raise AnalysisError(msg)
    found = fit_manifolds(open_path)
    again = fit_manifolds(open_path, WIDER_MEV).by_name()
    lines = {
        name: compared(one.lines, again[name].lines if name in again else None)
        for name, one in found.by_name().items()
    }
    warnings = summarized(w for s in spectra for w in s.warnings)
    if found.biexciton is None:
        msg = "the spectrum without filter shows no biexciton; take it at a higher fluence"
        raise AnalysisError(msg)
    behind = [s for s in spectra if s.edge_nm is not None]
    error_ev = axis_error_ev(open_path[0], found.exciton.lines.centre_ev.value)
    table = ResultTable("edge_filter", _UNITS, tuple(_row(s, open_path, found) for s in behind))
    results = [
        ExperimentResult("E08", quantity, m.value, m.error, unit, None, (table,), warnings)
        for quantity, m, unit in _quantities(lines, error_ev)
    ]
    for spectrum, row in zip(behind, table.rows, strict=True):
        for name, place in (("exciton_passed", 2), ("biexciton_passed", 4)):
            value, error = (float(cell or math.nan) for cell in row[place : place + 2])
            point = spectrum.point
            results.append(
                ExperimentResult("E08", name, value, error, "", point, (table,), warnings)
            )
    return results


def _quantities(
    manifolds: Mapping[str, Multiplet], energy_error_ev: float
) -> list[tuple[str, Measured, str]]:
    lines: list[tuple[str, Measured, str]] = []
    for kind, manifold in manifolds.items():
        lines += [
            (f"energy_{kind}_{name}", energy.plus_systematic(energy_error_ev), "eV")
            for name, energy in zip(SUBLEVELS, manifold.energy_ev, strict=False)
        ]
        if manifold.splitting_mev is not None:
            lines.append((f"fine_structure_splitting_{kind}", manifold.splitting_mev, "meV"))
    if "biexciton" in manifolds:
        upper, lower = manifolds["exciton"].centre_ev, manifolds["biexciton"].centre_ev
        apart = Measured(upper.value - lower.value, math.hypot(upper.error, lower.error))
        lines.append(("biexciton_binding", apart.scaled(1e3), "meV"))
    return lines


def _row(
    spectrum: StoredSpectrum, open_path: Sequence[StoredSpectrum], found: Manifolds
) -> tuple[Cell, ...]:
    cells: list[Cell] = [spectrum.point, spectrum.edge_nm]
    for manifold in found.by_name().values():
        whole = areas_of(open_path, manifold).mean()
        left = areas_of([spectrum], manifold).mean()
        passed = left.value / whole.value
        cells += [passed, math.hypot(left.error, passed * whole.error) / whole.value]
    return tuple(cells)
