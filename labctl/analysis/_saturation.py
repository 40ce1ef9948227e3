"""Brightness and purity against power under pulsed excitation.

The mean number of excitations is ``P / P_sat``, and ``rate = R_max [1 - exp(-P / P_sat)]`` with
``R_max = f_rep eta`` as long as the biexciton hardly emits (Feld 2024, Fig. 5d). With a yield ratio
q its photons count as well: ``rate = R_max [p1 + q p2]``, p1 = P(N >= 1) and p2 = P(N >= 2).
The power series of g2(0) has the one parameter q, see ``auger_g2``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._cascade import auger_g2
from labctl.analysis._fit import Solution, chi2_probability, invert_normal, solve
from labctl.analysis._measured import Measured
from labctl.analysis._propagate import propagate, propagate_independent
from labctl.errors import AnalysisError

__all__ = ["PuritySeries", "Saturation", "fit_purity_series", "fit_saturation"]

Vector = NDArray[np.float64]
_ROUNDS = 8
_CLOSE = 1e-5
_STEP = 1e-4
_POOR = 1e-3
_HIGHEST_RATIO = 1.0


@dataclass(frozen=True, eq=False)
class Saturation:
    """Result of `fit_saturation`; errors are standard errors.

    Attributes:
        p_sat: Saturation power, in the unit of the powers.
        rate_max_hz: Exciton photons per second at full saturation.
        dark_hz: Rate without light that was fitted; None if none was.
        covariance: Of p_sat and rate_max_hz, shape (2, 2), without that of the power scale.
        chi2: Sum of the weighted squared residuals.
        freedom: Degrees of freedom.
        probability: Of a larger chi-square.
        flags: Words on what was unusual.
    """

    p_sat: Measured
    rate_max_hz: Measured
    dark_hz: Measured | None
    covariance: Vector
    chi2: float
    freedom: int
    probability: float
    flags: tuple[str, ...]

    def efficiency(self, rep_rate_hz: float) -> Measured:
        """Return detected exciton photons per pulse at full saturation, eta."""
        return self.rate_max_hz.scaled(1 / rep_rate_hz)

    def mean_excitations(self, power: float) -> Measured:
        """Return the mean number of excitations per pulse at a power."""
        return propagate_independent(lambda v: power / float(v[0]), (self.p_sat,))


@dataclass(frozen=True, eq=False)
class PuritySeries:
    """Result of `fit_purity_series`; errors are standard errors.

    Attributes:
        yield_ratio: q = q_XX / q_X.
        fractions: Powers over the saturation power at which the purity is stated.
        g2_zero: g2(0) there.
        chi2: Sum of the weighted squared residuals.
        freedom: Degrees of freedom.
        probability: Of a larger chi-square.
        flags: Words on what was unusual.
    """

    yield_ratio: Measured
    fractions: tuple[float, ...]
    g2_zero: tuple[Measured, ...]
    chi2: float
    freedom: int
    probability: float
    flags: tuple[str, ...]

    @property
    def purity(self) -> tuple[Measured, ...]:
        """Single-photon purity ``1 - g2(0)`` at the stated fractions."""
        return tuple(Measured(1 - one.value, one.error) for one in self.g2_zero)


def fit_saturation(
    power: Vector,
    rate_hz: Vector,
    rate_error_hz: Vector,
    *,
    power_error: Vector | None = None,
    power_scale_rel: float = 0.0,
    yield_ratio: Measured | None = None,
    with_dark: bool = False,
) -> Saturation:
    """Fit count rates against power.

    Args:
        power: Powers (or fluences, or power densities), shape (n,).
        rate_hz: Rates, corrected for dead time; for darks too unless ``with_dark``, shape (n,).
        rate_error_hz: Their standard errors.
        power_error: Independent standard errors of the powers.
        power_scale_rel: Relative error that all powers share; goes into ``p_sat`` alone.
        yield_ratio: q, if the photons of the biexciton are in the rates; None: the plain law.
        with_dark: Whether to fit a rate without light.

    Raises:
        AnalysisError: Too few points, errors that are not positive, or no convergence.
    """
    points = _Points(
        power, rate_hz, rate_error_hz, np.zeros_like(power) if power_error is None else power_error
    )
    points.check(3 if with_dark else 2)
    ratio = yield_ratio or Measured(0.0, 0.0)
    solution = _fit_rates(points, ratio.value, with_dark)
    covariance = solution.covariance
    if ratio.error > 0:
        step = ratio.error
        moved = [_fit_rates(points, ratio.value + s, with_dark).parameters for s in (-step, step)]
        slope = (moved[1] - moved[0]) / 2
        covariance = covariance + np.outer(slope, slope)
    freedom = power.size - solution.parameters.size
    probability = chi2_probability(solution.chi2, freedom) if freedom > 0 else 1.0
    if probability < _POOR:
        covariance = covariance * solution.chi2 / freedom
    found = [
        Measured(float(value), float(np.sqrt(variance)))
        for value, variance in zip(solution.parameters, np.diag(covariance), strict=True)
    ]
    return Saturation(
        p_sat=found[0].plus_systematic(found[0].value * power_scale_rel),
        rate_max_hz=found[1],
        dark_hz=found[2] if with_dark else None,
        covariance=covariance[:2, :2],
        chi2=solution.chi2,
        freedom=freedom,
        probability=probability,
        flags=_flags(float(power.max() / found[0].value), probability),
    )


def fit_purity_series(
    power: Vector,
    g2_zero: Vector,
    g2_error: Vector,
    p_sat: Measured,
    *,
    fractions: tuple[float, ...] = (0.1, 1.5),
) -> PuritySeries:
    """Fit g2(0) against power with the law of an Auger-limited dot.

    Args:
        power: Powers in the unit of ``p_sat``, positive, shape (n,).
        g2_zero: Background-corrected g2(0), shape (n,).
        g2_error: Standard errors.
        p_sat: Saturation power; its error is that of all mean excitations together.
        fractions: Powers over ``p_sat`` at which g2(0) and purity are stated.

    Raises:
        AnalysisError: No points, errors that are not positive, or no convergence.
    """
    _Points(power, g2_zero, g2_error, np.zeros_like(power)).check(1)
    if not (p_sat.value > 0 and np.all(power > 0)):
        raise AnalysisError("powers and the saturation power must be positive")

    def ratio_at(saturation: float) -> tuple[float, float, float]:
        return _fit_ratio(power / saturation, g2_zero, g2_error)

    ratio, own_error, chi2 = ratio_at(p_sat.value)
    step = min(p_sat.error, 0.1 * p_sat.value)
    slope = 0.0
    if step > 0:
        slope = (ratio_at(p_sat.value + step)[0] - ratio_at(p_sat.value - step)[0]) / (2 * step)
    freedom = power.size - 1
    probability = chi2_probability(chi2, freedom) if freedom > 0 else 1.0
    if probability < _POOR:
        own_error *= (chi2 / freedom) ** 0.5
    found = Measured(ratio, own_error).plus_systematic(slope * p_sat.error)
    stated = tuple(
        propagate(
            lambda v, fraction=fraction: float(auger_g2(np.array([fraction]), float(v[0]))[0]),
            np.array([ratio]),
            np.array([[found.error**2]]),
        )
        for fraction in fractions
    )
    flags = ("poor fit, errors scaled",) if probability < _POOR else ()
    return PuritySeries(found, fractions, stated, chi2, freedom, probability, flags)


@dataclass(frozen=True, eq=False)
class _Points:
    power: Vector
    values: Vector
    errors: Vector
    power_errors: Vector

    def check(self, parameters: int) -> None:
        if self.power.size < parameters:
            raise AnalysisError(f"{self.power.size} powers cannot determine {parameters} numbers")
        if not (np.all(self.errors > 0) and np.all(self.power >= 0) and self.power.max() > 0):
            raise AnalysisError("errors must be positive, powers not negative and not all 0")


def _rate(parameters: Vector, power: Vector, ratio: float) -> Vector:
    mean = power / parameters[0]
    empty = np.exp(-mean)
    law = 1 - empty + ratio * (1 - empty - mean * empty)
    dark = parameters[2] if parameters.size > 2 else 0.0
    return parameters[1] * law + dark


def _rate_slopes(parameters: Vector, power: Vector, ratio: float) -> tuple[Vector, Vector]:
    """Return derivatives by the parameters, shape (n, k), and by the power, shape (n,)."""
    mean = power / parameters[0]
    empty = np.exp(-mean)
    law = 1 - empty + ratio * (1 - empty - mean * empty)
    by_mean = parameters[1] * (empty + ratio * mean * empty)
    columns = [-by_mean * mean / parameters[0], law]
    if parameters.size > 2:
        columns.append(np.ones_like(mean))
    return np.stack(columns, axis=1), by_mean / parameters[0]


def _fit_rates(points: _Points, ratio: float, with_dark: bool) -> Solution:
    """Fit with the errors of the powers projected on the rates, again until they agree."""
    top = float(points.values.max())
    if not top > 0:
        raise AnalysisError("no rate is positive")
    start = np.array([float(points.power.max()) / 2, 1.2 * top, 0.0][: 3 if with_dark else 2])
    size = start.size
    lower = np.array([1e-4 * start[0], 0.0, -top][:size])
    upper = np.array([1e4 * start[0], 1e5 * top, top][:size])
    solution = _solve_rates(points, points.errors, ratio, (start, lower, upper))
    for _ in range(_ROUNDS):
        before = solution.parameters
        slope = _rate_slopes(before, points.power, ratio)[1]
        errors = np.hypot(points.errors, slope * points.power_errors)
        solution = _solve_rates(points, errors, ratio, (before, lower, upper))
        if np.all(np.abs(solution.parameters - before) <= _CLOSE * np.abs(before)):
            break
    return solution


def _solve_rates(
    points: _Points, errors: Vector, ratio: float, limits: tuple[Vector, Vector, Vector]
) -> Solution:
    def evaluate(parameters: Vector) -> tuple[Vector, Vector]:
        residuals = (_rate(parameters, points.power, ratio) - points.values) / errors
        slopes = _rate_slopes(parameters, points.power, ratio)[0]
        return residuals, slopes / errors[:, np.newaxis]

    start, lower, upper = limits
    scale = np.maximum(np.abs(start), 0.01 * start[1] * (np.arange(start.size) > 0) + 1e-12)
    return solve(evaluate, start, lower, upper, scale=scale)


def _fit_ratio(mean: Vector, g2: Vector, errors: Vector) -> tuple[float, float, float]:
    """Return the yield ratio, its error and chi-square; the ratio may come out negative."""

    def evaluate(parameters: Vector) -> tuple[Vector, Vector]:
        q = float(parameters[0])
        slope = (auger_g2(mean, q + _STEP) - auger_g2(mean, q - _STEP)) / (2 * _STEP)
        return (auger_g2(mean, q) - g2) / errors, (slope / errors)[:, np.newaxis]

    bounds = np.array([-0.5 * _HIGHEST_RATIO]), np.array([_HIGHEST_RATIO])
    start = np.array([float(np.clip(np.average(g2, weights=errors**-2), 0.0, 0.9))])
    found = solve(evaluate, start, *bounds, scale=np.array([0.1]))
    variance = float(invert_normal(found.jacobian)[0, 0])
    return float(found.parameters[0]), variance**0.5, found.chi2


def _flags(reach: float, probability: float) -> tuple[str, ...]:
    wrong = (
        (reach < 1, "no power beyond saturation: P_sat and the maximum go together"),
        (probability < _POOR, "poor fit, errors scaled"),
    )
    return tuple(text for happened, text in wrong if happened)
