"""One named dot of the sample file."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from labctl_sim.sample._base import Block, Fraction
from labctl_sim.sample._quantity import (
    Degrees,
    KilovoltsPerCm,
    Micrometers,
    Millielectronvolts,
    Nanometers,
    Picoseconds,
    Seconds,
    SquareCentimeters,
    StarkCoefficient,
)


class Orientation(Block):
    """Euler angles z-y'-z'' that turn the dot's H, V, O axes into the laboratory.

    With all angles 0 the dipole H lies along x, V along y, and O along the optical axis z.
    """

    azimuth_deg: Degrees = 0.0
    tilt_deg: Degrees = 0.0
    spin_deg: Degrees = 0.0


class Diffusion(Block):
    """Spectral diffusion at 4 K: a fast Gaussian share, and a slow walk (a memory effect).

    Fast standard deviation 0.1 meV, slow one 0.05 meV with a correlation time of 300 s: assumed.
    """

    fast_sd_mev: Millielectronvolts = Field(default=0.1, ge=0.0)
    slow_sd_mev: Millielectronvolts = Field(default=0.05, ge=0.0)
    correlation_time_s: Seconds = Field(default=300.0, gt=0.0)


class Blinking(Block):
    """Two-state intermittency with power-law or exponential (telegraph) dwell times.

    Feld 2024, S12: ON share 0.98, falling to 0.94 in one hour of light.
    """

    kind: Literal["power_law", "telegraph"] = "power_law"
    on_share: Fraction = 0.98
    on_share_after_one_hour: Fraction = 0.94
    exponent: float = Field(default=1.6, gt=1.0, lt=3.0)
    shortest_s: Seconds = Field(default=0.001, gt=0.0)
    longest_s: Seconds = Field(default=10.0, gt=0.0)
    type: Literal["A", "B"] = "A"
    off_lifetime_factor: Fraction = 0.4
    off_yield_factor: Fraction = 0.15


class Bleaching(Block):
    """Exponential loss of light with absorbed excitations, and a blue shift while it goes."""

    excitations: float = Field(gt=0.0)
    """Number of excitations after which the brightness has fallen to 1/e."""
    blue_shift_mev: Millielectronvolts = Field(default=5.0, ge=0.0)
    """Shift at the end."""


class Stark(Block):
    """E(F) = E_v - c (F + F_int)^2, with c = polarizability / 2 (Cho 2026, Fig. 7)."""

    internal_field_kv_cm: KilovoltsPerCm = 230.0
    half_polarizability_mev_cm2_kv2: StarkCoefficient = Field(default=3.3e-5, ge=0.0)


class Superlattice(Block):
    """Coupled band of a superlattice (Chatterjee 2024, Fig. 6); numbers assumed."""

    red_shift_mev: Millielectronvolts = 40.0
    share: Fraction = 0.5
    fwhm_mev: Millielectronvolts = Field(default=8.0, gt=0.0)
    decay_factor: Fraction = 0.4
    """Lifetime against that of the single dot."""
    bunching: float = Field(default=1.5, ge=1.0)
    """g2(0) of the band; the bunching time is its decay time."""


class Interference(Block):
    """Two-photon interference: indistinguishability I = T2 / (2 T1) (Chatterjee 2024)."""

    coherence_time_ps: Picoseconds = Field(default=80.0, gt=0.0)
    decay_time_ps: Picoseconds = Field(default=100.0, gt=0.0)


class Dot(Block):
    """One dot. A value of null follows the law of the sample."""

    edge_length_nm: Nanometers = Field(gt=0.0)
    position_um: tuple[Micrometers, Micrometers, Micrometers] = (0.0, 0.0, 0.0)
    energy_offset_mev: Millielectronvolts = 0.0
    lifetime_ps: Picoseconds = Field(gt=0.0)
    """Exciton decay time at 4 K."""
    orientation: Orientation = Field(default_factory=Orientation)
    populations: tuple[Fraction, Fraction, Fraction] | None = None
    """Shares of the sublevels H, V, O; null: the law of the sample (equal)."""
    fine_splitting_mev: Millielectronvolts | None = Field(default=None, ge=0.0)
    regime: Literal["weak", "auger"] = "weak"
    exciton_yield: Fraction = 0.95
    multiexciton_yield: Fraction = 0.95
    """q_XX in the Auger regime, yield of each multiexciton photon in the weak one."""
    cross_section_cm2: SquareCentimeters | None = Field(default=None, gt=0.0)
    trion_share: Fraction = 0.0
    """Share of time in the charged state."""
    trion_binding_mev: Millielectronvolts | None = None
    trion_yield_factor: Fraction = 0.15
    biexciton_binding_mev: Millielectronvolts | None = None
    huang_rhys_factor: Annotated[float, Field(ge=0.0)] = 1.0
    """Multiplies the Huang-Rhys factors of the sample."""
    diffusion: Diffusion = Field(default_factory=Diffusion)
    blinking: Blinking | None = None
    bleaching: Bleaching | None = None
    stark: Stark = Field(default_factory=Stark)
    superlattice: Superlattice | None = None
    interference: Interference = Field(default_factory=Interference)

    @model_validator(mode="after")
    def _shares_add_up(self) -> "Dot":
        if self.populations is not None and abs(sum(self.populations) - 1.0) > 1e-6:
            raise ValueError(f"populations must add up to 1, not {sum(self.populations):g}")
        return self
