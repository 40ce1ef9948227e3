"""Princeton Instruments EMCCD and CCD cameras (ProEM, PIXIS, BLAZE) through PICam.

Written for PICam 5 and pylablib 1.4; tried against the simulated library only. pylablib's
``PicamCamera`` is used as it is, upon the vendor's library or upon an object with the same
functions.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from labctl.errors import (
    ConnectionLostError,
    DeviceError,
    DeviceRefusedError,
    NoReplyError,
    RefusedError,
)
from labctl.roles import Camera, CameraSettings, Frame, Identity, Limits, Roi, Settings
from labctl.transport import LibraryLink
from labctl_drivers.princeton._picam_link import PicamLink
from labctl_drivers.princeton._picam_snapshot import snapshot_of

__all__ = ["PicamEmccd", "PicamSettings"]

_PORTS = {"low_noise": 1, "high_capacity": 2, "electron_multiplied": 3, "high_speed": 4}
_MULTIPLIED = _PORTS["electron_multiplied"]
_SHUTTER_NORMAL, _SHUTTER_CLOSED = 1, 2
_LOCKED, _FAULTED = 2, 3
_DATA_LOST = 1
_FATAL = {
    2: ("connection lost", "check cable and power, then connect again"),
    4: ("data not arriving", "check the network adapter: jumbo frames, no other traffic"),
    8: ("shutter overheated", "let the shutter cool down, use longer exposures"),
    16: ("camera faulted", "switch the camera off and on"),
}
_RING_BYTES = 256 * 2**20
_CONFIGURED = (
    "AdcQuality",
    "AdcSpeed",
    "AdcEMGain",
    "AdcAnalogGain",
    "ExposureTime",
    "Rois",
)
"""In this order: the port decides which speeds and gains there are."""


class PicamSettings(Settings):
    """Keys of the driver's block.

    Attributes:
        serial: Serial number of the camera; empty: the first that the library finds.
        model: Model as the library calls it; checked on connecting if given.
    """

    serial: str = ""
    model: str = ""


class PicamEmccd(Camera):
    """A PICam camera as a ``Camera``.

    Nothing here waits: ``_start`` starts, ``frames_ready`` and ``acquiring`` ask.
    """

    interface: ClassVar[str] = "library"
    settings_type: ClassVar[type[Settings]] = PicamSettings

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: PicamSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Remember what is needed; nothing is loaded yet.

        Args:
            name: Name in the set-up.
            link: Stand-in of the PICam library, or the order to load the vendor's where
                pylablib finds it.
            settings: Which camera.
            limits: See ``Instrument``.
        """
        super().__init__(name, limits)
        self._source, self._config = link, settings
        self._open_link: PicamLink | None = None
        self._slowest_mhz: dict[int, float] = {}
        self._collected: list[Frame] = []
        self._wanted = self._delivered = self._skipped = 0

    # Connection

    def _open(self) -> None:
        self._open_link = self._source.open(PicamLink, self.name, self._config.serial)
        try:
            self._check_model()
            self._slowest_mhz = self._open_link.slowest_mhz()
            if self.read_em_gain() != 1:
                # Whoever had the camera before may have left a gain that nobody guards.
                with self._changing("AdcEMGain") as link:
                    link.write("AdcEMGain", 1)
        except BaseException:
            self._close()
            raise

    def _check_model(self) -> None:
        model, serial, _ = self._link.info()
        if self._config.model and model != self._config.model:
            raise DeviceError(
                self.name,
                "Picam_GetCameraID",
                f"this is a {model}, serial {serial}",
                f"the set-up says {self._config.model}; correct one of them",
            )

    def _close(self) -> None:
        link, self._open_link = self._open_link, None
        if link is not None:
            with suppress(DeviceError):
                link.close()
        self._source.let_go()

    @property
    def _link(self) -> PicamLink:
        if self._open_link is None:
            raise NoReplyError(self.name, "library call", "not connected", "connect first")
        return self._open_link

    def flush(self) -> None:
        """Stop and clear whatever acquisition there is."""
        self._link.disarm()

    def identity(self) -> Identity:
        """Ask the camera for model, serial number and firmware."""
        return Identity("Princeton Instruments", *self._link.info())

    def snapshot(self) -> dict[str, Any]:
        """Return who it is and every parameter that the library lists; see ``snapshot_of``."""
        model, serial, _ = self._link.info()
        return {"model": model, "serial": serial, **snapshot_of(self._link.values())}

    # Sensor

    def sensor_size(self) -> tuple[int, int]:
        """Return columns and rows of the sensor."""
        link = self._link
        return int(link.value("SensorActiveWidth")), int(link.value("SensorActiveHeight"))

    def pixel_pitch_um(self) -> float:
        """Return the pixel pitch along a row, um."""
        return float(self._link.value("PixelWidth"))

    def full_scale_counts(self) -> int:
        """Return the largest count of the digitiser."""
        return 2 ** int(self._link.value("AdcBitDepth")) - 1

    def read_sensor_temperature(self) -> float:
        """Return the sensor's temperature, degC."""
        return float(self._link.value("SensorTemperatureReading"))

    def sensor_locked(self) -> bool:
        """Ask whether the sensor is at its set point.

        Raises:
            DeviceError: The cooler has failed.
        """
        status = self._link.value("SensorTemperatureStatus")
        if status == _FAULTED:
            raise DeviceError(
                self.name,
                "get Sensor Temperature Status",
                "Faulted",
                "check fan and coolant, switch the camera off and on",
            )
        return bool(status == _LOCKED)

    def set_sensor_target_c(self, celsius: float) -> None:
        """Set the cooler's set point, degC; it is committed at once."""
        with self._changing("SensorTemperatureSetPoint") as link:
            link.write("SensorTemperatureSetPoint", celsius)

    # Settings

    def quietest_mhz(self, quality: str) -> float:
        """Return the slowest digitisation speed of a port, MHz.

        Raises:
            RefusedError: The camera does not have this port.
        """
        speed_mhz = self._slowest_mhz.get(self._port(quality))
        if speed_mhz is None:
            raise RefusedError(self.name, f"this camera has no port {quality!r}")
        return speed_mhz

    def _port(self, quality: str) -> int:
        if quality not in _PORTS:
            raise RefusedError(self.name, f"quality {quality!r}", f"one of {', '.join(_PORTS)}")
        return _PORTS[quality]

    def _write_settings(self, settings: CameraSettings) -> CameraSettings:
        port = self._port(settings.quality)
        if port != _MULTIPLIED and settings.em_gain != 1:
            raise RefusedError(
                self.name,
                f"EM gain {settings.em_gain} on the port {settings.quality}",
                "use quality electron_multiplied",
            )
        with self._changing(*_CONFIGURED) as link:
            self._send(link, settings, port)
        self._confirm(settings, read := self._read_settings(), link.step("ExposureTime"))
        return read

    @contextmanager
    def _changing(self, *parameters: str) -> Generator[PicamLink]:
        """Commit at the end; after a refusal set what was set before."""
        link = self._link
        # Not ``acquiring``: an error of the last acquisition must not keep the shutter open.
        self._collect()
        if link.running():
            raise RefusedError(self.name, "a change during an acquisition", "stop it first")
        link.disarm()
        before = {name: link.value(name) for name in parameters if link.has(name)}
        try:
            yield link
            link.commit()
        except (RefusedError, DeviceRefusedError):
            with suppress(DeviceError):
                for name, value in before.items():
                    link.overwrite(name, value)
            raise

    def _send(self, link: PicamLink, settings: CameraSettings, port: int) -> None:
        if port != _MULTIPLIED and link.value("AdcQuality") == _MULTIPLIED:
            # A gain that is left behind would be there again as soon as somebody goes back.
            link.write("AdcEMGain", 1)
        link.write("AdcQuality", port)
        link.write("AdcSpeed", settings.adc_mhz)
        if port == _MULTIPLIED:
            link.write("AdcEMGain", settings.em_gain)
        link.write("AdcAnalogGain", settings.analog_gain)
        link.write("ExposureTime", round(settings.exposure_s * 1e3, 6))
        roi = settings.roi
        region = (roi.x0, roi.width, roi.x_binning, roi.y0, roi.height, roi.y_binning)
        link.write("Rois", [region])

    def _read_settings(self) -> CameraSettings:
        link = self._link
        x0, width, x_binning, y0, height, y_binning = link.value("Rois")[0]
        port = link.value("AdcQuality")
        return CameraSettings(
            # Nanoseconds are far below any camera's step: 7.1 ms is to come back as 7.1 ms.
            exposure_s=round(link.value("ExposureTime") * 1e-3, 9),
            roi=Roi(x0, width, y0, height, x_binning, y_binning),
            em_gain=self.read_em_gain(),
            quality=next((q for q, number in _PORTS.items() if number == port), str(port)),
            adc_mhz=float(link.value("AdcSpeed")),
            analog_gain=int(link.value("AdcAnalogGain")),
        )

    def _confirm(self, asked: CameraSettings, read: CameraSettings, step_ms: float) -> None:
        wrong = [
            f"{key} is {getattr(read, key)}, not {getattr(asked, key)}"
            for key in ("roi", "em_gain", "quality", "adc_mhz", "analog_gain")
            if getattr(read, key) != getattr(asked, key)
        ]
        if abs(read.exposure_s - asked.exposure_s) > step_ms * 1e-3:
            wrong.append(f"exposure is {read.exposure_s} s, not {asked.exposure_s} s")
        if wrong:
            raise DeviceRefusedError(
                self.name, "read-back of the settings", "; ".join(wrong), "configure again"
            )

    def read_em_gain(self) -> int:
        """Return the EM gain in force; 1 on a port without register."""
        link = self._link
        if not link.has("AdcEMGain") or link.value("AdcQuality") != _MULTIPLIED:
            return 1
        return int(link.value("AdcEMGain"))

    def set_shutter(self, wanted: bool) -> None:
        """Let the shutter open for exposures, or keep it closed; committed at once."""
        with self._changing("ShutterTimingMode") as link:
            link.write("ShutterTimingMode", _SHUTTER_NORMAL if wanted else _SHUTTER_CLOSED)

    def shutter_enabled(self) -> bool:
        """Ask whether the shutter opens for exposures."""
        return bool(self._link.value("ShutterTimingMode") != _SHUTTER_CLOSED)

    # Acquisition

    def _start(self, frames: int) -> None:
        if frames < 1:
            raise RefusedError(self.name, f"{frames} frames", "at least 1")
        link = self._link
        self._collected = []
        self._delivered = self._skipped = 0
        self._wanted = frames
        ring = max(1, min(frames, _RING_BYTES // int(link.value("ReadoutStride"))))
        link.arm(frames, ring)

    def frames_ready(self) -> int:
        """Return how many frames wait to be read; asks only.

        Raises:
            ConnectionLostError: The connection was lost during the acquisition.
            DeviceError: The camera reports another failure of the acquisition.
        """
        self._collect()
        self._check_acquisition()
        return len(self._collected)

    def _collect(self) -> None:
        frames, self._skipped = self._link.collect()
        self._collected += frames
        self._delivered += len(frames)

    def _check_acquisition(self) -> None:
        mask = self._link.acquisition_errors
        found = [text for bit, text in _FATAL.items() if mask & bit]
        if found:
            kind = ConnectionLostError if mask & 2 else DeviceError
            reply = ", ".join(what for what, _ in found)
            raise kind(self.name, "Picam_WaitForAcquisitionUpdate", reply, found[0][1])

    def _read_frames(self) -> list[Frame]:
        self.frames_ready()
        frames, self._collected = self._collected, []
        return frames

    def acquiring(self) -> bool:
        """Ask whether frames are still to come; fetches those that have come."""
        self._collect()
        self._check_acquisition()
        return self._link.running()

    def stop(self) -> None:
        """End an acquisition; frames that have come stay readable."""
        link = self._link
        if not link.running():
            return
        self._collect()
        if link.running():
            self._wanted = self._delivered + self._skipped
        link.stop()

    def lost_frames(self) -> int:
        """Return how many frames of this acquisition were lost.

        Overwritten before they were fetched, or announced by the library and never delivered.
        """
        link = self._link
        if link.running():
            self._collect()
        missing = 0 if link.running() else self._wanted - self._delivered - self._skipped
        announced = 1 if link.acquisition_errors & _DATA_LOST else 0
        return self._skipped + max(missing, announced)

    def frame_time_s(self) -> float:
        """Return the time from one frame to the next, s, by the library's calculation.

        Cameras are a little slower than it says.
        """
        return self._link.frame_time_s()
