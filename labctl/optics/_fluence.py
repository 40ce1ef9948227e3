"""Excitation: what pulse energy, peak fluence, mean power and mean excitations mean here.

Fluence always means the *peak* fluence ``J0 = 2 E / (pi w^2)`` of a Gaussian spot whose
radius w is half its 1/e^2 diameter (peak of ``J0 exp(-2 r^2 / w^2)``, integral E).
"""

import math

__all__ = [
    "mean_excitations",
    "mean_power_w",
    "peak_fluence_uj_cm2",
    "pulse_energy_j",
    "saturation_rate_hz",
]

_EV_IN_J = 1.602176634e-19
_UM2_IN_CM2 = 1e-8


def _spot_cm2(spot_1e2_diameter_um: float) -> float:
    if not spot_1e2_diameter_um > 0:
        msg = f"spot diameter must be positive, not {spot_1e2_diameter_um} um"
        raise ValueError(msg)
    return math.pi * (spot_1e2_diameter_um / 2) ** 2 / 2 * _UM2_IN_CM2


def peak_fluence_uj_cm2(pulse_energy_j: float, spot_1e2_diameter_um: float) -> float:
    """Return the peak fluence ``2 E / (pi w^2)`` in uJ/cm^2 of a pulse energy in J."""
    return pulse_energy_j * 1e6 / _spot_cm2(spot_1e2_diameter_um)


def pulse_energy_j(peak_fluence_uj_cm2: float, spot_1e2_diameter_um: float) -> float:
    """Return the pulse energy in J of a peak fluence in uJ/cm^2."""
    return peak_fluence_uj_cm2 * 1e-6 * _spot_cm2(spot_1e2_diameter_um)


def mean_power_w(
    peak_fluence_uj_cm2: float, spot_1e2_diameter_um: float, rep_rate_hz: float
) -> float:
    """Return the mean power ``J0 pi w^2 f / 2`` in W."""
    return pulse_energy_j(peak_fluence_uj_cm2, spot_1e2_diameter_um) * rep_rate_hz


def mean_excitations(
    peak_fluence_uj_cm2: float, cross_section_cm2: float, photon_energy_ev: float
) -> float:
    """Return the mean number of excitations per pulse, ``sigma J0 / (hbar omega)``."""
    return cross_section_cm2 * peak_fluence_uj_cm2 * 1e-6 / (photon_energy_ev * _EV_IN_J)


def saturation_rate_hz(power_ratio: float, maximum_rate_hz: float) -> float:
    """Return the count rate ``R_max [1 - exp(-P / P_sat)]`` in Hz under pulsed excitation.

    The law follows from Poissonian excitation of an emitter that gives one photon per
    pulse at most; ``power_ratio`` is P / P_sat.
    """
    return -maximum_rate_hz * math.expm1(-power_ratio)
