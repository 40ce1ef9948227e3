"""Upper limit of a rate from few counts over a background."""

import math

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured

__all__ = ["upper_limit"]

Vector = NDArray[np.float64]
_NODES = 9
_GRID = 2001
_TINY = 1e-12


def upper_limit(counts: int, scale: Measured, background: Measured, confidence: float) -> float:
    """Return the Bayesian upper limit of g where ``g scale + background`` counts are expected.

    The prior of g is uniform from 0 on (O. Helene, Nucl. Instrum. Methods 212, 319 (1983)); the
    likelihood is averaged over Gaussian errors of scale and background.

    Args:
        counts: Counts that were seen.
        scale: Expected counts for g = 1, positive.
        background: Expected counts for g = 0.
        confidence: Probability that g is below the limit.
    """
    reach = counts + 10 * math.sqrt(counts + 1) + 10 + 5 * background.error
    grid: Vector = np.linspace(0.0, reach / scale.value, _GRID, dtype=np.float64)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    posterior = np.zeros_like(grid)
    offset = _log_likelihood(counts, grid * scale.value + max(background.value, 0.0)).max()
    for node_s, weight_s in zip(nodes, weights, strict=True):
        slope = max(scale.value + node_s * scale.error, _TINY * scale.value)
        for node_b, weight_b in zip(nodes, weights, strict=True):
            floor = max(background.value + node_b * background.error, 0.0)
            logs = _log_likelihood(counts, grid * slope + floor)
            posterior += weight_s * weight_b * np.exp(logs - offset)
    steps = (posterior[1:] + posterior[:-1]) / 2
    shares = np.concatenate([[0.0], np.cumsum(steps)]) / steps.sum()
    return float(np.interp(confidence, shares, grid))


def _log_likelihood(counts: int, mean: Vector) -> Vector:
    return counts * np.log(np.maximum(mean, _TINY)) - mean
