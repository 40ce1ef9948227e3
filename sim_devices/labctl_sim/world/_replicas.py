"""Phonon replicas of the zero-phonon line."""

import math
from typing import NamedTuple

from labctl_sim.sample import Replicas


class Replica(NamedTuple):
    """One copy of the exciton shape."""

    shift_mev: float
    """Towards lower energy."""
    weight: float


def huang_rhys_factors(law: Replicas, edge_length_nm: float, factor: float) -> list[float]:
    """S(L) = S_ref (L_ref / L) times the dot's own factor, one per mode (Cho 2026, Fig. 6)."""
    size = law.reference_length_nm / edge_length_nm
    return [mode.huang_rhys * size * factor for mode in law.modes]


def franck_condon(huang_rhys: float, quanta: int) -> float:
    """exp(-S) S^n / n!: share of the light that leaves ``quanta`` phonons in one mode."""
    return math.exp(-huang_rhys) * huang_rhys**quanta / math.factorial(quanta)


def replicas(
    law: Replicas, edge_length_nm: float, factor: float = 1.0, smallest: float = 3e-4
) -> list[Replica]:
    """All combinations of phonons above a weight; the first is the zero-phonon line.

    The weights are products of `franck_condon`; what is left out is less than 0.5 % of the
    light for the default factors.
    """
    found = [Replica(0.0, 1.0)]
    strengths = huang_rhys_factors(law, edge_length_nm, factor)
    for mode, strength in zip(law.modes, strengths, strict=True):
        found = [
            Replica(base.shift_mev + quanta * mode.energy_mev, weight)
            for base in found
            for quanta in range(4)
            if (weight := base.weight * franck_condon(strength, quanta)) >= smallest
        ]
    return sorted(found)
