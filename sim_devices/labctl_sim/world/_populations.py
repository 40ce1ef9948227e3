"""Excitation by short pulses: how many photons leave in which band."""

import math
from typing import NamedTuple

from labctl_sim.sample import Dot, Excitation, Quenching
from labctl_sim.world._constants import BOLTZMANN_MEV_PER_K, ELEMENTARY_CHARGE_C, HC_EV_NM


class PhotonsPerPulse(NamedTuple):
    """Mean numbers of emitted photons per laser pulse."""

    exciton: float
    multiexciton: float


def mean_excitations(
    law: Excitation, dot: Dot, peak_fluence_uj_cm2: float, wavelength_nm: float
) -> float:
    """<N> = sigma J0 / (photon energy), sigma with the volume unless the dot has its own.

    30 nm at 0.85 uJ/cm^2 and 405 nm: about 1 (Zhu 2024, Fig. 5).
    """
    scale = (dot.edge_length_nm / law.reference_length_nm) ** 3
    own = dot.cross_section_cm2
    cross_section_cm2 = law.cross_section_cm2 * scale if own is None else own
    photon_uj = HC_EV_NM / wavelength_nm * ELEMENTARY_CHARGE_C * 1e6
    return cross_section_cm2 * peak_fluence_uj_cm2 / photon_uj


def photons_per_pulse(dot: Dot, excitations: float) -> PhotonsPerPulse:
    """Photons of a Poissonian number of excitations.

    Auger-limited: exciton q_X P(N>=1), biexciton q_XX P(N>=2) (Feld 2024). Weakly confined:
    each excitation emits; the last one in the exciton band, q_X P(N>=1), the others,
    q (<N> - P(N>=1)), in the multiexciton band (Zhu 2024, Ext. Fig. 8). No cut in N.
    The exciton is the saturation law 1 - exp(-P / P_sat) of pulsed light (Feld 2024, Fig. 5).
    """
    at_least_one = -math.expm1(-excitations)
    exciton = dot.exciton_yield * at_least_one
    if dot.regime == "auger":
        others = at_least_one - excitations * math.exp(-excitations)
    else:
        others = excitations - at_least_one
    return PhotonsPerPulse(exciton, dot.multiexciton_yield * others)


def relative_yield(law: Quenching, temperature_k: float) -> float:
    """Y(T) = 1 / (1 + c exp(-E_q / kT)), near 1 at 4 K (assumed law, Zhu 2024 Ext. Fig. 6)."""
    boltzmann = math.exp(-law.activation_mev / (BOLTZMANN_MEV_PER_K * temperature_k))
    return 1.0 / (1.0 + law.strength * boltzmann)


def local_heating_k(law: Excitation, peak_fluence_uj_cm2: float, temperature_k: float) -> float:
    """Dot above the bath: 0.4 K per uJ/cm^2 at 4 K, falling as 4 K / T (assumed)."""
    per_fluence = law.local_heating_k_per_uj_cm2 * 4.0 / max(temperature_k, 4.0)
    return per_fluence * peak_fluence_uj_cm2
