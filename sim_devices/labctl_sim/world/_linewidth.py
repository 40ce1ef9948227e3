"""How wide the exciton line is."""

import math

from labctl_sim.sample import Broadening
from labctl_sim.world._constants import BOLTZMANN_MEV_PER_K

FWHM_PER_SD = math.sqrt(8.0 * math.log(2.0))


def homogeneous_fwhm_mev(law: Broadening, temperature_k: float) -> float:
    """G(T) = G0 + s T + g / (exp(E_LO / kT) - 1), meV.

    Rudin, Reinecke, Segall, Phys. Rev. B 42, 11218 (1990).
    """
    phonons = 1.0 / math.expm1(law.phonon_energy_mev / (BOLTZMANN_MEV_PER_K * temperature_k))
    acoustic = law.acoustic_mev_per_k * temperature_k
    return law.zero_temperature_mev + acoustic + law.optical_mev * phonons
