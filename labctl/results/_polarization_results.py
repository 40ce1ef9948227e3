"""E09: polarization of each line of a dot, from spectra behind a turned analyser."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    Measured,
    Multiplet,
    PathPolarization,
    Polarization,
    between_axes_deg,
    fit_polarization,
)
from labctl.errors import AnalysisError
from labctl.results._points import axis_error_ev, distance_error_mev
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._source import StoredSpectrum
from labctl.results._sublevels import (
    SUBLEVELS,
    WIDER_MEV,
    Areas,
    Manifolds,
    areas_of,
    compared,
    fit_sublevels,
    steadied,
)
from labctl.results._warnings import summarized

__all__ = ["is_polarization_sweep", "polarization_results"]

Vector = NDArray[np.float64]

Fit = Polarization | AnalysisError
_FEWEST_ANGLES = 4
_UNREMEDIED = frozenset({"none", "reference_sweep"})
"""Remedies that leave the grating behind the analyser as it is; it is taken out afterwards."""
_SHARED = 0.001
"""Light that overlapping lines take from one another although the model fits, relative: what
simulated sweeps show beyond noise. The width of a line in one spectrum is that of all; the dot
wanders more during one exposure than during another."""
REFERENCE = "reference"
"""Label of spectra of unpolarized light in a sweep, which tell what the path does to it."""


def is_polarization_sweep(spectra: Sequence[StoredSpectrum]) -> bool:
    """Return whether these spectra were taken behind an analyser at several angles."""
    return len({s.analyser_deg for s in spectra if s.analyser_deg is not None}) >= _FEWEST_ANGLES


def polarization_results(spectra: Sequence[StoredSpectrum]) -> list[ExperimentResult]:
    """Return energy, direction and degree of polarization of each line.

    Without something against the polarization of the grating there are energies alone: a declared
    remedy that makes it favour nothing, the calibration ``polarization_response``, or spectra of
    unpolarized light at the same angles (labelled ``reference``).

    Raises:
        AnalysisError: The spectra do not belong together, or show no line.
    """
    swept = [s for s in spectra if s.analyser_deg is not None and s.label != REFERENCE]
    reference = [s for s in spectra if s.analyser_deg is not None and s.label == REFERENCE]
    found = fit_sublevels(swept)
    areas, lines = _lines(swept, found)
    others, again = _lines(swept, fit_sublevels(swept, WIDER_MEV, found))
    lines = {name: compared(one, again.get(name)) for name, one in lines.items()}
    warnings = summarized(w for s in swept for w in s.warnings)
    remedied = not {s.polarization_remedy for s in swept} & _UNREMEDIED
    path = swept[0].path_polarization
    if not remedied and not reference and path is None:
        text = (
            "no degree of polarization: the grating behind the turning analyser favours one "
            "direction; calibrate the path (recipe step calibrate, kind polarization_response), "
            "declare a remedy in the set-up, or take spectra of unpolarized light at the same "
            f"angles with the label {REFERENCE!r}"
        )
        return _energies(lines, swept[0], (*warnings, text))
    angle_deg = np.array([s.analyser_deg for s in swept], dtype=np.float64)
    gain = None if remedied else _gain(angle_deg, reference, path)
    extinction, zero_error_deg = swept[0].extinction, swept[0].analyser_error_deg
    fits = _compared(
        _fits(angle_deg, areas, gain, extinction), _fits(angle_deg, others, gain, extinction)
    )
    if path is not None and (remedied or not reference):
        fits = {name: _of_path(fit, path, remedied) for name, fit in fits.items()}
    if zero_error_deg is None:
        text = "directions count from the believed zero of the analyser, which was not calibrated"
        warnings = (*warnings, f"{text} (recipe step calibrate, kind analyser)")
    tables = (_table(angle_deg, areas),)
    results = _energies(lines, swept[0], warnings)
    crossed = _crossed(fits, tables, warnings)
    turned = {name: _with_zero(fit, zero_error_deg or 0.0) for name, fit in fits.items()}
    results += [
        one for name, fit in turned.items() for one in _of_line(name, fit, tables, warnings)
    ]
    return results + crossed


def _intensities(areas: Mapping[str, Areas]) -> dict[str, tuple[Vector, Vector]]:
    """Return intensity and variance by angle of each manifold and each of its lines."""
    found: dict[str, tuple[Vector, Vector]] = {}
    for name, each in areas.items():
        found[name] = each.together()
        for place in range(each.value.shape[1]):
            line = each.value[:, place], each.covariance[:, place, place]
            found[f"{name}_{SUBLEVELS[place]}"] = line
    return found


def _lines(
    swept: Sequence[StoredSpectrum], found: Manifolds
) -> tuple[dict[str, Areas], dict[str, Multiplet]]:
    """Return by name of the manifold the light of its lines, and where they lie."""
    areas = {name: areas_of(swept, one) for name, one in found.by_name().items()}
    return areas, {name: steadied(one, areas[name]) for name, one in found.by_name().items()}


def _fits(
    angle_deg: Vector,
    areas: Mapping[str, Areas],
    gain: tuple[Vector, Vector] | None,
    extinction: float,
) -> dict[str, Fit]:
    return {
        name: _fit(angle_deg, intensity, variance, gain, extinction)
        for name, (intensity, variance) in _intensities(areas).items()
    }


def _compared(fits: dict[str, Fit], others: Mapping[str, Fit]) -> dict[str, Fit]:
    """Return the fits with what another width of the fitted window changes as a further error."""
    return {name: _with_systematic(fit, others.get(name)) for name, fit in fits.items()}


def _with_systematic(fit: Fit, other: Fit | None) -> Fit:
    if not (isinstance(fit, Polarization) and isinstance(other, Polarization)):
        return fit
    turn_deg = between_axes_deg(fit.angle_deg, other.angle_deg).value
    by_window = fit.s1.value - other.s1.value, fit.s2.value - other.s2.value
    return replace(
        fit,
        s1=fit.s1.plus_systematic(math.hypot(by_window[0], _SHARED)),
        s2=fit.s2.plus_systematic(math.hypot(by_window[1], _SHARED)),
        degree=fit.degree.plus_systematic(math.hypot(*by_window, _SHARED)),
        angle_deg=fit.angle_deg.plus_systematic(turn_deg),
    )


def _with_zero(fit: Fit, error_deg: float) -> Fit:
    """Return the fit with the error of the analyser's zero, which turns all directions alike."""
    if isinstance(fit, AnalysisError):
        return fit
    by_turn = 2.0 * math.radians(error_deg)
    return replace(
        fit,
        s1=fit.s1.plus_systematic(by_turn * fit.s2.value),
        s2=fit.s2.plus_systematic(by_turn * fit.s1.value),
        angle_deg=fit.angle_deg.plus_systematic(error_deg),
    )


def _fit(
    angle_deg: Vector,
    intensity: Vector,
    variance: Vector,
    gain: tuple[Vector, Vector] | None,
    extinction: float,
) -> Fit:
    if gain is not None:
        relative, error = gain
        variance = variance / relative**2 + (intensity * error / relative**2) ** 2
        intensity = intensity / relative
    try:
        return fit_polarization(angle_deg, intensity, np.diag(variance), extinction=extinction)
    except AnalysisError as failure:
        return failure


def _gain(
    angle_deg: Vector, reference: Sequence[StoredSpectrum], path: PathPolarization | None
) -> tuple[Vector, Vector]:
    """Return what the path passes of unpolarized light at these angles, mean 1, and its error.

    That of a calibrated path has none here: it is common to all angles and comes in later.
    """
    if reference or path is None:
        return _reference_curve(angle_deg, reference)
    return path.gain(angle_deg), np.zeros(angle_deg.size)


def _of_path(fit: Fit, path: PathPolarization, fixed: bool) -> Fit:
    """Return the fit with the calibrated path taken out.

    Where a remedy keeps the grating from seeing the direction turn (``fixed``), what is left
    stands in front of the analyser; else the path was divided out, and its error is missing.
    """
    if isinstance(fit, AnalysisError):
        return fit
    return path.undone(fit) if fixed else path.divided_out(fit)


def _reference_curve(angle_deg: Vector, spectra: Sequence[StoredSpectrum]) -> tuple[Vector, Vector]:
    """Return what the path lets pass of unpolarized light at these angles, mean 1, and its error.

    Raises:
        AnalysisError: An angle has no reference.
    """
    total, variance = areas_of(spectra, fit_sublevels(spectra).exciton).together()
    known = {round(s.analyser_deg or 0.0, 1) % 360.0: k for k, s in enumerate(spectra)}
    try:
        order = [known[round(float(angle), 1) % 360.0] for angle in angle_deg]
    except KeyError as missing:
        msg = f"there is no reference at {missing.args[0]:g} deg; take one at every angle"
        raise AnalysisError(msg) from missing
    return total[order] / total.mean(), np.sqrt(variance[order]) / total.mean()


def _energies(
    found: Mapping[str, Multiplet], spectrum: StoredSpectrum, warnings: tuple[str, ...]
) -> list[ExperimentResult]:
    results: list[ExperimentResult] = []
    for kind, manifold in found.items():
        centre_ev = manifold.centre_ev.value
        error_ev = axis_error_ev(spectrum, centre_ev)
        results += [
            _result(f"energy_{kind}_{name}", energy.plus_systematic(error_ev), "eV", (), warnings)
            for name, energy in zip(SUBLEVELS, manifold.energy_ev, strict=False)
        ]
        splitting = manifold.splitting_mev
        if splitting is not None:
            name = f"fine_structure_splitting_{kind}"
            stretched = distance_error_mev(spectrum, centre_ev, splitting.value)
            results.append(_result(name, splitting.plus_systematic(stretched), "meV", (), warnings))
    return results


def _of_line(
    name: str,
    fit: Fit,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> list[ExperimentResult]:
    if isinstance(fit, AnalysisError):
        nothing = Measured(math.nan, math.nan)
        return [_result(f"degree_{name}", nothing, "", tables, (*warnings, str(fit)))]
    if fit.error_scale > 1.0:
        text = f"{name}: the sweep does not follow the law of an analyser, errors scaled by"
        warnings = (*warnings, f"{text} {fit.error_scale:.1f}")
    return [
        _result(f"degree_{name}", fit.degree, "", tables, warnings),
        _result(f"angle_{name}", fit.angle_deg, "deg", tables, warnings),
        _result(f"s1_{name}", fit.s1, "", tables, warnings),
        _result(f"s2_{name}", fit.s2, "", tables, warnings),
    ]


def _crossed(
    fits: Mapping[str, Fit],
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> list[ExperimentResult]:
    """Return the angles between the directions of the two lower lines of each manifold."""
    results: list[ExperimentResult] = []
    for name in ("exciton", "biexciton"):
        one, other = (fits.get(f"{name}_{number}") for number in SUBLEVELS[:2])
        if isinstance(one, Polarization) and isinstance(other, Polarization):
            apart = between_axes_deg(one.angle_deg, other.angle_deg)
            results.append(_result(f"crossing_{name}", apart, "deg", tables, warnings))
    return results


def _table(angle_deg: Vector, areas: Mapping[str, Areas]) -> ResultTable:
    units, columns = {"analyser": "deg"}, [angle_deg]
    for name, (intensity, variance) in _intensities(areas).items():
        units |= {f"light_{name}": "counts/s", f"light_{name}_error": "counts/s"}
        columns += [intensity, np.sqrt(variance)]
    rows: list[tuple[Cell, ...]] = [tuple(map(float, row)) for row in np.column_stack(columns)]
    return ResultTable("polarization_sweep", units, tuple(rows))


def _result(
    quantity: str,
    measured: Measured,
    unit: str,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> ExperimentResult:
    value, error = measured.value, measured.error
    return ExperimentResult("E09", quantity, value, error, unit, None, tables, warnings)
