"""The bright triplet: three orthogonal dipoles H, V, O."""

import math
from typing import NamedTuple

import numpy as np

from labctl_sim.sample import Dot, FineStructure, Orientation
from labctl_sim.world._constants import BOLTZMANN_MEV_PER_K
from labctl_sim.world._types import FloatArray


class Sublevel(NamedTuple):
    """One line of the triplet."""

    offset_mev: float
    """From the centre of gravity of the three energies."""
    weight: float
    """Collected share; 1 in the sum for a dot without preferred direction."""
    angle_deg: float
    """Direction of the projected dipole, 0 to 180."""


def sublevels(law: FineStructure, dot: Dot) -> tuple[Sublevel, Sublevel, Sublevel]:
    """Energies, collected weights and polarization angles of the triplet.

    The splitting s = ((E2-E1) + (E3-E2)) / 2 gives E3 - E1 = 2 s (Zhu 2024, Fig. 5). Light is
    collected in proportion to the dipole's squared projection on the plane across the axis,
    times 3/2, so that equal populations and random directions give 1 in the mean.
    """
    offsets = offsets_mev(law, dot)
    shares = dot.populations or boltzmann_shares(offsets, law.effective_temperature_k)
    axes = dipole_axes(dot.orientation)
    first, second, third = (
        _sublevel(offset, share, axis)
        for offset, share, axis in zip(offsets, shares, axes, strict=True)
    )
    return first, second, third


def _sublevel(offset_mev: float, share: float, axis: FloatArray) -> Sublevel:
    x, y = float(axis[0]), float(axis[1])
    angle_deg = math.degrees(math.atan2(y, x)) % 180.0
    return Sublevel(offset_mev, 1.5 * share * (x * x + y * y), angle_deg)


def offsets_mev(law: FineStructure, dot: Dot) -> tuple[float, float, float]:
    """Energies of H, V, O about their mean, meV; their sum is 0."""
    mean = law.mean_splitting_mev if dot.fine_splitting_mev is None else dot.fine_splitting_mev
    lower = 2.0 * mean * law.lower_share
    upper = 2.0 * mean - lower
    centre = (2.0 * lower + upper) / 3.0
    return -centre, lower - centre, lower + upper - centre


def boltzmann_shares(
    offsets: tuple[float, float, float], temperature_k: float | None
) -> tuple[float, float, float]:
    """Populations at an effective temperature; equal when it is None."""
    if temperature_k is None:
        return (1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0)
    factors = [math.exp(-offset / (BOLTZMANN_MEV_PER_K * temperature_k)) for offset in offsets]
    total = sum(factors)
    return factors[0] / total, factors[1] / total, factors[2] / total


def dipole_axes(orientation: Orientation) -> FloatArray:
    """Unit vectors of H, V, O in the laboratory, shape (3 dipoles, 3 coordinates), float64."""
    turn = _about_z(orientation.azimuth_deg) @ _about_y(orientation.tilt_deg)
    return (turn @ _about_z(orientation.spin_deg)).T


def _about_z(angle_deg: float) -> FloatArray:
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _about_y(angle_deg: float) -> FloatArray:
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
