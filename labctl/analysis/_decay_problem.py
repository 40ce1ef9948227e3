"""The Poisson likelihood of a decay, and its maximum by damped Fisher scoring within bounds.

Parameters: background per bin, shift in ps, counts of light, then those of the shape.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._decay_model import Grid, Shape
from labctl.analysis._likelihood_kernels import fill_logs, likelihood, mark_pushing, search_step
from labctl.analysis._measured import Measured

__all__ = ["BACKGROUND", "LIGHT", "SHAPE", "SHIFT", "DecayProblem", "Fitted", "Point"]

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

BACKGROUND, SHIFT, LIGHT, SHAPE = 0, 1, 2, 3
_LEAST_SHARE = 0.05
_TINY = 1e-9
_DAMPING = 1e-3
_ROUNDS = 80
_ENOUGH = 1e-5
_ROUNDING = 1e-2
_DAMPED = 0.1


@dataclass(frozen=True, eq=False)
class Point:
    """The likelihood at one set of parameters.

    Attributes:
        cost: Negative logarithm of the likelihood against that of a model that gives every count
            exactly, priors included.
        misfit: The same without priors: half of the deviance.
        gradient: Shape (k,).
        fisher: Expected information, priors included, shape (k, k).
        model: Expected counts, shape (bins,).
        logs: Their logarithms.
        unit: Counts of one unit of light and their derivatives, as from `Shape.convolve`.
        light: Counts of light.
        weights: Of the bins.
    """

    cost: float
    misfit: float
    gradient: Vector
    fisher: Vector
    model: Vector
    logs: Vector
    unit: Vector
    light: float
    weights: Vector

    @cached_property
    def weighted(self) -> Vector:
        """Derivatives of the expected counts times weight over counts, shape (k, bins)."""
        weighted = np.empty((len(self.gradient), self.model.size))
        weighted[BACKGROUND] = share = self.weights / self.model
        weighted[LIGHT] = share * self.unit[0]
        share = self.light * share
        weighted[SHIFT] = share * self.unit[1]
        weighted[SHAPE:] = share * self.unit[2:]
        return weighted


@dataclass(frozen=True, eq=False)
class Fitted:
    """Parameters at the maximum of the likelihood.

    Attributes:
        parameters: Shape (k,).
        point: The likelihood there.
        free: Parameters that are neither held nor at a bound, shape (k,).
        at_bound: Parameters that ended on a bound, shape (k,).
        converged: Whether the search ended by itself.
    """

    parameters: Vector
    point: Point
    free: Mask
    at_bound: Mask
    converged: bool


@dataclass(frozen=True, eq=False)
class DecayProblem:
    """Counts, response and shape.

    Attributes:
        counts: Shape (bins,).
        grid: Time axis and response.
        shape: Of the deconvolved decay.
        shift_bounds_ps: Of the shift.
        weights: Of the bins' likelihoods, shape (bins,); 1 for an exact response.
        known: What is known of parameters beforehand; an error of 0 holds a parameter.
    """

    counts: Vector
    grid: Grid
    shape: Shape
    shift_bounds_ps: tuple[float, float]
    weights: Vector
    known: Mapping[int, Measured] = field(default_factory=dict[int, Measured])

    def changed(self, shape: Shape, known: Mapping[int, Measured]) -> "DecayProblem":
        """Return the same with another shape."""
        changed = replace(self, shape=shape, known=known)
        vars(changed)["_exact"] = self._exact  # counts and weights are the same
        return changed

    def holding(self, index: int, value: float) -> "DecayProblem":
        """Return the same with one parameter held."""
        return replace(self, known={**self.known, index: Measured(value, 0.0)})

    @cached_property
    def _exact(self) -> float:
        """Return the cost of a model that gives every count exactly."""
        weighted = self.weights * self.counts
        logs = np.empty(self.counts.size)
        fill_logs(np.where(self.counts > 0, self.counts, 1.0), logs)
        return float(weighted.sum() - weighted @ logs)

    @cached_property
    def lower(self) -> Vector:
        """Lower bounds of all parameters."""
        return np.array([0.0, self.shift_bounds_ps[0], 0.0, *self.shape.lower])

    @cached_property
    def upper(self) -> Vector:
        """Upper bounds of all parameters."""
        return np.array([np.inf, self.shift_bounds_ps[1], np.inf, *self.shape.upper])

    @cached_property
    def held(self) -> Mask:
        """Parameters that do not move."""
        held = [False] * (SHAPE + len(self.shape.lower))
        held[SHIFT] = self.shift_bounds_ps[0] == self.shift_bounds_ps[1]
        for index, value in self.known.items():
            held[index] |= value.error == 0
        return np.array(held)

    def at(self, parameters: Vector) -> Point:
        """Return likelihood and derivatives."""
        unit = self.shape.convolve(self.grid, parameters[SHAPE:], float(parameters[SHIFT]))
        background, light = float(parameters[BACKGROUND]), float(parameters[LIGHT])
        # Where a noisy response goes below zero the model stays above it.
        least = _LEAST_SHARE * background + _TINY
        rows, bins = len(parameters), self.counts.size
        model, logs = np.empty(bins), np.empty(bins)
        gradient, fisher = np.empty(rows), np.empty((rows, rows))
        cost = likelihood(
            unit, self.weights, self.counts, background, light, least,
            model, logs, gradient, fisher,
        )  # fmt: skip
        misfit = cost = cost - self._exact
        for index, known in self.known.items():
            if known.error > 0:
                pull = (parameters[index] - known.value) / known.error
                cost += 0.5 * pull**2
                gradient[index] += pull / known.error
                fisher[index, index] += 1 / known.error**2
        return Point(
            cost, misfit, gradient, fisher, model, logs, unit, light, self.weights
        )  # fmt: skip

    def fit(self, start: Vector, enough: float = _ENOUGH) -> Fitted:
        """Find the maximum of the likelihood from a start.

        The search ends when another step would lower the cost by less than ``enough``.
        """
        lower, upper, held = self.lower, self.upper, self.held
        parameters = np.minimum(np.maximum(start, lower), upper)
        for index, known in self.known.items():
            if known.error == 0:
                parameters[index] = known.value
        point = self.at(parameters)
        damping, converged = _DAMPING, False
        for _ in range(_ROUNDS):
            trial = np.empty_like(parameters)
            gain = search_step(
                parameters, point.gradient, point.fisher, lower, upper, held, damping, trial
            )
            if gain < enough and damping < _DAMPED:
                converged = True
                break
            other = self.at(trial)
            if other.cost < point.cost:
                parameters, point = trial, other
                damping = max(damping * 0.1, 1e-9)
            else:
                damping *= 10.0
                if damping > 1e9:
                    converged = gain < _ROUNDING
                    break
        stuck = _pushing(parameters, point.gradient, lower, upper) & ~held
        return Fitted(parameters, point, ~held & ~stuck, stuck, converged)


def _pushing(parameters: Vector, gradient: Vector, lower: Vector, upper: Vector) -> Mask:
    """Return the parameters on a bound that would go further."""
    pushing = np.empty(parameters.size, dtype=np.bool_)
    mark_pushing(parameters, gradient, lower, upper, pushing)
    return pushing
