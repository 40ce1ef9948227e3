"""Linear polarization from intensities behind a turned analyser.

An analyser at the angle t lets ``I(t) = I0 / 2 [1 + c (s1 cos 2t + s2 sin 2t)]`` pass of light
with the linear Stokes parameters s1, s2 (relative to the intensity I0); ``c = (1 - e) / (1 + e)``
with its extinction ratio e.  For a single dipole this is Malus' sin^2 law.  The law is linear in
``I0, I0 s1, I0 s2``, so the fit has no starting values and no local minima.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import chi2_probability
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["Polarization", "between_axes_deg", "fit_polarization", "with_stokes"]

Vector = NDArray[np.float64]

_FEW = 4
_POOR = 1e-3


@dataclass(frozen=True, eq=False)
class Polarization:
    """Linear polarization of some light.

    Attributes:
        intensity: I0, twice the mean over all angles, in the unit of the intensities.
        s1: Stokes parameter: 1 is polarized along 0 deg, -1 along 90 deg.
        s2: Stokes parameter: 1 is polarized along 45 deg, -1 along 135 deg.
        degree: Degree of linear polarization, the length of (s1, s2) without the part that noise
            alone adds: ``sqrt(max(p^2 - sigma^2, 0))`` (J. F. C. Wardle and P. P. Kronberg,
            Astrophys. J. 194, 249 (1974)).
        angle_deg: Direction of the polarization, 0 to 180 deg; its error is that of an angle at
            this degree, and no more than 52 deg, that of a random direction.
        reduced_chi2: Chi-square per degree of freedom.
        freedom: Degrees of freedom.
        error_scale: Factor on all errors because the chi-square was too large.
        model: The law at the angles of the data, shape (angle,).
    """

    intensity: Measured
    s1: Measured
    s2: Measured
    degree: Measured
    angle_deg: Measured
    reduced_chi2: float
    freedom: int
    error_scale: float
    model: Vector


def fit_polarization(
    angle_deg: Vector, intensity: Vector, covariance: Vector, *, extinction: float = 0.0
) -> Polarization:
    """Fit the law of an analyser.

    Args:
        angle_deg: Angles of the analyser's axis, shape (angle,).
        intensity: What was measured at each, shape (angle,).
        covariance: Of the intensities, shape (angle, angle).
        extinction: Extinction ratio of the analyser: transmission across over along its axis.

    Raises:
        AnalysisError: Fewer than four angles, angles that do not determine the law, no light, or
            numbers that are not finite.
    """
    if angle_deg.size < _FEW or not np.all(np.isfinite(intensity)):
        msg = f"{angle_deg.size} intensities do not tell a polarization; take more angles"
        raise AnalysisError(msg)
    twice = 2.0 * np.radians(angle_deg)
    contrast = (1.0 - extinction) / (1.0 + extinction)
    design = 0.5 * np.column_stack(
        [np.ones(twice.size), contrast * np.cos(twice), contrast * np.sin(twice)]
    )
    whitened = np.linalg.solve(np.linalg.cholesky(covariance), np.column_stack([design, intensity]))
    rows, data = whitened[:, :3], whitened[:, 3]
    if np.linalg.matrix_rank(rows) < 3:
        msg = "these angles do not tell the direction; spread them over 180 deg"
        raise AnalysisError(msg)
    inverse: Vector = np.asarray(np.linalg.inv(rows.T @ rows), dtype=np.float64)
    found = inverse @ rows.T @ data
    if not found[0] > 0:
        msg = "there is no light to tell a polarization of"
        raise AnalysisError(msg)
    chi2, freedom = float(np.sum((data - rows @ found) ** 2)), twice.size - 3
    poor = chi2_probability(chi2, freedom) < _POOR and chi2 > freedom
    scale = math.sqrt(chi2 / freedom) if poor else 1.0
    return _polarization(found, scale**2 * inverse, design @ found, (chi2, freedom, scale))


def _polarization(
    found: Vector, covariance: Vector, model: Vector, quality: tuple[float, int, float]
) -> Polarization:
    total, parts = float(found[0]), found[1:] / found[0]
    # d(Q / I) = (dQ - s dI) / I
    gradient = np.column_stack([-parts, np.eye(2)]) / total
    spread = gradient @ covariance @ gradient.T
    chi2, freedom, scale = quality
    errors = np.sqrt(np.diag(spread))
    degree, angle_deg = _degree_and_angle(parts, spread)
    return Polarization(
        intensity=Measured(total, math.sqrt(covariance[0, 0])),
        s1=Measured(float(parts[0]), float(errors[0])),
        s2=Measured(float(parts[1]), float(errors[1])),
        degree=degree,
        angle_deg=angle_deg,
        reduced_chi2=chi2 / freedom,
        freedom=freedom,
        error_scale=scale,
        model=model,
    )


def _degree_and_angle(parts: Vector, spread: Vector) -> tuple[Measured, Measured]:
    length = float(np.hypot(*parts))
    along = parts / length if length > 0 else np.array([1.0, 0.0])
    across = np.array([-along[1], along[0]])
    error = math.sqrt(float(along @ spread @ along))
    degree = Measured(math.sqrt(max(length**2 - error**2, 0.0)), error)
    angle = 0.5 * math.degrees(math.atan2(along[1], along[0])) % 180.0
    turn = math.sqrt(float(across @ spread @ across)) / max(length, 1e-12)
    random_deg = 180.0 / math.sqrt(12.0)
    return degree, Measured(angle, min(0.5 * math.degrees(turn), random_deg))


def with_stokes(light: Polarization, parts: Vector, spread: Vector) -> Polarization:
    """Return light with other parameters s1, s2, shape (2,), of this covariance, shape (2, 2)."""
    degree, angle_deg = _degree_and_angle(parts, spread)
    s1, s2 = (Measured(float(parts[k]), math.sqrt(float(spread[k, k]))) for k in (0, 1))
    return replace(light, s1=s1, s2=s2, degree=degree, angle_deg=angle_deg)


def between_axes_deg(one: Measured, other: Measured) -> Measured:
    """Return the angle between two directions without sense, 0 to 90 deg."""
    apart = abs((one.value - other.value + 90.0) % 180.0 - 90.0)
    return Measured(apart, math.hypot(one.error, other.error))
