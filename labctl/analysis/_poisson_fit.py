"""Maximum likelihood for counts: least squares of the signed roots of the Poisson deviance.

The sum of their squares is twice the negative logarithm of the likelihood, up to a constant
(S. Baker and R. D. Cousins, Nucl. Instrum. Methods 221, 437 (1984)), so that the minimum is that
of the exact likelihood. Errors come from the Fisher information of the model.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import chi2_probability, invert_normal, solve
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["PoissonFit", "fit_poisson"]

Vector = NDArray[np.float64]
Model = Callable[[Vector], Vector]
_STEP = 1e-5
_LEAST = 1e-9
_CLOSE = 1e-4
_RICH = 5.0


@dataclass(frozen=True, eq=False)
class PoissonFit:
    """A model at its maximum of the likelihood.

    Attributes:
        parameters: Shape (k,).
        covariance: Inverse of the Fisher information, shape (k, k).
        model: Expected counts, shape (n,).
        deviance: Sum over all bins.
        freedom: Bins less parameters.
        probability: Of a larger chi-square, from bins joined to 5 expected counts each.
        at_bound: Which parameters ended on a bound, shape (k,).
    """

    parameters: Vector
    covariance: Vector
    model: Vector
    deviance: float
    freedom: int
    probability: float
    at_bound: NDArray[np.bool_]

    def parameter(self, place: int) -> Measured:
        """Return one parameter with its error."""
        variance = max(float(self.covariance[place, place]), 0.0)
        return Measured(float(self.parameters[place]), variance**0.5)


def fit_poisson(
    model: Model, counts: Vector, start: Vector, lower: Vector, upper: Vector, scale: Vector
) -> PoissonFit:
    """Fit expected counts to counts.

    Args:
        model: Maps parameters (k,) to expected counts (n,); what is not positive counts as 1e-9.
        counts: Shape (n,).
        start: Starting parameters, and so on as in ``solve``.
        lower: Lower bounds.
        upper: Upper bounds.
        scale: Typical size of each parameter.

    Raises:
        AnalysisError: No counts, fewer bins than parameters, or no convergence.
    """
    if counts.size < start.size or not counts.sum() > 0:
        raise AnalysisError(f"{int(counts.sum())} counts in {counts.size} bins cannot be fitted")

    def expected(parameters: Vector) -> Vector:
        return np.maximum(model(parameters), _LEAST)

    def evaluate(parameters: Vector) -> tuple[Vector, Vector]:
        slopes = _slopes(expected, parameters, lower, upper, scale)
        residuals, factor = _roots(counts, expected(parameters))
        return residuals, factor[:, np.newaxis] * slopes

    found = solve(evaluate, start, lower, upper, scale=scale)
    mean = expected(found.parameters)
    slopes = _slopes(expected, found.parameters, lower, upper, scale)
    covariance = invert_normal(slopes / np.sqrt(mean)[:, np.newaxis])
    freedom = counts.size - start.size
    probability = _goodness(counts, mean, start.size)
    return PoissonFit(
        found.parameters, covariance, mean, found.chi2, freedom, probability, found.at_bound
    )


def _slopes(model: Model, at: Vector, lower: Vector, upper: Vector, scale: Vector) -> Vector:
    """Return the derivatives by all parameters, shape (n, k), from inside the bounds."""
    columns: list[Vector] = []
    for place, step in enumerate(_STEP * scale):
        high, low = at.copy(), at.copy()
        high[place] = min(at[place] + step, upper[place])
        low[place] = max(at[place] - step, lower[place])
        columns.append((model(high) - model(low)) / (high[place] - low[place]))
    return np.stack(columns, axis=1)


def _roots(counts: Vector, mean: Vector) -> tuple[Vector, Vector]:
    """Return the signed roots of the deviance and their derivatives by the mean."""
    ratio = counts / mean
    logs = np.log(np.where(ratio > 0, ratio, 1.0))
    deviance = 2 * (mean - counts + counts * logs)
    excess = 1 - ratio
    near = np.abs(excess) < _CLOSE
    safe = np.where(near, 1.0, deviance)
    residuals = np.sign(excess) * np.sqrt(np.maximum(safe, 0.0))
    factor = excess / np.where(near, 1.0, residuals)
    root = np.sqrt(mean)
    return np.where(near, excess * root, residuals), np.where(near, 1 / root, factor)


def _goodness(counts: Vector, mean: Vector, parameters: int) -> float:
    """Return the probability of a larger Pearson chi-square of bins that hold enough."""
    rungs = np.floor(np.cumsum(mean) / _RICH).astype(np.int64)
    group = np.cumsum(np.diff(rungs, prepend=rungs[0]) > 0)
    seen = np.bincount(group, counts)
    expected = np.bincount(group, mean)
    full = expected > _RICH / 2
    freedom = int(full.sum()) - parameters
    if freedom < 1:
        return 1.0
    chi2 = float(np.sum((seen[full] - expected[full]) ** 2 / expected[full]))
    return chi2_probability(chi2, freedom)
