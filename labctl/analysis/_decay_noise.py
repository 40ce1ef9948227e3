"""What the noise of the measured response does to the fit, and how large the deviance may be."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._decay_problem import LIGHT, SHAPE, SHIFT, DecayProblem, Fitted
from labctl.analysis._decay_result import Goodness
from labctl.analysis._fit import normal_cdf
from labctl.analysis._irf import IrfResponse

__all__ = ["Errors", "errors_of", "goodness_of", "sharpened"]

Vector = NDArray[np.float64]

_LARGE = 300.0


def sharpened(light: Vector) -> Vector:
    """Return a histogram narrowed by ``bin^2 / 6`` of variance, one bin longer at both ends."""
    padded = np.pad(light, 2)
    return padded[1:-1] - (padded[:-2] - 2 * padded[1:-1] + padded[2:]) / 12


@dataclass(frozen=True, eq=False)
class Errors:
    """Covariances of the parameters.

    Attributes:
        covariance: Counting noise of decay and response, shape (k, k); 0 where held.
        response: The part of the response, shape (k, k).
        deviance: By which the response's noise makes the deviance grow in the mean.
        excess: Largest ratio of the response's to the counts' variance in any bin, plus 1.
    """

    covariance: Vector
    response: Vector
    deviance: float
    excess: float


def errors_of(problem: DecayProblem, fitted: Fitted, response: IrfResponse) -> Errors:
    """Return expected Fisher errors plus, linearly, what the noise of the response adds.

    The shift is worth no more than the distance to its bounds, where it may end.
    """
    free = fitted.free | (fitted.at_bound & (np.arange(fitted.free.size) == SHIFT))
    fisher = fitted.point.fisher.copy()
    room = 0.5 * (problem.shift_bounds_ps[1] - problem.shift_bounds_ps[0])
    if room > 0:
        fisher[SHIFT, SHIFT] += 1 / room**2
    inverse = _inverse(fisher, free)
    model, jacobian = fitted.point.model, fitted.point.jacobian
    kernel, through = _kernel(problem, fitted), _Lags(problem)
    response_slopes = through.back(kernel, jacobian / model)
    response_slopes -= response_slopes @ problem.grid.response[:, None]
    by_count = sharpened_rows(response_slopes) / response.total
    noise = (by_count * response.variance) @ by_count.T
    common = by_count.sum(axis=1)
    noise += np.outer(common, common) * response.background_variance
    variance = sharpened_variance(response.variance) / response.total**2
    spread = through.forth(kernel**2, variance)
    added = inverse @ noise @ inverse
    return Errors(
        inverse + added,
        added,
        max(float((spread / model).sum() - np.trace(inverse @ noise)), 0.0),
        1 + max(float((spread / model).max()), 0.0),
    )


def _inverse(fisher: Vector, free: NDArray[np.bool_]) -> Vector:
    inverse = np.zeros_like(fisher)
    places = np.ix_(free, free)
    part = fisher[places]
    scale = 1 / np.sqrt(np.maximum(np.diag(part), 1e-300))
    inverse[places] = np.linalg.pinv(
        part * np.outer(scale, scale), rcond=1e-13, hermitian=True
    ) * np.outer(scale, scale)
    return inverse


def _kernel(problem: DecayProblem, fitted: Fitted) -> Vector:
    """Return the counts that one unit of the response makes, by lag."""
    p = fitted.parameters
    lags = problem.grid.of_one_bin()
    return p[LIGHT] * problem.shape.convolve(lags, p[SHAPE:], float(p[SHIFT])).counts


class _Lags:
    """Correlation of bins of the fit with bins of the response, by Fourier transform."""

    def __init__(self, problem: DecayProblem) -> None:
        self._support, self._bins = len(problem.grid.response), problem.grid.bins
        self._length = 1 << (2 * self._support + self._bins).bit_length()

    def back(self, kernel: Vector, rows: Vector) -> Vector:
        """Return ``sum_i rows[:, i] kernel[i - j]``, shape (rows, support)."""
        bins, support, size = self._bins, self._support, self._length
        product = np.conj(np.fft.rfft(rows, size, axis=1)) * np.fft.rfft(kernel, size)
        # Lag l of the product is index i - j + support - 1 of the kernel.
        return np.fft.irfft(product, size, axis=1)[:, support - 1 :: -1][:, :support] * (bins > 0)

    def forth(self, kernel: Vector, column: Vector) -> Vector:
        """Return ``sum_j kernel[i - j] column[j]``, shape (bins,)."""
        size = self._length
        product = np.fft.rfft(kernel, size) * np.fft.rfft(column, size)
        return np.fft.irfft(product, size)[self._support - 1 : self._support - 1 + self._bins]


def sharpened_rows(rows: Vector) -> Vector:
    """Return the transpose of `sharpened`, applied along the last axis."""
    return rows[:, 1:-1] - (rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]) / 12


def sharpened_variance(variance: Vector) -> Vector:
    """Return variances of a sharpened histogram, correlations put into them."""
    # What is convolved is smooth over several bins, for which sharpening changes nothing.
    return np.pad(variance, 1)


def goodness_of(counts: Vector, model: Vector, errors: Errors, free: int) -> Goodness:
    """Return the Poisson deviance, and how unlikely one as large is."""
    positive = counts > 0
    logs = counts[positive] * np.log(counts[positive] / model[positive])
    deviance = 2 * float(logs.sum() - (counts - model).sum())
    mean, variance = _moments(model)
    expected = float(mean.sum()) - free + errors.deviance
    spread = math.sqrt(max(float(variance.sum()) - 2 * free, 1.0) + 2 * errors.deviance**2)
    z = (deviance - expected) / spread
    return Goodness(deviance, expected, z, 1 - float(normal_cdf(np.array([z]))[0]))


def _moments(model: Vector) -> tuple[Vector, Vector]:
    """Return mean and variance of the deviance of one bin with these expected counts."""
    logs, means, variances = _moment_table()
    at = np.log(np.clip(model, 1e-6, _LARGE))
    mean, variance = np.interp(at, logs, means), np.interp(at, logs, variances)
    rich = model > _LARGE
    mean[rich] = 1 + 1 / (6 * model[rich])
    variance[rich] = 2 + 2 / (3 * model[rich])
    return mean, variance


@lru_cache(maxsize=1)
def _moment_table() -> tuple[Vector, Vector, Vector]:
    expected = np.geomspace(1e-6, _LARGE, 240)[:, None]
    counts = np.arange(0, int(_LARGE + 14 * math.sqrt(_LARGE)))[None, :]
    log_factorials = np.cumsum(np.log(np.maximum(counts, 1)), axis=1)
    chance = np.exp(counts * np.log(expected) - expected - log_factorials)
    own = counts * np.log(np.maximum(counts, 1) / expected)
    deviance = 2 * (own - counts + expected)
    mean = (chance * deviance).sum(axis=1)
    variance = (chance * deviance**2).sum(axis=1) - mean**2
    return np.log(expected[:, 0]), mean, variance
