"""Laws of a material: parameters shared by the dots of one sample.

Every default is a number of CsPbBr3 from the papers or, where they are silent, an assumption;
a user replaces it by the values of their own dots.
"""

from pydantic import Field

from labctl_sim.sample._base import Block, Fraction
from labctl_sim.sample._quantity import (
    Electronvolts,
    Kelvin,
    KelvinPerFluence,
    MevPerKelvin,
    Millielectronvolts,
    Nanometers,
    Picoseconds,
    SquareCentimeters,
)


class Sizing(Block):
    """Exciton energy against edge length at 4 K: E(L) = E_inf + C (L_ref / L)^2.

    Assumed values; 30 nm gives 2.338 eV, the paper 2.335 eV (Zhu 2024, Fig. 2).
    """

    bulk_energy_ev: Electronvolts = Field(default=2.333, gt=0.0)
    confinement_ev: Electronvolts = Field(default=0.090, ge=0.0)
    reference_length_nm: Nanometers = Field(default=7.0, gt=0.0)


class ThermalShift(Block):
    """f(T) = a T - b [coth(E_ph / 2kT) - 1]; E(T) = E(4 K) + f(T) - f(4 K). Assumed values."""

    expansion_mev_per_k: MevPerKelvin = 0.30
    phonon_coupling_mev: Millielectronvolts = 6.0
    phonon_energy_mev: Millielectronvolts = Field(default=16.0, gt=0.0)


class Broadening(Block):
    """Homogeneous FWHM, Rudin, Reinecke, Segall, PRB 42, 11218 (1990).

    G(T) = G0 + s T + g / (exp(E_LO / kT) - 1). The default g gives 10.4 meV at 90 K.
    """

    zero_temperature_mev: Millielectronvolts = Field(default=0.35, gt=0.0)
    acoustic_mev_per_k: MevPerKelvin = Field(default=0.02, ge=0.0)
    optical_mev: Millielectronvolts = Field(default=56.7, ge=0.0)
    phonon_energy_mev: Millielectronvolts = Field(default=16.0, gt=0.0)


class PhaseTransition(Block):
    """Extra red shift through a structural transition: shift * logistic((T - T_OT) / width).

    Cho 2026, Fig. 8: FAPbBr3 begins near 130 K and is done by 170 K. The size of the shift and
    the fall of T_OT with 1/L are assumed.
    """

    midpoint_k: Kelvin = Field(default=150.0, gt=0.0)
    width_k: Kelvin = Field(default=6.0, gt=0.0)
    red_shift_mev: Millielectronvolts = 12.0
    size_slope_k: Kelvin = Field(default=0.0, ge=0.0)
    """Fall of the midpoint for a dot of the reference length; scales with reference / L."""


class FineStructure(Block):
    """Bright triplet H, V, O: ((E2-E1) + (E3-E2)) / 2, 1.06 meV (Zhu 2024, Fig. 5).

    ``effective_temperature`` null means equal populations, as the papers see at 4 K.
    """

    mean_splitting_mev: Millielectronvolts = Field(default=1.06, ge=0.0)
    lower_share: Fraction = 0.5
    """(E2-E1) / (E3-E1)."""
    effective_temperature_k: Kelvin | None = Field(default=None, gt=0.0)


class Binding(Block):
    """Binding energy below the exciton, B(L) = B_inf + C (L_ref / L).

    Biexciton: 14 meV at 30 nm (Zhu 2024, Ext. Fig. 7) and 40 meV at 7 nm (assumed law).
    """

    bulk_mev: Millielectronvolts = 6.087
    confinement_mev: Millielectronvolts = 33.913
    reference_length_nm: Nanometers = Field(default=7.0, gt=0.0)


class Mode(Block):
    """One longitudinal optical phonon: energy, and its Huang-Rhys factor at the reference size.

    S(L) = S_ref * (L_ref / L); the energies do not depend on size (Cho 2026, Fig. 5, 6).
    """

    energy_mev: Millielectronvolts = Field(gt=0.0)
    huang_rhys: float = Field(ge=0.0)


def _cesium_modes() -> tuple[Mode, ...]:
    table = ((3.6, 0.10), (6.3, 0.07), (15.5, 0.05), (19.4, 0.04))
    return tuple(
        Mode.model_validate({"energy": f"{energy} meV", "huang_rhys": strength})
        for energy, strength in table
    )


class Replicas(Block):
    """Phonon replicas of the zero-phonon line; four modes in CsPbBr3, assumed energies."""

    modes: tuple[Mode, ...] = Field(default_factory=_cesium_modes)
    reference_length_nm: Nanometers = Field(default=7.0, gt=0.0)


class Excitation(Block):
    """Absorption: <N> = sigma J0 / (photon energy), sigma scaling with volume.

    5.8e-13 cm^2 at 30 nm gives <N> = 1 at 0.85 uJ/cm^2, 405 nm (from Zhu 2024, Fig. 5).
    """

    cross_section_cm2: SquareCentimeters = Field(default=5.8e-13, gt=0.0)
    reference_length_nm: Nanometers = Field(default=30.0, gt=0.0)
    local_heating_k_per_uj_cm2: KelvinPerFluence = Field(default=0.4, ge=0.0)
    """Heating of the dot by the light at 4 K; falls as 4 K / T (assumed)."""


class Quenching(Block):
    """Relative yield Y(T) = 1 / (1 + c exp(-E_q / kT)); assumed, anchored at 4 K."""

    strength: float = Field(default=6.0, ge=0.0)
    activation_mev: Millielectronvolts = Field(default=20.0, gt=0.0)


class Decay(Block):
    """tau(T) = tau0 [1 + g exp(-E_a / kT)]; 0.10 ns at 4 K and 1.0 ns at 90 K (Zhu 2024)."""

    activation_mev: Millielectronvolts = Field(default=9.0, gt=0.0)
    strength: float = Field(default=28.7, ge=0.0)
    multiexciton_exponent: float = Field(default=2.0, gt=0.0)
    """tau_N = tau_X / N^exponent (assumed)."""


class RoomTemperature(Block):
    """How the dots look at room temperature (Feld 2024, Fig. 2, 4); rules above ``from``.

    Gaussian line with an exponential (Urbach) red tail exp((E - E0) / E_U).
    """

    from_k: Kelvin = Field(default=250.0, gt=0.0)
    fwhm_mev: Millielectronvolts = Field(default=75.0, gt=0.0)
    urbach_mev: Millielectronvolts = Field(default=14.0, gt=0.0)
    energy_offset_mev: Millielectronvolts = 0.0
    """Against the size and temperature laws."""
    exciton_yield: Fraction = 0.88
    biexciton_ratio: Fraction = 0.29
    """q_XX / q_X."""
    exciton_lifetime_ps: Picoseconds = Field(default=6000.0, gt=0.0)
    biexciton_lifetime_ps: Picoseconds = Field(default=800.0, gt=0.0)


class Laws(Block):
    """All laws of one material."""

    sizing: Sizing = Field(default_factory=Sizing)
    thermal_shift: ThermalShift = Field(default_factory=ThermalShift)
    broadening: Broadening = Field(default_factory=Broadening)
    phase_transition: PhaseTransition | None = None
    fine_structure: FineStructure = Field(default_factory=FineStructure)
    biexciton: Binding = Field(default_factory=Binding)
    trion: Binding = Field(
        default_factory=lambda: Binding.model_validate(
            {"bulk": "1.739 meV", "confinement": "18.261 meV"}
        )
    )
    """6 meV at 30 nm to 20 meV at 7 nm (assumed)."""
    replicas: Replicas = Field(default_factory=Replicas)
    excitation: Excitation = Field(default_factory=Excitation)
    quenching: Quenching = Field(default_factory=Quenching)
    decay: Decay = Field(default_factory=Decay)
    room_temperature: RoomTemperature | None = None
