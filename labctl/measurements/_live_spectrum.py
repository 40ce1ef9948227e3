"""The live views of the spectrometer's camera: spectrum and image."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, model_validator

from labctl.errors import RefusedError
from labctl.measurements._context import Context
from labctl.measurements._dispersion import dispersion
from labctl.measurements._exposure import Exposure, excitation, preview
from labctl.measurements._live import Live
from labctl.measurements._paths import take_path
from labctl.roles import Camera, CameraSettings, Frame, Roi, Spectrograph
from labctl.units import Megahertz, Seconds

__all__ = ["LiveImage", "LiveSpectrum"]

_SERIES = 100
_MARGIN_S = 30.0
_AXIS_S = 1.0


@dataclass(frozen=True, eq=False)
class _Axis:
    """The wavelengths of the columns, as the spectrograph stood when it was asked."""

    asked_s: float
    wavelength_nm: NDArray[np.float64]
    facts: dict[str, Any]

    @classmethod
    def of(cls, context: Context, spectrograph: Spectrograph, camera: Camera) -> "_Axis":
        """Ask the spectrograph; it may have been moved by hand meanwhile."""
        calibration = dispersion(context, spectrograph, camera)
        centre_nm = spectrograph.read_wavelength()
        held = camera.settings
        columns, rows = camera.sensor_size()
        roi = Roi(0, columns, 0, rows) if held is None else held.roi
        wavelength_nm = calibration.region_nm(roi.x0, roi.width, centre_nm, roi.x_binning)
        known = bool(calibration.evidence.lines)
        place = {"y0": roi.y0, "rows": [roi.y0, roi.height]}
        facts = {"center_nm": centre_nm, "calibrated": known, **place}
        return cls(context.clock.now(), wavelength_nm, facts)


class _LiveCamera(Live):
    """Frames of the spectrometer's camera, one after the other.

    Attributes:
        exposure_s: Exposure of one frame, s.
        em_gain: Gain of the EM register; above 1 on the port ``electron_multiplied`` only.
        port: Output port of the camera.
        adc_mhz: Digitisation speed, MHz; None: the slowest and quietest that the port offers.
        light: Whether excitation light is let in.
        rows: First row and number of rows; None: all.
        path: Light path; None: ``camera``, if the set-up has it.
    """

    needs: ClassVar[tuple[str, ...]] = ("spectrograph", "camera", "shutter")

    exposure_s: Seconds = Field(0.1, gt=0)
    em_gain: int = Field(1, ge=1, le=1000)
    port: Literal["low_noise", "electron_multiplied"] = "low_noise"
    adc_mhz: Megahertz | None = Field(None, gt=0)
    light: bool = True
    rows: tuple[int, int] | None = None
    path: str | None = None

    _axis: _Axis | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _gain_needs_its_port(self) -> "_LiveCamera":
        if self.em_gain > 1 and self.port != "electron_multiplied":
            message = f"em_gain {self.em_gain} needs 'port: electron_multiplied'"
            raise ValueError(message)
        return self

    @abstractmethod
    def roi(self, columns: int, rows: int) -> Roi:
        """Return the region that is read out, for a sensor of so many columns and rows."""

    @abstractmethod
    def show_frame(self, frame: Frame, wavelength_nm: NDArray[np.float64], facts: Any) -> None:
        """Show one frame, counts, (row, column)."""

    def run(self, context: Context) -> None:
        """Show frames until a command ends it."""
        spectrograph = context.station.only(Spectrograph, prefer="spectrograph")
        camera = context.station.only(Camera, prefer="camera")
        self._wait_for(context, spectrograph)
        take_path(context, self.path, "camera", [camera.name])
        settings = self._settings(camera)
        exposure = Exposure(settings, _SERIES, self.light, unlocked_sensor=True)
        if settings.em_gain > 1:
            preview(context, camera, exposure)
        camera.configure(settings)
        camera.set_shutter(True)
        with excitation(context, self.light):
            while True:
                self._series(context, spectrograph, camera, exposure)

    def _wait_for(self, context: Context, spectrograph: Spectrograph) -> None:
        """Wait for the end of a move that somebody has begun by hand."""
        context.wait_until(
            lambda: not spectrograph.is_moving(),
            timeout_s=spectrograph.grating_timeout_s,
            what=f"{spectrograph.name} move to its end",
        )

    def _series(
        self, context: Context, spectrograph: Spectrograph, camera: Camera, exposure: Exposure
    ) -> None:
        camera.start(exposure.frames, allow_unlocked=True)
        try:
            while camera.acquiring() or camera.frames_ready():
                context.wait_until(
                    lambda: camera.frames_ready() > 0 or not camera.acquiring(),
                    timeout_s=camera.frame_time_s() + _MARGIN_S,
                    what=f"{camera.name} frame",
                    bankable=True,
                )
                frames = camera.read_frames()
                if frames:
                    self._take(context, spectrograph, camera, frames[-1])
        finally:
            camera.stop()

    def _take(
        self, context: Context, spectrograph: Spectrograph, camera: Camera, frame: Frame
    ) -> None:
        now_s = context.clock.now()
        if self._axis is None or now_s >= self._axis.asked_s + _AXIS_S:
            try:
                self._axis = _Axis.of(context, spectrograph, camera)
            except RefusedError:
                # It moves, and tells nothing before it has arrived; the frame is of no place.
                return
        facts = {
            "exposure_s": self.exposure_s
            if camera.settings is None
            else camera.settings.exposure_s,
            "peak": int(frame.max(initial=0)),
            "full_scale": camera.full_scale_counts(),
            **self._axis.facts,
        }
        self.show_frame(frame, self._axis.wavelength_nm, facts)

    def _settings(self, camera: Camera) -> CameraSettings:
        return CameraSettings(
            exposure_s=self.exposure_s,
            roi=self.roi(*camera.sensor_size()),
            em_gain=self.em_gain,
            quality=self.port,
            adc_mhz=self.adc_mhz or camera.quietest_mhz(self.port),
        )


class LiveSpectrum(_LiveCamera):
    """The spectrum of what is in the spot, rows of the band binned in the camera."""

    kind: ClassVar[str] = "live_spectrum"

    def roi(self, columns: int, rows: int) -> Roi:
        """Return all columns, the rows binned to one."""
        y0, height = self.rows or (0, rows)
        return Roi(0, columns, y0, height, 1, height)

    def show_frame(self, frame: Frame, wavelength_nm: NDArray[np.float64], facts: Any) -> None:
        """Show counts against wavelength."""
        counts = frame.sum(axis=0, dtype=np.uint32)
        self.show("spectrum", {"counts": counts, "wavelength": wavelength_nm}, facts)


class LiveImage(_LiveCamera):
    """The image on the spectrometer's camera, wavelength across, the slit upwards."""

    kind: ClassVar[str] = "live_image"

    def roi(self, columns: int, rows: int) -> Roi:
        """Return the region, not binned."""
        y0, height = self.rows or (0, rows)
        return Roi(0, columns, y0, height)

    def show_frame(self, frame: Frame, wavelength_nm: NDArray[np.float64], facts: Any) -> None:
        """Show counts by row and column, and the spectrum of all rows."""
        self.show("image", {"counts": frame, "wavelength": wavelength_nm}, facts)
        counts = frame.sum(axis=0, dtype=np.uint32)
        self.show("spectrum", {"counts": counts, "wavelength": wavelength_nm}, facts)
