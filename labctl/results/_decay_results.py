"""E02, E06, E20 and the decays of E04: lifetimes, and their laws against what was scanned."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    ArrheniusLaw,
    FluenceLine,
    Measured,
    arrhenius,
    tau_against_fluence,
)
from labctl.errors import AnalysisError
from labctl.optics import air_nm_to_ev
from labctl.results._decays import FittedDecay, decay_table
from labctl.results._result import ExperimentResult, ResultTable
from labctl.results._warnings import summarized

__all__ = ["DecayAnalysis", "analyze_decays"]

Vector = NDArray[np.float64]

_SAME_TEMPERATURE_K = 1.0
_SAME_FLUENCE = 1.05
_SAME_NM = 0.05


@dataclass(frozen=True, eq=False)
class DecayAnalysis:
    """What the decays of a run tell.

    Attributes:
        decays: Fitted, in the order of the points.
        arrhenius: Law of a temperature series, None otherwise.
        fluence: Line of a fluence series, None otherwise.
        results: Quantities by experiment.
    """

    decays: tuple[FittedDecay, ...]
    arrhenius: ArrheniusLaw | None
    fluence: FluenceLine | None
    results: tuple[ExperimentResult, ...]


def analyze_decays(decays: Sequence[FittedDecay]) -> DecayAnalysis:
    """Return the quantities of decays that belong together.

    What was scanned says which experiment it is: temperature (E04), fluence (E06), the wavelength
    at the exit slit (E20); otherwise each decay is an E02 of its own.
    """
    usable = [one for one in decays if one.fit is not None]
    found = DecayAnalysis(tuple(decays), None, None, ())
    if _span(usable, lambda d: _value(d.decay.source.temperature_k)) > _SAME_TEMPERATURE_K:
        return _temperature_series(found, usable)
    fluences = [f for d in usable if (f := d.decay.source.fluence_uj_cm2) is not None and f > 0]
    if len(fluences) >= 2 and max(fluences) > _SAME_FLUENCE * min(fluences):
        return _fluence_series(found, usable)
    if _span(usable, lambda d: d.decay.source.wavelength_nm) > _SAME_NM:
        return _energy_series(found, usable)
    return DecayAnalysis(found.decays, None, None, tuple(_single(decays)))


def _span(decays: Sequence[FittedDecay], quantity: Callable[[FittedDecay], float | None]) -> float:
    values = [v for d in decays if (v := quantity(d)) is not None]
    return max(values) - min(values) if len(values) >= 2 else 0.0


def _value(measured: Measured | None) -> float | None:
    return None if measured is None else measured.value


def _result(
    experiment: str,
    quantity: str,
    measured: Measured,
    unit: str,
    tables: tuple[ResultTable, ...],
    warnings: tuple[str, ...],
    point: int | None = None,
) -> ExperimentResult:
    value, error = measured.value, measured.error
    return ExperimentResult(experiment, quantity, value, error, unit, point, tables, warnings)


def _single(decays: Sequence[FittedDecay]) -> list[ExperimentResult]:
    tables = (decay_table("decays", decays),)
    found: list[ExperimentResult] = []
    for one in decays:
        fit, point = one.fit, one.decay.source.point
        if fit is None:
            continue
        found.append(_result("E02", "lifetime", fit.lifetime_ps, "ps", tables, one.warnings, point))
        shape = fit.one_over_e_ps
        found.append(_result("E02", "one_over_e", shape, "ps", tables, one.warnings, point))
    return found


def _lifetimes(decays: Sequence[FittedDecay]) -> list[Measured]:
    return [one.fit.lifetime_ps for one in decays if one.fit is not None]


def _warnings(decays: Sequence[FittedDecay]) -> tuple[str, ...]:
    return summarized(w for d in decays for w in d.warnings)


def _temperature_series(found: DecayAnalysis, decays: Sequence[FittedDecay]) -> DecayAnalysis:
    ordered = sorted(decays, key=lambda d: _value(d.decay.source.temperature_k) or math.inf)
    tables, warnings = (decay_table("lifetimes", ordered),), _warnings(found.decays)
    results: list[ExperimentResult] = []
    for name, one in (("coldest", ordered[0]), ("warmest", ordered[-1])):
        (lifetime,) = _lifetimes([one])
        index = one.decay.source.point
        quantity = f"lifetime_{name}"
        results.append(_result("E04", quantity, lifetime, "ps", tables, one.warnings, index))
    temperatures = np.array([_value(d.decay.source.temperature_k) or np.nan for d in ordered])
    law: ArrheniusLaw | None = None
    try:
        law = arrhenius(temperatures, _lifetimes(ordered))
    except AnalysisError as error:
        warnings = (*warnings, f"Arrhenius law not fitted: {error}")
    if law is not None:
        flags = (*(f"Arrhenius law: {flag}" for flag in law.flags), *warnings)
        results += [
            _result("E04", "activation_energy", law.activation_mev, "meV", tables, flags),
            _result("E04", "lifetime_0", law.tau_0_ps, "ps", tables, flags),
            _result("E04", "lifetime_g", law.strength, "", tables, flags),
        ]
    return DecayAnalysis(found.decays, law, None, tuple(results))


def _fluence_series(found: DecayAnalysis, decays: Sequence[FittedDecay]) -> DecayAnalysis:
    ordered = sorted(decays, key=lambda d: d.decay.source.fluence_uj_cm2 or 0.0)
    tables, warnings = (decay_table("fluence_series", ordered),), _warnings(found.decays)
    fluence = np.array([d.decay.source.fluence_uj_cm2 or 0.0 for d in ordered])
    line = tau_against_fluence(fluence, _lifetimes(ordered))
    flags = (*(f"line: {flag}" for flag in line.flags), *warnings)
    results = (
        _result("E06", "lifetime_at_zero", line.at_zero_ps, "ps", tables, flags),
        _result("E06", "slope", line.slope_ps_cm2_per_uj, "ps cm^2/uJ", tables, flags),
    )
    return DecayAnalysis(found.decays, None, line, results)


def _energy_series(found: DecayAnalysis, decays: Sequence[FittedDecay]) -> DecayAnalysis:
    """Return a lifetime for each detection energy; they are what E20 is about."""
    ordered = sorted(decays, key=lambda d: -(d.decay.source.wavelength_nm or 0.0))
    tables = (decay_table("lifetime_against_energy", ordered),)
    results: list[ExperimentResult] = []
    for one in ordered:
        (lifetime,) = _lifetimes([one])
        source = one.decay.source
        energy_ev = float(air_nm_to_ev(np.array([source.wavelength_nm or np.nan]))[0])
        name = f"lifetime_at_{energy_ev:.3f}_ev"
        results.append(_result("E20", name, lifetime, "ps", tables, one.warnings, source.point))
    return DecayAnalysis(found.decays, None, None, tuple(results))
