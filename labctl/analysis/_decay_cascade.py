"""The delay of the exciton's photon after a pulse that made a Poissonian number of excitations.

N excitations decay one after the other with rates ``lambda_k = k^p / tau``, p = 2 by default; the
exciton's photon is the last. Its delay is a sum of N exponential steps, whose density (H. Bateman,
Proc. Cambridge Philos. Soc. 15, 423 (1910)) is a sum of exponentials with the areas
``C(N, j) = prod_(i != j) lambda_i / (lambda_i - lambda_j)``; for p = 2 this is
``2 (-1)^(j - 1) N!^2 / ((N - j)! (N + j)!)``. With the Poisson weights of N >= 1 the whole is one
exponential per level with areas that depend on the mean number alone. Photons of the level k that
leak into the exciton's band follow the same law for the steps from N down to k.

Large dots count all excitations (Zhu 2024, Ext. Fig. 8); in small ones those above two are lost at
once (Auger recombination; Feld 2024). What is between is a mixture of both.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError

__all__ = ["MOST_EXCITATIONS", "cascade_areas", "excitation_weights"]

Vector = NDArray[np.float64]

MOST_EXCITATIONS = 15.0
_LEVELS = 40
_SMALL = 1e-3


def excitation_weights(mean: float) -> tuple[Vector, Vector]:
    """Return the shares of 1, 2, … excitations among pulses with any, and their derivatives.

    ``x^N / N! / (e^x - 1)``, which continues to means a little below 0 as a polynomial.
    """
    numbers = np.arange(1, _LEVELS + 1)
    factorials = np.cumprod(numbers.astype(np.float64))
    powers = mean ** (numbers - 1.0)
    by_mean = np.concatenate(([0.0], numbers[:-1] * powers[:-1]))
    if abs(mean) < _SMALL:
        norm, norm_slope = 1 - mean / 2 + mean**2 / 12, -0.5 + mean / 6
    else:
        growth = np.expm1(mean)
        norm = mean / growth
        norm_slope = (growth - mean * (growth + 1)) / growth**2
    return norm * powers / factorials, (norm * by_mean + norm_slope * powers) / factorials


def cascade_areas(
    mean: float, leak: float, exponent: float, auger: float = 0.0
) -> tuple[Vector, Vector, Vector, Vector]:
    """Return the area of each level's exponential, and its derivatives by mean, leak and auger.

    Args:
        mean: Mean number of excitations per pulse.
        leak: Share of a multiexciton photon that is counted, relative to one of the exciton.
        exponent: p of ``lambda_k = k^p / tau``.
        auger: Share of pulses with more than two excitations that keep only two.
    """
    last, others = _steps(exponent)
    poisson, poisson_by_mean = excitation_weights(mean)
    lost, lost_by_mean = _lost(poisson), _lost(poisson_by_mean)
    counted = last + leak * others
    weights = poisson + auger * lost
    return (
        weights @ counted,
        (poisson_by_mean + auger * lost_by_mean) @ counted,
        weights @ others,
        lost @ counted,
    )


def _lost(weights: Vector) -> Vector:
    """Return how the shares of 1, 2, … excitations change if those above two are lost."""
    change = -weights
    change[0], change[1] = 0.0, weights[2:].sum()
    return change


@lru_cache(maxsize=8)
def _steps(exponent: float) -> tuple[Vector, Vector]:
    """Return the areas of the exciton's photon and of all earlier ones, shape (N, level)."""
    if not 1.5 <= exponent <= 4.0:
        msg = f"rates of the levels must grow with a power from 1.5 to 4, not {exponent}"
        raise AnalysisError(msg)
    rates = np.arange(1, _LEVELS + 1) ** exponent
    apart = rates[:, None] - rates[None, :]
    np.fill_diagonal(apart, 1.0)
    ratios = rates[:, None] / apart
    np.fill_diagonal(ratios, 1.0)
    last, others = np.zeros((_LEVELS, _LEVELS)), np.zeros((_LEVELS, _LEVELS))
    for n in range(1, _LEVELS + 1):
        for level in range(1, n + 1):
            areas = np.prod(ratios[level - 1 : n, level - 1 : n], axis=0)
            if level == 1:
                last[n - 1, :n] = areas
            else:
                others[n - 1, level - 1 : n] += areas
    return last, others
