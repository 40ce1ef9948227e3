"""Microscope: spot, collection and filters."""

import math

import numpy as np

from labctl_sim.world._types import FloatArray


def spot_rel(x_um: float, y_um: float, diameters_1e2_um: tuple[float, float]) -> float:
    """Fluence against the peak: exp(-2 x^2 / a^2 - 2 y^2 / b^2), half the 1/e^2 diameters."""
    along_x, along_y = diameters_1e2_um
    return math.exp(-8.0 * ((x_um / along_x) ** 2 + (y_um / along_y) ** 2))


def collection_rel(distance_um: float, defocus_um: float, sd_um: float, depth_um: float) -> float:
    """Collected light against a centred dot in focus: Gaussian in both (assumed)."""
    return math.exp(-0.5 * ((distance_um / sd_um) ** 2 + (defocus_um / depth_um) ** 2))


def edge_transmission(
    wavelength_nm: FloatArray, edge_nm: float, width_nm: float, *, long_pass: bool, density: float
) -> FloatArray:
    """Edge filter: logistic with ``width_nm`` between 10 and 90 %, floor 10^-density."""
    steps = 2.0 * math.log(9.0) * (wavelength_nm - edge_nm) / width_nm
    rising = 0.5 * (1.0 + np.tanh(0.5 * steps))
    floor = 10.0**-density
    return floor + (1.0 - floor) * (rising if long_pass else 1.0 - rising)


def malus(angle_deg: float, dipole_deg: float, extinction: float = 1e-4) -> float:
    """Linear analyser of extinction e: e + (1 - e) cos^2(theta - phi) (Malus)."""
    turn = math.radians(angle_deg - dipole_deg)
    return extinction + (1.0 - extinction) * math.cos(turn) ** 2
