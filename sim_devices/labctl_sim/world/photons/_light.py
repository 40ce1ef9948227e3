"""What the detectors see of the world at one moment, as pulse models and steady rates."""

import math
import operator
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from labctl_sim.sample import Blinking, Dot
from labctl_sim.world._collection import edge_transmission
from labctl_sim.world._constants import HC_EV_NM
from labctl_sim.world._emission import Band, Surroundings, bands
from labctl_sim.world._fine_structure import sublevels
from labctl_sim.world._grating import Mount, behind_mirror, grating_polarization_rel
from labctl_sim.world._linewidth import FWHM_PER_SD
from labctl_sim.world._picture import Optics
from labctl_sim.world._populations import relative_yield
from labctl_sim.world._shapes import lorentz_shares, urbach_density
from labctl_sim.world._spectrograph import SpectrographState
from labctl_sim.world._types import FloatArray
from labctl_sim.world._world import World
from labctl_sim.world.photons._detector import Apd, ApdTruth, efficiency_rel
from labctl_sim.world.photons._emit import Timing
from labctl_sim.world.photons._interfering import equalized, interfering
from labctl_sim.world.photons._lifetimes import lifetimes_ps
from labctl_sim.world.photons._models import PulseModel, bunched, cascade

_SPEED_NM_PER_PS = 2.99792458e5
_FAINT = 1e-4
_NODES = 320
_REACH_NM = 60.0
_SAMPLES = 9
NEUTRAL, CHARGED, OFF = 0, 1, 2


@dataclass(frozen=True)
class Source:
    """Pulsed light of one emitter.

    Attributes:
        models: For the dot neutral, charged, and off; light without a dot has one for all.
        blinking: How the dot blinks, if it does.
        charged_fraction: Share of time in the charged state.
    """

    models: tuple[PulseModel, ...]
    blinking: Blinking | None = None
    charged_fraction: float = 0.0


@dataclass(frozen=True)
class Light:
    """All sources by name, and what is the same for all of them; detectors in order."""

    sources: dict[str, Source]
    steady_hz: tuple[float, ...]
    timings: tuple[Timing, ...]


class View:
    """The path to one detector at one moment."""

    def __init__(self, world: World, apd: Apd, *, alone: bool) -> None:
        """Look at filters, grating and splitter as they stand now."""
        self._world, self._truth = world, apd.truth
        state, truth = world.spectrograph, apd.truth
        if world.table.scatterer:
            state = _without_long_pass(state)
        self._state = state
        self._optics = Optics(state, 16.0, 2, 1)
        self._side = truth.light_path == "side"
        self._open = (
            apd.alive
            and not apd.blind
            and apd.shutter_open
            and (not self._side or state.exit == "side")
        )
        # The splitter of an interferometer has its own shares, see `interfering`.
        whole = alone or world.table.interferometer is not None
        share = 1.0 if whole else truth.arm_fraction
        self._throughput = truth.throughput_rel * truth.efficiency * share * float(self._open)
        self._window = self._band_nm() if self._side else None
        if self._side:
            self._throughput *= self._optics.slit_rel()

    @property
    def open(self) -> bool:
        """Whether any light can come."""
        return self._throughput > 0.0

    def spread_ps(self) -> float:
        """Base width of the path differences m N lambda / c on a grating filled at f/6.5."""
        state = self._world.spectrograph
        if not self._side or state.lines_per_mm <= 0.0:
            return 0.0
        lit_mm = state.truth.focal_length_mm / 6.5
        return lit_mm * state.lines_per_mm * state.centre_nm / _SPEED_NM_PER_PS

    def seen(self, lines: Sequence[Band], diffusion_sd_ev: float) -> list[float]:
        """Probability that a photon of each band is detected."""
        found = [0.0] * len(lines)
        if not self.open:
            return found
        spans_nm = {n: span for n, line in enumerate(lines) if (span := self._span_nm(line))}
        for cold in (True, False):
            chosen = [n for n in spans_nm if (lines[n].urbach_ev is None) is cold]
            if chosen:
                ends_nm = np.array([spans_nm[n] for n in chosen])
                nodes_nm = np.linspace(ends_nm[:, 0], ends_nm[:, 1], _NODES, axis=1)
                own = [lines[n] for n in chosen]
                shares = (_lorentzian if cold else _warm)(own, nodes_nm, diffusion_sd_ev)
                passed = (shares * self._inner_transmission(nodes_nm)).sum(axis=1)
                for n, line, share in zip(chosen, own, passed, strict=True):
                    polarized = self._polarized(line.dipole_deg)
                    found[n] = min(float(share) * polarized, 1.0) * self._throughput
        return found

    def at_nm(self, wavelength_nm: float, direction_deg: float | None = None) -> float:
        """Probability that a photon of a sharp line is detected; without direction unpolarized."""
        passed = self.transmission(np.array([wavelength_nm]))
        return float(passed[0]) * self._polarized(direction_deg) * self._throughput

    def transmission(self, wavelength_nm: FloatArray) -> FloatArray:
        """Filters, grating, slits and the detector's own curve, by wavelength."""
        table, optics, truth = self._world.table, self._state.truth, self._truth
        passed = efficiency_rel(truth.curve, wavelength_nm)
        if self._side:
            passed = passed * self._optics.transmission(wavelength_nm, table.edge_filter_nm)
            passed = passed * self._slits(wavelength_nm)
        else:
            edges = [(optics.long_pass_nm, optics.long_pass_width_nm, True)]
            if table.edge_filter_nm is not None:
                edges.append((table.edge_filter_nm, optics.edge_filter_width_nm, False))
            for edge_nm, width_nm, long in edges:
                density = optics.long_pass_density if long else optics.edge_filter_density
                passed = passed * edge_transmission(
                    wavelength_nm, edge_nm, width_nm, long_pass=long, density=density
                )
        if truth.band_centre_nm > 0.0:
            passed = passed * _band_pass(wavelength_nm, truth)
        return passed

    def _inner_transmission(self, nodes_nm: FloatArray) -> FloatArray:
        """Transmission at all nodes but the first and last; bands often share their nodes."""
        if (nodes_nm[:, 0] == nodes_nm[0, 0]).all() and (nodes_nm[:, -1] == nodes_nm[0, -1]).all():
            nodes_nm = nodes_nm[:1]
        inner_nm = nodes_nm[:, 1:-1]
        return self.transmission(inner_nm.ravel()).reshape(inner_nm.shape)

    def _slits(self, wavelength_nm: FloatArray) -> FloatArray:
        """Share of each wavelength through the exit slit: the entrance slit's image, moved."""
        if self._window is None:
            return np.zeros(len(wavelength_nm))
        low, high = self._window
        image = self._world.spectrograph.entrance_slit_um / self._truth.exit_slit_um * (high - low)
        offsets = image * (np.arange(_SAMPLES) + 0.5 - _SAMPLES / 2) / _SAMPLES
        moved = wavelength_nm[:, np.newaxis] + offsets
        return ((moved >= low) & (moved <= high)).mean(axis=1)

    def _band_nm(self) -> tuple[float, float] | None:
        state, truth = self._world.spectrograph, self._world.spectrograph.truth
        if state.lines_per_mm <= 0.0:
            return (1.0, 1e5)
        try:
            mount = Mount.at(
                lines_per_mm=state.lines_per_mm,
                centre_nm=state.centre_nm,
                focal_length_mm=truth.focal_length_mm,
                inclusion_deg=truth.inclusion_deg,
                tilt_deg=0.0,
                pixel_um=self._truth.exit_slit_um,
                centre_px=0.0,
            )
        except ValueError:
            return None
        low, high = mount.wavelength_nm(np.array([-0.5, 0.5]))
        return float(low), float(high)

    def _span_nm(self, band: Band) -> tuple[float, float] | None:
        """What can be seen about a band; None: nothing."""
        centre_nm = HC_EV_NM / band.energy_ev
        low, high = centre_nm - _REACH_NM, centre_nm + _REACH_NM
        if self._side:
            if self._window is None:
                return None
            slit_nm = self._window[1] - self._window[0]
            low, high = max(low, self._window[0] - slit_nm), min(high, self._window[1] + slit_nm)
        return (low, high) if high > low else None

    def _polarized(self, dipole_deg: float | None) -> float:
        ratio = self._state.truth.dichroic_polarization_ratio
        return math.fsum(
            share * self._analysed(direction_deg)
            for share, direction_deg in behind_mirror(dipole_deg, ratio)
        )

    def _analysed(self, dipole_deg: float | None) -> float:
        analyser = self._world.table.analyser
        behind_deg, ratio = analyser.behind_deg(dipole_deg), self._truth.polarization_ratio
        splitter = 1.0 if behind_deg is None else grating_polarization_rel(behind_deg, ratio)
        if self._side:
            return splitter * self._optics.analysed_rel(dipole_deg, analyser)
        return splitter * analyser.passed_rel(dipole_deg, self._state.truth.extinction_rel)


def _lorentzian(lines: Sequence[Band], nodes_nm: FloatArray, diffusion_sd_ev: float) -> FloatArray:
    """Shares of the bands at the inner nodes, shape (line, node)."""
    centre_ev, fwhm_ev = (
        np.array([[getattr(line, name)] for line in lines]) for name in ("energy_ev", "fwhm_ev")
    )
    width_ev = np.hypot(fwhm_ev, FWHM_PER_SD * diffusion_sd_ev)
    return lorentz_shares(HC_EV_NM / nodes_nm, centre_ev, width_ev)


def _warm(lines: Sequence[Band], nodes_nm: FloatArray, _: float) -> FloatArray:
    """The same of bands with a red tail."""
    energy_ev = HC_EV_NM / nodes_nm
    density = np.array(
        [
            urbach_density(own_ev, line.energy_ev, line.fwhm_ev, line.urbach_ev or 0.0)
            for own_ev, line in zip(energy_ev, lines, strict=True)
        ]
    )
    return density[:, 1:-1] * 0.5 * (energy_ev[:, :-2] - energy_ev[:, 2:])


def _without_long_pass(state: SpectrographState) -> SpectrographState:
    bare = copy(state)
    bare.truth = replace(state.truth, long_pass_density=0.0)
    return bare


def _band_pass(wavelength_nm: FloatArray, truth: ApdTruth) -> FloatArray:
    off = np.abs(wavelength_nm - truth.band_centre_nm) / (0.5 * truth.band_width_nm)
    return np.where(off <= 1.0, 1.0, 1e-5)


def light(world: World, apds: Sequence[Apd], at_s: float, electronics_sd_ps: float) -> Light:
    """Look at the world through all detectors of one module, as if the excitation were on.

    Detectors that get more light than they bear are blind then.
    """
    before = [apd.blind for apd in apds]
    for apd in apds:
        apd.blind = False
    seen = _look(world, apds, at_s, electronics_sd_ps)
    for detector, apd in enumerate(apds):
        apd.blind = _incident_hz(world, seen, detector) > 1e6 * apd.truth.limit_mhz
        apd.overloads += apd.blind and not before[detector]
    blinded = any(apd.blind for apd in apds)
    return _look(world, apds, at_s, electronics_sd_ps) if blinded else seen


def _incident_hz(world: World, seen: Light, detector: int) -> float:
    lit = float(world.table.laser_on and world.table.shutter_open) * world.laser.rep_rate_hz
    pulsed = (source.models[NEUTRAL].mean[detector] for source in seen.sources.values())
    return seen.steady_hz[detector] + lit * math.fsum(pulsed)


def _look(world: World, apds: Sequence[Apd], at_s: float, electronics_sd_ps: float) -> Light:
    views = [View(world, apd, alone=len(apds) == 1) for apd in apds]
    sources: dict[str, Source] = {}
    dots = any(view.open for view in views) and not world.table.scatterer
    for name in world.sample.dots if dots else ():
        around, collected = world.surroundings(name, at_s)
        if collected > _FAINT and around.excitations > 0.0:
            sources |= _dot_sources(world, name, around, collected, views)
    leak_rel = world.table.laser_line_leak_rel * world.table.collected_rel
    leak = leak_rel * world.laser_photons_hz() / world.laser.rep_rate_hz
    leak = world.scattered_photons() if world.table.scatterer else leak
    if leak > 0.0:
        laser = world.laser
        shares = [view.at_nm(laser.wavelength_nm, laser.direction_deg) for view in views]
        sources["laser"] = Source((bunched(leak, 1.0, shares, 0.0),))
    timings = [
        _timing(apd.truth, view.spread_ps(), electronics_sd_ps)
        for apd, view in zip(apds, views, strict=True)
    ]
    return Light(sources, tuple(_steady_hz(world, apd) for apd in apds), tuple(timings))


def _steady_hz(world: World, apd: Apd) -> float:
    if not apd.alive or apd.blind:
        return 0.0
    room_hz = world.table.ambient_rel * 1e6 * apd.truth.room_light_mhz
    return apd.truth.dark_rate_hz + room_hz * apd.shutter_open


def _timing(truth: ApdTruth, spread_ps: float, electronics_sd_ps: float) -> Timing:
    fwhm_ps = math.hypot(truth.jitter_fwhm_ps, truth.laser_pulse_fwhm_ps)
    sd_ps = math.hypot(fwhm_ps / FWHM_PER_SD, electronics_sd_ps)
    return Timing(sd_ps, truth.tail_ps, truth.tail_fraction, spread_ps)


def _dot_sources(
    world: World, name: str, around: Surroundings, collected: float, views: Sequence[View]
) -> dict[str, Source]:
    dot, laws = world.sample.dots[name], world.sample.laws
    lines = bands(laws, dot, around)
    sd_ev = 1e-3 * dot.diffusion.fast_sd_mev
    warm = laws.room_temperature
    if warm is not None and around.temperature_k >= warm.from_k:
        x, xx = warm.exciton_yield, warm.exciton_yield * warm.biexciton_ratio
        auger, towards = True, 1.0
    else:
        bright = relative_yield(laws.quenching, around.temperature_k)
        x, xx = dot.exciton_yield * bright, dot.multiexciton_yield * bright
        auger = dot.regime == "auger"
        towards = math.fsum(level.weight for level in sublevels(laws.fine_structure, dot))
    own = {
        kind: _shares(lines, kind, sd_ev, views) for kind in ("exciton", "multiexciton", "trion")
    }
    if not any(own["multiexciton"]) and auger and warm is not None:
        own["multiexciton"] = own["exciton"]
    scale = collected * (1.0 - dot.superlattice.share) if dot.superlattice else collected
    taus_ps = lifetimes_ps(laws, dot, around.temperature_k)
    device, keep = world.table.interferometer, dict[str, tuple[float, float]]()
    if device is not None:
        for kind, seen in own.items():
            own[kind], keep[kind] = equalized(seen)
    models = _states(
        dot,
        around.excitations,
        auger,
        taus_ps,
        [x * towards * scale * share for share in own["exciton"]],
        [xx * towards * scale * share for share in own["multiexciton"]],
        [x * scale * share for share in own["trion"]],
    )
    if device is not None:
        models = tuple(
            interfering(model, device, _dephasing_per_ps(dot), keep[kind], keep["multiexciton"])
            for model, kind in zip(models, ("exciton", "trion", "exciton"), strict=True)
        )
    found = {name: Source(models, dot.blinking, dot.trion_share)}
    if dot.superlattice is not None:
        shares = [collected * s for s in _shares(lines, "superlattice", sd_ev, views)]
        photons = math.fsum(b.photons_per_pulse for b in lines if b.kind == "superlattice")
        tau_ps = taus_ps[0] * dot.superlattice.decay_factor
        model = bunched(photons, dot.superlattice.bunching, shares, tau_ps)
        found[f"{name} superlattice"] = Source((model,))
    return found


def _dephasing_per_ps(dot: Dot) -> float:
    """1/T2 - 1/(2 T1), never negative."""
    law = dot.interference
    return max(1.0 / law.coherence_time_ps - 0.5 / law.decay_time_ps, 0.0)


def _states(
    dot: Dot,
    excitations: float,
    auger: bool,
    taus_ps: list[float],
    exciton: list[float],
    multiexciton: list[float],
    trion: list[float],
) -> tuple[PulseModel, ...]:
    """Neutral, charged and off; charged and off dots keep one photon at most (Auger)."""
    law = dot.blinking or Blinking()
    none = [0.0] * len(exciton)
    neutral = cascade(excitations, 2 if auger else None, exciton, multiexciton, taus_ps)
    short = [taus_ps[0] * law.off_lifetime_factor]
    charged = [dot.trion_yield_factor * share for share in trion]
    dim = [law.off_yield_factor * share for share in exciton]
    off_taus = short if law.type == "A" else taus_ps[:1]
    return (
        neutral,
        cascade(excitations, 1, charged, none, short),
        cascade(excitations, 1, dim, none, off_taus),
    )


def _shares(lines: Sequence[Band], kind: str, sd_ev: float, views: Sequence[View]) -> list[float]:
    """Detected over emitted photons of one kind, by detector.

    Directions of the dipoles count in the bands' numbers of photons; only their ratios matter
    here, and the sum over the bands against the number that the kind emits.
    """
    chosen = [line for line in lines if line.kind == kind]
    total = math.fsum(line.photons_per_pulse for line in chosen)
    if total <= 0.0:
        return [0.0] * len(views)
    weights = [line.photons_per_pulse / total for line in chosen]
    return [math.fsum(map(operator.mul, weights, view.seen(chosen, sd_ev))) for view in views]
