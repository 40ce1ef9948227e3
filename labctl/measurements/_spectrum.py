"""The measurement ``spectrum``: frames of the spectrum of what is in the spot."""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from labctl.measurements._context import Array, Context, Grown
from labctl.measurements._dispersion import dispersion, tune
from labctl.measurements._exposure import Exposure, expose
from labctl.measurements._measurement import Measurement
from labctl.measurements._paths import take_path
from labctl.measurements._settings import (
    filter_settings,
    point_settings,
    spectrograph_settings,
    warn_of_missing,
)
from labctl.roles import Camera, CameraSettings, Roi, Spectrograph
from labctl.units import GroovesPerMm, Megahertz, Nanometers, Seconds

__all__ = ["PEAK_NM", "Spectrum"]

PEAK_NM = "peak_nm"
"""Name under which a spectrum keeps where it was highest."""

SATURATED = 1 << 7
_SETUP_S = 2.0
_READOUT_S = 0.05
_SMOOTH = 7

Port = Literal["low_noise", "electron_multiplied"]


class Spectrum(Measurement):
    """Frames of the spectrum, summed over the rows of a band in the camera.

    Attributes:
        grating_per_mm: Groove density of the grating, 1/mm; None: the one in use.
        center_nm: Wavelength in the middle of the camera, nm; None: where it is.
        exposure_s: Exposure of one frame, s.
        frames: Number of frames.
        background: Number of frames without excitation taken before; 0: none.
        em_gain: Gain of the EM register; above 1 on the port ``electron_multiplied`` only.
        port: Output port of the camera.
        adc_mhz: Digitisation speed, MHz; None: the slowest and quietest that the port offers.
        analog_gain: 1 low, 2 medium, 3 high.
        rows: First row and number of rows of the band; None: all rows.
        unlocked_sensor: Whether a sensor that is not at its temperature is accepted.
        path: Light path; None: ``camera``, if the set-up has it.
    """

    kind: ClassVar[str] = "spectrum"
    needs: ClassVar[tuple[str, ...]] = ("spectrograph", "camera", "shutter")

    grating_per_mm: GroovesPerMm | None = Field(None, gt=0)
    center_nm: Nanometers | None = Field(None, ge=0)
    exposure_s: Seconds = Field(gt=0, description="like 'exposure: 1 s'")
    frames: int = Field(1, ge=1)
    background: int = Field(0, ge=0)
    em_gain: int = Field(1, ge=1, le=1000)
    port: Port = "low_noise"
    adc_mhz: Megahertz | None = Field(None, gt=0)
    analog_gain: int = Field(2, ge=1, le=3)
    rows: tuple[int, int] | None = None
    unlocked_sensor: bool = False
    path: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            exposure: str,
            grating: str | None = None,
            center: str | None = None,
            frames: int = 1,
            background: int = 0,
            em_gain: int = 1,
            port: Port = "low_noise",
            adc: str | None = None,
            analog_gain: int = 2,
            rows: tuple[int, int] | None = None,
            unlocked_sensor: bool = False,
            path: str | None = None,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``exposure="1 s"``."""

    @model_validator(mode="after")
    def _gain_needs_its_port(self) -> "Spectrum":
        if self.em_gain > 1 and self.port != "electron_multiplied":
            message = f"em_gain {self.em_gain} needs 'port: electron_multiplied'"
            raise ValueError(message)
        return self

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        previews = 1 if self.em_gain > 1 else 0
        frames = self.frames + self.background + previews
        return _SETUP_S + frames * (self.exposure_s + _READOUT_S)

    def run(self, context: Context) -> None:
        """Tune the spectrograph, take the frames, store the point."""
        spectrograph = context.station.only(Spectrograph, prefer="spectrograph")
        camera = context.station.only(Camera, prefer="camera")
        path = take_path(context, self.path, "camera", [camera.name])
        centre_nm = tune(context, spectrograph, self.grating_per_mm, self.center_nm)
        calibration = dispersion(context, spectrograph, camera)
        standing = spectrograph_settings(spectrograph)
        filters = filter_settings(context)
        settings = self.camera_settings(camera)
        dark = self._dark(context, camera, settings)
        began_s = context.clock.now()
        roi = settings.roi
        wavelength_nm = calibration.region_nm(roi.x0, roi.width, centre_nm, roi.x_binning)
        taken = expose(context, camera, self._lit(settings, wavelength_nm))
        frames = taken.counts
        warn_of_missing(context, camera, calibration, standing["exit"])
        peak = int(frames.max())
        context.remember(PEAK_NM, peak_nm(frames, wavelength_nm))
        context.store(
            [*spectrum_arrays(frames, wavelength_nm), *dark],
            settings={
                "path": path,
                **filters,
                **point_settings(context, standing, camera, calibration, self.frames),
            },
            live_time_s=self.frames * self.exposure_s,
            quality=taken.quality | (SATURATED if peak >= camera.full_scale_counts() else 0),
            brief=f"peak {peak} counts in {context.clock.now() - began_s:.1f} s",
        )

    def camera_settings(self, camera: Camera) -> CameraSettings:
        """Return what the camera is asked for: all columns, the rows of the band binned to one."""
        columns, rows = camera.sensor_size()
        y0, height = self.rows or (0, rows)
        return CameraSettings(
            exposure_s=self.exposure_s,
            roi=Roi(0, columns, y0, height, 1, height),
            em_gain=self.em_gain,
            quality=self.port,
            adc_mhz=self.adc_mhz or camera.quietest_mhz(self.port),
            analog_gain=self.analog_gain,
        )

    def _lit(self, settings: CameraSettings, wavelength_nm: NDArray[np.float64]) -> Exposure:
        def shown(frames: NDArray[np.uint16]) -> Grown:
            facts = {"live_s": len(frames) * self.exposure_s}
            return Grown(spectrum_arrays(frames, wavelength_nm), facts)

        unlocked = self.unlocked_sensor
        return Exposure(settings, self.frames, unlocked_sensor=unlocked, shown=shown)

    def _dark(self, context: Context, camera: Camera, settings: CameraSettings) -> list[Array]:
        if self.background == 0:
            return []
        exposure = Exposure(settings, self.background, False, self.unlocked_sensor, "background")
        frames = expose(context, camera, exposure).counts
        mean: NDArray[np.float64] = frames.sum(axis=1).mean(axis=0)
        return [Array("background", mean, "counts", ("x",))]


def peak_nm(frames: NDArray[np.uint16], wavelength_nm: NDArray[np.float64]) -> float:
    """Return where a spectrum is highest: centroid around the maximum of smoothed counts, nm.

    The median of the frames leaves out cosmic rays; this is to aim with, no fit.
    """
    counts = np.median(frames.sum(axis=1, dtype=np.float64), axis=0)
    counts -= np.median(counts)
    width = min(_SMOOTH, counts.size)
    top = int(np.argmax(np.convolve(counts, np.ones(width) / width, mode="same")))
    near = slice(max(top - _SMOOTH, 0), top + _SMOOTH + 1)
    weight = np.clip(counts[near], 0.0, None)
    if not weight.sum() > 0.0:
        return float(wavelength_nm[top])
    return float(np.average(wavelength_nm[near], weights=weight))


def spectrum_arrays(frames: NDArray[np.uint16], wavelength_nm: NDArray[np.float64]) -> list[Array]:
    """Return what is stored of a spectrum: all frames, their sum and the wavelength axis.

    Args:
        frames: Counts, shape (frame, row, column).
        wavelength_nm: Wavelength of each column, nm.
    """
    lines = frames.sum(axis=1, dtype=np.uint32)
    return [
        Array("counts", lines.sum(axis=0, dtype=np.uint32), "counts", ("x",)),
        Array("wavelength", wavelength_nm, "nm", ("x",)),
        Array("frames", lines, "counts", ("frame", "x")),
    ]
