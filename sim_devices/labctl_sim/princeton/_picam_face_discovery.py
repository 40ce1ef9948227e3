"""Functions that find, open and close the camera."""

from collections.abc import Mapping, Sequence
from typing import Any

from labctl_sim.libraries import (
    Function,
    Memory,
    VendorError,
    read_structure,
    write_int,
    write_pointer,
    write_structure,
)
from labctl_sim.princeton import _picam_structures as c
from labctl_sim.princeton._picam_link import POINTER, Link, freeing
from labctl_sim.princeton._picam_words import Code

__all__ = ["Discovery"]


class Discovery:
    """Finding, opening and closing the camera."""

    def __init__(self, link: Link, memory: Memory) -> None:
        """Allocate in ``memory`` what the client has to destroy."""
        self._link, self._memory = link, memory

    def functions(self) -> Mapping[str, Function]:
        """Declare the functions by their names."""
        one, two, three = (POINTER,), (POINTER,) * 2, (POINTER,) * 3
        return {
            "Picam_GetAvailableCameraIDs": Function(two, self._available),
            "Picam_DestroyCameraIDs": freeing(self._memory),
            "Picam_IsCameraIDConnected": Function(two, self._id_connected),
            "Picam_OpenFirstCamera": Function(one, self._open_first),
            "Picam_OpenCamera": Function(two, self._open),
            "Picam_CloseCamera": self._link.of_handle("close"),
            "Picam_IsCameraConnected": self._link.integer_of_handle("connected"),
            "Picam_GetCameraID": Function(two, self._camera_id),
            "Picam_GetFirmwareDetails": Function(three, self._firmware),
            "Picam_DestroyFirmwareDetails": freeing(self._memory),
            "PicamAdvanced_GetCameraDevice": Function(two, self._device),
        }

    @staticmethod
    def _identity(entry: Sequence[Any]) -> c.CameraID:
        model, interface, sensor, serial = entry
        return c.CameraID(model, interface, sensor.encode("latin-1"), serial.encode("latin-1"))

    @staticmethod
    def _serial(address: int | None) -> str:
        return read_structure(address, c.CameraID).serial_number.decode("latin-1")

    def _available(self, array: int | None, count: int | None) -> None:
        entries = [self._identity(entry) for entry in self._link.ask("camera_ids")]
        write_int(count, len(entries))
        write_pointer(array, c.keep_array(self._memory, c.CameraID, entries))

    def _id_connected(self, identity: int | None, output: int | None) -> None:
        known = [entry[3] for entry in self._link.ask("camera_ids")]
        write_int(output, self._serial(identity) in known)

    def _open_first(self, output: int | None) -> None:
        entries = self._link.ask("camera_ids")
        if not entries:
            raise VendorError(Code.NO_CAMERAS_AVAILABLE)
        write_pointer(output, self._link.ask("open", entries[0][3]))

    def _open(self, identity: int | None, output: int | None) -> None:
        write_pointer(output, self._link.ask("open", self._serial(identity)))

    def _camera_id(self, handle: int | None, output: int | None) -> None:
        write_structure(output, self._identity(self._link.ask("camera_id", handle)))

    def _firmware(self, identity: int | None, array: int | None, count: int | None) -> None:
        details = [
            c.FirmwareDetail(name.encode("latin-1"), detail.encode("latin-1"))
            for name, detail in self._link.ask("firmware", self._serial(identity))
        ]
        write_int(count, len(details))
        write_pointer(array, c.keep_array(self._memory, c.FirmwareDetail, details))

    def _device(self, handle: int | None, output: int | None) -> None:
        write_pointer(output, self._link.ask("device", handle))
