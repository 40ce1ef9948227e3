"""E08: exciton and biexciton with and without the edge filter."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import ManifoldFit, Measured, fit_manifold
from labctl.errors import AnalysisError
from labctl.results._points import axis_error_ev, distance_error_mev
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._source import StoredSpectrum
from labctl.results._sublevels import SUBLEVELS, Manifold, areas_of, fit_sublevels, sum_of
from labctl.results._warnings import summarized

__all__ = ["edge_results"]

Vector = NDArray[np.float64]

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

    The spectra without filter tell the lines; their light behind the filter, relative to that
    without, tells how much of the biexciton is left and how much of the exciton is lost.

    Raises:
        AnalysisError: There is no spectrum without filter, or it shows no biexciton.
    """
    open_path = [s for s in spectra if s.edge_nm is None]
    if not open_path:
        msg = "no spectrum was taken without the edge filter; there is nothing to compare with"
        raise AnalysisError(msg)
    found = fit_sublevels(open_path)
    if found.biexciton is None:
        msg = "the spectrum without filter shows no biexciton; take it at a higher fluence"
        raise AnalysisError(msg)
    behind = [s for s in spectra if s.edge_nm is not None]
    manifolds = found.by_name()
    table = ResultTable("edge_filter", _UNITS, tuple(_row(s, open_path, manifolds) for s in behind))
    warnings = summarized(w for s in spectra for w in s.warnings)

    def result(name: str, value: Measured, unit: str, point: int | None = None) -> ExperimentResult:
        number, error = value.value, value.error
        return ExperimentResult("E08", name, number, error, unit, point, (table,), warnings)

    results = [result(*one) for one in _lines(open_path)]
    for spectrum, row in zip(behind, table.rows, strict=True):
        for name, place in (("exciton_passed", 2), ("biexciton_passed", 4)):
            value, error = (float(cell or math.nan) for cell in row[place : place + 2])
            results.append(result(name, Measured(value, error), "", spectrum.point))
    return results


def _lines(open_path: Sequence[StoredSpectrum]) -> list[tuple[str, Measured, str]]:
    """Return the lines as one fit of everything has them: replicas lie beneath the biexciton."""
    total = sum_of(open_path)
    fit = fit_manifold(total.counts, total.wavelength_nm, total.noise, response=total.response)
    axis_ev = axis_error_ev(open_path[0], fit.centre_ev.value)
    centre = fit.centre_ev.plus_systematic(axis_ev)
    lines = _energies("exciton", fit, centre, +1.0)

    def on_axis(distance: Measured) -> Measured:
        away = distance_error_mev(open_path[0], fit.centre_ev.value, distance.value)
        return distance.plus_systematic(away)

    if fit.splitting_mev is not None:
        lines.append(("fine_structure_splitting", on_axis(fit.splitting_mev), "meV"))
    bound = next((on_axis(line.below_mev) for line in fit.of("biexciton")), None)
    if bound is not None:
        below = Measured(
            centre.value - 1e-3 * bound.value, math.hypot(centre.error, 1e-3 * bound.error)
        )
        lines += _energies("biexciton", fit, below, -1.0)
        lines.append(("biexciton_binding", bound, "meV"))
    return lines


def _energies(
    kind: str, fit: ManifoldFit, centre_ev: Measured, direction: float
) -> list[tuple[str, Measured, str]]:
    """Return the lines about their mean by rising energy; those of the biexciton are mirrored."""
    offsets_mev = np.sort(direction * fit.offsets_mev)
    half_mev = 0.0 if fit.splitting_mev is None else fit.splitting_mev.error
    return [
        (
            f"energy_{kind}_{name}",
            Measured(centre_ev.value + 1e-3 * float(offset), centre_ev.error).plus_systematic(
                1e-3 * half_mev
            ),
            "eV",
        )
        for name, offset in zip(SUBLEVELS, offsets_mev, strict=False)
    ]


def _row(
    spectrum: StoredSpectrum,
    open_path: Sequence[StoredSpectrum],
    manifolds: Mapping[str, Manifold],
) -> tuple[Cell, ...]:
    cells: list[Cell] = [spectrum.point, spectrum.edge_nm]
    for manifold in manifolds.values():
        passed = _passed(spectrum, open_path, manifold)
        # The replicas' light lies beneath the lines, and the edge cuts it differently.
        bare = _passed(spectrum, open_path, replace(manifold, copies=(), upper=None))
        total = passed.plus_systematic(passed.value - bare.value)
        cells += [total.value, total.error]
    return tuple(cells)


def _passed(
    spectrum: StoredSpectrum, open_path: Sequence[StoredSpectrum], manifold: Manifold
) -> Measured:
    """Return the share of the light that passes, each line where it lies."""
    whole, left = areas_of(open_path, manifold), areas_of([spectrum], manifold)
    light, rest = whole.mean(), left.mean()
    passed = rest.value / light.value
    error = math.hypot(rest.error, passed * light.error) / light.value
    tilted = _tilt_per_mev(whole.value.mean(axis=0), left.value[0], manifold)
    return Measured(passed, error).plus_systematic(passed * tilted * _wing_mev(manifold))


def _tilt_per_mev(whole: Vector, left: Vector, manifold: Manifold) -> float:
    """Return how much the share that passes changes from line to line, relative to it, 1/meV."""
    place_mev = 1e3 * np.array([one.value for one in manifold.lines.energy_ev])
    place_mev = place_mev - np.average(place_mev, weights=whole)
    spread = float(whole @ place_mev**2)
    return (
        0.0 if not spread > 0.0 else float(left @ place_mev) / spread / (left.sum() / whole.sum())
    )


def _wing_mev(manifold: Manifold) -> float:
    """Return what a tilt of the filter's curve gives of one line to its neighbour, per 1/meV.

    Behind a filter whose share changes by s per meV a Lorentzian L(x) of FWHM g becomes L (1 + s
    x). The odd part falls off as 1/x only, and at a neighbour in the distance d it is s g² / (4 d)
    of the height of the line: the fit, whose lines are symmetric, takes it for the neighbour's.
    """
    splitting = manifold.lines.splitting_mev
    if splitting is None:
        return 0.0
    return manifold.fit.lorentz_fwhm_mev.value**2 / (4.0 * splitting.value)
