"""Calibrations as measurements: each stores its spectra and makes its own dated result."""

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import LampLineSample, measure_line_spread, photon_transfer
from labctl.measurements._context import Array, Context
from labctl.measurements._dispersion import nominal_dispersion
from labctl.measurements._exposure import Exposure, Taken, expose
from labctl.measurements._lamp_frames import lamp_lit, tuned
from labctl.measurements._measurement import Measurement
from labctl.measurements._paths import take_path
from labctl.measurements._settings import detector_key, point_settings
from labctl.measurements._spectrum import spectrum_arrays
from labctl.optics import (
    GratingCalibration,
    LampSettings,
    calibrate_from_lamp,
    find_lines,
    lamp_lines,
)
from labctl.roles import Camera, CameraSettings, Roi
from labctl.units import GroovesPerMm, Megahertz, Nanometers, Seconds

__all__ = ["CalibrateDetector", "CalibrateWavelength", "Element", "LampExposure", "response_of"]

_SETUP_S = 5.0
_WINDOW = 7
"""Pixels on each side of a lamp line that are used for the line spread."""
_FEW_LINES = 9
"""Fewer leave less than 5 degrees of freedom beside the four parameters of the dispersion; their
scatter about the fit does not tell how good it is."""

Element = Literal["neon", "mercury", "argon"]
Port = Literal["low_noise", "electron_multiplied"]


class LampExposure(Measurement):
    """Parameters of an exposure to a calibration lamp.

    Attributes:
        grating_per_mm: Groove density of the grating, 1/mm.
        center_nm: Wavelength in the middle of the camera, nm; lines of the lamp must lie near.
        lamp: Element of the lamp.
        exposure_s: Exposure of one frame, s.
        frames: Number of frames.
        port: Output port of the camera.
        adc_mhz: Digitisation speed, MHz; None: the quietest of the port.
        analog_gain: 1 low, 2 medium, 3 high.
    """

    needs: ClassVar[tuple[str, ...]] = ("spectrograph", "camera", "lamp")

    grating_per_mm: GroovesPerMm = Field(gt=0, description="like 'grating: 300/mm'")
    center_nm: Nanometers = Field(ge=0, description="like 'center: 550 nm'")
    lamp: Element = "neon"
    exposure_s: Seconds = Field(gt=0, description="like 'exposure: 0.5 s'")
    frames: int = Field(5, ge=1)
    port: Port = "low_noise"
    adc_mhz: Megahertz | None = Field(None, gt=0)
    analog_gain: int = Field(2, ge=1, le=3)

    def exposures(self, context: Context, camera: Camera) -> tuple[Taken, Taken]:
        """Return frames with and without the lamp."""
        settings = self.settings(camera)
        exposure = Exposure(settings, self.frames, light=False)
        dark = expose(context, camera, replace(exposure, name="background"))
        with lamp_lit(context, self.lamp):
            bright = expose(context, camera, exposure)
        return bright, dark

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return _SETUP_S + 2 * self.frames * self.exposure_s

    def settings(self, camera: Camera) -> CameraSettings:
        """Return what the camera is asked for: all columns, all rows binned to one."""
        columns, rows = camera.sensor_size()
        speed_mhz = self.adc_mhz or camera.quietest_mhz(self.port)
        roi = Roi(0, columns, 0, rows, 1, rows)
        return CameraSettings(self.exposure_s, roi, 1, self.port, speed_mhz, self.analog_gain)


class CalibrateWavelength(LampExposure):
    """Dispersion and response of a grating, from the lines of a lamp.

    Attributes:
        tolerance_nm: Largest error of the data-sheet dispersion that is searched, nm.
    """

    kind: ClassVar[str] = "calibrate_wavelength"

    tolerance_nm: Nanometers = Field(2.0, gt=0)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            grating: str,
            center: str,
            exposure: str,
            lamp: Element = "neon",
            frames: int = 5,
            port: Port = "low_noise",
            adc: str | None = None,
            analog_gain: int = 2,
            tolerance: str = "2 nm",
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``exposure="1 s"``."""

    def run(self, context: Context) -> None:
        """Take the lamp's spectrum, fit the dispersion, keep both."""
        camera = context.station.only(Camera, prefer="camera")
        take_path(context, None, "camera", [camera.name])
        at = tuned(context, self.grating_per_mm, self.center_nm)
        taken, background = self.exposures(context, camera)
        bright, dark = taken.counts, background.counts
        counts = bright.mean(axis=0).sum(axis=0) - dark.mean(axis=0).sum(axis=0)
        lamp = LampSettings(
            centre_nm=at.centre_nm,
            saturation_counts=0.9 * camera.full_scale_counts(),
            tolerance_nm=self.tolerance_nm,
            source=f"{self.lamp} lamp",
            calibrated_at=context.clock.utc().isoformat(),
        )
        nominal = nominal_dispersion(at.spectrograph, camera)
        calibration = calibrate_from_lamp(counts, lamp, lamp_lines(self.lamp), nominal)
        context.calibrated("wavelength", at.key, calibration.to_dict())
        few = few_lines(calibration.evidence.lines, self.lamp)
        if few:
            context.message("warning", at.spectrograph.name, f"calibration of {at.key}: {few}")
        response = response_of(
            bright.sum(axis=1).astype(np.float64),
            dark.sum(axis=1).astype(np.float64),
            calibration,
            at.centre_nm,
            lamp,
        )
        context.calibrated("response", at.key, response)
        axis_nm = calibration.region_nm(0, counts.size, at.centre_nm)
        evidence = calibration.evidence
        context.store(
            spectrum_arrays(bright, axis_nm),
            settings=point_settings(context, at.standing, camera, calibration, self.frames),
            live_time_s=self.frames * self.exposure_s,
            quality=taken.quality | background.quality,
            brief=f"{evidence.lines} lines of {self.lamp}, residual {evidence.rms_nm * 1e3:.2f} pm,"
            f" response {response['fwhm_nm']:.4f} nm",
        )


class CalibrateDetector(LampExposure):
    """Electrons per count, read noise and offset of one port, from the noise of lamp frames."""

    kind: ClassVar[str] = "calibrate_detector"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            grating: str,
            center: str,
            exposure: str,
            lamp: Element = "neon",
            frames: int = 5,
            port: Port = "low_noise",
            adc: str | None = None,
            analog_gain: int = 2,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``exposure="1 s"``."""

    def run(self, context: Context) -> None:
        """Take frames with and without the lamp; their noise is the result."""
        camera = context.station.only(Camera, prefer="camera")
        take_path(context, None, "camera", [camera.name])
        at = tuned(context, self.grating_per_mm, self.center_nm)
        taken, background = self.exposures(context, camera)
        bright, dark = taken.counts.sum(axis=1), background.counts.sum(axis=1)
        found = photon_transfer(bright.astype(np.float64), dark.astype(np.float64))
        result = asdict(found) | {"calibrated_at": context.clock.utc().isoformat()}
        context.calibrated("detector", detector_key(camera), result)
        nominal = nominal_dispersion(at.spectrograph, camera)
        context.store(
            [
                Array("frames", bright.astype(np.uint32), "counts", ("frame", "x")),
                Array("counts", bright.sum(axis=0, dtype=np.uint32), "counts", ("x",)),
            ],
            settings=point_settings(context, at.standing, camera, nominal, self.frames),
            live_time_s=self.frames * self.exposure_s,
            quality=taken.quality | background.quality,
            brief=f"{found.electrons_per_count.value:.3f} e-/count, "
            f"read noise {found.read_noise_counts.value:.2f} counts",
        )


def few_lines(lines: int, lamp: str) -> str:
    """Return why so few lines are doubtful, and what to do; empty if they are enough."""
    if lines >= _FEW_LINES:
        return ""
    return (
        f"only {lines} lines of {lamp}; fewer than {_FEW_LINES} cannot show by their scatter how "
        "good the dispersion is, so its standard error is an assumption; choose a centre with "
        "more lines, or another lamp"
    )


def response_of(
    bright: NDArray[np.float64],
    dark: NDArray[np.float64],
    calibration: GratingCalibration,
    centre_nm: float,
    lamp: LampSettings,
) -> dict[str, Any]:
    """Return the line spread of the spectrograph from lamp frames, as it is stored.

    Args:
        bright: Frames with the lamp, shape (frame, pixel), counts.
        dark: Frames without it, shape (frame, pixel), counts.
        calibration: Dispersion of the grating.
        centre_nm: Centre wavelength of the exposure, nm.
        lamp: How the exposure was taken.

    Raises:
        AnalysisError: Too few separate lines, or frames without noise.
    """
    noise = photon_transfer(bright, dark)
    counts = bright.mean(axis=0) - dark.mean(axis=0)
    floor = noise.read_noise_counts.value**2
    light = np.maximum(counts, 0.0) / noise.electrons_per_count.value
    variance = (floor + light) / len(bright) + floor / len(dark)
    axis_nm = calibration.wavelength_nm(np.arange(counts.size, dtype=np.float64), centre_nm)
    lines = [
        LampLineSample(axis_nm[part], counts[part], variance[part])
        for part in _separate(counts, lamp)
    ]
    spread = measure_line_spread(lines)
    return {
        "fwhm_nm": spread.fwhm_nm.value,
        "fwhm_error_nm": spread.fwhm_nm.error,
        "shape": "slit",
        "slit_nm": spread.slit_nm,
        "blur_fwhm_nm": spread.blur_fwhm_nm,
        "reduced_chi2": spread.reduced_chi2,
        "lines": spread.lines,
        "calibrated_at": lamp.calibrated_at,
    }


def _separate(counts: NDArray[np.float64], lamp: LampSettings) -> list[slice]:
    """Return the pixels around lines that have no neighbour within twice the window."""
    every = np.array([line.pixel for line in find_lines(counts, minimum_snr=5.0)])
    chosen = find_lines(counts, saturation_counts=lamp.saturation_counts, minimum_snr=30.0)
    return [
        slice(round(line.pixel) - _WINDOW, round(line.pixel) + _WINDOW + 1)
        for line in chosen
        if np.sum(np.abs(every - line.pixel) < 2 * _WINDOW) == 1
        and _WINDOW <= line.pixel < counts.size - _WINDOW - 1
    ]
