"""Weighted least squares of one spectrum window, with the variance of the model as weight.

Weights from the recorded counts would favour pixels that fluctuated downwards; iterating
the fit with the variance of the *model* removes that bias and is the quasi-likelihood
estimate (P. McCullagh and J. A. Nelder, Generalized Linear Models, chapter 9).
"""

import dataclasses
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import FINE, Solution, solve
from labctl.analysis._measured import Measured
from labctl.analysis._model import FIRST_SATELLITE, Axis, SpectrumModel
from labctl.analysis._noise import NoiseModel
from labctl.analysis._peak_result import SatellitePrior

__all__ = ["GAUSS", "LORENTZ", "SLOPE", "Fitted", "Model", "Problem"]

Vector = NDArray[np.float64]

_ROUNDS = 8
_SETTLED_SIGMAS = 2e-3
LORENTZ = 1
GAUSS = 2
SLOPE = 5


class Model(Protocol):
    """Expected counts with derivatives."""

    def evaluate(self, parameters: Vector) -> tuple[Vector, Vector]:
        """Return expected counts (pixel,) and derivatives (pixel, parameter)."""
        ...


@dataclass(frozen=True, eq=False)
class Fitted:
    """A converged fit: all parameters, covariance (zero where fixed), counts, sigma."""

    parameters: Vector
    covariance: Vector
    model_counts: Vector
    sigma: Vector
    derivatives: Vector
    chi2: float
    freedom: int
    at_bound: NDArray[np.bool_]

    def error(self, index: int) -> float:
        """Return the standard error of one parameter."""
        return float(np.sqrt(self.covariance[index, index]))


@dataclass(frozen=True, eq=False)
class Problem:
    """Data of a window, and what is free.

    Attributes:
        axis: Of all pixels of the window.
        counts: Recorded, shape (pixel,).
        usable: Pixels that count, shape (pixel,).
        noise: Noise model of the sum.
        variance_scale: Extra factor on the variance, shape (pixel,).
        fixed: Parameters that do not move.
        priors: Of the satellites, in order.
        gauss_squared_mev2: What is known of the squared Gaussian FWHM; None if nothing.
        most_rounds: How often at most the weights follow the model.
        tolerance: Of the search.
    """

    axis: Axis
    counts: Vector
    usable: NDArray[np.bool_]
    noise: NoiseModel
    variance_scale: Vector
    fixed: frozenset[int]
    priors: tuple[SatellitePrior, ...]
    gauss_squared_mev2: Measured | None = None
    most_rounds: int = _ROUNDS
    tolerance: float = FINE

    @property
    def smallest_gauss_squared_mev2(self) -> float:
        """Smallest total squared Gaussian FWHM: a fiftieth of a pixel."""
        return (0.02 * self.axis.pixel_mev) ** 2

    def changed(
        self,
        *,
        usable: NDArray[np.bool_] | None = None,
        fixed: frozenset[int] | None = None,
        priors: tuple[SatellitePrior, ...] | None = None,
    ) -> "Problem":
        """Return the problem with other pixels, fixed parameters or satellites."""
        return dataclasses.replace(
            self,
            usable=self.usable if usable is None else usable,
            fixed=self.fixed if fixed is None else fixed,
            priors=self.priors if priors is None else priors,
        )

    def model(self) -> Model:
        """Return what is fitted."""
        return SpectrumModel(self.axis)

    def sigma(self, expected: Vector) -> Vector:
        """Return the standard deviation of each pixel of the window."""
        return np.sqrt(self.noise.variance(expected) * self.variance_scale)

    def fit(self, start: Vector) -> Fitted:
        """Fit from these parameters (all, with the fixed ones).

        Raises:
            AnalysisError: If the search fails.
        """
        free = np.array([k for k in range(start.size) if k not in self.fixed])
        model = self.model()
        parameters = start.copy()
        # Starting parameters may be far off; the first weights come from smoothed counts.
        sigma = self.sigma(_smooth(self.counts))
        lower, upper, scale = self._limits(start)
        rounds = 0
        while True:
            step = self._solve(model, parameters, sigma, free, (lower, upper, scale))
            moved = np.abs(step.parameters - parameters[free])
            parameters[free] = step.parameters
            expected, derivatives = model.evaluate(parameters)
            sigma = self.sigma(expected)
            rounds += 1
            settled = np.all(moved <= _SETTLED_SIGMAS * np.sqrt(np.diag(step.covariance)))
            if settled or rounds >= self.most_rounds:
                break
        return self._finish(parameters, free, expected, derivatives, sigma, step)

    def _solve(
        self,
        model: Model,
        parameters: Vector,
        sigma: Vector,
        free: NDArray[np.intp],
        limits: tuple[Vector, Vector, Vector],
    ) -> Solution:
        full = parameters.copy()
        places, means, errors = self._prior_table()
        keep = self.usable

        def evaluate(values: Vector) -> tuple[Vector, Vector]:
            full[free] = values
            expected, derivatives = model.evaluate(full)
            rows = (derivatives / sigma[:, None])[keep]
            residuals = ((expected - self.counts) / sigma)[keep]
            known = np.zeros((places.size, full.size))
            known[np.arange(places.size), places] = 1 / errors
            return (
                np.concatenate([residuals, (full[places] - means) / errors]),
                np.concatenate([rows, known])[:, free],
            )

        lower, upper, scale = (limit[free] for limit in limits)
        start = parameters[free]
        return solve(evaluate, start, lower, upper, scale=scale, tolerance=self.tolerance)

    def _prior_table(self) -> tuple[NDArray[np.intp], Vector, Vector]:
        rows = [
            (FIRST_SATELLITE + 2 * k + j, known.value, known.error)
            for k, prior in enumerate(self.priors)
            for j, known in enumerate((prior.offset_mev, prior.ratio))
            if np.isfinite(known.error)
        ]
        if self.gauss_squared_mev2 is not None:
            rows.append((GAUSS, self.gauss_squared_mev2.value, self.gauss_squared_mev2.error))
        table = np.array(rows, dtype=np.float64).reshape(-1, 3)
        return table[:, 0].astype(np.intp), table[:, 1], table[:, 2]

    def _limits(self, start: Vector) -> tuple[Vector, Vector, Vector]:
        axis = self.axis
        span = float(np.ptp(axis.energy_mev))
        smallest = self.smallest_gauss_squared_mev2
        response = axis.gauss_squared_mev2
        lower = np.full(start.size, -np.inf)
        upper = np.full(start.size, np.inf)
        lower[0], upper[0] = float(axis.energy_mev.min()), float(axis.energy_mev.max())
        # Widths may be a little negative where the response is known, so that a line as
        # narrow as the instrument is not forced to be wider; the profile stays defined.
        lower[1] = -0.3 * np.sqrt(response) if response > smallest else 0.0
        lower[1] -= 0.9 * axis.lorentz_mev if response > smallest else 0.0
        lower[2] = smallest - 0.9 * response
        upper[1], upper[2] = span, span**2
        lower[3] = 0.0
        lower[FIRST_SATELLITE + 1 :: 2] = -0.2
        width = max(abs(start[1]) + np.sqrt(max(start[2] + response, smallest)), axis.pixel_mev)
        level = max(abs(start[3]) * axis.pixel_mev / width, 1.0)
        scale = np.ones(start.size)
        scale[:FIRST_SATELLITE] = width, width, width**2, max(abs(start[3]), 1.0), level, level
        scale[FIRST_SATELLITE::2], scale[FIRST_SATELLITE + 1 :: 2] = width, 0.1
        return lower, upper, scale

    def _finish(
        self,
        parameters: Vector,
        free: NDArray[np.intp],
        expected: Vector,
        derivatives: Vector,
        sigma: Vector,
        step: Solution,
    ) -> Fitted:
        covariance = np.zeros((parameters.size, parameters.size))
        covariance[np.ix_(free, free)] = step.covariance
        at_bound = np.zeros(parameters.size, dtype=bool)
        at_bound[free] = step.at_bound
        known = int(self._prior_table()[0].size)
        residuals = ((self.counts - expected) / sigma)[self.usable]
        freedom = int(self.usable.sum()) + known - free.size
        chi2 = float(residuals @ residuals) + float(np.sum(step.residuals[residuals.size :] ** 2))
        return Fitted(parameters, covariance, expected, sigma, derivatives, chi2, freedom, at_bound)


def _smooth(counts: Vector) -> Vector:
    padded = np.pad(counts, 2, mode="edge")
    return np.convolve(padded, np.ones(5) / 5, mode="valid")
