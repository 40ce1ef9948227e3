"""ImagingCamera: pictures of the sample to find one's way on it; no EM register, no spectra."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from labctl.errors import GarbledReplyError, RefusedError
from labctl.roles._base import Instrument, SafeAction
from labctl.roles._camera import Frame, Roi
from labctl.roles._limits import Limits

__all__ = ["ImagingCamera", "ImagingSettings"]


@dataclass(frozen=True)
class ImagingSettings:
    """Everything that decides what a picture's numbers mean.

    Attributes:
        exposure_s: Exposure of one frame, s.
        gain: Analog gain as a factor; 1 is the least.
        roi: Region and binning; None: the whole sensor.
    """

    exposure_s: float
    gain: float = 1.0
    roi: Roi | None = None


class ImagingCamera(Instrument):
    """Base of imaging camera drivers.

    One frame at a time: ``configure``, ``start_frame``, ask ``frame_ready``, ``take_frame``. The
    exposure of a frame begins after ``start_frame``, so that no old picture is ever taken for a
    new one. Nothing here waits.
    """

    role: ClassVar[str] = "imaging_camera"
    safe_actions = {"stop": SafeAction("stop", "is_idle")}

    def __init__(self, name: str, limits: Mapping[str, Limits] | None = None) -> None:
        """Start without settings."""
        super().__init__(name, limits)
        self._settings: ImagingSettings | None = None

    @abstractmethod
    def sensor_size(self) -> tuple[int, int]:
        """Return columns and rows of the sensor."""

    @abstractmethod
    def pixel_pitch_um(self) -> float:
        """Return the distance of two pixels on the sensor, um."""

    @abstractmethod
    def nominal_scale_um(self) -> float:
        """Return the distance on the sample that one pixel should see, um; nothing measured."""

    @abstractmethod
    def full_scale_counts(self) -> int:
        """Return the largest number that the digitiser gives."""

    @abstractmethod
    def exposure_limits(self) -> Limits:
        """Return the shortest and the longest exposure, s."""

    @abstractmethod
    def gain_limits(self) -> Limits:
        """Return the range of the gain factor."""

    @abstractmethod
    def frame_time_s(self) -> float:
        """Return the time from one frame to the next with the present settings, s."""

    @abstractmethod
    def _write_settings(self, settings: ImagingSettings) -> ImagingSettings:
        """Send the settings and return them as read back."""

    @abstractmethod
    def _start_frame(self) -> None:
        """Start the exposure of one frame."""

    @abstractmethod
    def frame_ready(self) -> bool:
        """Ask whether the frame that was started waits to be taken; asks only, never waits."""

    @abstractmethod
    def _take_frame(self) -> Frame:
        """Return the frame that is ready, and end the acquisition."""

    @abstractmethod
    def stop(self) -> None:
        """End an acquisition; does nothing if there is none."""

    @abstractmethod
    def is_idle(self) -> bool:
        """Ask whether no acquisition goes on."""

    @property
    def settings(self) -> ImagingSettings | None:
        """The settings that the camera holds, as read back; None before ``configure``."""
        return self._settings

    def region(self, settings: ImagingSettings) -> Roi:
        """Return the region of settings: their own, or the whole sensor."""
        columns, rows = self.sensor_size()
        return settings.roi or Roi(0, columns, 0, rows)

    def configure(self, settings: ImagingSettings) -> ImagingSettings:
        """Send settings; returns them as the camera reads them back.

        Raises:
            RefusedError: Exposure, gain or region is out of range; nothing is sent.
            DeviceRefusedError: The camera holds something else.
        """
        self._check("exposure", settings.exposure_s, self.exposure_limits(), " s")
        self._check("gain", settings.gain, self.gain_limits(), "")
        columns, rows = self.sensor_size()
        if not self.region(settings).fits(columns, rows):
            what = f"{settings.roi} is not on the sensor"
            raise RefusedError(self.name, what, f"{columns} x {rows} pixels")
        self.stop()
        self._settings = None
        self._settings = self._write_settings(settings)
        return self._settings

    def start_frame(self) -> None:
        """Start the exposure of one frame with the configured settings.

        Raises:
            RefusedError: Not configured, or a frame is still on its way.
        """
        if self._settings is None:
            raise RefusedError(self.name, "start before configure", "configure the camera first")
        if not self.is_idle():
            raise RefusedError(self.name, "a frame is on its way", "take it, or stop")
        self._start_frame()

    def take_frame(self) -> Frame:
        """Return the frame that is ready, counts, uint16, shape (y, x).

        Raises:
            RefusedError: There is none yet.
            GarbledReplyError: It has not the shape that was set.
        """
        settings = self._settings
        if settings is None or not self.frame_ready():
            raise RefusedError(self.name, "no frame is ready", "ask frame_ready first")
        frame = self._take_frame()
        wanted = self.region(settings).shape
        if frame.shape != wanted:
            what = f"a frame of {frame.shape}, the region is {wanted}"
            raise GarbledReplyError(self.name, "take frame", what, "configure the camera again")
        return frame

    def _check(self, name: str, value: float, limits: Limits, unit: str) -> None:
        if not (math.isfinite(value) and value in limits):
            hint = f"allowed: {limits.low:g} to {limits.high:g}{unit}"
            raise RefusedError(self.name, f"{name} = {value:g}{unit} is out of range", hint)
