"""Direction and extinction of an analyser, from its light of known polarization.

Linearly polarized light along p passes an analyser at the angle t as ``I = A [e + (1 - e)
cos²(t - p)]`` (Malus, with the extinction ratio e). Near the crossed direction the light rises as
the square of the angle, so that the minimum tells direction and extinction far better than the
maximum, and whatever else changes slowly with the angle changes neither.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._polarization import fit_polarization

__all__ = ["AnalyserAxis", "fit_analyser_axis"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class AnalyserAxis:
    """What light of one polarization tells of an analyser.

    Attributes:
        direction_deg: Of the light, as the analyser counts directions, 0 to 180 deg.
        extinction: Transmission across over that along its direction.
        reduced_chi2: Chi-square per degree of freedom; errors are scaled if it is poor.
    """

    direction_deg: Measured
    extinction: Measured
    reduced_chi2: float


def fit_analyser_axis(angle_deg: Vector, light: Vector, variance: Vector) -> AnalyserAxis:
    """Fit Malus' law.

    Args:
        angle_deg: Directions that the analyser let pass, shape (angle,); some about the crossed
            one, at least one near the other.
        light: What passed, shape (angle,).
        variance: Of the light, shape (angle,).

    Raises:
        AnalysisError: Too few angles, or no light.
    """
    fit = fit_polarization(angle_deg, light, np.diag(variance))
    degree = fit.degree
    # I_min / I_max = (1 - p) / (1 + p)
    extinction = (1.0 - degree.value) / (1.0 + degree.value)
    error = 2.0 * degree.error / (1.0 + degree.value) ** 2
    return AnalyserAxis(fit.angle_deg, Measured(extinction, error), fit.reduced_chi2)
