"""Laws of linewidth and energy against temperature, fitted with errors on both axes.

Both have the form ``c0 + c1 T + c2 n(E, T)`` with the Bose-Einstein occupation n of one
effective phonon of energy E:

* linewidth (S. Rudin, T. L. Reinecke, B. Segall, Phys. Rev. B 42, 11218 (1990))
  ``G0 + sigma T + gamma_LO n(E_LO, T)``;
* energy ``E(4 K) + f(T) - f(4 K)``, ``f = a T - b [coth(E_ph / 2kT) - 1]`` with
  ``coth(x / 2) - 1 = 2 n(x)``.

For a given E the law is linear, so a scan over E finds the right minimum.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import Solution, chi2_probability, solve
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = [
    "BOLTZMANN_MEV_PER_K",
    "EnergyLaw",
    "LinewidthLaw",
    "PhononLaw",
    "bose_einstein",
    "fit_energy_law",
    "fit_linewidth_law",
]

Vector = NDArray[np.float64]

BOLTZMANN_MEV_PER_K = 0.08617333262
_NAMES = ("constant", "linear", "phonon", "energy")
_LOWEST_MEV, _HIGHEST_MEV = 1.0, 100.0
_REFERENCE_K = 4.0
_ROUNDS = 10
_HALVINGS = 40
_CLOSE = 0.01


def bose_einstein(energy_mev: float, temperature_k: Vector) -> Vector:
    """Return the mean occupation of a phonon of this energy in meV, shape as the temperature."""
    return 1 / np.expm1(energy_mev / (BOLTZMANN_MEV_PER_K * temperature_k))


@dataclass(frozen=True, eq=False)
class PhononLaw:
    """Fit of ``c0 + c1 T + c2 n(E, T)``.

    Attributes:
        parameters: c0, c1, c2, E in the unit of the values (per K) and meV.
        covariance: Shape (4, 4), zero where a parameter was held.
        chi2: Sum of the weighted squared residuals.
        freedom: Degrees of freedom.
        probability: Of a larger chi-square.
        flags: Words on what was unusual.
    """

    parameters: Vector
    covariance: Vector
    chi2: float
    freedom: int
    probability: float
    flags: tuple[str, ...]

    def __call__(self, temperature_k: Vector) -> Vector:
        """Return the law at these temperatures, in the unit of the values."""
        return _law(self.parameters, temperature_k)

    def combine(self, gradient: Vector, value: float) -> Measured:
        """Return a quantity with the error that follows from its gradient."""
        variance = float(gradient @ self.covariance @ gradient)
        return Measured(value, float(np.sqrt(max(variance, 0.0))))

    def parameter(self, index: int) -> Measured:
        """Return one parameter."""
        return self.combine(np.eye(4)[index], float(self.parameters[index]))


@dataclass(frozen=True)
class LinewidthLaw:
    """Result of `fit_linewidth_law`.

    Attributes:
        gamma_0_mev: FWHM at zero temperature.
        sigma_mev_per_k: Coupling to acoustic phonons.
        gamma_lo_mev: Coupling to the optical phonon.
        e_lo_mev: Its energy.
        fit: The law that was fitted.
    """

    gamma_0_mev: Measured
    sigma_mev_per_k: Measured
    gamma_lo_mev: Measured
    e_lo_mev: Measured
    fit: PhononLaw


@dataclass(frozen=True)
class EnergyLaw:
    """Result of `fit_energy_law`.

    Attributes:
        energy_4k_ev: Energy at 4 K.
        a_mev_per_k: Expansion of the lattice.
        b_mev: Coupling to the effective phonon.
        e_ph_mev: Its energy.
        wander_mev: Scatter of the line from point to point beyond the errors of the points,
            as spectral diffusion causes it; it is part of the errors above.
        fit: The law that was fitted, in meV above ``offset_ev``.
        offset_ev: Energy that was subtracted before the fit.
    """

    energy_4k_ev: Measured
    a_mev_per_k: Measured
    b_mev: Measured
    e_ph_mev: Measured
    wander_mev: float
    fit: PhononLaw
    offset_ev: float


def fit_linewidth_law(
    temperature_k: Vector,
    fwhm_mev: Vector,
    covariance_mev2: Vector,
    temperature_error_k: Vector | None = None,
    *,
    hold: Mapping[str, float] | None = None,
) -> LinewidthLaw:
    """Fit the linewidth against temperature.

    Args:
        temperature_k: Read-back temperatures, shape (n,).
        fwhm_mev: Homogeneous (Lorentzian) FWHM, shape (n,).
        covariance_mev2: Variances (n,) or the covariance matrix (n, n), which carries what
            all points share, such as the error of the instrument response.
        temperature_error_k: Standard errors of the temperatures.
        hold: Values of parameters to hold: ``constant``, ``linear``, ``phonon``, ``energy``.

    Raises:
        AnalysisError: Fewer points than free parameters, or no convergence.
    """
    fit = _fit(temperature_k, fwhm_mev, covariance_mev2, temperature_error_k, hold or {})
    return LinewidthLaw(*(fit.parameter(k) for k in range(4)), fit=fit)


def fit_energy_law(
    temperature_k: Vector,
    energy_ev: Vector,
    covariance_mev2: Vector,
    temperature_error_k: Vector | None = None,
    *,
    hold: Mapping[str, float] | None = None,
) -> EnergyLaw:
    """Fit the peak energy against temperature.

    The line of a single dot wanders from point to point by more than the error of its
    position.  Where chi-square exceeds the degrees of freedom, a common extra variance
    brings it down to them (R. C. Paule and J. Mandel, J. Res. Natl. Bur. Stand. 87, 377
    (1982)).

    Args:
        temperature_k: Read-back temperatures, shape (n,).
        energy_ev: Peak energies in eV, shape (n,).
        covariance_mev2: Their variances (n,) or covariance matrix (n, n), in meV^2.
        temperature_error_k: Standard errors of the temperatures.
        hold: As in `fit_linewidth_law`, in meV and K.

    Raises:
        AnalysisError: Fewer points than free parameters, or no convergence.
    """
    offset_ev = float(np.median(energy_ev))
    values = 1e3 * (energy_ev - offset_ev)
    matrix = np.diag(covariance_mev2) if covariance_mev2.ndim == 1 else covariance_mev2
    fit, wander_mev = _with_wander(temperature_k, values, matrix, temperature_error_k, hold or {})
    reference = np.array([_REFERENCE_K])
    at_reference = fit.combine(_gradient(fit.parameters, reference)[0], float(fit(reference)[0]))
    return EnergyLaw(
        energy_4k_ev=Measured(offset_ev + 1e-3 * at_reference.value, 1e-3 * at_reference.error),
        a_mev_per_k=fit.parameter(1),
        b_mev=fit.parameter(2).scaled(-0.5),
        e_ph_mev=fit.parameter(3),
        wander_mev=wander_mev,
        fit=fit,
        offset_ev=offset_ev,
    )


def _with_wander(
    temperature_k: Vector,
    values: Vector,
    covariance: Vector,
    temperature_error_k: Vector | None,
    hold: Mapping[str, float],
) -> tuple[PhononLaw, float]:
    """Return the fit and the extra standard deviation that brings chi-square to its mean."""

    def attempt(variance: float) -> PhononLaw:
        extra = variance * np.eye(values.size)
        return _fit(temperature_k, values, covariance + extra, temperature_error_k, hold)

    low, high = 0.0, 4 * float(np.var(values))
    fit = attempt(low)
    if fit.freedom < 1 or fit.chi2 <= fit.freedom or high == 0:
        return fit, 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2 if low > 0 else high / 16
        fit = attempt(middle)
        low, high = (middle, high) if fit.chi2 > fit.freedom else (low, middle)
        if abs(fit.chi2 / fit.freedom - 1) < _CLOSE:
            break
    return fit, float(np.sqrt((low + high) / 2))


def _law(parameters: Vector, temperature_k: Vector) -> Vector:
    constant, linear, phonon, energy = parameters
    return constant + linear * temperature_k + phonon * bose_einstein(energy, temperature_k)


def _gradient(parameters: Vector, temperature_k: Vector) -> Vector:
    """Return derivatives by the four parameters, shape (n, 4)."""
    occupation = bose_einstein(float(parameters[3]), temperature_k)
    by_energy = -occupation * (occupation + 1) / (BOLTZMANN_MEV_PER_K * temperature_k)
    ones = np.ones_like(temperature_k)
    return np.stack([ones, temperature_k, occupation, parameters[2] * by_energy], axis=1)


def _slope(parameters: Vector, temperature_k: Vector) -> Vector:
    """Return the derivative of the law by temperature."""
    energy = float(parameters[3])
    occupation = bose_einstein(energy, temperature_k)
    by_temperature = energy / (BOLTZMANN_MEV_PER_K * temperature_k**2)
    return parameters[1] + parameters[2] * occupation * (occupation + 1) * by_temperature


def _fit(
    temperature_k: Vector,
    values: Vector,
    covariance: Vector,
    temperature_error_k: Vector | None,
    hold: Mapping[str, float],
) -> PhononLaw:
    unknown = set(hold) - set(_NAMES)
    if unknown:
        msg = f"no parameter {', '.join(sorted(unknown))} to hold; there are {', '.join(_NAMES)}"
        raise AnalysisError(msg)
    free = np.array([k for k, name in enumerate(_NAMES) if name not in hold], dtype=np.intp)
    if values.size < free.size:
        msg = f"{values.size} temperatures cannot determine {free.size} parameters"
        raise AnalysisError(msg)
    if not (np.all(temperature_k > 0) and np.all(np.isfinite(values))):
        msg = "temperatures must be positive and values finite"
        raise AnalysisError(msg)
    matrix = np.diag(covariance) if covariance.ndim == 1 else covariance
    start = _scan(temperature_k, values, _whitening(matrix), hold)
    return _refine(temperature_k, values, matrix, temperature_error_k, start, free)


def _whitening(covariance: Vector) -> Vector:
    try:
        return np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float64)
    except np.linalg.LinAlgError as error:
        msg = "the errors of the points must be positive"
        raise AnalysisError(msg) from error


def _scan(
    temperature_k: Vector, values: Vector, whitening: Vector, hold: Mapping[str, float]
) -> Vector:
    """Return the best parameters over a grid of phonon energies."""
    grid = [hold["energy"]] if "energy" in hold else np.geomspace(3.0, 60.0, 40).tolist()
    given = np.array([hold.get(name, 0.0) for name in _NAMES[:3]])
    free = [k for k, name in enumerate(_NAMES[:3]) if name not in hold]
    best, lowest = np.zeros(4), np.inf
    for energy in grid:
        occupation = bose_einstein(energy, temperature_k)
        columns = np.stack([np.ones_like(temperature_k), temperature_k, occupation], axis=1)
        left = whitening @ (values - columns @ given)
        design = whitening @ columns[:, free]
        solution = np.linalg.pinv(design, rcond=1e-12) @ left
        chi2 = float(np.sum((left - design @ solution) ** 2))
        if chi2 < lowest:
            linear = given.copy()
            linear[free] = solution
            best, lowest = np.append(linear, energy), chi2
    return best


def _refine(
    temperature_k: Vector,
    values: Vector,
    covariance: Vector,
    temperature_error_k: Vector | None,
    parameters: Vector,
    free: NDArray[np.intp],
) -> PhononLaw:
    errors_k = np.zeros_like(values) if temperature_error_k is None else temperature_error_k
    full = parameters.copy()
    rounds = 0
    while True:
        before = full.copy()
        projected = (_slope(full, temperature_k) * errors_k) ** 2
        whitening = _whitening(covariance + np.diag(projected))
        found = _solve(temperature_k, values, whitening, full, free)
        full[free] = found.parameters
        rounds += 1
        moved = np.abs(full - before)[free]
        if np.all(moved <= 1e-3 * np.sqrt(np.diag(found.covariance))) or rounds == _ROUNDS:
            break
    return _finish(full, free, found, values.size)


def _solve(
    temperature_k: Vector,
    values: Vector,
    whitening: Vector,
    start: Vector,
    free: NDArray[np.intp],
) -> Solution:
    full = start.copy()

    def evaluate(parameters: Vector) -> tuple[Vector, Vector]:
        full[free] = parameters
        residuals = whitening @ (_law(full, temperature_k) - values)
        return residuals, (whitening @ _gradient(full, temperature_k))[:, free]

    lower = np.array([-np.inf, -np.inf, -np.inf, _LOWEST_MEV])[free]
    upper = np.array([np.inf, np.inf, np.inf, _HIGHEST_MEV])[free]
    size = max(float(np.ptp(values)), 1e-9)
    scale = np.array([size, size / 100, max(abs(start[2]), size), 10.0])[free]
    return solve(evaluate, start[free], lower, upper, scale=scale)


def _finish(full: Vector, free: NDArray[np.intp], found: Solution, count: int) -> PhononLaw:
    covariance = np.zeros((4, 4))
    covariance[np.ix_(free, free)] = found.covariance
    freedom = count - free.size
    probability = chi2_probability(found.chi2, freedom) if freedom > 0 else 1.0
    flags: list[str] = []
    if found.at_bound.any() or covariance[3, 3] > full[3] ** 2:
        flags.append("phonon energy not determined")
    if probability < 1e-3:
        flags.append("poor fit, errors scaled")
        covariance = covariance * (found.chi2 / freedom)
    if freedom == 0:
        flags.append("as many points as parameters")
    return PhononLaw(full, covariance, found.chi2, freedom, probability, tuple(flags))
