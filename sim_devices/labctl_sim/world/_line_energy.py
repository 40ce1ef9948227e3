"""Where the exciton line lies."""

import math

from labctl_sim.sample import Binding, PhaseTransition, Sizing, Stark, ThermalShift
from labctl_sim.world._constants import BOLTZMANN_MEV_PER_K

REFERENCE_K = 4.0


def sizing_energy_ev(law: Sizing, edge_length_nm: float) -> float:
    """E(L) = E_inf + C (L_ref / L)^2 at 4 K, eV (assumed law, see the sample's ``sizing``)."""
    ratio = law.reference_length_nm / edge_length_nm
    return law.bulk_energy_ev + law.confinement_ev * ratio**2


def binding_mev(law: Binding, edge_length_nm: float) -> float:
    """B(L) = B_inf + C (L_ref / L), meV (Zhu 2024 Ext. Fig. 7 at 30 nm; assumed elsewhere)."""
    return law.bulk_mev + law.confinement_mev * law.reference_length_nm / edge_length_nm


def thermal_shift_mev(law: ThermalShift, temperature_k: float) -> float:
    """f(T) - f(4 K), f = a T - b [coth(E_ph / 2kT) - 1], meV: expansion against phonons."""
    return _thermal_mev(law, temperature_k) - _thermal_mev(law, REFERENCE_K)


def _thermal_mev(law: ThermalShift, temperature_k: float) -> float:
    argument = law.phonon_energy_mev / (2.0 * BOLTZMANN_MEV_PER_K * temperature_k)
    phonons = 1.0 / math.tanh(argument) - 1.0
    return law.expansion_mev_per_k * temperature_k - law.phonon_coupling_mev * phonons


def phase_shift_mev(
    law: PhaseTransition | None, edge_length_nm: float, temperature_k: float
) -> float:
    """Minus red shift times logistic((T - T_OT) / width), meV (Cho 2026, Fig. 8).

    T_OT = midpoint - size_slope (7 nm / L): smaller dots go earlier.
    """
    if law is None:
        return 0.0
    midpoint_k = law.midpoint_k - law.size_slope_k * 7.0 / edge_length_nm
    return -law.red_shift_mev * logistic((temperature_k - midpoint_k) / law.width_k)


def stark_shift_mev(law: Stark, field_kv_cm: float) -> float:
    """E(F) - E(0) with E(F) = E_v - c (F + F_int)^2, meV (Cho 2026, Fig. 7)."""
    inner = law.internal_field_kv_cm
    quadratic = (field_kv_cm + inner) ** 2 - inner**2
    return -law.half_polarizability_mev_cm2_kv2 * quadratic


def logistic(x: float) -> float:
    """1 / (1 + exp(-x)), safe for any x."""
    return 0.5 * (1.0 + math.tanh(0.5 * x))
