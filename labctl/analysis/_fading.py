"""How the share of time that a dot is ON changes while it is lit (Feld 2024, S12).

Dwells follow power laws, so that stretches of one dot differ by far more than their own errors say.
How far is told by the stretches themselves: the variance of a stretch goes with the number of OFF
dwells in it, ``S (1 - f) / length``, and S is such that chi-square is its degrees of freedom.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import student_widening
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["FadingOnFraction", "fit_fading"]

Vector = NDArray[np.float64]

_FEWEST = 5
_ROUNDS = 10
_HOUR_S = 3600.0
_LEAST = 0.5
"""A stretch weighs as if the dot had been off for this share of its mean at least (a choice)."""


@dataclass(frozen=True, eq=False)
class FadingOnFraction:
    """Result of `fit_fading`; errors are standard errors.

    Attributes:
        start: ON fraction when the light came on for the first time.
        end: At the end of the last stretch.
        change_per_hour: Of the ON fraction, per hour of light.
        law: ON fraction in the middle of each stretch, (stretch,).
        errors: By how much a stretch differs from the law by chance, (stretch,).
    """

    start: Measured
    end: Measured
    change_per_hour: Measured
    law: Vector
    errors: Vector


def fit_fading(begin_s: Vector, length_s: Vector, on_fraction: Vector) -> FadingOnFraction:
    """Fit a straight line to the ON fractions of stretches of time.

    Args:
        begin_s: Time that the dot had been lit before each stretch, rising, (stretch,).
        length_s: Length of each, (stretch,).
        on_fraction: Share of each that was ON, as measured without error, (stretch,).

    Raises:
        AnalysisError: Fewer than five stretches, or the dot was never off.
    """
    if length_s.size < _FEWEST:
        raise AnalysisError(f"{length_s.size} stretches are too few, {_FEWEST} are needed")
    if not np.any(on_fraction < 1):
        raise AnalysisError("the dot was never off")
    middle_h = (begin_s + length_s / 2) / _HOUR_S
    design = np.stack([np.ones_like(middle_h), middle_h], axis=1)
    law = np.full_like(on_fraction, float(np.average(on_fraction, weights=length_s)))
    least = _LEAST * (1 - float(law[0]))
    for _ in range(_ROUNDS):
        variance = np.maximum(1 - law, least) / length_s
        law = design @ _line(design, on_fraction, variance)
    variance = np.maximum(1 - law, least) / length_s
    line = _line(design, on_fraction, variance)
    freedom = length_s.size - 2
    scale = float(np.sum((on_fraction - law) ** 2 / variance)) / freedom
    normal = design.T @ (design / variance[:, np.newaxis])
    covariance = np.linalg.inv(normal) * scale * student_widening(freedom) ** 2

    def at(gradient: tuple[float, float]) -> Measured:
        row = np.array(gradient)
        return Measured(float(row @ line), float(np.sqrt(row @ covariance @ row)))

    end_h = float(begin_s[-1] + length_s[-1]) / _HOUR_S
    errors = np.sqrt(scale * variance)
    return FadingOnFraction(at((1.0, 0.0)), at((1.0, end_h)), at((0.0, 1.0)), law, errors)


def _line(design: Vector, values: Vector, variance: Vector) -> Vector:
    """Return constant and slope of the weighted line."""
    weighted = design / variance[:, np.newaxis]
    return np.linalg.solve(design.T @ weighted, weighted.T @ values).astype(np.float64)
