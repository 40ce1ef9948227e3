"""Thorlabs DCC/DCU and IDS uEye cameras for looking at the sample, through the uc480 library.

Facts: uEye manual 4.9 and pylablib 1.4, whose ``UC480Camera`` is used as it is, upon the vendor's
library or upon an object with the same functions. Tried against the simulated library only.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import (
    Frame,
    Identity,
    ImagingCamera,
    ImagingSettings,
    Limits,
    Roi,
    Settings,
)
from labctl.transport import LibraryLink
from labctl_drivers.thorlabs._uc480_link import Uc480Link

__all__ = ["Uc480", "Uc480Settings"]

_LEAST_GAIN, _GAIN_STEP = 1.0, 0.06


class Uc480Settings(Settings):
    """Keys of the driver's block.

    Attributes:
        serial: Serial number of the camera; empty: the first that the library finds.
        library: ``uc480`` for Thorlabs cameras, ``ueye`` for those of IDS.
        bits: Bits of the sensor's converter.
        magnification: Nominal magnification from sample to sensor; the true one is found by the
            calibration ``imaging_scale``.
    """

    serial: str = ""
    library: Literal["uc480", "ueye"] = "uc480"
    bits: Literal[8, 10, 12] = 10
    magnification: Annotated[float, Field(gt=0)] = 60.0


class Uc480(ImagingCamera):
    """A camera of the uEye family as an ``ImagingCamera``.

    The video is started for each frame and stopped when it is taken, so that its exposure begins
    after ``start_frame``.
    """

    interface: ClassVar[str] = "library"
    settings_type: ClassVar[type[Settings]] = Uc480Settings

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: Uc480Settings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Remember what is needed; nothing is loaded yet."""
        super().__init__(name, limits)
        self._source, self._config = link, settings
        self._open_link: Uc480Link | None = None

    def _open(self) -> None:
        config = self._config
        self._open_link = self._source.open(Uc480Link, self.name, config.library, config.serial)
        try:
            self._link.choose_format(f"mono{config.bits}")
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        link, self._open_link = self._open_link, None
        if link is not None:
            with suppress(DeviceError):
                link.close()
        self._source.let_go()

    @property
    def _link(self) -> Uc480Link:
        if self._open_link is None:
            raise NoReplyError(self.name, "library call", "not connected", "connect first")
        return self._open_link

    def identity(self) -> Identity:
        """Ask for sensor, serial number and version of the library."""
        return Identity("Thorlabs", *self._link.info())

    def snapshot(self) -> dict[str, Any]:
        """Return who it is and what it is set to."""
        sensor, serial, library = self._link.info()
        held = self.settings
        return {
            "sensor": sensor,
            "serial": serial,
            "library": library,
            "pixel_pitch_um": self.pixel_pitch_um(),
            "nominal_magnification": self._config.magnification,
            "bits": self._config.bits,
            "exposure_s": None if held is None else held.exposure_s,
            "gain": None if held is None else held.gain,
        }

    def sensor_size(self) -> tuple[int, int]:
        """Return columns and rows of the sensor."""
        columns, rows, _ = self._link.sensor()
        return columns, rows

    def pixel_pitch_um(self) -> float:
        """Return the pixel pitch, um."""
        return self._link.sensor()[2]

    def nominal_scale_um(self) -> float:
        """Return the pixel pitch over the nominal magnification, um."""
        return self.pixel_pitch_um() / self._config.magnification

    def full_scale_counts(self) -> int:
        """Return the largest count of the format."""
        return int(2**self._config.bits) - 1

    def exposure_limits(self) -> Limits:
        """Return the shortest and longest exposure, s."""
        return Limits(*self._link.exposure_limits_s())

    def gain_limits(self) -> Limits:
        """Return the range of the gain factor."""
        return Limits(_LEAST_GAIN, self._link.largest_gain())

    def frame_time_s(self) -> float:
        """Return the time from one frame to the next, s."""
        return self._link.frame_time_s()

    def _write_settings(self, settings: ImagingSettings) -> ImagingSettings:
        roi = self.region(settings)
        self._check_steps(roi)
        link = self._link
        held_roi = Roi(*link.set_region(roi.x0, roi.width, roi.y0, roi.height))
        held = ImagingSettings(
            exposure_s=round(link.set_exposure(settings.exposure_s), 9),
            gain=link.set_gain(settings.gain),
            roi=None if settings.roi is None else held_roi,
        )
        self._confirm(settings, held, roi, held_roi)
        return held

    def _check_steps(self, roi: Roi) -> None:
        columns, rows = self._link.region_steps()
        fits = not (roi.x0 % columns or roi.width % columns or roi.y0 % rows or roi.height % rows)
        if not fits or roi.x_binning != 1 or roi.y_binning != 1:
            hint = f"columns in steps of {columns}, rows in steps of {rows}, no binning"
            raise RefusedError(self.name, f"{roi} is not possible", hint)

    def _confirm(
        self, asked: ImagingSettings, held: ImagingSettings, roi: Roi, held_roi: Roi
    ) -> None:
        wrong: list[str] = []
        if held_roi != roi:
            wrong.append(f"the region is {held_roi}, not {roi}")
        if abs(held.exposure_s - asked.exposure_s) > self._link.exposure_step_s():
            wrong.append(f"exposure is {held.exposure_s} s, not {asked.exposure_s} s")
        if abs(held.gain - asked.gain) > _GAIN_STEP:
            wrong.append(f"gain is {held.gain}, not {asked.gain}")
        if wrong:
            raise DeviceRefusedError(
                self.name, "read-back of the settings", "; ".join(wrong), "configure again"
            )

    def _start_frame(self) -> None:
        self._link.start()

    def frame_ready(self) -> bool:
        """Ask whether the frame has come."""
        link = self._link
        return link.running() and link.frames() > 0

    def _take_frame(self) -> Frame:
        frame = self._link.oldest()
        self._link.stop()
        return frame

    def stop(self) -> None:
        """Stop the video."""
        self._link.stop()

    def is_idle(self) -> bool:
        """Ask whether the video stands."""
        return not self._link.running()

    def flush(self) -> None:
        """Stop whatever video there is."""
        self.stop()
