"""The one place of this package that calls scipy: optimiser, Faddeeva function, chi-square."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import chdtrc, gammainc, ndtr, stdtrit, wofz

from labctl.errors import AnalysisError

__all__ = [
    "FINE",
    "Solution",
    "chi2_probability",
    "faddeeva",
    "invert_normal",
    "lower_gamma",
    "normal_cdf",
    "solve",
    "student_widening",
]

Vector = NDArray[np.float64]
Evaluate = Callable[[Vector], tuple[Vector, Vector]]

FINE = 1e-9
"""Tolerance of a search whose result counts."""

_FAR = 8.0
# In z^2, without the leading 1; the denominator is the Hermite polynomial of degree 8.
_NUMERATOR = (-13.5, 46.25, -34.875)
_DENOMINATOR = (-14.0, 52.5, -52.5, 6.5625)

_UPPER_95, _SIGMAS_95 = 0.975, 1.959963984540054


def faddeeva(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return ``w(z) = exp(-z^2) erfc(-i z)``, good to 2e-12.

    Most of a spectrum lies far from a line. There the eighth convergent of Laplace's continued
    fraction is good to that and takes a sixth of the time (W. Gautschi, SIAM J. Numer. Anal. 7,
    187 (1970)); further down than -1 it would miss ``2 exp(-z^2)``.
    """
    near = (np.abs(z.real) < _FAR) | (z.imag < -1.0)
    # Near the real axis, where it does not hold, the fraction has poles.
    with np.errstate(divide="ignore", invalid="ignore"):
        w = _laplace_fraction(z)
    w[near] = wofz(z[near])
    return w


def _laplace_fraction(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    square = z * z
    above = _polynomial(_NUMERATOR, square)
    above *= z
    above /= _polynomial(_DENOMINATOR, square)
    above *= 1j / np.sqrt(np.pi)
    return above


def _polynomial(
    coefficients: tuple[float, ...], x: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return ``x^n + c_1 x^(n-1) + ... + c_n``, in place but for one array."""
    total = x + coefficients[0]
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


def normal_cdf(z: Vector) -> Vector:
    """Return the distribution function of the standard normal distribution."""
    return np.asarray(ndtr(z), dtype=np.float64)


def lower_gamma(a: float, x: Vector) -> Vector:
    """Return the regularised lower incomplete gamma function P(a, x)."""
    return gammainc(a, x)


def chi2_probability(chi2: float, freedom: int) -> float:
    """Return the probability that a chi-square of so many degrees of freedom is larger."""
    return float(chdtrc(float(freedom), chi2))


def student_widening(freedom: int) -> float:
    """Return by how much an error grows because its scale was estimated from few values.

    With the scale from so many degrees of freedom the pulls follow Student's t; the factor makes
    1.96 standard errors the 95 % interval again.
    """
    return float(stdtrit(float(freedom), _UPPER_95)) / _SIGMAS_95


@dataclass(frozen=True, eq=False)
class Solution:
    """Minimum of a sum of squares.

    Attributes:
        parameters: Shape (k,).
        covariance: Inverse of ``J^T J`` of the residuals, shape (k, k).
        residuals: Shape (n,).
        jacobian: Of the residuals, shape (n, k).
        at_bound: Which parameters ended on a bound, shape (k,).
    """

    parameters: Vector
    covariance: Vector
    residuals: Vector
    jacobian: Vector
    at_bound: NDArray[np.bool_]

    @property
    def chi2(self) -> float:
        """Sum of the squared residuals."""
        return float(self.residuals @ self.residuals)


def solve(
    evaluate: Evaluate,
    start: Vector,
    lower: Vector,
    upper: Vector,
    *,
    scale: Vector,
    tolerance: float = FINE,
) -> Solution:
    """Minimise the sum of squared residuals within bounds.

    Args:
        evaluate: Maps parameters (k,) to residuals (n,) and their Jacobian (n, k).
        start: Starting parameters; moved inside the bounds if they are not.
        lower: Lower bounds.
        upper: Upper bounds.
        scale: Typical size of each parameter.
        tolerance: The search ends when a step changes sum or parameters by less, relative.

    Raises:
        AnalysisError: If the residuals are not finite or the search does not end.
    """
    memory: dict[bytes, tuple[Vector, Vector]] = {}

    def both(parameters: Vector) -> tuple[Vector, Vector]:
        key = parameters.tobytes()
        if key not in memory:
            memory.clear()
            memory[key] = evaluate(parameters)
        return memory[key]

    inside = np.clip(start, lower + 1e-9 * scale, upper - 1e-9 * scale)
    settings: dict[str, Any] = dict.fromkeys(("ftol", "xtol", "gtol"), tolerance)
    try:
        found = least_squares(
            lambda p: both(p)[0], inside, jac=lambda p: both(p)[1],
            bounds=(lower, upper), x_scale=scale, max_nfev=60, method="trf", **settings,
        )  # fmt: skip
    except ValueError as error:
        msg = f"the fit cannot start: {error}"
        raise AnalysisError(msg) from error
    residuals, jacobian = both(found.x)
    near = 1e-6 * scale
    at_bound = (found.x - lower < near) | (upper - found.x < near)
    return Solution(found.x, invert_normal(jacobian), residuals, jacobian, at_bound)


def invert_normal(jacobian: Vector) -> Vector:
    """Return the inverse of ``J^T J``, by way of columns scaled to unit length.

    A parameter without influence gets the variance 0 of a pseudo-inverse.
    """
    length = np.sqrt(np.sum(jacobian**2, axis=0))
    scale = 1 / np.where(length > 0, length, 1.0)
    scaled = jacobian * scale
    return np.linalg.pinv(scaled.T @ scaled, rcond=1e-14, hermitian=True) * np.outer(scale, scale)
