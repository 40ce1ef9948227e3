"""Edge filters: where the edge lies at an angle, and the optical density by wavelength."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "EdgeFacts",
    "edge_angle_deg",
    "edge_wavelength_nm",
    "long_pass_density",
    "short_pass_density",
]

_STEEPNESS = 2.0 * math.log(9.0)
"""Between 10 and 90 % a logistic of unit scale takes 2 ln 9."""


@dataclass(frozen=True)
class EdgeFacts:
    """What is known of a filter that is tuned by tilting it.

    Attributes:
        normal_edge_nm: Edge at normal incidence, nm.
        index: Effective refractive index n_eff of the coating.
        offset_deg: Angle of the mount at normal incidence, deg.
    """

    normal_edge_nm: float
    index: float
    offset_deg: float = 0.0


def edge_wavelength_nm(angle_deg: float, facts: EdgeFacts) -> float:
    """Return the edge at an angle of the mount, nm.

    lambda = lambda0 sqrt(1 - (sin(theta - theta_off) / n_eff)²), Semrock technical note "Filter
    spectra at non-normal angles of incidence". The edges of s and p light, which part at large
    angles, count as one.
    """
    sine = math.sin(math.radians(angle_deg - facts.offset_deg)) / facts.index
    return facts.normal_edge_nm * math.sqrt(1.0 - sine * sine)


def edge_angle_deg(edge_nm: float, facts: EdgeFacts) -> float:
    """Return the angle of the mount, above that of normal incidence, with this edge, deg.

    Raises:
        ValueError: No tilt has this edge.
    """
    ratio = edge_nm / facts.normal_edge_nm
    sine = facts.index * math.sqrt(1.0 - ratio * ratio) if 0.0 < ratio <= 1.0 else math.inf
    if not sine <= 1.0:
        message = f"no tilt brings the edge from {facts.normal_edge_nm:g} nm to {edge_nm:g} nm"
        raise ValueError(message)
    return facts.offset_deg + math.degrees(math.asin(sine))


def short_pass_density(
    wavelength_nm: ArrayLike, edge_nm: float, width_nm: float, blocking_od: float
) -> NDArray[np.float64]:
    """Return the optical density of a short-pass edge filter, shape of ``wavelength_nm``, float64.

    A logistic edge; where the filter passes light its density counts as 0.

    Args:
        wavelength_nm: Wavelengths, nm.
        edge_nm: Where half of the light passes, nm.
        width_nm: From 90 to 10 % transmission, nm.
        blocking_od: Density on the blocking side.
    """
    return _density(np.asarray(wavelength_nm, dtype=np.float64) - edge_nm, width_nm, blocking_od)


def long_pass_density(
    wavelength_nm: ArrayLike, edge_nm: float, width_nm: float, blocking_od: float
) -> NDArray[np.float64]:
    """Return the optical density of a long-pass filter; otherwise as ``short_pass_density``."""
    return _density(edge_nm - np.asarray(wavelength_nm, dtype=np.float64), width_nm, blocking_od)


def _density(
    beyond_nm: NDArray[np.float64], width_nm: float, blocking_od: float
) -> NDArray[np.float64]:
    """Return the density at a distance beyond the edge towards the blocking side."""
    # tanh and not exp: far from the edge nothing overflows.
    passed = 0.5 * (1.0 - np.tanh(0.5 * _STEEPNESS * beyond_nm / width_nm))
    floor = 10.0**-blocking_od
    return -np.log10(floor + (1.0 - floor) * passed)
