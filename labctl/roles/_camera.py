"""Camera: frames of a spectroscopy or imaging sensor, with the protection of an EM register."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl.errors import (
    DeviceRefusedError,
    GarbledReplyError,
    LabctlError,
    ProtectionError,
    RefusedError,
)
from labctl.roles._base import Instrument, Limits, SafeAction

__all__ = ["Camera", "CameraSettings", "Frame", "Roi"]

Frame = NDArray[np.uint16]


@dataclass(frozen=True)
class Roi:
    """A region of the sensor: origin and size in sensor pixels, hardware binning in pixels."""

    x0: int
    width: int
    y0: int
    height: int
    x_binning: int = 1
    y_binning: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return self.height // self.y_binning, self.width // self.x_binning

    def fits(self, columns: int, rows: int) -> bool:
        """Whether the region lies on a sensor of so many columns and rows."""
        inside = 0 <= self.x0 < self.x0 + self.width <= columns
        return inside and 0 <= self.y0 < self.y0 + self.height <= rows


@dataclass(frozen=True)
class CameraSettings:
    """Everything that decides what a frame's numbers mean.

    Attributes:
        exposure_s: Exposure of one frame, s.
        roi: Region and binning.
        em_gain: Nominal gain of the EM register; 1 is off.
        quality: Output port: ``low_noise`` or ``electron_multiplied``.
        adc_mhz: Digitisation speed, MHz.
        analog_gain: 1 (low), 2 (medium) or 3 (high).
    """

    exposure_s: float
    roi: Roi
    em_gain: int = 1
    quality: str = "low_noise"
    adc_mhz: float = 0.1
    analog_gain: int = 2


class Camera(Instrument):
    """Base of camera drivers.

    The EM register ages with every bright frame, so its gain is a guarded thing: it is refused
    until a frame at gain 1 has shown that the gained signal stays below ``guard_level`` of full
    scale; a gained frame above that closes the shutter, sets gain 1 and latches until re-armed.
    """

    role: ClassVar[str] = "camera"
    readables = {"sensor_temperature": "degC"}
    safe_actions = {
        "em_gain_1": SafeAction("drop_gain", "gain_is_1"),
        "close": SafeAction("shut", "is_shut"),
    }
    guard_level: ClassVar[float] = 0.8
    """Share of full scale that a pixel may reach while the EM gain is above 1."""
    unread_s: ClassVar[float] = 5.0
    """So long gained frames may lie unread, s."""

    def __init__(self, name: str, limits: Mapping[str, Limits] | None = None) -> None:
        """Start without preview: EM gain is refused until there is one."""
        super().__init__(name, limits)
        self._asked: CameraSettings | None = None
        self._settings: CameraSettings | None = None
        self._preview: _Preview | None = None
        self._floor: dict[CameraSettings, float] = {}
        self._tripped = ""
        self._reads = 0
        self._unread: tuple[int, float] | None = None

    @abstractmethod
    def sensor_size(self) -> tuple[int, int]:
        """Return columns and rows of the sensor."""

    @abstractmethod
    def pixel_pitch_um(self) -> float:
        """Return the distance of two pixels, um."""

    @abstractmethod
    def full_scale_counts(self) -> int:
        """Return the largest number that the digitiser gives."""

    @abstractmethod
    def _write_settings(self, settings: CameraSettings) -> CameraSettings:
        """Send the settings and return them as read back."""

    @abstractmethod
    def _start(self, frames: int) -> None:
        """Start acquiring ``frames`` frames."""

    @abstractmethod
    def frames_ready(self) -> int:
        """Return how many frames of this acquisition wait to be read; asks only, never waits."""

    @abstractmethod
    def _read_frames(self) -> list[Frame]:
        """Return the frames that are ready, each (rows, columns) in counts."""

    @abstractmethod
    def acquiring(self) -> bool:
        """Ask whether an acquisition goes on."""

    @abstractmethod
    def stop(self) -> None:
        """End an acquisition; does nothing if there is none."""

    @abstractmethod
    def lost_frames(self) -> int:
        """Return how many frames of this acquisition were lost on the way."""

    @abstractmethod
    def frame_time_s(self) -> float:
        """Return the time from one frame to the next with the present settings, s."""

    @abstractmethod
    def read_sensor_temperature(self) -> float:
        """Return the sensor's temperature, degC."""

    @abstractmethod
    def sensor_locked(self) -> bool:
        """Ask whether the sensor's temperature is at its set point."""

    @abstractmethod
    def set_sensor_target_c(self, celsius: float) -> None:
        """Set the sensor's temperature set point, degC."""

    @abstractmethod
    def set_shutter(self, wanted: bool) -> None:
        """Let the shutter open for exposures, or keep it closed."""

    @abstractmethod
    def shutter_enabled(self) -> bool:
        """Ask whether the shutter opens for exposures."""

    @abstractmethod
    def quietest_mhz(self, quality: str) -> float:
        """Return the slowest digitisation speed of a port, MHz."""

    @property
    def settings(self) -> CameraSettings | None:
        """The settings that the camera holds, as read back; None before ``configure``."""
        return self._settings

    @property
    def tripped(self) -> str:
        """What the guard has seen, or an empty string."""
        return self._tripped

    def look(self, now_s: float) -> None:
        """Guard against gained frames that nobody looks at: the guard sees only what is read.

        Args:
            now_s: Time of the clock, s; to be called again and again while the camera is on.

        Raises:
            ProtectionError: They have lain unread for too long; camera made safe.
        """
        gained = self._settings is not None and self._settings.em_gain > 1
        if not gained or not self.acquiring() or not self.frames_ready():
            self._unread = None
        elif self._unread is None or self._unread[0] != self._reads:
            self._unread = self._reads, now_s
        elif now_s - self._unread[1] > self.unread_s + 2.0 * self.frame_time_s():
            self._unread = None
            self._latch(f"gained frames have lain unread for {self.unread_s:g} s")

    def rearm(self) -> None:
        """Release the guard after a person has looked; a new preview is needed."""
        self._tripped, self._preview = "", None

    def configure(self, settings: CameraSettings) -> CameraSettings:
        """Send settings; returns them as the camera reads them back.

        Raises:
            RefusedError: EM gain without a preview at gain 1 that leaves margin.
            ProtectionError: The guard is latched.
            DeviceRefusedError: The camera refuses the combination.
        """
        self._check_guard()
        self._check_size(settings.roi)
        preview = self._check_preview(settings) if settings.em_gain > 1 else None
        # Remembered before it is sent: after a failure half-way, the gain may be there.
        self._asked = settings
        held = self._settings = self._write_settings(settings)
        if preview is not None and replace(held, em_gain=1) != preview.held:
            self.drop_gain()
            raise DeviceRefusedError(
                self.name,
                f"EM gain {settings.em_gain}",
                f"the camera holds {held}, the preview was taken with {preview.held}",
                "take the preview again",
            )
        return held

    def start(self, frames: int, *, allow_unlocked: bool = False) -> None:
        """Start acquiring ``frames`` frames with the configured settings.

        Raises:
            RefusedError: Not configured, or the sensor is not at its temperature.
            ProtectionError: The guard is latched.
        """
        self._check_guard()
        if self._settings is None:
            raise RefusedError(self.name, "start before configure", "configure the camera first")
        if not allow_unlocked and not self.sensor_locked():
            now_c = self.read_sensor_temperature()
            raise RefusedError(
                self.name,
                f"the sensor is at {now_c:.1f} degC and not locked",
                "wait for it to cool, or write 'unlocked_sensor: true' in the measurement",
            )
        if self._settings.em_gain <= 1:
            self._preview = None
        self._start(frames)

    def read_frames(self) -> list[Frame]:
        """Return the frames that are ready, each (rows, columns), uint16 counts.

        Raises:
            ProtectionError: A gained frame came too near to full scale; camera made safe.
            GarbledReplyError: One has not the shape that was set.
        """
        frames = self._read_frames()
        self._reads += 1
        for frame in frames:
            # Before its shape, which harms nothing.
            self._guard(frame)
        self._check_shapes(frames)
        return frames

    def _check_shapes(self, frames: list[Frame]) -> None:
        wanted = self._settings.roi.shape if self._settings is not None else ()
        for frame in frames:
            if frame.shape != wanted:
                what = f"a frame of {frame.shape}, the region is {wanted}"
                raise GarbledReplyError(self.name, "read frames", what, "another program sets it?")

    def drop_gain(self) -> None:
        """Stop acquiring and set the EM gain to 1."""
        self.stop()
        # What it is known to hold comes before what it may have refused.
        known = self._settings or self._asked
        if known is not None and self.read_em_gain() > 1:
            self._asked = replace(known, em_gain=1)
            self._settings = self._write_settings(self._asked)

    def gain_is_1(self) -> bool:
        """Whether the EM register does not multiply, by the camera's own read-back."""
        return self.read_em_gain() == 1

    @abstractmethod
    def read_em_gain(self) -> int:
        """Return the nominal EM gain that the camera holds (1 on a port without register)."""

    def shut(self) -> None:
        """Stop acquiring and keep the shutter closed."""
        self.stop()
        self.set_shutter(False)

    def is_shut(self) -> bool:
        """Ask whether the shutter stays closed."""
        return not self.shutter_enabled()

    def _check_guard(self) -> None:
        if self._tripped:
            raise ProtectionError(self.name, self._tripped, "remove the light, then re-arm")

    def _check_size(self, roi: Roi) -> None:
        columns, rows = self.sensor_size()
        if not roi.fits(columns, rows):
            raise RefusedError(
                self.name, f"{roi} is not on the sensor", f"{columns} x {rows} pixels"
            )

    def _check_preview(self, settings: CameraSettings) -> "_Preview":
        preview = self._preview
        # A camera rounds to its own steps, so a preview counts by either wording.
        wanted = replace(settings, em_gain=1)
        if preview is None or wanted not in (preview.asked, preview.held):
            raise RefusedError(
                self.name,
                f"EM gain {settings.em_gain} without a preview",
                "take a frame at gain 1 with the same exposure, region and port first",
            )
        expected = preview.peak * settings.em_gain
        allowed = self.guard_level * self.full_scale_counts()
        if expected > allowed:
            raise RefusedError(
                self.name,
                f"EM gain {settings.em_gain} would bring {expected:.0f} of {allowed:.0f} counts",
                f"use at most {max(1, int(allowed // max(preview.peak, 1.0)))}",
            )
        return preview

    def _guard(self, frame: Frame) -> None:
        asked, held = self._asked, self._settings
        if asked is None or held is None:
            return
        peak = float(frame.max(initial=0))
        if held.em_gain <= 1:
            signal = peak - self._offset(held, frame)
            before = self._preview.peak if self._preview is not None else 0.0
            self._preview = _Preview(asked, held, max(signal, before))
        elif peak > self.guard_level * self.full_scale_counts():
            self._trip(peak)

    def _offset(self, held: CameraSettings, frame: Frame) -> float:
        # The offset of the digitiser is not multiplied; the median is a fair guess of it in
        # spectra. Light on all pixels raises it, so the lowest one seen with this readout counts,
        # and never more than a digitiser's offset can be.
        readout = replace(held, exposure_s=0.0)
        guess = min(float(np.median(frame)), 0.02 * self.full_scale_counts())
        self._floor[readout] = min(guess, self._floor.get(readout, guess))
        return self._floor[readout]

    def _trip(self, peak: float) -> None:
        gain = self._settings.em_gain if self._settings else 1
        self._latch(f"{peak:.0f} counts at EM gain {gain}: too much light")

    def _latch(self, what: str) -> None:
        self._tripped = what
        failures = [text for action in (self.shut, self.drop_gain) if (text := _failure(action))]
        if failures:
            self._tripped += f"; NOT SAFE: {'; '.join(failures)}"
        self._check_guard()


@dataclass(frozen=True)
class _Preview:
    """What frames at gain 1 have shown: settings as asked and as read back, peak over offset."""

    asked: CameraSettings
    held: CameraSettings
    peak: float


def _failure(action: Callable[[], None]) -> str:
    """Carry an action out; returns what went wrong, so that the next one has its turn."""
    try:
        action()
    except (LabctlError, OSError) as error:
        return str(error)
    return ""
