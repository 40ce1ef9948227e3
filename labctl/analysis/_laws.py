"""Laws of linewidth and energy against temperature, fitted with errors on both axes.

Both have the form ``c0 + c1 T + c2 n(E, T)`` with the Bose-Einstein occupation n of one
effective phonon of energy E:

* linewidth (S. Rudin, T. L. Reinecke, B. Segall, Phys. Rev. B 42, 11218 (1990))
  ``G0 + sigma T + gamma_LO n(E_LO, T)``;
* energy ``E(4 K) + f(T) - f(4 K)``, ``f = a T - b [coth(E_ph / 2kT) - 1]`` with
  ``coth(x / 2) - 1 = 2 n(x)``.

For a given E the law is linear, so the search goes over E alone.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import chi2_probability, invert_normal, student_widening
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
_HIGHEST_MEV = 100.0
_REFERENCE_K = 4.0
_ROUNDS = 10
_WANDER_ROUNDS = 20
_WANDER_PROBABILITY = 0.1
_CLOSE = 0.01
_HIGHEST_KT = 15.0
_RANGE = 30.0
_END_ROUNDS = 3
_GOLDEN = (5**0.5 - 1) / 2
_ENERGY_RESOLUTION = 1e-6
_PHONON_CHI2 = 9.0


def bose_einstein(energy_mev: float, temperature_k: Vector) -> Vector:
    """Return the mean occupation of a phonon of this energy in meV, shape as the temperature."""
    return 1 / np.expm1(energy_mev / (BOLTZMANN_MEV_PER_K * temperature_k))


@dataclass(frozen=True, eq=False)
class PhononLaw:
    """Fit of ``c0 + c1 T + c2 n(E, T)``.

    Attributes:
        parameters: c0, c1, c2, E in the unit of the values (per K) and meV.
        covariance: Shape (4, 4), zero where a parameter was held.
        errors: Standard errors of the parameters, shape (4,): the root mean square of those to
            both sides. Coupling and energy of a phonon go together along a bent valley, where the
            curvature at the minimum (``covariance``) tells too little of either alone.
        chi2: Sum of the weighted squared residuals.
        freedom: Degrees of freedom.
        probability: Of a larger chi-square.
        flags: Words on what was unusual.
    """

    parameters: Vector
    covariance: Vector
    errors: Vector
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
        return Measured(float(self.parameters[index]), float(self.errors[index]))

    def difference(self, from_k: float, to_k: float) -> Measured:
        """Return by how much the law changes from one temperature to another."""
        ends = np.array([from_k, to_k])
        gradient = np.diff(_gradient(self.parameters, ends), axis=0)[0]
        return self.combine(gradient, float(np.diff(self(ends))[0]))


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
    fit = _fit(_points(temperature_k, fwhm_mev, covariance_mev2, temperature_error_k, hold))
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
    position.  Where chi-square is too large (one chance in ten), a common extra variance
    brings it down to the degrees of freedom (R. C. Paule and J. Mandel, J. Res. Natl. Bur.
    Stand. 87, 377 (1982)).

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
    points = _points(temperature_k, values, covariance_mev2, temperature_error_k, hold)
    fit, wander_mev = _with_wander(points)
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


def _with_wander(points: "_Points") -> tuple[PhononLaw, float]:
    """Return the fit and the extra standard deviation that brings chi-square to its mean."""
    fit = _fit(points)
    variance = 0.0
    if fit.freedom < 1 or fit.probability > _WANDER_PROBABILITY:
        return fit, variance
    for _ in range(_WANDER_ROUNDS):
        excess = fit.chi2 / fit.freedom - 1
        if abs(excess) < _CLOSE:
            break
        wider = points.wider(variance)
        # One step of Newton's method for 1 / chi2, which is linear in the variance if all
        # points have equal errors.
        residuals = np.linalg.solve(wider.covariance, points.values - fit(points.temperature_k))
        step = fit.chi2 * excess / float(residuals @ residuals)
        variance = max(variance + step, 0.0)
        fit = _fit(points.wider(variance), fit.parameters)
    return _with_own_spread(fit, variance, points), float(np.sqrt(variance))


def _with_own_spread(fit: PhononLaw, variance: float, points: "_Points") -> PhononLaw:
    """Widen the errors because the extra variance was itself estimated from few points.

    That counts as far as the extra variance outweighs that of the points.
    """
    share = float(np.mean(variance / (variance + np.diag(points.covariance))))
    factor = 1 + share * (student_widening(fit.freedom) ** 2 - 1)
    wider = points.wider(variance)
    return _widened(fit, wider, _whitening_at(wider, fit.parameters), factor)


def _widened(fit: PhononLaw, points: "_Points", whitening: Vector, factor: float) -> PhononLaw:
    """Return the fit with the variance of all points multiplied."""
    covariance = fit.covariance * factor
    errors = _errors(
        points, whitening / np.sqrt(factor), fit.parameters, fit.chi2 / factor, covariance
    )
    return dataclasses.replace(fit, covariance=covariance, errors=errors)


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


@dataclass(frozen=True, eq=False)
class _Points:
    """Checked points: temperatures and errors in K, values, covariance matrix, held values."""

    temperature_k: Vector
    values: Vector
    covariance: Vector
    error_k: Vector
    hold: Mapping[str, float]

    @property
    def free(self) -> NDArray[np.intp]:
        """Places of the free parameters."""
        names = [k for k, name in enumerate(_NAMES) if name not in self.hold]
        return np.array(names, dtype=np.intp)

    def wider(self, variance: float) -> "_Points":
        """Return the points with an independent variance added to each."""
        extra = variance * np.eye(self.values.size)
        return dataclasses.replace(self, covariance=self.covariance + extra)


def _points(
    temperature_k: Vector,
    values: Vector,
    covariance: Vector,
    temperature_error_k: Vector | None,
    hold: Mapping[str, float] | None,
) -> _Points:
    matrix = np.diag(covariance) if covariance.ndim == 1 else covariance
    errors_k = np.zeros_like(values) if temperature_error_k is None else temperature_error_k
    points = _Points(temperature_k, values, matrix, errors_k, hold or {})
    unknown = set(points.hold) - set(_NAMES)
    if unknown:
        msg = f"no parameter {', '.join(sorted(unknown))} to hold; there are {', '.join(_NAMES)}"
        raise AnalysisError(msg)
    if values.size < points.free.size:
        msg = f"{values.size} temperatures cannot determine {points.free.size} parameters"
        raise AnalysisError(msg)
    if not (np.all(temperature_k > 0) and np.all(np.isfinite(values))):
        msg = "temperatures must be positive and values finite"
        raise AnalysisError(msg)
    return points


def _fit(points: _Points, start: Vector | None = None) -> PhononLaw:
    whitening = _whitening(points.covariance)
    full = _scan(points, whitening) if start is None else start
    for _ in range(_ROUNDS):
        before = full
        whitening = _whitening_at(points, full)
        full = _search(points, whitening, full)
        if np.all(np.abs(full - before) <= 1e-4 * np.abs(full) + 1e-12):
            break
    return _finish(points, full, whitening)


def _whitening_at(points: _Points, full: Vector) -> Vector:
    projected = (_slope(full, points.temperature_k) * points.error_k) ** 2
    return _whitening(points.covariance + np.diag(projected))


def _whitening(covariance: Vector) -> Vector:
    try:
        return np.linalg.inv(np.linalg.cholesky(covariance)).astype(np.float64)
    except np.linalg.LinAlgError as error:
        msg = "the errors of the points must be positive"
        raise AnalysisError(msg) from error


def _scan(points: _Points, whitening: Vector) -> Vector:
    """Return the best parameters over a grid of phonon energies."""
    highest = _highest_mev(points.temperature_k)
    grid = np.geomspace(highest / _RANGE, highest, 40).tolist()
    tried = [_at_energy(points, whitening, energy) for energy in grid]
    return min(tried, key=lambda one: one[1])[0]


def _search(points: _Points, whitening: Vector, start: Vector) -> Vector:
    """Return the best parameters near those given, by golden section over the energy."""
    if "energy" in points.hold:
        return _at_energy(points, whitening, points.hold["energy"])[0]
    highest = _highest_mev(points.temperature_k)
    low = max(float(start[3]) / 1.3, highest / _RANGE)
    high = min(float(start[3]) * 1.3, highest)
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = (_at_energy(points, whitening, e)[1] for e in (left, right))
    while high - low > _ENERGY_RESOLUTION * high:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = _at_energy(points, whitening, left)[1]
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = _at_energy(points, whitening, right)[1]
    return _at_energy(points, whitening, (low + high) / 2)[0]


def _at_energy(points: _Points, whitening: Vector, energy_mev: float) -> tuple[Vector, float]:
    """Return the best parameters with this phonon energy, and chi-square."""
    given = np.array([points.hold.get(name, 0.0) for name in _NAMES[:3]])
    free = [k for k, name in enumerate(_NAMES[:3]) if name not in points.hold]
    columns = _gradient(np.array([0.0, 0.0, 0.0, energy_mev]), points.temperature_k)[:, :3]
    linear, chi2 = _linear(whitening, columns, points.values, given, free)
    return np.append(linear, energy_mev), chi2


def _highest_mev(temperature_k: Vector) -> float:
    """Return the energy above which even the warmest point has no phonon to speak of."""
    return min(_HIGHEST_MEV, _HIGHEST_KT * BOLTZMANN_MEV_PER_K * float(temperature_k.max()))


def _linear(
    whitening: Vector, columns: Vector, values: Vector, given: Vector, free: list[int]
) -> tuple[Vector, float]:
    """Return the best coefficients of the columns, where free, and chi-square."""
    left = whitening @ (values - columns @ given)
    design = whitening @ columns[:, free]
    solution: Vector = np.linalg.lstsq(design, left, rcond=1e-12)[0].astype(np.float64)
    coefficients = given.copy()
    coefficients[free] = solution
    return coefficients, float(np.sum((left - design @ solution) ** 2))


def _finish(points: _Points, full: Vector, whitening: Vector) -> PhononLaw:
    free, freedom = points.free, points.values.size - points.free.size
    residuals = whitening @ (_law(full, points.temperature_k) - points.values)
    chi2 = float(residuals @ residuals)
    covariance = np.zeros((4, 4))
    jacobian = (whitening @ _gradient(full, points.temperature_k))[:, free]
    covariance[np.ix_(free, free)] = invert_normal(jacobian)
    probability = chi2_probability(chi2, freedom) if freedom > 0 else 1.0
    flags: list[str] = []
    highest = _highest_mev(points.temperature_k)
    inside = 1.01 * highest / _RANGE < full[3] < 0.99 * highest or "energy" in points.hold
    if _without_phonon(points, whitening) - chi2 < _PHONON_CHI2 or not inside:
        flags.append("phonon energy not determined")
    if probability < 1e-3:
        flags.append("poor fit, errors scaled")
    if freedom == 0:
        flags.append("as many points as parameters")
    errors = _errors(points, whitening, full, chi2, covariance)
    law = PhononLaw(full, covariance, errors, chi2, freedom, probability, tuple(flags))
    return _widened(law, points, whitening, chi2 / freedom) if probability < 1e-3 else law


def _errors(
    points: _Points, whitening: Vector, full: Vector, chi2: float, covariance: Vector
) -> Vector:
    """Return the root mean square of the errors to both sides of each parameter.

    To each side the energy of the phonon moves until chi-square has grown by one, and the
    others follow, with the errors they have there. Where all is linear this is the covariance.
    """
    linear = np.sqrt(np.diag(covariance))
    if "energy" in points.hold or not linear[3] > 0:
        return linear
    steps = -linear[3], linear[3]
    squares = [_squared_error(points, whitening, full, chi2, float(step)) for step in steps]
    return np.sqrt(np.mean(squares, axis=0))


def _squared_error(
    points: _Points, whitening: Vector, full: Vector, chi2: float, step: float
) -> Vector:
    """Return the squared errors of the parameters to the side of this step of the energy."""
    highest = _highest_mev(points.temperature_k)
    limits = highest / _RANGE - full[3], highest - full[3]
    for _ in range(_END_ROUNDS):
        energy = float(full[3] + np.clip(step, *limits))
        growth = _at_energy(points, whitening, energy)[1] - chi2
        # Chi-square grows about as the square of the step.
        step /= np.sqrt(np.clip(growth, 0.1, 10.0))
    energy = float(full[3] + np.clip(step, *limits))
    free = [k for k, name in enumerate(_NAMES[:3]) if name not in points.hold]
    columns = _gradient(np.array([0.0, 0.0, 0.0, energy]), points.temperature_k)
    own = np.zeros(4)
    own[free] = np.diag(invert_normal((whitening @ columns)[:, free]))
    return (_at_energy(points, whitening, energy)[0] - full) ** 2 + own


def _without_phonon(points: _Points, whitening: Vector) -> float:
    """Return chi-square of a straight line; infinite where the phonon's energy is held."""
    if "energy" in points.hold or "phonon" in points.hold:
        return np.inf
    given = np.array([points.hold.get(name, 0.0) for name in _NAMES[:2]])
    free = [k for k, name in enumerate(_NAMES[:2]) if name not in points.hold]
    columns = np.stack([np.ones_like(points.temperature_k), points.temperature_k], axis=1)
    return _linear(whitening, columns, points.values, given, free)[1]
