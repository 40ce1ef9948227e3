"""Energy of a line through a structural transition, against temperature.

The law is that of `fit_energy_law` and a further red shift,

``E(T) = c0 + a T - 2 b n(E_ph, T) - D / (1 + exp(-(T - T_m) / w))``,

with the Bose-Einstein occupation n: a logistic of midpoint T_m and width w. The transition begins
where a twentieth of the red shift is there, ``T_m - w ln 19`` (about ``T_m - 2.94 w``), and has
ended where a twentieth is missing; K. Cho et al., J. Chem. Phys. 158, 201104 (2023), take the point
at which the red shift begins for the transition temperature.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import Solution, chi2_probability, solve, student_widening
from labctl.analysis._laws import bose_einstein
from labctl.analysis._measured import Measured
from labctl.analysis._propagate import propagate
from labctl.errors import AnalysisError

__all__ = ["ONSET_SHARE", "TransitionLaw", "fit_transition_law"]

Vector = NDArray[np.float64]

ONSET_SHARE = 0.05
"""Share of the red shift that is there at the onset."""
_ONSET_WIDTHS = math.log(1 / ONSET_SHARE - 1)
_PARAMETERS = 7
_CONSTANT, _LINEAR, _PHONON, _RED, _ENERGY, _MIDPOINT, _WIDTH = range(_PARAMETERS)
_LINEAR_PARTS = 4
_PHONONS_MEV = (8.0, 16.0, 30.0)
_WIDTHS_K = (2.0, 5.0, 12.0)
_MIDPOINTS = 40
_ENERGY_RANGE_MEV = (3.0, 60.0)
_LEAST_WIDTH_K = 0.2
_ROUNDS = 20
_CLOSE = 0.01
_LEAST_CHI2 = 21.1
"""By so much chi-square must fall with the three parameters of the transition: one chance in
ten thousand without one."""


@dataclass(frozen=True, eq=False)
class TransitionLaw:
    """Result of `fit_transition_law`.

    Attributes:
        red_shift_mev: D, by how much the transition shifts the line to the red.
        midpoint_k: T_m, where half of it is there.
        width_k: w of the logistic.
        onset_k: Where a twentieth of it is there.
        end_k: Where a twentieth is missing.
        wander_mev: Scatter of the line from point to point beyond the errors of the points; it is
            part of the errors.
        parameters: c0 in meV above ``offset_ev``, a in meV/K, -2 b in meV, D in meV, E_ph in meV,
            T_m and w in K.
        covariance: Of the parameters, shape (7, 7).
        chi2: Sum of the weighted squared residuals.
        freedom: Degrees of freedom.
        probability: Of a larger chi-square, without wandering.
        offset_ev: Energy that was subtracted before the fit.
        flags: Words on what was unusual.
    """

    red_shift_mev: Measured
    midpoint_k: Measured
    width_k: Measured
    onset_k: Measured
    end_k: Measured
    wander_mev: float
    parameters: Vector
    covariance: Vector
    chi2: float
    freedom: int
    probability: float
    offset_ev: float
    flags: tuple[str, ...]

    def __call__(self, temperature_k: Vector) -> Vector:
        """Return the energies at these temperatures in eV."""
        return self.offset_ev + 1e-3 * _law(self.parameters, temperature_k)


def fit_transition_law(
    temperature_k: Vector,
    energy_ev: Vector,
    variance_mev2: Vector,
    temperature_error_k: Vector | None = None,
) -> TransitionLaw:
    """Fit the peak energy against temperature through one transition.

    Where the points scatter by more than their errors, because the line of a single dot wanders,
    a common extra variance brings chi-square down to the degrees of freedom, as in
    `fit_energy_law`.

    Args:
        temperature_k: Read-back temperatures, shape (n,).
        energy_ev: Peak energies in eV, shape (n,).
        variance_mev2: Their variances, shape (n,).
        temperature_error_k: Standard errors of the temperatures, shape (n,).

    Raises:
        AnalysisError: Fewer than nine points, no convergence, or no transition to be seen.
    """
    if temperature_k.size < _PARAMETERS + 2:
        msg = f"{temperature_k.size} temperatures are too few for a transition; take 9 or more"
        raise AnalysisError(msg)
    offset_ev = float(np.median(energy_ev))
    points = _Points(temperature_k, 1e3 * (energy_ev - offset_ev), variance_mev2)
    start = _scan(points)
    if temperature_error_k is not None:
        slope = np.gradient(_law(start, temperature_k), temperature_k)
        points = points.wider((slope * temperature_error_k) ** 2)
    found = _fit(points, start)
    freedom = temperature_k.size - _PARAMETERS
    probability = chi2_probability(found.chi2, freedom)
    found, wander = _with_wander(points, found, freedom)
    without = _without_transition(points.wider(wander))
    if without - found.chi2 < _LEAST_CHI2:
        msg = f"no transition: chi-square falls by {without - found.chi2:.1f} with one, not by 21"
        raise AnalysisError(msg)
    return _law_of(found, points, wander, offset_ev, probability)


@dataclass(frozen=True, eq=False)
class _Points:
    """Temperatures in K, values in meV, their variances."""

    temperature_k: Vector
    values: Vector
    variance: Vector

    def wider(self, variance: float | Vector) -> "_Points":
        return _Points(self.temperature_k, self.values, self.variance + variance)


def _logistic(parameters: Vector, temperature_k: Vector) -> Vector:
    x = (temperature_k - parameters[_MIDPOINT]) / parameters[_WIDTH]
    return 0.5 * (1 + np.tanh(0.5 * x))


def _columns(parameters: Vector, temperature_k: Vector) -> Vector:
    """Return what the four linear parameters multiply, shape (n, 4)."""
    phonons = bose_einstein(float(parameters[_ENERGY]), temperature_k)
    step = -_logistic(parameters, temperature_k)
    return np.stack([np.ones_like(temperature_k), temperature_k, phonons, step], axis=1)


def _law(parameters: Vector, temperature_k: Vector) -> Vector:
    return _columns(parameters, temperature_k) @ parameters[:_LINEAR_PARTS]


def _gradient(parameters: Vector, temperature_k: Vector) -> Vector:
    """Return derivatives by all parameters, shape (n, 7); differences for the three others."""
    columns = [*_columns(parameters, temperature_k).T]
    for place, step in ((_ENERGY, 1e-3), (_MIDPOINT, 1e-3), (_WIDTH, 1e-4)):
        shift = np.zeros(_PARAMETERS)
        shift[place] = step
        ahead, behind = (_law(parameters + s, temperature_k) for s in (shift, -shift))
        columns.append((ahead - behind) / (2 * step))
    return np.stack(columns, axis=1)


def _scan(points: _Points) -> Vector:
    """Return the best of a grid of phonons, midpoints and widths: the law is linear otherwise."""
    low, high = float(points.temperature_k.min()), float(points.temperature_k.max())
    sigma = np.sqrt(points.variance)
    best, least = np.zeros(_PARAMETERS), np.inf
    for energy in _PHONONS_MEV:
        for midpoint in np.linspace(low, high, _MIDPOINTS + 2)[1:-1].tolist():
            for width in _WIDTHS_K:
                tried = np.array([0.0, 0.0, 0.0, 0.0, energy, midpoint, width])
                chi2 = _solve_linear(points, tried, sigma)
                if chi2 < least and tried[_RED] > 0:
                    best, least = tried, chi2
    if not np.isfinite(least):
        msg = "no transition: the line shifts to the red nowhere"
        raise AnalysisError(msg)
    return best


def _solve_linear(points: _Points, tried: Vector, sigma: Vector) -> float:
    """Fill in the best linear parameters; returns chi-square."""
    columns = _columns(tried, points.temperature_k) / sigma[:, None]
    linear = np.linalg.lstsq(columns, points.values / sigma, rcond=1e-12)[0].astype(np.float64)
    tried[:_LINEAR_PARTS] = linear
    residuals = points.values / sigma - columns @ linear
    return float(residuals @ residuals)


def _fit(points: _Points, start: Vector) -> Solution:
    sigma = np.sqrt(points.variance)
    low, high = float(points.temperature_k.min()), float(points.temperature_k.max())
    lower, upper = np.full(_PARAMETERS, -np.inf), np.full(_PARAMETERS, np.inf)
    lower[_RED] = 0.0
    lower[_ENERGY], upper[_ENERGY] = _ENERGY_RANGE_MEV
    lower[_MIDPOINT], upper[_MIDPOINT] = low, high
    lower[_WIDTH], upper[_WIDTH] = _LEAST_WIDTH_K, (high - low) / 4

    def evaluate(parameters: Vector) -> tuple[Vector, Vector]:
        residuals = (_law(parameters, points.temperature_k) - points.values) / sigma
        return residuals, _gradient(parameters, points.temperature_k) / sigma[:, None]

    scale = np.array([1.0, 0.1, 5.0, 5.0, 10.0, 10.0, 5.0])
    return solve(evaluate, start, lower, upper, scale=scale)


def _with_wander(points: _Points, found: Solution, freedom: int) -> tuple[Solution, float]:
    """Return the fit with the extra variance that brings chi-square to its mean, and that."""
    variance = 0.0
    for _ in range(_ROUNDS):
        excess = found.chi2 / freedom - 1
        if excess < _CLOSE and (variance == 0.0 or excess > -_CLOSE):
            break
        # Newton's step for 1 / chi2, which is linear in the variance for equal errors.
        weights = 1 / points.wider(variance).variance
        step = found.chi2 * excess / float((found.residuals**2) @ weights)
        variance = max(variance + step, 0.0)
        found = _fit(points.wider(variance), found.parameters)
    return found, variance


def _without_transition(points: _Points) -> float:
    """Return the least chi-square of the law without a red shift."""
    sigma = np.sqrt(points.variance)
    return min(
        _chi2_of_columns(points, sigma, energy)
        for energy in np.geomspace(*_ENERGY_RANGE_MEV, 30).tolist()
    )


def _chi2_of_columns(points: _Points, sigma: Vector, energy: float) -> float:
    given = np.array([0.0, 0.0, 0.0, 0.0, energy, 0.0, 1.0])
    columns = _columns(given, points.temperature_k)[:, : _LINEAR_PARTS - 1] / sigma[:, None]
    linear = np.linalg.lstsq(columns, points.values / sigma, rcond=1e-12)[0].astype(np.float64)
    residuals = points.values / sigma - columns @ linear
    return float(residuals @ residuals)


def _law_of(
    found: Solution, points: _Points, wander: float, offset_ev: float, probability: float
) -> TransitionLaw:
    freedom = points.values.size - _PARAMETERS
    share = float(np.mean(wander / (wander + points.variance)))
    # The extra variance was itself estimated from few points.
    covariance = found.covariance * (1 + share * (student_widening(freedom) ** 2 - 1))
    parameters = found.parameters
    errors = np.sqrt(np.diag(covariance))

    def parameter(place: int) -> Measured:
        return Measured(float(parameters[place]), float(errors[place]))

    def beside(side: float) -> Measured:
        return propagate(
            lambda p: float(p[_MIDPOINT] + side * _ONSET_WIDTHS * p[_WIDTH]), parameters, covariance
        )

    return TransitionLaw(
        red_shift_mev=parameter(_RED),
        midpoint_k=parameter(_MIDPOINT),
        width_k=parameter(_WIDTH),
        onset_k=beside(-1.0),
        end_k=beside(1.0),
        wander_mev=math.sqrt(wander),
        parameters=parameters,
        covariance=covariance,
        chi2=found.chi2,
        freedom=freedom,
        probability=probability,
        offset_ev=offset_ev,
        flags=_flags(found, points),
    )


def _flags(found: Solution, points: _Points) -> tuple[str, ...]:
    midpoint, width = found.parameters[_MIDPOINT], found.parameters[_WIDTH]
    inside = np.abs(points.temperature_k - midpoint) < _ONSET_WIDTHS * width
    texts = {
        "parameter at its bound": bool(found.at_bound.any()),
        "fewer than three points between onset and end": int(inside.sum()) < 3,
    }
    return tuple(text for text, present in texts.items() if present)
