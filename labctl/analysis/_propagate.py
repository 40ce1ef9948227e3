"""Errors of derived quantities by linear propagation."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured

__all__ = ["gradient_of", "propagate", "propagate_independent"]

Vector = NDArray[np.float64]
_STEP = 1e-2


def gradient_of(function: Callable[[Vector], float], values: Vector, steps: Vector) -> Vector:
    """Return central differences; a parameter without a step gets the gradient 0."""
    gradient = np.zeros(len(values))
    for place in np.flatnonzero(steps > 0):
        shift = np.zeros(len(values))
        shift[place] = steps[place]
        difference = function(values + shift) - function(values - shift)
        gradient[place] = difference / (2 * steps[place])
    return gradient


def propagate(function: Callable[[Vector], float], values: Vector, covariance: Vector) -> Measured:
    """Return ``function(values)`` with the error that follows from the covariance.

    Args:
        function: Smooth function of all values.
        values: Shape (k,).
        covariance: Shape (k, k); zero rows belong to exact values.
    """
    steps = _STEP * np.sqrt(np.clip(np.diag(covariance), 0.0, None))
    gradient = gradient_of(function, values, steps)
    variance = float(gradient @ covariance @ gradient)
    return Measured(float(function(values)), float(np.sqrt(max(variance, 0.0))))


def propagate_independent(
    function: Callable[[Vector], float], quantities: Sequence[Measured]
) -> Measured:
    """Return ``function`` of quantities whose errors have nothing in common."""
    values = np.array([quantity.value for quantity in quantities])
    errors = np.array([quantity.error for quantity in quantities])
    return propagate(function, values, np.diag(errors**2))
