"""Edge of a tilted short-pass filter: from its transmission by wavelength, and by angle."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import chi2_probability, invert_normal
from labctl.analysis._measured import Measured
from labctl.analysis._propagate import propagate
from labctl.errors import AnalysisError

__all__ = ["EdgeCurve", "TiltLaw", "fit_edge_curve", "fit_edge_tilts"]

Vector = NDArray[np.float64]

_INSIDE = (0.08, 0.92)
_FEWEST_PIXELS, _FEWEST_TILTS = 6, 4
_POOR = 1e-3


@dataclass(frozen=True)
class EdgeCurve:
    """One edge.

    Attributes:
        edge_nm: Where half of the light passes, in air.
        width_nm: From 90 to 10 % transmission.
    """

    edge_nm: Measured
    width_nm: Measured


@dataclass(frozen=True)
class TiltLaw:
    """Edge by angle, ``lambda0 sqrt(1 - (sin(t - t0) / n)²)`` (Semrock).

    Attributes:
        normal_edge_nm: lambda0.
        index: n.
        offset_deg: t0.
        reduced_chi2: Of the fit; errors are scaled if it is poor.
    """

    normal_edge_nm: Measured
    index: Measured
    offset_deg: Measured
    reduced_chi2: float


def fit_edge_curve(wavelength_nm: Vector, passed: Vector, variance: Vector) -> EdgeCurve:
    """Fit a logistic edge: ln(T / (1 - T)) falls in a straight line.

    Args:
        wavelength_nm: Of the pixels, in air, shape (pixel,), rising.
        passed: Transmission, shape (pixel,).
        variance: Of it, shape (pixel,).

    Raises:
        AnalysisError: The edge is not in the spectrum.
    """
    # From the blue end to the first pixel that is blocked, so that no noise beyond counts.
    smooth = np.convolve(np.pad(passed, 2, mode="edge"), np.ones(5) / 5.0, mode="valid")
    inside = (smooth > _INSIDE[0]) & (smooth < _INSIDE[1])
    inside &= (passed > 0.0) & (passed < 1.0)
    if int(inside.sum()) < _FEWEST_PIXELS:
        msg = f"only {int(inside.sum())} pixels lie on the edge; is it in the spectrum?"
        raise AnalysisError(msg)
    # Weights of the smooth curve: those of the noisy values would favour one side.
    steep = smooth[inside] * (1.0 - smooth[inside])
    sigma = np.sqrt(variance[inside]) / steep
    middle_nm = float(np.mean(wavelength_nm[inside]))
    design = np.column_stack([np.ones(sigma.size), wavelength_nm[inside] - middle_nm])
    logit = np.log(passed[inside] / (1.0 - passed[inside]))
    found, covariance, _ = _linear(design, logit, sigma)
    edge = propagate(lambda p: middle_nm - float(p[0] / p[1]), found, covariance)
    width = propagate(lambda p: -2.0 * float(np.log(9.0) / p[1]), found, covariance)
    return EdgeCurve(edge, width)


def fit_edge_tilts(angle_deg: Vector, edge_nm: Vector, error_nm: Vector) -> TiltLaw:
    """Fit the law of a tilted filter; the squared edge is linear in cos 2t and sin 2t.

    Args:
        angle_deg: Of the mount, shape (angle,).
        edge_nm: Where the edge lay, shape (angle,).
        error_nm: Standard errors, shape (angle,).

    Raises:
        AnalysisError: Too few angles, or an edge that does not move to the blue.
    """
    if angle_deg.size < _FEWEST_TILTS:
        msg = f"{angle_deg.size} angles do not tell edge, index and zero; take more"
        raise AnalysisError(msg)
    twice = np.radians(2.0 * angle_deg)
    design = np.column_stack([np.ones(twice.size), np.cos(twice), np.sin(twice)])
    found, covariance, reduced = _linear(design, edge_nm**2, 2.0 * edge_nm * error_nm)

    def normal_nm(p: Vector) -> float:
        return float(np.sqrt(p[0] + np.hypot(p[1], p[2])))

    def index(p: Vector) -> float:
        return normal_nm(p) / float(np.sqrt(2.0 * np.hypot(p[1], p[2])))

    return TiltLaw(
        propagate(normal_nm, found, covariance),
        propagate(index, found, covariance),
        propagate(lambda p: float(np.degrees(0.5 * np.arctan2(p[2], p[1]))), found, covariance),
        reduced,
    )


def _linear(design: Vector, data: Vector, sigma: Vector) -> tuple[Vector, Vector, float]:
    """Return parameters, covariance (scaled if the fit is poor) and reduced chi-square."""
    rows = design / sigma[:, None]
    covariance = invert_normal(rows)
    found: Vector = covariance @ rows.T @ (data / sigma)
    chi2, freedom = float(np.sum((data / sigma - rows @ found) ** 2)), data.size - found.size
    poor = chi2_probability(chi2, freedom) < _POOR and chi2 > freedom
    return found, (chi2 / freedom if poor else 1.0) * covariance, chi2 / freedom
