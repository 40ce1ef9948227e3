"""One open PICam camera: parameters by their header names, commit, frames, acquisition errors."""

import ctypes
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.transport import LibraryLink, pointed_to
from labctl_drivers.princeton._picam_errors import EXCLUSIVE, PYTHON_FAILURES, device_error
from labctl_drivers.princeton._picam_library import shared_library
from labctl_drivers.princeton._picam_limits import Attribute, objection

__all__ = ["PicamLink"]

_COMMIT = "Picam_CommitParameters"
_WAIT = "Picam_WaitForAcquisitionUpdate"


class PicamLink:
    """Connection to one camera through pylablib's ``PicamCamera``.

    Every exception of pylablib comes out as a ``DeviceError``. Parameters go by their names in
    ``picam.h`` without the prefix: "ExposureTime".

    Attributes:
        acquisition_errors: Mask of everything that went wrong since ``arm``; pylablib never looks
            at it.
    """

    slow_s: ClassVar[Mapping[str, float]] = {
        "_InitializeLibrary": 30.0,
        "_OpenCamera": 30.0,
        "_CloseCamera": 30.0,
        "_CommitParameters": 30.0,
    }
    """Functions that look for cameras, load them or set them up, s."""

    def __init__(self, device: str, link: LibraryLink, serial: str) -> None:
        """Open the camera with this serial number (empty: the first one)."""
        self._device, self._library_link = device, link
        self._handle: int | None = None
        self.acquisition_errors = 0
        self._camera: Any = None
        with self._translated("open"):
            self._picam = shared_library.module
            self._camera = shared_library.open_camera(device, serial, link.library, self)
        self._handle = _address(self._camera.handle)
        attributes: Mapping[str, Attribute] = self._camera.get_all_attributes()
        self._attributes = {attribute.pid: attribute for attribute in attributes.values()}

    def close(self) -> None:
        """Give the camera up, whatever state it is in."""
        with suppress(*PYTHON_FAILURES):
            self._camera.close()
        with suppress(*PYTHON_FAILURES):
            shared_library.leave(self)

    @contextmanager
    def _translated(self, command: str) -> Generator[None]:
        try:
            yield
        except PYTHON_FAILURES as error:
            raise device_error(self._device, command, error) from error

    def entered(self, name: str) -> None:
        """Hear of a call of the library before it."""
        if self._library_link.entered is not None:
            self._library_link.entered(name)

    def called(self, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        """Hear of a call of the library after it."""
        if name == _WAIT and result == 0 and self._is_ours(arguments[0]):
            self.acquisition_errors |= int(pointed_to(arguments[3]).errors)
        if self._library_link.record is not None:
            self._library_link.record(name, arguments, result)

    def _is_ours(self, handle: Any) -> bool:
        return _address(handle) == self._handle

    # Who and what

    def info(self) -> tuple[str, str, str]:
        """Return model, serial number and firmware versions."""
        with self._translated("Picam_GetCameraID"):
            info = self._camera.get_device_info()
            details = self._picam.lib.Picam_GetFirmwareDetails_ByHandle(self._handle)
        versions = [f"{detail.name.decode()} {detail.detail.decode()}" for detail in details]
        return str(info.model), str(info.serial_number), ", ".join(versions)

    def _id(self, parameter: str) -> int:
        return int(self._picam.picam_defs.PicamParameter[f"PicamParameter_{parameter}"].value)

    def has(self, parameter: str) -> bool:
        """Whether the camera has this parameter at all."""
        return self._id(parameter) in self._attributes

    def _attribute(self, parameter: str) -> Attribute:
        found = self._attributes.get(self._id(parameter))
        if found is None:
            raise RefusedError(self._device, f"this camera has no parameter {parameter}")
        return found

    def value(self, parameter: str) -> Any:
        """Return a value; enumerations as their numbers, regions as a list of tuples."""
        attribute = self._attribute(parameter)
        with self._translated(f"get {attribute.name}"):
            return attribute.get_value(enum_as_str=False)

    def values(self) -> dict[str, Any]:
        """Return every value by the library's words; enumerations as words."""
        found: dict[str, Any] = {}
        for attribute in self._attributes.values():
            with self._translated(f"get {attribute.name}"):
                found[attribute.name] = attribute.get_value()
        return found

    # Setting

    def write(self, parameter: str, value: Any) -> None:
        """Set a value as it is, without commit.

        Raises:
            RefusedError: The value is not allowed with the others that are set; nothing was sent.
        """
        attribute = self._attribute(parameter)
        with self._translated(f"set {attribute.name}"):
            attribute.update_limits()
            allowed = objection(attribute, _single(value))
        if allowed:
            raise RefusedError(
                self._device, f"{attribute.name} = {_single(value)}", f"allowed: {allowed}"
            )
        self.overwrite(parameter, value)

    def overwrite(self, parameter: str, value: Any) -> None:
        """Set a value without looking at its limits."""
        attribute = self._attribute(parameter)
        with self._translated(f"set {attribute.name}"):
            # Truncation by pylablib would lose a step of nearly every exposure.
            attribute.set_value(value, truncate=False)

    def step(self, parameter: str) -> float:
        """Return the distance between two neighbouring values of a range."""
        return float(self._attribute(parameter).inc)

    def slowest_mhz(self) -> dict[int, float]:
        """Return the slowest digitisation speed of each output port.

        The library tells the speeds of the port that is set only, so that each is set for a
        moment, without commit.
        """
        quality, speed = self._attribute("AdcQuality"), self._attribute("AdcSpeed")
        before = self.value("AdcQuality")
        found: dict[int, float] = {}
        with self._translated(f"limits of {speed.name}"):
            try:
                for port in quality.ivalues:
                    quality.set_value(port, truncate=False)
                    speed.update_limits()
                    found[port] = min(speed.ivalues)
            finally:
                quality.set_value(before, truncate=False)
        return found

    def commit(self) -> None:
        """Hand the set values to the camera.

        The library refuses in two ways: with success and a list of parameters, or with an error
        code beside the list (pyLabLib#119). Asking it directly shows the list in both.

        Raises:
            DeviceRefusedError: Names the parameters; the acquisition is cleared.
        """
        failed, count = ctypes.POINTER(ctypes.c_int)(), ctypes.c_int()
        library = self._picam.lib.lib
        try:
            library.Picam_CommitParameters(self._handle, ctypes.byref(failed), ctypes.byref(count))
        except self._picam.PicamLibError as error:
            self._check_refusal(error)
            names = self._names(failed, count.value) or self._suspects() or ["it does not say what"]
            reply = f"{error.name} ({error.code}): refused {', '.join(names)}"
        else:
            names = self._names(failed, count.value)
            reply = f"refused {', '.join(names)}"
            if not names:
                return
        self.disarm()
        raise DeviceRefusedError(self._device, _COMMIT, reply, EXCLUSIVE)

    def _check_refusal(self, error: Any) -> None:
        if error.code != self._picam.picam_defs.PicamError.PicamError_InvalidParameterValues:
            self.disarm()
            raise device_error(self._device, _COMMIT, error) from error

    def _names(self, failed: Any, count: int) -> list[str]:
        names = [self._attributes[failed[i]].name for i in range(count)]
        if failed:
            with self._translated("Picam_DestroyParameters"):
                self._picam.lib.lib.Picam_DestroyParameters(failed)
        return names

    def _suspects(self) -> list[str]:
        """Compare the set values with what the library allows now."""
        found: list[str] = []
        for attribute in self._attributes.values():
            if not attribute.writable or not self._relevant(attribute):
                continue
            with self._translated(f"limits of {attribute.name}"):
                attribute.update_limits()
                value = _single(attribute.get_value(enum_as_str=False))
                allowed = objection(attribute, value)
            if allowed:
                found.append(f"{attribute.name} = {value} (allowed: {allowed})")
        return found

    def _relevant(self, attribute: Attribute) -> bool:
        with self._translated("Picam_IsParameterRelevant"):
            return bool(self._picam.lib.Picam_IsParameterRelevant(self._handle, attribute.pid))

    # Frames

    def arm(self, frames: int, ring: int) -> None:
        """Start acquiring; the buffer of the library holds ``ring`` frames.

        Raises:
            DeviceError: It did not start; the acquisition is cleared.
        """
        self.acquisition_errors = 0
        self.commit()
        try:
            with self._translated("Picam_StartAcquisition"):
                self._camera.setup_acquisition(mode="snap", nframes=ring)
            self.write("ReadoutCount", frames)
            with self._translated("Picam_StartAcquisition"):
                self._camera.start_acquisition()
        except BaseException:
            # pylablib takes itself for set up after a refused set-up.
            self.disarm()
            raise

    def stop(self) -> None:
        """Stop the acquisition; the library throws away what was not collected."""
        with self._translated("Picam_StopAcquisition"):
            self._camera.stop_acquisition()

    def disarm(self) -> None:
        """Stop and clear the acquisition, so that settings can change."""
        with self._translated("Picam_StopAcquisition"):
            self._camera.clear_acquisition()

    def running(self) -> bool:
        """Ask whether the library still has, or waits for, something new."""
        with self._translated("Picam_IsAcquisitionRunning"):
            return bool(self._camera.acquisition_in_progress())

    def collect(self) -> tuple[list[NDArray[np.uint16]], int]:
        """Return the new frames and the number of frames that were overwritten unread so far."""
        with self._translated(_WAIT):
            status = self._camera.get_frames_status()
            if not status.unread:
                # Reading would wait for the library's next news once more.
                return [], int(status.skipped)
            frames: list[NDArray[np.uint16]] | None = self._camera.read_multiple_images()
        return frames or [], int(status.skipped)

    def frame_time_s(self) -> float:
        """Return the time from one frame to the next by the library's calculation."""
        with self._translated("get Readout Rate Calculation"):
            return float(self._camera.get_frame_timings().frame_period)


def _address(handle: Any) -> int | None:
    """Return a handle as a number, whether it comes as ``c_void_p`` or as one already."""
    return getattr(handle, "value", handle)


def _single(value: Any) -> Any:
    """Unpack a list of one region."""
    if isinstance(value, list) and value:
        regions = cast(list[Any], value)
        return regions[0]
    return cast(Any, value)
