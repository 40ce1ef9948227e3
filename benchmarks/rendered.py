"""Temperature series straight from the world's renderer, without wire, drivers or files.

What the fits get is what a set-up would know: frames, and calibrations that were made from
frames of the lamp. The world's truth is used for the comparison alone.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
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
from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, World

__all__ = ["TEMPERATURES_K", "RenderedSeries", "Truth", "render_series"]

TEMPERATURES_K = (4.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
SAMPLE = Path(__file__).parents[1] / "configs" / "samples" / "cspbbr3_23nm.yaml"
_SETTLE_S = 1800.0
_LASER = LaserTruth(
    wavelength_nm=405.0, rep_rate_hz=1e7, spot_1e2_diameter_um=2.4, peak_fluence_uj_cm2=0.17
)
_FULL_SCALE = 65535


@dataclass(frozen=True)
class Truth:
    """What the world really was at one point."""

    temperature_k: float
    energy_ev: float
    fwhm_observed_mev: float
    fwhm_intrinsic_mev: float


@dataclass
class RenderedSeries:
    """Spectra as the analysis wants them, and the truth beside each."""

    spectra: list[StoredSpectrum] = field(default_factory=list[StoredSpectrum])
    truths: list[Truth] = field(default_factory=list[Truth])


class _Bench:
    """A world with spectrograph, cryostat and camera, driven by hand."""

    def __init__(self, seed: int, changes: dict[str, Any]) -> None:
        self.queue = EventQueue()
        self.world = World(
            sample=load_sample(load_yaml(SAMPLE).data),
            dot="A7",
            laser=_LASER,
            now=self.queue.now,
            schedule=self.queue.schedule,
            seed=seeder(seed),
        )
        self.thermal = self.world.attach_cryostat({})
        self.spectrograph = self.world.attach_spectrograph(changes.get("spectrograph", {}))
        self.camera = self.world.camera(changes.get("camera", {}))
        self.spectrograph.lines_per_mm, self.spectrograph.blaze_nm = 300.0, 500.0
        self.world.table.laser_on, self.world.table.shutter_open = True, False
        self._point = 0
        self.truths = list[Truth]()

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
        self.truths = list[Truth]()
        for frame in range(number):
            start_s = self.queue.now()
            self.wait(exposure_s / 2)
            if light:
                self.truths.append(_truth(self.world.truth()))
            self.wait(exposure_s / 2)
            image = self.camera.render(
                frame=frame, start_s=start_s, exposure_s=exposure_s, em_gain=1,
                quality="low_noise", adc_mhz=0.1, analog_gain=2, shutter_open=True,
                roi=(0, 1600, 0, 200), binning=(1, 200),
            )  # fmt: skip
            rows.append(image.sum(axis=0).astype(np.float64))
        self.world.table.shutter_open = False
        return np.array(rows)


def render_series(
    seed: int,
    temperatures_k: Sequence[float] = TEMPERATURES_K,
    *,
    frames: int = 10,
    changes: dict[str, Any] | None = None,
) -> RenderedSeries:
    """Calibrate from lamp frames, then take spectra at each temperature.

    Args:
        seed: Seed of the world.
        temperatures_k: Set points, K.
        frames: Frames of 1 s per spectrum.
        changes: Truths that differ from the simulators' defaults: ``spectrograph``, ``camera``.
    """
    bench = _Bench(seed, changes or {})
    noise, calibration, response = _calibrate(bench)
    bench.spectrograph.centre_nm = 531.0
    series = RenderedSeries()
    axis_nm = calibration.region_nm(0, 1600, 531.0)
    axis_error_nm = calibration.wavelength_error_nm(np.arange(1600.0), 531.0)
    for point, kelvin in enumerate(temperatures_k):
        bench.thermal.set_target(kelvin)
        bench.wait(_SETTLE_S)
        light = bench.frames(frames, 1.0, light=True)
        series.spectra.append(
            _stored(point, kelvin, light, axis_nm, axis_error_nm, noise, response, bench.thermal)
        )
        series.truths.append(_mean(bench.truths))
    return series


def _truth(found: dict[str, Any]) -> Truth:
    return Truth(
        found["dot_temperature_k"],
        found["energy_ev"],
        found["fwhm_observed_mev"],
        found["fwhm_intrinsic_mev"],
    )


def _mean(truths: Sequence[Truth]) -> Truth:
    # The world moves during a point (temperature, spectral diffusion): its mean is what is measured.
    return Truth(*np.mean([astuple(truth) for truth in truths], axis=0).tolist())


def _calibrate(bench: _Bench) -> tuple[NoiseModel, GratingCalibration, InstrumentResponse]:
    bench.spectrograph.centre_nm = 600.0
    dark = bench.frames(40, 0.5, light=False)
    bench.world.table.lamp = "neon"
    transfer = photon_transfer(bench.frames(40, 0.5, light=False), dark)
    bench.spectrograph.centre_nm = 560.0
    bright = bench.frames(20, 0.5, light=False)
    bench.world.table.lamp = None
    lamp = bright.mean(axis=0) - dark.mean(axis=0)
    settings = LampSettings(centre_nm=560.0, saturation_counts=0.9 * _FULL_SCALE)
    nominal = GratingCalibration(300.0, 500.0, 17.2, 799.0, 16.0)
    calibration = calibrate_from_lamp(lamp, settings, lamp_lines("neon"), nominal)
    found = response_of(bright, dark, calibration, 560.0, settings)
    noise = NoiseModel(
        transfer.electrons_per_count.value,
        transfer.read_noise_counts.value,
        transfer.bias_counts.value,
        full_scale_counts=_FULL_SCALE,
    )
    response = line_spread_response(
        found["slit_nm"], found["blur_fwhm_nm"], found["fwhm_error_nm"]
    )
    return noise, calibration, response


def _stored(
    point: int,
    kelvin: float,
    light: NDArray[np.float64],
    axis_nm: NDArray[np.float64],
    axis_error_nm: NDArray[np.float64] | None,
    noise: NoiseModel,
    response: InstrumentResponse,
    thermal: Any,
) -> StoredSpectrum:
    return StoredSpectrum(
        point=point,
        label="",
        counts=light.sum(axis=0),
        frames=light,
        wavelength_nm=axis_nm,
        axis_error_nm=np.zeros_like(axis_nm) if axis_error_nm is None else axis_error_nm,
        noise=replace(noise, frames=len(light)),
        response=response,
        temperature_set_k=kelvin,
        temperature_k=Measured(thermal.read_platform_k(), 0.01),
        grating="300/mm",
        warnings=(),
    )
