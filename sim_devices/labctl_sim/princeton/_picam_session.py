"""Who has the library and the camera open, and whether the camera is there."""

from typing import Any

from labctl_sim.libraries import VendorError
from labctl_sim.princeton._picam_faults import Faults
from labctl_sim.princeton._picam_sensor import Sensor
from labctl_sim.princeton._picam_words import Code

__all__ = ["Session"]

_CAMERA, _DEVICE = 0x1C0DE, 0x2C0DE
_GIGABIT_ETHERNET = 3


class Session:
    """State of the library and the two handles of its one camera."""

    def __init__(self, sensor: Sensor, faults: Faults) -> None:
        """Start with the library not initialised."""
        self._sensor, self._faults = sensor, faults
        self.initialized = self.open = False

    def initialize(self) -> None:
        """Initialise the library; once only."""
        if self.initialized:
            raise VendorError(Code.LIBRARY_ALREADY_INITIALIZED)
        self.initialized = True

    def need_library(self) -> None:
        """Refuse unless the library is initialised."""
        if not self.initialized:
            raise VendorError(Code.LIBRARY_NOT_INITIALIZED)

    def is_initialized(self) -> int:
        """Return 1 after initialisation."""
        return int(self.initialized)

    def identity(self) -> list[Any]:
        """Return model, interface, sensor name and serial number."""
        sensor = self._sensor
        return [sensor.model, _GIGABIT_ETHERNET, sensor.name, sensor.serial]

    def camera_ids(self) -> list[list[Any]]:
        """Return the cameras that can be opened."""
        self.need_library()
        return [] if self._faults.disconnected or self.open else [self.identity()]

    def firmware(self, serial: str) -> list[list[str]]:
        """Return names and versions."""
        self._need_serial(serial)
        return [["Firmware", "2.4.1"], ["FPGA", "1.17"]]

    def open_camera(self, serial: str) -> int:
        """Open the camera and return its handle."""
        self._need_serial(serial)
        if self._faults.disconnected:
            raise VendorError(Code.DEVICE_DISCONNECTED)
        if self._faults.elsewhere:
            raise VendorError(Code.DEVICE_OPEN_ELSEWHERE)
        if self.open:
            raise VendorError(Code.CAMERA_ALREADY_OPENED)
        self.open = True
        return _CAMERA

    def _need_serial(self, serial: str) -> None:
        self.need_library()
        if serial != self._sensor.serial:
            raise VendorError(Code.INVALID_CAMERA_ID)

    def need_handle(self, handle: int | None) -> None:
        """Refuse anything but the handle of the open camera."""
        self._need(handle, _CAMERA)

    def need_device(self, handle: int | None) -> None:
        """Refuse anything but the handle of the open camera's device."""
        self._need(handle, _DEVICE)

    def _need(self, handle: int | None, expected: int) -> None:
        self.need_library()
        if not self.open or handle != expected:
            raise VendorError(Code.INVALID_HANDLE)

    def connected(self, handle: int | None) -> int:
        """Return 1 while the cable is plugged in."""
        self.need_handle(handle)
        return int(not self._faults.disconnected)

    def need_camera(self, handle: int | None) -> None:
        """Refuse unless the open camera answers."""
        if not self.connected(handle):
            raise VendorError(Code.DEVICE_DISCONNECTED)

    def camera_id(self, handle: int | None) -> list[Any]:
        """Return the identity of the open camera."""
        self.need_handle(handle)
        return self.identity()

    def device(self, handle: int | None) -> int:
        """Return the handle of the camera's device."""
        self.need_camera(handle)
        return _DEVICE
