"""What the noise of the measured response does to the fit, and how large the deviance may be."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._decay_problem import (
    BACKGROUND,
    LIGHT,
    SHAPE,
    SHIFT,
    DecayProblem,
    Fitted,
    Point,
)
from labctl.analysis._decay_result import Goodness
from labctl.analysis._fit import normal_cdf
from labctl.analysis._irf import IrfResponse
from labctl.analysis._likelihood_kernels import fill_moments

__all__ = ["Errors", "errors_of", "goodness_of", "noise_share", "sharpened"]

Vector = NDArray[np.float64]

_NOTHING: Vector = np.zeros(2)
_SMALL, _LARGE, _ENTRIES = 1e-6, 300.0, 240
_NOISY = 0.05
_FEW = 128
"""So many products of rows take less time than three transforms."""


def sharpened(light: Vector) -> Vector:
    """Return a histogram narrowed by ``bin^2 / 6`` of variance, one bin longer at both ends."""
    padded = np.concatenate([_NOTHING, light, _NOTHING])
    return padded[1:-1] - (padded[:-2] - 2 * padded[1:-1] + padded[2:]) / 12


@dataclass(frozen=True, eq=False)
class Errors:
    """Covariances of the parameters.

    Attributes:
        covariance: Counting noise of decay and response, shape (k, k); 0 where held.
        response: The part of the response, shape (k, k).
        inverse: Of the information, shape (k, k); the covariance if nothing had weights or noise.
        deviance: By which this makes the weighted deviance grow in the mean.
    """

    covariance: Vector
    response: Vector
    inverse: Vector
    deviance: float


def errors_of(problem: DecayProblem, fitted: Fitted, response: IrfResponse) -> Errors:
    """Return expected Fisher errors plus, linearly, what the noise of the response adds.

    A parameter is worth no more than half the distance of its bounds, on which it may end; on a
    bound it still moves the others.
    """
    free = ~problem.held
    fisher = fitted.point.fisher.copy()
    room = np.where(free, 0.5 * (problem.upper - problem.lower), np.inf)
    fisher.flat[:: len(fisher) + 1] += 1 / room**2
    inverse = _inverse(fisher, free)
    model, weighted = fitted.point.model, fitted.point.weighted
    counting = fisher
    if not np.all(problem.weights == 1):
        counting = fisher + (weighted * (model * (1 - 1 / problem.weights))) @ weighted.T
    p, grid = fitted.parameters, problem.grid
    by_response = p[LIGHT] * problem.shape.correlate(grid, p[SHAPE:], float(p[SHIFT]), weighted)
    by_response -= by_response @ grid.response[:, None]
    by_count = _sharpened_rows(by_response) / response.total
    noise = (by_count * response.variance) @ by_count.T
    common = by_count.sum(axis=1)
    noise += np.outer(common, common) * response.background_variance
    spread = _Lags(problem).back(_kernel(problem, fitted) ** 2, problem.weights / model)
    growth = float(spread @ _variance(response)) - float((inverse * noise).sum())
    noise += _of_width(problem, fitted, response)
    covariance = inverse @ (counting + noise) @ inverse
    return Errors(covariance, inverse @ noise @ inverse, inverse, max(growth, 0.0))


def _of_width(problem: DecayProblem, fitted: Fitted, response: IrfResponse) -> Vector:
    """Return what an error of the response's variance adds to the scatter of the scores.

    A little more variance adds half of it times the second derivative by time.
    """
    if not response.added_error_ps2:
        return np.zeros_like(fitted.point.fisher)
    p = fitted.parameters
    by_shift = p[LIGHT] * problem.shape.convolve(problem.grid, p[SHAPE:], float(p[SHIFT]))[1]
    by_variance: Vector = np.gradient(-by_shift, problem.grid.bin_ps) / 2
    moved = fitted.point.weighted @ by_variance * response.added_error_ps2
    return np.outer(moved, moved)


def noise_share(problem: DecayProblem, fitted: Fitted, response: IrfResponse) -> Vector | None:
    """Return the variance by the response's noise over the counts', shape (bins,).

    None where it is below a twentieth everywhere.
    """
    # An upper bound, from light and from the background of the response.
    light = float(fitted.parameters[LIGHT]) / response.total
    highest = light * _highest(problem, float(fitted.parameters[SHAPE]))
    dark = highest * light * float(response.variance.min())
    if highest < _NOISY / 2 and dark < _NOISY / 2 * float(fitted.parameters[BACKGROUND]):
        return None
    spread = _Lags(problem).forth(_kernel(problem, fitted) ** 2, _variance(response))
    share = np.maximum(spread, 0.0) / fitted.point.model
    return share if share.max() > _NOISY else None


def _highest(problem: DecayProblem, tau_ps: float) -> float:
    """Return a bound of what one exponential has in a bin, earlier pulses included."""
    grid = problem.grid
    return min(1.0, grid.bin_ps / tau_ps) / -math.expm1(-grid.period_ps / tau_ps)


def _variance(response: IrfResponse) -> Vector:
    # What it is convolved with is smooth over several bins, for which sharpening changes nothing.
    return np.concatenate([_NOTHING[:1], response.variance, _NOTHING[:1]]) / response.total**2


def _inverse(fisher: Vector, free: NDArray[np.bool_]) -> Vector:
    inverse = np.zeros_like(fisher)
    part = fisher[free][:, free]
    scale = 1 / np.sqrt(np.maximum(part.diagonal(), 1e-300))
    scales = scale[:, None] * scale
    try:
        found = np.linalg.inv(part * scales)
    except np.linalg.LinAlgError:
        found = np.linalg.pinv(part * scales, rcond=1e-13, hermitian=True)
    inverse[np.ix_(free, free)] = found * scales
    return inverse


def _kernel(problem: DecayProblem, fitted: Fitted) -> Vector:
    """Return the counts that one unit of the response makes, by lag."""
    p = fitted.parameters
    lags = problem.grid.of_one_bin()
    return p[LIGHT] * problem.shape.convolve(lags, p[SHAPE:], float(p[SHIFT]))[0]


class _Lags:
    """Correlation of bins of the fit with bins of the response, by Fourier transform."""

    def __init__(self, problem: DecayProblem) -> None:
        self._support, self._bins = len(problem.grid.response), problem.grid.bins
        self._length = _fast_length(self._support + self._bins)

    def back(self, kernel: Vector, row: Vector) -> Vector:
        """Return ``sum_i row[i] kernel[i - j]``, shape (support,)."""
        support, size = self._support, self._length
        if support <= _FEW:
            return np.correlate(kernel, row, mode="valid")[::-1]
        product = np.conj(np.fft.rfft(row, size)) * np.fft.rfft(kernel, size)
        # The kernel's first lag is that of the last bin of the response.
        return np.fft.irfft(product, size)[support - 1 :: -1]

    def forth(self, kernel: Vector, column: Vector) -> Vector:
        """Return ``sum_j kernel[i - j] column[j]``, shape (bins,)."""
        size = self._length
        product = np.fft.rfft(kernel, size) * np.fft.rfft(column, size)
        return np.fft.irfft(product, size)[self._support - 1 : self._support - 1 + self._bins]


@lru_cache(maxsize=64)
def _fast_length(least: int) -> int:
    """Return the next length that is 2^k, 3 2^k or 5 2^k, for which transforms are fast."""
    return min(odd << max((least - 1) // odd, 0).bit_length() for odd in (1, 3, 5))


def _sharpened_rows(rows: Vector) -> Vector:
    """Return the transpose of `sharpened`, applied along the last axis."""
    return rows[:, 1:-1] - (rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]) / 12


def goodness_of(problem: DecayProblem, fitted: Fitted, errors: Errors) -> Goodness:
    """Return the Poisson deviance, and how unlikely one as large is.

    What the fit takes out of its mean and variance is that of P. McCullagh, Int. Stat. Rev. 53, 61
    (1985): where there are few counts per bin, most of the variance is that of their sum.
    """
    weights, deviance = problem.weights, 2 * fitted.point.misfit
    mean, variance, common = _moments(fitted.point)
    expected = float(weights @ mean) - int(fitted.free.sum()) + errors.deviance
    slope = fitted.point.weighted @ (weights * common)
    explained = float(slope @ errors.inverse @ slope)
    # The noise of the response has few degrees of freedom.
    spread = max(float(weights**2 @ variance) - explained, 1.0) + 2 * errors.deviance**2
    z = (deviance - expected) / math.sqrt(spread)
    return Goodness(deviance, expected, z, 1 - float(normal_cdf(np.array([z]))[0]))


def _moments(point: Point) -> Vector:
    """Return mean and variance of the deviance of a bin, and its covariance with the counts."""
    first = math.log(_SMALL)
    step = (math.log(_LARGE) - first) / (_ENTRIES - 1)
    moments = np.empty((3, point.model.size))
    fill_moments(point.model, point.logs, first, step, _moment_table(), moments)
    return moments


@lru_cache(maxsize=1)
def _moment_table() -> Vector:
    expected = np.geomspace(_SMALL, _LARGE, _ENTRIES)[:, None]
    counts = np.arange(0, int(_LARGE + 14 * math.sqrt(_LARGE)))[None, :]
    log_factorials = np.cumsum(np.log(np.maximum(counts, 1)), axis=1)
    chance = np.exp(counts * np.log(expected) - expected - log_factorials)
    deviance = 2 * (counts * np.log(np.maximum(counts, 1) / expected) - counts + expected)
    mean = (chance * deviance).sum(axis=1)
    variance = (chance * deviance**2).sum(axis=1) - mean**2
    common = (chance * deviance * (counts - expected)).sum(axis=1)
    return np.stack([mean, variance, common])
