"""The light of one dot: bands with energy, width, photons per pulse and polarization."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from labctl_sim.sample import Dot, Laws, RoomTemperature
from labctl_sim.world._fine_structure import Sublevel, sublevels
from labctl_sim.world._line_energy import (
    binding_mev,
    phase_shift_mev,
    sizing_energy_ev,
    stark_shift_mev,
    thermal_shift_mev,
)
from labctl_sim.world._linewidth import homogeneous_fwhm_mev
from labctl_sim.world._populations import photons_per_pulse, relative_yield
from labctl_sim.world._replicas import replicas


class Band(NamedTuple):
    """One line of a dot."""

    kind: str
    """"exciton", "multiexciton", "trion" or "superlattice"."""
    energy_ev: float
    fwhm_ev: float
    photons_per_pulse: float
    """Emitted towards the objective; 1 per exciton for an average direction."""
    dipole_deg: float | None
    """Polarization direction; None is unpolarized."""
    urbach_ev: float | None = None
    """Slope energy of the red tail at room temperature; None: a Lorentzian."""


@dataclass(frozen=True)
class Surroundings:
    """What a dot feels."""

    temperature_k: float
    excitations: float
    """Mean number per pulse, <N>."""
    field_kv_cm: float = 0.0
    extra_shift_mev: float = 0.0
    """By spectral diffusion and bleaching."""


def exciton_energy_ev(laws: Laws, dot: Dot, around: Surroundings) -> float:
    """Centre of the exciton band: size, temperature, phase transition, field, shifts."""
    temperature_k = around.temperature_k
    shift_mev = (
        dot.energy_offset_mev
        + thermal_shift_mev(laws.thermal_shift, temperature_k)
        + phase_shift_mev(laws.phase_transition, dot.edge_length_nm, temperature_k)
        + stark_shift_mev(dot.stark, around.field_kv_cm)
        + around.extra_shift_mev
    )
    return sizing_energy_ev(laws.sizing, dot.edge_length_nm) + 1e-3 * shift_mev


def bands(laws: Laws, dot: Dot, around: Surroundings) -> list[Band]:
    """All lines of a dot, without replicas weaker than 3e-4 of their line."""
    warm = laws.room_temperature
    if warm is not None and around.temperature_k >= warm.from_k:
        return _warm_bands(laws, dot, around, warm)
    return _cold_bands(laws, dot, around)


def _cold_bands(laws: Laws, dot: Dot, around: Surroundings) -> list[Band]:
    centre_ev = exciton_energy_ev(laws, dot, around)
    fwhm_ev = 1e-3 * homogeneous_fwhm_mev(laws.broadening, around.temperature_k)
    levels = sublevels(laws.fine_structure, dot)
    emitted = photons_per_pulse(dot, around.excitations)
    bright = relative_yield(laws.quenching, around.temperature_k)
    neutral = bright * (1.0 - dot.trion_share)
    lines = [
        *_triplet("exciton", centre_ev, 1.0, levels, fwhm_ev, neutral * emitted.exciton),
        *_multiexciton(laws, dot, centre_ev, levels, fwhm_ev, neutral * emitted.multiexciton),
        *_trion(laws, dot, centre_ev, fwhm_ev, bright * emitted.exciton),
    ]
    copies = replicas(laws.replicas, dot.edge_length_nm, dot.huang_rhys_factor)
    repeated = [
        line._replace(
            energy_ev=line.energy_ev - 1e-3 * copy.shift_mev,
            photons_per_pulse=line.photons_per_pulse * copy.weight,
        )
        for line in lines
        for copy in copies
    ]
    return [line for line in _with_superlattice(dot, centre_ev, repeated) if _counts(line)]


def _counts(line: Band) -> bool:
    return line.photons_per_pulse > 1e-9


def _triplet(
    kind: str,
    centre_ev: float,
    direction: float,
    levels: tuple[Sublevel, Sublevel, Sublevel],
    fwhm_ev: float,
    photons: float,
) -> list[Band]:
    return [
        Band(
            kind,
            centre_ev + direction * 1e-3 * level.offset_mev,
            fwhm_ev,
            photons * level.weight,
            level.angle_deg,
        )
        for level in levels
    ]


def _multiexciton(
    laws: Laws,
    dot: Dot,
    centre_ev: float,
    levels: tuple[Sublevel, Sublevel, Sublevel],
    fwhm_ev: float,
    photons: float,
) -> list[Band]:
    """XX to X_i mirrors the triplet: E_XX - E_i, the sum with E_i is the same for each cascade."""
    own = dot.biexciton_binding_mev
    bound_mev = binding_mev(laws.biexciton, dot.edge_length_nm) if own is None else own
    centre_ev -= 1e-3 * bound_mev
    return _triplet("multiexciton", centre_ev, -1.0, levels, fwhm_ev, photons)


def _trion(laws: Laws, dot: Dot, centre_ev: float, fwhm_ev: float, photons: float) -> list[Band]:
    """One unsplit, unpolarized line, in proportion to the time spent charged."""
    own = dot.trion_binding_mev
    bound_mev = binding_mev(laws.trion, dot.edge_length_nm) if own is None else own
    share = dot.trion_share * dot.trion_yield_factor
    return [Band("trion", centre_ev - 1e-3 * bound_mev, fwhm_ev, photons * share, None)]


def _with_superlattice(dot: Dot, centre_ev: float, lines: list[Band]) -> list[Band]:
    coupled = dot.superlattice
    if coupled is None:
        return lines
    total = math.fsum(line.photons_per_pulse for line in lines)
    kept = [
        line._replace(photons_per_pulse=line.photons_per_pulse * (1.0 - coupled.share))
        for line in lines
    ]
    energy_ev = centre_ev - 1e-3 * coupled.red_shift_mev
    light = total * coupled.share
    return [*kept, Band("superlattice", energy_ev, 1e-3 * coupled.fwhm_mev, light, None)]


def _warm_bands(laws: Laws, dot: Dot, around: Surroundings, warm: RoomTemperature) -> list[Band]:
    """One broad band with an exponential red tail (Feld 2024, Fig. 2)."""
    emitter = dot.model_copy(
        update={
            "regime": "auger",
            "exciton_yield": warm.exciton_yield,
            "multiexciton_yield": warm.exciton_yield * warm.biexciton_ratio,
        }
    )
    photons = sum(photons_per_pulse(emitter, around.excitations))
    energy_ev = exciton_energy_ev(laws, dot, around) + 1e-3 * warm.energy_offset_mev
    fwhm_ev, urbach_ev = 1e-3 * warm.fwhm_mev, 1e-3 * warm.urbach_mev
    return [Band("exciton", energy_ev, fwhm_ev, photons, None, urbach_ev)]
