"""Laws of lifetimes: against temperature (Zhu 2024, Fig. 3) and against fluence (Ext. 5)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import chi2_probability, invert_normal, solve
from labctl.analysis._laws import BOLTZMANN_MEV_PER_K
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["ArrheniusLaw", "FluenceLine", "arrhenius", "tau_against_fluence"]

Vector = NDArray[np.float64]

_HIGHEST_MEV = 200.0
_HELD_MEV = 1e-6
_POOR = 1e-3
_STARTS_MEV = (3.0, 9.0, 25.0)


@dataclass(frozen=True, eq=False)
class ArrheniusLaw:
    """``tau(T) = tau0 [1 + g exp(-E_a / kT)]``.

    Attributes:
        activation_mev: E_a; root mean square of the errors to both sides of the profile.
        tau_0_ps: Lifetime at zero temperature.
        strength: g.
        covariance: Of ln tau0, ln g and E_a, shape (3, 3).
        chi2: Sum of the weighted squared residuals.
        freedom: Degrees of freedom.
        probability: Of a larger chi-square.
        flags: Words on what was unusual.
    """

    activation_mev: Measured
    tau_0_ps: Measured
    strength: Measured
    covariance: Vector
    chi2: float
    freedom: int
    probability: float
    flags: tuple[str, ...]

    def __call__(self, temperature_k: Vector) -> Vector:
        """Return lifetimes in ps at temperatures in K."""
        return self.tau_0_ps.value * (
            1 + self.strength.value * _boltzmann(self.activation_mev.value, temperature_k)
        )


def _boltzmann(activation_mev: float, temperature_k: Vector) -> Vector:
    return np.exp(-activation_mev / (BOLTZMANN_MEV_PER_K * temperature_k))


@dataclass(frozen=True, eq=False)
class _Points:
    position: Vector
    lifetime_ps: Vector
    errors: Vector

    def evaluate(self, p: Vector) -> tuple[Vector, Vector]:
        """Return weighted residuals and their Jacobian by ln tau0, ln g, E_a."""
        tau_0, strength = np.exp(p[0]), np.exp(p[1])
        grown = strength * _boltzmann(float(p[2]), self.position)
        model = tau_0 * (1 + grown)
        by_energy = -tau_0 * grown / (BOLTZMANN_MEV_PER_K * self.position)
        jacobian = np.stack([model, tau_0 * grown, by_energy], axis=1)
        return (model - self.lifetime_ps) / self.errors, jacobian / self.errors[:, None]


def arrhenius(temperature_k: Vector, lifetime_ps: Sequence[Measured]) -> ArrheniusLaw:
    """Fit the thermal lengthening of the lifetime.

    Where the fit is worse than one chance in a thousand, errors are scaled by the root of the
    reduced chi-square, and a flag says so.

    Args:
        temperature_k: Of the sample, shape (point,).
        lifetime_ps: With standard errors, one per temperature.

    Raises:
        AnalysisError: With fewer than three temperatures, or errors that are none.
    """
    points = _points(temperature_k, lifetime_ps)
    if np.unique(points.position).size < 3 or np.any(points.position <= 0):
        msg = "an activation energy needs lifetimes at three temperatures above 0 K"
        raise AnalysisError(msg)
    best, cost = _search(points, None)
    _, jacobian = points.evaluate(best)
    chi2, freedom = 2 * cost, points.errors.size - 3
    probability = chi2_probability(chi2, freedom) if freedom > 0 else 1.0
    scale = np.sqrt(chi2 / freedom) if probability < _POOR else 1.0
    covariance = invert_normal(jacobian) * scale**2
    linear = np.sqrt(np.diag(covariance))
    energy_error, inside = _profile(points, best, cost, float(linear[2]), scale)
    flags = ["poor fit, errors scaled"] if scale > 1 else []
    if not inside:
        flags.append("activation energy not determined")
    if freedom == 0:
        flags.append("as many points as parameters")
    tau_0, strength = float(np.exp(best[0])), float(np.exp(best[1]))
    return ArrheniusLaw(
        Measured(float(best[2]), energy_error),
        Measured(tau_0, tau_0 * float(linear[0])),
        Measured(strength, strength * float(linear[1])),
        covariance,
        chi2,
        freedom,
        probability,
        tuple(flags),
    )


def _points(position: Vector, lifetime_ps: Sequence[Measured]) -> _Points:
    position = np.asarray(position, dtype=np.float64)
    values = np.array([one.value for one in lifetime_ps])
    errors = np.array([one.error for one in lifetime_ps])
    usable = np.all(np.isfinite(errors)) and np.all(errors > 0) and np.all(np.isfinite(values))
    if position.shape != values.shape or not usable or not np.all(np.isfinite(position)):
        msg = "every lifetime needs its position and an error above 0"
        raise AnalysisError(msg)
    return _Points(position, values, errors)


def _search(
    points: _Points, held_mev: float | None, near: Vector | None = None
) -> tuple[Vector, float]:
    """Return parameters and half of chi-square at the minimum, E_a held if given."""
    lower, upper = np.array([-10.0, -10.0, 0.01]), np.array([30.0, 30.0, _HIGHEST_MEV])
    if held_mev is not None:
        lower[2], upper[2] = held_mev - _HELD_MEV, held_mev + _HELD_MEV
    starts = [near] if near is not None else [_guess(points, energy) for energy in _STARTS_MEV]
    best: tuple[Vector, float] | None = None
    for start in starts:
        begin = start.copy()
        if held_mev is not None:
            begin[2] = held_mev
        found = solve(points.evaluate, begin, lower, upper, scale=np.array([0.1, 0.1, 1.0]))
        if best is None or found.chi2 / 2 < best[1]:
            best = found.parameters, found.chi2 / 2
    if best is None:
        msg = "no start for the activation energy"
        raise AnalysisError(msg)
    return best


def _guess(points: _Points, energy_mev: float) -> Vector:
    grown = _boltzmann(energy_mev, points.position)
    columns = np.stack([np.ones_like(grown), grown], axis=1) / points.errors[:, None]
    found = np.linalg.lstsq(columns, points.lifetime_ps / points.errors, rcond=None)[0]
    tau_0 = max(float(found[0]), 0.1 * float(points.lifetime_ps.min()))
    return np.array([np.log(tau_0), np.log(max(float(found[1]) / tau_0, 1e-2)), energy_mev])


def _profile(
    points: _Points, best: Vector, cost: float, first: float, scale: float
) -> tuple[float, bool]:
    """Return the error of E_a to both sides together, and whether both sides end."""
    squares: list[float] = []
    inside = True
    for side in (-1.0, 1.0):
        step = side * max(first, 1e-3)
        growth = 0.0
        for _ in range(4):
            energy = float(np.clip(best[2] + step, 0.02, 0.99 * _HIGHEST_MEV))
            near = best + (energy - best[2]) * np.array([0.0, 1.0 / best[2], 1.0])
            growth = 2 * (_search(points, energy, near)[1] - cost) / scale**2
            # Chi-square grows about as the square of the step.
            step = (energy - best[2]) / np.sqrt(np.clip(growth, 0.1, 10.0))
        inside &= growth > 0.5
        squares.append(step**2)
    return float(np.sqrt(np.mean(squares))), inside


@dataclass(frozen=True)
class FluenceLine:
    """A straight line through lifetimes against peak fluence.

    Attributes:
        at_zero_ps: Lifetime without light.
        slope_ps_cm2_per_uj: Change per fluence.
        chi2: Sum of the weighted squared residuals.
        freedom: Degrees of freedom.
        probability: Of a larger chi-square.
        flat_probability: Of a slope as far from 0 as this if there is none.
        flags: Words on what was unusual.
    """

    at_zero_ps: Measured
    slope_ps_cm2_per_uj: Measured
    chi2: float
    freedom: int
    probability: float
    flat_probability: float
    flags: tuple[str, ...]


def tau_against_fluence(fluence_uj_cm2: Vector, lifetime_ps: Sequence[Measured]) -> FluenceLine:
    """Fit a line to lifetimes against peak fluence in µJ/cm².

    Raises:
        AnalysisError: With fewer than two fluences, or errors that are none.
    """
    points = _points(fluence_uj_cm2, lifetime_ps)
    if np.unique(points.position).size < 2:
        msg = "a slope needs lifetimes at two fluences"
        raise AnalysisError(msg)
    columns = np.stack([np.ones_like(points.position), points.position], axis=1)
    columns /= points.errors[:, None]
    covariance = invert_normal(columns)
    found = covariance @ columns.T @ (points.lifetime_ps / points.errors)
    residuals = points.lifetime_ps / points.errors - columns @ found
    chi2, freedom = float(residuals @ residuals), points.errors.size - 2
    probability = chi2_probability(chi2, freedom) if freedom > 0 else 1.0
    flags: tuple[str, ...] = ()
    if probability < _POOR:
        covariance *= chi2 / freedom
        flags = ("poor fit, errors scaled",)
    errors = np.sqrt(np.diag(covariance))
    slope = Measured(float(found[1]), float(errors[1]))
    return FluenceLine(
        Measured(float(found[0]), float(errors[0])),
        slope,
        chi2,
        freedom,
        probability,
        chi2_probability(slope.pull(0.0) ** 2, 1),
        flags,
    )
