"""Maximum of a smooth log-likelihood of few parameters, with its curvature."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["maximise"]

Vector = NDArray[np.float64]

_ROUNDS = 100


def maximise(
    function: Callable[[Vector], float], start: Vector, step: Vector, largest: Vector
) -> tuple[Vector, Vector, float]:
    """Return parameters (k,), covariance (k, k) and maximum, by damped steps of Newton.

    Args:
        function: Log-likelihood.
        start: Parameters to begin with, (k,).
        step: For finite differences, (k,): a small part of the expected errors.
        largest: Change of each parameter in one step, (k,).
    """
    place, value = start.astype(np.float64), function(start)
    for _ in range(_ROUNDS):
        gradient, curvature = _derivatives(function, place, value, step)
        values, vectors = np.linalg.eigh(-curvature)
        # Uphill also where the likelihood is not concave.
        inverse = (vectors / np.maximum(np.abs(values), 1e-12)) @ vectors.T
        move = inverse @ gradient
        gain = float(move @ gradient)
        move = move / max(1.0, float(np.max(np.abs(move) / largest)))
        while True:
            new = function(place + move)
            if new >= value or float(np.max(np.abs(move) / step)) < 1e-3:
                break
            move = move / 3
        if new >= value:
            place, value = place + move, new
        if gain < 1e-6 or new < value:
            break
    _, curvature = _derivatives(function, place, value, step)
    values, vectors = np.linalg.eigh(-curvature)
    with np.errstate(divide="ignore"):
        inverse = np.where(values > 0, 1 / values, np.inf)
    if not np.all(np.isfinite(inverse)):
        return place, np.full((place.size, place.size), np.inf), value
    return place, (vectors * inverse) @ vectors.T, value


def _derivatives(
    function: Callable[[Vector], float], place: Vector, value: float, step: Vector
) -> tuple[Vector, Vector]:
    size = place.size
    gradient, curvature = np.zeros(size), np.zeros((size, size))
    moves = np.diag(step)
    for i in range(size):
        up, down = function(place + moves[i]), function(place - moves[i])
        gradient[i] = (up - down) / (2 * step[i])
        curvature[i, i] = (up - 2 * value + down) / step[i] ** 2
        for j in range(i):
            both = function(place + moves[i] + moves[j]) + function(place - moves[i] - moves[j])
            cross = function(place + moves[i] - moves[j]) + function(place - moves[i] + moves[j])
            curvature[i, j] = curvature[j, i] = (both - cross) / (4 * step[i] * step[j])
    return gradient, curvature
