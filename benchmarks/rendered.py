"""Temperature series straight from the world's renderer, without wire, drivers or files.

What the fits get is what a set-up would know: frames, and calibrations that were made from
frames of the lamp. The world's truth is used for the comparison alone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    BOLTZMANN_MEV_PER_K,
    InstrumentResponse,
    Measured,
    NoiseModel,
    line_spread_response,
    photon_transfer,
)
from labctl.clock import EventQueue
from labctl.host import seeder
from labctl.measurements import response_of
from labctl.optics import GratingCalibration, LampSettings, calibrate_from_lamp, lamp_lines
from labctl.results import StoredSpectrum
from labctl.setup import load_yaml
from labctl_sim.sample import Sample, load_sample
from labctl_sim.world import LaserTruth, World

__all__ = [
    "SAMPLES",
    "TEMPERATURES_K",
    "Calibrated",
    "LawTruth",
    "Mounted",
    "RenderedSeries",
    "SpectrumBench",
    "Truth",
    "render_series",
    "true_laws",
]

TEMPERATURES_K = (4.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
SAMPLES = Path(__file__).parents[1] / "configs" / "samples"
SAMPLE = SAMPLES / "cspbbr3_23nm.yaml"
_LAMP_CENTRES_NM = {300.0: (560.0,), 1800.0: (540.0, 588.0, 606.0)}
_SETTLE_S = 1800.0
_READINGS = 10
_LASER = LaserTruth(
    wavelength_nm=405.0, rep_rate_hz=1e7, spot_1e2_diameter_um=2.4, peak_fluence_uj_cm2=0.17
)
_FULL_SCALE = 65535


class Mounted(NamedTuple):
    """Sample file and dot on the axis."""

    sample: Path
    dot: str


MOUNTED = Mounted(SAMPLE, "A7")


@dataclass(frozen=True)
class Truth:
    """What the world really was at one point."""

    temperature_k: float
    energy_ev: float
    fwhm_observed_mev: float
    fwhm_intrinsic_mev: float
    area_electrons: float


@dataclass(frozen=True)
class LawTruth:
    """The laws of the world: of its sample, not of what was measured."""

    gamma_0_mev: float
    sigma_mev_per_k: float
    gamma_lo_mev: float
    e_lo_mev: float
    a_mev_per_k: float
    b_mev: float
    e_ph_mev: float
    energy_4k_ev: float

    def shift_mev(self, temperature_k: float) -> float:
        """``f = a T - b [coth(E_ph / 2kT) - 1]``."""
        argument = self.e_ph_mev / (2 * BOLTZMANN_MEV_PER_K * temperature_k)
        return self.a_mev_per_k * temperature_k - self.b_mev * (1 / math.tanh(argument) - 1)


@dataclass
class RenderedSeries:
    """Spectra as the analysis wants them, the truth beside each, and the laws behind them."""

    laws: LawTruth
    spectra: list[StoredSpectrum] = field(default_factory=list[StoredSpectrum])
    truths: list[Truth] = field(default_factory=list[Truth])


class Calibrated(NamedTuple):
    """What lamp frames gave."""

    noise: NoiseModel
    axis: GratingCalibration
    response: InstrumentResponse


class SpectrumBench:
    """A world with spectrograph, cryostat and camera, driven by hand."""

    def __init__(
        self,
        seed: int,
        changes: Mapping[str, Any],
        mounted: Mounted = MOUNTED,
        lines_per_mm: float = 300.0,
    ) -> None:
        self.queue = EventQueue()
        self.dot = mounted.dot
        self.world = World(
            sample=_changed(mounted.sample, changes.get("laws", {})),
            dot=mounted.dot,
            laser=replace(_LASER, **changes.get("laser", {})),
            now=self.queue.now,
            schedule=self.queue.schedule,
            seed=seeder(seed),
        )
        self.thermal = self.world.attach_cryostat(changes.get("cryostat", {}))
        self.spectrograph = self.world.attach_spectrograph(changes.get("spectrograph", {}))
        self.camera = self.world.camera(changes.get("camera", {}))
        self.spectrograph.lines_per_mm, self.spectrograph.blaze_nm = lines_per_mm, 500.0
        self.world.table.laser_on, self.world.table.shutter_open = True, False
        self._point = 0

    def wait(self, seconds: float) -> None:
        end_s = self.queue.now() + seconds
        happened = True
        while happened:
            _, happened = self.queue.step(end_s)

    def frames(self, number: int, exposure_s: float, *, light: bool) -> NDArray[np.float64]:
        """Return counts, shape (frame, pixel)."""
        self.world.begin_point(str(self._point))
        self._point += 1
        self.world.table.shutter_open = light
        rows: list[NDArray[np.float64]] = []
        for frame in range(number):
            start_s = self.queue.now()
            self.wait(exposure_s)
            image = self.camera.render(
                frame=frame, start_s=start_s, exposure_s=exposure_s, em_gain=1,
                quality="low_noise", adc_mhz=0.1, analog_gain=2, shutter_open=True,
                roi=(0, 1600, 0, 200), binning=(1, 200),
            )  # fmt: skip
            rows.append(image.sum(axis=0).astype(np.float64))
        self.world.table.shutter_open = False
        return np.array(rows)

    def calibrate(self) -> Calibrated:
        """Calibrate camera and grating in use from frames of the lamp."""
        lines_per_mm = self.spectrograph.lines_per_mm
        self.spectrograph.centre_nm = 600.0
        dark = self.frames(40, 0.5, light=False)
        self.world.table.lamp = "neon"
        transfer = photon_transfer(self.frames(40, 0.5, light=False), dark)
        settings = [
            LampSettings(centre_nm=centre_nm, saturation_counts=0.9 * _FULL_SCALE)
            for centre_nm in _LAMP_CENTRES_NM[lines_per_mm]
        ]
        bright = [self._lamp(one.centre_nm) for one in settings]
        self.world.table.lamp = None
        lamp = [frames.mean(axis=0) - dark.mean(axis=0) for frames in bright]
        nominal = GratingCalibration(lines_per_mm, 500.0, 17.2, 799.0, 16.0)
        calibration = calibrate_from_lamp(lamp, settings, lamp_lines("neon"), nominal)
        found = response_of(bright[0], dark, calibration, settings[0].centre_nm, settings[0])
        gain = transfer.electrons_per_count
        noise = NoiseModel(
            gain.value,
            transfer.read_noise_counts.value,
            transfer.bias_counts.value,
            full_scale_counts=_FULL_SCALE,
            gain_error_rel=gain.error / gain.value,
        )
        response = line_spread_response(
            found["slit_nm"], found["blur_fwhm_nm"], found["fwhm_error_nm"]
        )
        return Calibrated(noise, calibration, response)

    def _lamp(self, centre_nm: float) -> NDArray[np.float64]:
        self.spectrograph.centre_nm = centre_nm
        return self.frames(20, 0.5, light=False)

    def stored(
        self, light: NDArray[np.float64], calibrated: Calibrated, point: int
    ) -> StoredSpectrum:
        """Return frames as the analysis gets them."""
        centre_nm, axis = self.spectrograph.centre_nm, calibrated.axis
        axis_nm = axis.region_nm(0, 1600, centre_nm)
        modes_nm = axis.wavelength_modes_nm(np.arange(1600.0), centre_nm)
        table, laser = self.world.table, self.world.laser
        return StoredSpectrum(
            point=point,
            label="",
            counts=light.sum(axis=0),
            frames=light,
            wavelength_nm=axis_nm,
            axis_modes_nm=np.zeros((0, axis_nm.size)) if modes_nm is None else modes_nm,
            noise=replace(calibrated.noise, frames=len(light)),
            response=calibrated.response,
            temperature_set_k=None,
            temperature_k=None,
            grating=f"{self.spectrograph.lines_per_mm:g}/mm",
            warnings=(),
            peak_fluence_uj_cm2=laser.peak_fluence_uj_cm2 * table.attenuation_rel,
        )

    def temperature(self) -> Measured:
        """Return mean and scatter of the thermometer that the platform has."""
        readings: list[float] = []
        for _ in range(_READINGS):
            readings.append(self.thermal.read_platform_k())
            self.wait(1.0)
        return Measured(float(np.mean(readings)), float(np.std(readings, ddof=1)))

    def truth(self, frames: int, exposure_s: float) -> Truth:
        """Return the truth of the frames just taken: the mean over them.

        The line wanders by more than the error of its position even within ten seconds.
        """
        found = self.world.truth()
        return Truth(
            found["dot_temperature_k"],
            found["energy_ev"] + 1e-3 * self.walked_mev(frames, exposure_s),
            found["fwhm_observed_mev"],
            found["fwhm_intrinsic_mev"],
            self._electrons_hz(found["bands"]) * frames * exposure_s,
        )

    def walked_mev(self, frames: int, exposure_s: float) -> float:
        """Return where the line was in the mean of the frames just taken, against now, meV."""
        now_s = self.queue.now()
        middles = now_s - exposure_s * (np.arange(frames) + 0.5)
        walk = [self._extra_mev(middle_s) for middle_s in middles.tolist()]
        return float(np.mean(walk)) - self._extra_mev(now_s)

    def laws(self) -> LawTruth:
        """Return the laws; the energy is that of the line at 4 K without its wandering."""
        laws, found = self.world.sample.laws, self.world.truth()
        broadening, shift = laws.broadening, laws.thermal_shift
        truth = LawTruth(
            broadening.zero_temperature_mev, broadening.acoustic_mev_per_k,
            broadening.optical_mev, broadening.phonon_energy_mev,
            shift.expansion_mev_per_k, shift.phonon_coupling_mev, shift.phonon_energy_mev, 0.0,
        )  # fmt: skip
        moved_mev = truth.shift_mev(found["dot_temperature_k"]) - truth.shift_mev(4.0)
        moved_mev += self._extra_mev(self.queue.now())
        return replace(truth, energy_4k_ev=found["energy_ev"] - 1e-3 * moved_mev)

    def _extra_mev(self, at_s: float) -> float:
        return self.world.surroundings(self.dot, at_s)[0].extra_shift_mev

    def _electrons_hz(self, bands: list[dict[str, Any]]) -> float:
        """Return electrons per second of the strongest line."""
        line = bands[0]
        optics, camera = self.camera.optics(), self.camera.truth
        vacuum_nm = np.array([1239.8419843320026 / line["energy_ev"]])
        _, collected = self.world.surroundings(self.dot, self.queue.now())
        light = line["photons_per_pulse"] * self.world.laser.rep_rate_hz * collected
        light *= optics.polarization_rel(line["dipole_deg"]) * optics.slit_rel()
        light *= self.spectrograph.truth.throughput_rel
        seen = optics.transmission(vacuum_nm, None) * camera.efficiency(vacuum_nm)
        return light * float(seen[0])


def render_series(
    seed: int,
    temperatures_k: Sequence[float] = TEMPERATURES_K,
    *,
    frames: int = 10,
    changes: Mapping[str, Any] | None = None,
    mounted: Mounted = MOUNTED,
    centre_nm: float = 531.0,
) -> RenderedSeries:
    """Calibrate from lamp frames, then take spectra at each temperature.

    Args:
        seed: Seed of the world.
        temperatures_k: Set points, K.
        frames: Frames of 1 s per spectrum.
        changes: Truths that differ from the defaults, by the part of the world: ``spectrograph``,
            ``camera``, ``cryostat``, ``laser``; ``laws`` by name of the law.
        mounted: Sample and dot.
        centre_nm: Wavelength in the middle of the camera.
    """
    bench = SpectrumBench(seed, changes or {}, mounted)
    calibrated = bench.calibrate()
    bench.spectrograph.centre_nm = centre_nm
    series = RenderedSeries(bench.laws())
    for point, kelvin in enumerate(temperatures_k):
        bench.thermal.set_target(kelvin)
        bench.wait(_SETTLE_S)
        temperature_k = bench.temperature()
        light = bench.frames(frames, 1.0, light=True)
        series.truths.append(bench.truth(frames, 1.0))
        stored = bench.stored(light, calibrated, point)
        series.spectra.append(
            replace(stored, temperature_set_k=kelvin, temperature_k=temperature_k)
        )
    return series


def true_laws() -> LawTruth:
    """Return the laws of the default world."""
    return SpectrumBench(0, {}).laws()


@lru_cache(maxsize=8)
def _sample(path: Path) -> Sample:
    return load_sample(load_yaml(path).data)


def _changed(path: Path, laws: Mapping[str, Mapping[str, float]]) -> Sample:
    """Return the sample with some numbers of its laws changed."""
    sample = _sample(path)
    changed = {
        name: getattr(sample.laws, name).model_copy(update=dict(numbers))
        for name, numbers in laws.items()
    }
    return sample.model_copy(update={"laws": sample.laws.model_copy(update=changed)})
