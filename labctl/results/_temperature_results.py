"""E04, E24, the part of the spectra: widths and energy against temperature, and their laws."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    EnergyLaw,
    LinewidthLaw,
    Measured,
    PeakFit,
    TransitionLaw,
    fit_energy_law,
    fit_linewidth_law,
    fit_transition_law,
)
from labctl.errors import AnalysisError
from labctl.results._points import FittedPoint
from labctl.results._result import ExperimentResult, ResultTable
from labctl.results._source import StoredSpectrum
from labctl.results._spectrum_results import peak_table
from labctl.results._warnings import summarized

__all__ = ["TemperatureLaws", "fit_laws", "temperature_results", "transition_results"]

Vector = NDArray[np.float64]

_MOST_HEATING_K = 0.4
_HEATING_AT_K = 4.0


@dataclass(frozen=True, eq=False)
class TemperatureLaws:
    """Laws fitted to a temperature series; None where they could not be.

    Attributes:
        linewidth: Of the Lorentzian width.
        energy: Of the peak energy, without a transition.
        transition: Of the peak energy through a structural transition.
        warnings: Why a law is missing, or what is unusual.
    """

    linewidth: LinewidthLaw | None
    energy: EnergyLaw | None
    warnings: tuple[str, ...]
    transition: TransitionLaw | None = None


@dataclass(frozen=True, eq=False)
class _Series:
    temperature_k: Vector
    temperature_error_k: Vector
    fits: list[PeakFit]

    def values(self, quantity: Callable[[PeakFit], Measured]) -> tuple[Vector, Vector]:
        measured = [quantity(fit) for fit in self.fits]
        return np.array([m.value for m in measured]), np.array([m.error for m in measured])


def fit_laws(points: Sequence[FittedPoint], *, transition: bool = False) -> TemperatureLaws:
    """Fit linewidth and energy against temperature.

    The error of the instrument response moves all widths together; it enters the covariance
    of the points as one common shift.

    Args:
        points: Of the series.
        transition: Whether the energy goes through a structural transition.
    """
    series = _series(points)
    warnings: list[str] = []
    linewidth: LinewidthLaw | None = None
    energy: EnergyLaw | None = None
    through: TransitionLaw | None = None
    try:
        linewidth = _linewidth(series)
        warnings += [f"linewidth law: {flag}" for flag in linewidth.fit.flags]
    except AnalysisError as error:
        warnings.append(f"linewidth law not fitted: {error}")
    try:
        if transition:
            through = _transition(series)
            warnings += [f"energy law: {flag}" for flag in through.flags]
        else:
            energy = _energy(series)
            warnings += [f"energy law: {flag}" for flag in energy.fit.flags]
    except AnalysisError as error:
        warnings.append(f"energy law not fitted: {error}")
    return TemperatureLaws(linewidth, energy, tuple(warnings), through)


def transition_results(
    points: Sequence[FittedPoint], laws: TemperatureLaws
) -> list[ExperimentResult]:
    """Return the quantities of E24: where the line begins to shift, and the linewidth law."""
    tables = (peak_table("temperature_series", points),)
    warnings = (*laws.warnings, *summarized(w for p in points for w in p.warnings))
    found = _of_linewidth(laws, tables, warnings)
    law = laws.transition
    if law is not None:
        found += [
            _result("transition_onset", law.onset_k, "K", tables, warnings),
            _result("transition_midpoint", law.midpoint_k, "K", tables, warnings),
            _result("transition_width", law.width_k, "K", tables, warnings),
            _result("transition_end", law.end_k, "K", tables, warnings),
            _result("red_shift", law.red_shift_mev, "meV", tables, warnings),
        ]
    return [replace(one, experiment="E24") for one in found]


def temperature_results(
    points: Sequence[FittedPoint], laws: TemperatureLaws
) -> list[ExperimentResult]:
    """Return the quantities of E04 that spectra give."""
    tables = (peak_table("temperature_series", points),)
    warnings = summarized(w for p in points for w in p.warnings)
    found = _of_linewidth(laws, tables, laws.warnings + warnings)
    axis_error_ev = max((point.axis_error_ev for point in points), default=0.0)
    found += _of_energy(laws, axis_error_ev, tables, laws.warnings + warnings)
    fitted = [point for point in points if point.fit is not None]
    for name, point in (("coldest", fitted[0]), ("warmest", fitted[-1])) if fitted else ():
        found += _of_end(name, point, tables)
    if len(fitted) >= 2:
        found.append(_blue_shift(fitted[0], fitted[-1], laws, tables, warnings))
    return found


def _series(points: Sequence[FittedPoint]) -> _Series:
    usable = [(_dot_temperature(p.spectrum), p.fit) for p in points]
    pairs = [(t, fit) for t, fit in usable if t is not None and fit is not None]
    return _Series(
        np.array([t.value for t, _ in pairs]),
        np.array([t.error for t, _ in pairs]),
        [fit for _, fit in pairs],
    )


def _dot_temperature(spectrum: StoredSpectrum) -> Measured | None:
    """Return the temperature of the dot: the thermometer's, and what the light adds.

    The light warms the dot by an unknown amount of known sign. Nobody has measured it; at most
    `_MOST_HEATING_K` per uJ/cm^2 at 4 K, falling with temperature, is an assumption. Anything
    from nothing to that counts as equally likely, so half of it is added, with its error.
    """
    read, fluence = spectrum.temperature_k, spectrum.peak_fluence_uj_cm2
    if read is None or fluence is None:
        return read
    most_k = _MOST_HEATING_K * fluence * _HEATING_AT_K / max(read.value, _HEATING_AT_K)
    warmer = Measured(read.value + most_k / 2, read.error)
    return warmer.plus_systematic(most_k / math.sqrt(12))


def _linewidth(series: _Series) -> LinewidthLaw:
    width, error = series.values(lambda fit: fit.lorentz_fwhm_mev)
    common = np.array([fit.lorentz_sensitivity_mev for fit in series.fits])
    own = np.maximum(error**2 - common**2, (1e-3 * error) ** 2)
    covariance = np.diag(own) + np.outer(common, common)
    return fit_linewidth_law(series.temperature_k, width, covariance, series.temperature_error_k)


def _energy(series: _Series) -> EnergyLaw:
    energy_ev, error_ev = series.values(lambda fit: fit.energy_ev)
    variance = (1e3 * error_ev) ** 2
    return fit_energy_law(series.temperature_k, energy_ev, variance, series.temperature_error_k)


def _transition(series: _Series) -> TransitionLaw:
    energy_ev, error_ev = series.values(lambda fit: fit.energy_ev)
    variance = (1e3 * error_ev) ** 2
    return fit_transition_law(series.temperature_k, energy_ev, variance, series.temperature_error_k)


def _result(
    quantity: str,
    measured: Measured,
    unit: str,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
    point: int | None = None,
) -> ExperimentResult:
    value, error = measured.value, measured.error
    return ExperimentResult("E04", quantity, value, error, unit, point, tables, warnings)


def _of_linewidth(
    laws: TemperatureLaws, tables: tuple[ResultTable, ...], warnings: tuple[str, ...]
) -> list[ExperimentResult]:
    law = laws.linewidth
    if law is None:
        return []
    return [
        _result("gamma_0", law.gamma_0_mev, "meV", tables, warnings),
        _result("sigma", law.sigma_mev_per_k, "meV/K", tables, warnings),
        _result("gamma_lo", law.gamma_lo_mev, "meV", tables, warnings),
        _result("e_lo", law.e_lo_mev, "meV", tables, warnings),
    ]


def _of_energy(
    laws: TemperatureLaws,
    axis_error_ev: float,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> list[ExperimentResult]:
    law = laws.energy
    if law is None:
        return []
    absolute = law.energy_4k_ev.plus_systematic(axis_error_ev)
    return [
        _result("energy_4k", absolute, "eV", tables, warnings),
        _result("shift_a", law.a_mev_per_k, "meV/K", tables, warnings),
        _result("shift_b", law.b_mev, "meV", tables, warnings),
        _result("shift_e_ph", law.e_ph_mev, "meV", tables, warnings),
    ]


def _of_end(
    name: str, point: FittedPoint, tables: tuple[ResultTable, ...]
) -> list[ExperimentResult]:
    fit, index = point.fit, point.spectrum.point
    if fit is None:
        return []
    observed = _result(
        f"fwhm_observed_{name}", fit.fwhm_observed_mev, "meV", tables, point.warnings, index
    )
    if fit.fwhm_intrinsic_mev is None:
        return [observed]
    quantity = f"fwhm_intrinsic_{name}"
    return [
        observed,
        _result(quantity, fit.lorentz_fwhm_mev, "meV", tables, point.warnings, index),
    ]


def _blue_shift(
    cold: FittedPoint,
    warm: FittedPoint,
    laws: TemperatureLaws,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
) -> ExperimentResult:
    """Return the energy at the warmest point minus that at the coldest, in meV.

    By the law where there is one: the line of a single dot wanders.
    """
    low, high = cold.fit, warm.fit
    if low is None or high is None:
        msg = "the blue shift needs two fitted points"
        raise AnalysisError(msg)
    reads = cold.spectrum.temperature_k, warm.spectrum.temperature_k
    if laws.energy is not None and reads[0] is not None and reads[1] is not None:
        measured = laws.energy.fit.difference(reads[0].value, reads[1].value)
    else:
        shift = 1e3 * (high.energy_ev.value - low.energy_ev.value)
        measured = Measured(shift, 1e3 * math.hypot(low.energy_ev.error, high.energy_ev.error))
    return _result("blue_shift", measured, "meV", tables, warnings)
