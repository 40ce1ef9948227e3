"""The world behind all simulators."""

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from labctl_sim.sample import Dot, Sample
from labctl_sim.world._collection import collection_rel, spot_rel
from labctl_sim.world._constants import ELEMENTARY_CHARGE_C, HC_EV_NM
from labctl_sim.world._doses import Doses
from labctl_sim.world._emccd import Emccd
from labctl_sim.world._emccd_truth import EmccdTruth
from labctl_sim.world._emission import Band, Surroundings, bands, exciton_energy_ev
from labctl_sim.world._followed import Followed
from labctl_sim.world._linewidth import homogeneous_fwhm_mev
from labctl_sim.world._memory import Memory, bleached
from labctl_sim.world._picture import Emitter, Scene
from labctl_sim.world._populations import local_heating_k, mean_excitations
from labctl_sim.world._recorded import Recorded
from labctl_sim.world._spectrograph import SpectrographState, SpectrographTruth
from labctl_sim.world._table import LaserTruth, Table
from labctl_sim.world._thermal import Thermal, ThermalTruth
from labctl_sim.world._truth import read_truth
from labctl_sim.world._types import FloatArray

Action = Callable[[], None]
Schedule = Callable[[float, Action], Action]
_OUT_OF_SIGHT_REL = 1e-6
_AMBIENT_K = 295.0


class World:
    """One sample, one laser, one set of optics, one clock; every simulator sees the same.

    Hold `lock` on every entry from another thread.

    Attributes:
        drift_shows: Whether drift moves the dot where there are nanopositioners.
        happenings: What befell instruments for good (a piezo was damaged), for tests.
    """

    def __init__(
        self,
        *,
        sample: Sample,
        dot: str,
        laser: LaserTruth,
        now: Callable[[], float],
        schedule: Schedule,
        seed: Callable[..., int],
        memory: bool = True,
        recorded: Recorded | None = None,
    ) -> None:
        """Build a world at room temperature, with a spectrograph of default truth.

        Args:
            sample: what is mounted.
            dot: name of the dot on the optical axis.
            laser: the excitation.
            now: the clock, s.
            schedule: ``schedule(at_s, action)`` returns a function that cancels.
            seed: ``seed(*labels)`` is an integer that depends on the run's seed and the labels.
            memory: whether drift, slow spectral diffusion and dose act.
            recorded: a recorded spectrum that shines in the place of the dot on the axis, in
                proportion to the fluence; the other dots are dark then.

        Raises:
            KeyError: the sample has no such dot.
        """
        self.lock = threading.RLock()
        self.now = now
        self.sample = sample
        self._laser, self.recorded = laser, recorded
        self._schedule, self._seed = schedule, seed
        self._began_s = now()
        self.point_id, self.point_began_s = "", self._began_s
        self.table = Table(now)
        self.mounts: Followed[float] = Followed()
        """True angle of each rotation mount's ring, deg, counted from the laboratory's x."""
        self.places: Followed[str] = Followed()
        """Position of each selector."""
        self.lines: Followed[bool] = Followed()
        """Level of each trigger output, by ``instrument.output``."""
        self.stage_watchers: list[Action] = []
        self.spectrograph = SpectrographState(SpectrographTruth())
        self.thermal = self._thermal(ThermalTruth(start_temperature_k=_AMBIENT_K))
        self.memory = Memory(self._lasting_generator, on=memory)
        self.stage_um: tuple[float, float, float] | None = None
        """Displacement by the nanopositioners since `select_dot`; None: there are none, and
        whoever sits at the set-up keeps the dot in place, so that drift does not show."""
        self.drift_shows = True
        self.happenings: list[dict[str, Any]] = []
        self._camera: Emccd | None = None
        self.dot_name = dot
        self._doses = Doses(sample)
        self._dose_from_s = self._began_s
        self._reference_um = (0.0, 0.0, 0.0)
        self.extras: dict[str, Any] = {}
        """What parts of the world that are not always there have attached, by their own names."""
        self.select_dot(dot)
        self.table.before_change = self._note_dose

    def after(self, delay_s: float, action: Action) -> Action:
        """Do ``action`` (with the lock held) in ``delay_s``; returns a function that cancels."""
        cancelled: list[bool] = []

        def locked() -> None:
            with self.lock:
                # In real time it may have waited for the lock already when it was cancelled.
                if not cancelled:
                    action()

        take_out = self._schedule(self.now() + delay_s, locked)

        def cancel() -> None:
            cancelled.append(True)
            take_out()

        return cancel

    def begin_point(self, point_id: str) -> None:
        """A new stored result begins; noise of detectors depends on its name."""
        with self.lock:
            self.point_id = point_id
            self.point_began_s = self.now()

    def generator(self, device: str, *labels: str | int) -> np.random.Generator:
        """Random numbers that depend on run seed, device, point and labels, on nothing else."""
        return np.random.Generator(np.random.PCG64(self._seed(device, self.point_id, *labels)))

    def select_dot(self, dot: str) -> None:
        """Put a dot on the optical axis and in focus.

        Raises:
            KeyError: the sample has no such dot.
        """
        with self.lock:
            self.sample.dot(dot)
            self._note_dose()
            self.dot_name = dot
            self._reference_um = self._drift_um(self.now())
            if self.stage_um is not None:
                self.stage_um = (0.0, 0.0, 0.0)

    def attach_stage(self, *, drift: bool) -> None:
        """Put nanopositioners beneath the sample; without ``drift`` the dot stays in place."""
        self.stage_um, self.drift_shows = (0.0, 0.0, 0.0), drift
        self._reference_um = self._drift_um(self.now())

    def move_stage(self, axis: int, by_um: float) -> None:
        """Displace the sample along an axis (0, 1, 2)."""
        if self.stage_um is None or by_um == 0.0:
            return
        self._note_dose()
        moved = [um + (by_um if n == axis else 0.0) for n, um in enumerate(self.stage_um)]
        self.stage_um = (moved[0], moved[1], moved[2])
        for watcher in self.stage_watchers:
            watcher()

    def note(self, what: str, **facts: Any) -> None:
        """Keep in mind what befell an instrument."""
        self.happenings.append({"what": what, "at_s": self.now(), **facts})

    def put_scatterer(self, photons_per_pulse: float | None) -> None:
        """Put a scatterer in the place of the sample and take the long-pass out, or undo it.

        Whoever does it chooses grey filters for the attenuator as it stands then.

        Args:
            photons_per_pulse: what it sends into the collection optics; None: undo it.
        """
        with self.lock:
            self._note_dose()
            self.table.scatterer = photons_per_pulse is not None
            passed = self.table.attenuation_rel or 1.0
            self.table.scattered_per_pulse = (photons_per_pulse or 0.0) / passed

    @property
    def laser(self) -> LaserTruth:
        """The excitation laser as it is now."""
        return self._laser

    @laser.setter
    def laser(self, laser: LaserTruth) -> None:
        self._note_dose()
        self._laser = laser
        self.table.changed()

    @property
    def dot(self) -> Dot:
        """The dot on the axis."""
        return self.sample.dots[self.dot_name]

    def attach_cryostat(self, truth: Mapping[str, Any]) -> Thermal:
        """Mount the sample in a cryostat; keys of `ThermalTruth`, others are left alone."""
        self.thermal = self._thermal(read_truth(ThermalTruth, truth))
        self._reference_um = self._drift_um(self.now())
        return self.thermal

    def attach_spectrograph(self, truth: Mapping[str, Any]) -> SpectrographState:
        """Set the optics; keys of `SpectrographTruth`, others are left alone."""
        self.spectrograph = SpectrographState(read_truth(SpectrographTruth, truth))
        return self.spectrograph

    def camera(self, truth: Mapping[str, Any], name: str = "camera") -> Emccd:
        """A camera at an exit of the spectrograph; keys of `EmccdTruth`, others left alone."""
        camera = Emccd(self, read_truth(EmccdTruth, truth), name)
        self._camera = self._camera or camera
        return camera

    def electron_rate_per_pixel(self) -> FloatArray:
        """Expected photo-electrons per second and sensor column (all rows) of the first camera.

        Shape (columns,), float64, without noise and without dark current.
        """
        camera = self._camera or Emccd(self, EmccdTruth(), "camera")
        return camera.electron_rate_per_column()

    def excitations(self) -> float:
        """Mean number of excitations per pulse in the dot on the axis while it is lit."""
        return self._excitations(self.dot, self._fluence_uj_cm2())

    def truth(self) -> dict[str, Any]:
        """What really is now, for tests: nothing that fits or calibrates may read it.

        ``energy_ev`` (hc over the wavelength in vacuum) and ``fwhm_observed_mev`` belong to the
        strongest line; the latter is the width on the sensor of the first camera. A recorded
        spectrum has no known lines.
        """
        around, _ = self._around(self.dot_name, self.now())
        laws = self.sample.laws
        known = bands(laws, self.dot, around) if self.recorded is None else []
        lines = sorted(known, key=lambda line: -line.photons_per_pulse)
        return {
            "dot": self.dot_name,
            "sample_temperature_k": self.thermal.sample_k(),
            "dot_temperature_k": around.temperature_k,
            "energy_ev": lines[0].energy_ev if lines else None,
            "triplet_centre_ev": exciton_energy_ev(laws, self.dot, around),
            "fwhm_observed_mev": self._observed_fwhm_mev(lines),
            "fwhm_intrinsic_mev": homogeneous_fwhm_mev(laws.broadening, around.temperature_k),
            "diffusion_sd_mev": self.dot.diffusion.fast_sd_mev,
            "excitations": around.excitations,
            "bands": [line._asdict() for line in lines],
            "spectrograph": dict(vars(self.spectrograph.truth)),
            "cryostat": dict(vars(self.thermal.truth)),
            "camera": {} if self._camera is None else dict(vars(self._camera.truth)),
        }

    def _observed_fwhm_mev(self, lines: list[Band]) -> float | None:
        camera = self._camera or Emccd(self, EmccdTruth(), "camera")
        if not lines:
            return None
        return camera.optics().observed_fwhm_mev(lines[0], 1e-3 * self.dot.diffusion.fast_sd_mev)

    def surroundings(self, dot: str, at_s: float) -> tuple[Surroundings, float]:
        """What a dot feels at a time while it is lit, and the share of its light collected."""
        return self._around(dot, at_s)

    def lasting_generator(self, *labels: str | int) -> np.random.Generator:
        """Random numbers of processes that go on through all points."""
        return self._lasting_generator(*labels)

    def scene(self, at_s: float, *, lit: bool = True) -> Scene:
        """Everything that shines at a time, as if the excitation were on.

        ``lit`` False: the excitation is off, so that no dot has to be looked at.
        """
        table = self.table
        leak_hz = table.laser_line_leak_rel * table.collected_rel * self.laser_photons_hz()
        if table.scatterer:
            throughput = self.spectrograph.truth.throughput_rel
            leak_hz = self.scattered_photons() * self.laser.rep_rate_hz * throughput
        return Scene(
            emitters=self._emitters(at_s) if lit and not table.scatterer else (),
            analyser=table.analyser,
            edge_filter_nm=table.edge_filter_nm,
            lamp=table.lamp,
            leak_photons_hz=leak_hz,
            leak_nm=self.laser.wavelength_nm,
            leak_deg=self.laser.direction_deg,
            room_light_rel=table.ambient_rel,
            recorded=None if table.scatterer else self.recorded,
            recorded_rel=self._recorded_rel(at_s),
        )

    @property
    def spot_1e2_diameter_um(self) -> float:
        """1/e² diameter of the excitation at the sample, as the lens stands."""
        return self.table.spread_um or self.laser.spot_1e2_diameter_um

    @property
    def spot_1e2_diameters_um(self) -> tuple[float, float]:
        """The same along the stage's x and y; the peak fluence goes with the product."""
        if self.table.spread_um:
            return self.table.spread_um, self.table.spread_um
        stretched = math.sqrt(self.laser.spot_ratio)
        diameter_um = self.laser.spot_1e2_diameter_um
        return diameter_um * stretched, diameter_um / stretched

    def peak_uj_cm2(self) -> float:
        """Fluence on the optical axis, while the light is on."""
        return self._fluence_uj_cm2()

    def displacement_um(self, at_s: float) -> tuple[float, float, float]:
        """Where the sample is against where the dot on the axis was on it, by stage and drift."""
        return self._offset_um(self.dot_name, at_s)

    def dots_um(self, at_s: float) -> dict[str, tuple[float, float, float]]:
        """Where each dot is against the optical axis and the focus."""
        return {name: self._offset_um(name, at_s) for name in self.sample.dots}

    def emitted_hz(self, name: str, at_s: float) -> float:
        """Photons per second that a dot sends towards the objective while it is lit."""
        around, left = self._feels(name, at_s)
        photons = sum(
            line.photons_per_pulse
            for line in bands(self.sample.laws, self.sample.dots[name], around)
        )
        return photons * left * self.laser.rep_rate_hz

    def laser_photons_hz(self) -> float:
        """Laser photons per second at the sample: J0 pi w^2 f / 2 over the photon energy."""
        waist_cm = 0.5e-4 * self.spot_1e2_diameter_um
        pulse_uj = 0.5 * self._fluence_uj_cm2() * math.pi * waist_cm**2
        photon_uj = HC_EV_NM / self.laser.wavelength_nm * ELEMENTARY_CHARGE_C * 1e6
        return pulse_uj / photon_uj * self.laser.rep_rate_hz

    def laser_power_w(self, *, without: str = "") -> float:
        """Mean power at the sample now, J0 pi w^2 f / 2.

        ``without`` names a part of the excitation path that is left out.
        """
        laser = self.laser
        waist_cm = 0.5e-4 * laser.spot_1e2_diameter_um
        full_w = 0.5e-6 * laser.peak_fluence_uj_cm2 * math.pi * waist_cm**2 * laser.rep_rate_hz
        return full_w * self.table.lit_rel(without=without)

    def scattered_photons(self) -> float:
        """Photons per pulse that a scatterer in the light sends into the collection optics."""
        table = self.table
        return table.scattered_per_pulse * table.attenuation_rel * table.collected_rel

    def _emitters(self, at_s: float) -> tuple[Emitter, ...]:
        found: list[Emitter] = []
        if self.recorded is not None:
            return ()
        for name, dot in self.sample.dots.items():
            around, collected = self._around(name, at_s)
            if collected < _OUT_OF_SIGHT_REL or around.excitations <= 0.0:
                continue
            lines = tuple(bands(self.sample.laws, dot, around))
            if lines:
                light_hz = collected * self.laser.rep_rate_hz
                found.append(Emitter(lines, 1e-3 * dot.diffusion.fast_sd_mev, light_hz))
        return tuple(found)

    def _recorded_rel(self, at_s: float) -> float:
        if self.recorded is None:
            return 1.0
        _, collected = self._around(self.dot_name, at_s)
        return collected * self.table.attenuation_rel

    def _around(self, name: str, at_s: float) -> tuple[Surroundings, float]:
        """What a dot feels, and the share of its light that is collected."""
        x, y, z = self._offset_um(name, at_s)
        optics = self.spectrograph.truth
        collected = collection_rel(
            math.hypot(x, y), z, optics.collection_sd_um, optics.focus_depth_um
        )
        around, left = self._feels(name, at_s)
        return around, collected * self.table.collected_rel * left

    def _feels(self, name: str, at_s: float) -> tuple[Surroundings, float]:
        """What a dot feels, and how much of its brightness bleaching has left."""
        dot = self.sample.dots[name]
        x, y, _ = self._offset_um(name, at_s)
        fluence = self._fluence_uj_cm2() * spot_rel(x, y, self.spot_1e2_diameters_um)
        bath_k = self.thermal.sample_at(at_s)
        dose = 0.0 if dot.bleaching is None else self._dose(name, at_s)
        left, bleach_mev = bleached(dot.bleaching, dose)
        heated_k = bath_k + local_heating_k(self.sample.laws.excitation, fluence, bath_k)
        walk_mev = self.memory.diffusion_mev(name, dot.diffusion, at_s - self._began_s)
        around = Surroundings(
            temperature_k=heated_k,
            excitations=self._excitations(dot, fluence),
            field_kv_cm=self.table.field_kv_cm,
            extra_shift_mev=walk_mev + bleach_mev,
        )
        return around, left

    def _offset_um(self, name: str, at_s: float) -> tuple[float, float, float]:
        dot, centre = self.sample.dots[name], self.dot
        apart = [a - b for a, b in zip(dot.position_um, centre.position_um, strict=True)]
        if self.stage_um is not None:
            apart = [place + stage for place, stage in zip(apart, self.stage_um, strict=True)]
        if self.stage_um is not None and self.drift_shows:
            moves = zip(self._drift_um(at_s), self._reference_um, strict=True)
            apart = [
                place + (now - before) for place, (now, before) in zip(apart, moves, strict=True)
            ]
        return apart[0], apart[1], apart[2]

    def _drift_um(self, at_s: float) -> tuple[float, float, float]:
        kelvin = self.thermal.sample_at(at_s)
        return self.memory.drift_um(self.thermal.truth, at_s - self._began_s, kelvin)

    def _fluence_uj_cm2(self) -> float:
        peak_uj_cm2 = self.laser.peak_fluence_uj_cm2 * self.table.attenuation_rel
        return peak_uj_cm2 * (self.laser.spot_1e2_diameter_um / self.spot_1e2_diameter_um) ** 2

    def _excitations(self, dot: Dot, fluence_uj_cm2: float) -> float:
        law = self.sample.laws.excitation
        return mean_excitations(law, dot, fluence_uj_cm2, self.laser.wavelength_nm)

    def _dose(self, name: str, at_s: float) -> float:
        """Absorbed excitations of a dot; its place in the spot is that of ``at_s``."""
        dose, pulses = self._doses.of(name), self._pulses(at_s)
        if pulses:
            x, y, _ = self._offset_um(name, at_s)
            fluence = self._fluence_uj_cm2() * spot_rel(x, y, self.spot_1e2_diameters_um)
            dose += pulses * self._excitations(self.sample.dots[name], fluence)
        return dose

    def _pulses(self, at_s: float) -> float:
        """Laser pulses on the sample since light and place are what they are."""
        if not self.memory.on or self.table.scatterer:
            return 0.0
        lit_s = self.table.excitation.integral(self._dose_from_s, at_s)
        return lit_s * self.laser.rep_rate_hz

    def _note_dose(self) -> None:
        """Add the light up to now, before light or place change; drift meanwhile is small."""
        now_s = self.now()
        pulses = self._pulses(now_s)
        if pulses:
            (x0, y0, _), (x, y, _) = self.dot.position_um, self.displacement_um(now_s)
            peak_uj_cm2 = pulses * self._fluence_uj_cm2()
            axis_um, diameters_um = (x0 - x, y0 - y), self.spot_1e2_diameters_um
            self._doses.add(peak_uj_cm2, self.laser.wavelength_nm, axis_um, diameters_um)
        self._dose_from_s = now_s

    def _thermal(self, truth: ThermalTruth) -> Thermal:
        return Thermal(
            truth, self.now, lambda sensor, block: self._lasting_generator(sensor, block)
        )

    def _lasting_generator(self, *labels: str | int) -> np.random.Generator:
        """For processes that go on through all points."""
        return np.random.Generator(np.random.PCG64(self._seed("world", *labels)))
