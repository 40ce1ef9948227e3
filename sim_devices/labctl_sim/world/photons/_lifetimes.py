"""How long the excitations of a dot live."""

import math

from labctl_sim.sample import Decay, Dot, Laws
from labctl_sim.world._constants import BOLTZMANN_MEV_PER_K

_LEVELS = 40


def exciton_lifetime_ps(law: Decay, lifetime_ps: float, temperature_k: float) -> float:
    """tau(T) = tau0 [1 + g exp(-E_a / kT)] (Zhu 2024; g from 0.10 ns at 4 K and 1.0 ns at 90 K)."""
    boltzmann = math.exp(-law.activation_mev / (BOLTZMANN_MEV_PER_K * temperature_k))
    return lifetime_ps * (1.0 + law.strength * boltzmann)


def lifetimes_ps(laws: Laws, dot: Dot, temperature_k: float) -> list[float]:
    """Decay times of 1, 2, … excitations: tau_N = tau_X / N^2 when cold (assumed exponent).

    Warm dots have an exciton and a biexciton of their own (Feld 2024, Fig. 4).
    """
    warm = laws.room_temperature
    if warm is not None and temperature_k >= warm.from_k:
        return [warm.exciton_lifetime_ps, warm.biexciton_lifetime_ps]
    tau_ps = exciton_lifetime_ps(laws.decay, dot.lifetime_ps, temperature_k)
    power = laws.decay.multiexciton_exponent
    return [tau_ps / n**power for n in range(1, _LEVELS + 1)]
