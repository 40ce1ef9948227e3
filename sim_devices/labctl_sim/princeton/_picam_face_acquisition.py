"""Functions of the acquisition: the client's frame ring and the news about it."""

import ctypes
from collections.abc import Mapping

from labctl_sim.libraries import (
    Function,
    read_structure,
    write_bytes,
    write_structure,
)
from labctl_sim.princeton import _picam_structures as c
from labctl_sim.princeton._picam_link import POINTER, Link

__all__ = ["AcquisitionFunctions"]

_INT = ctypes.c_int


class AcquisitionFunctions:
    """The frame ring, which belongs to the client, and what is written into it."""

    def __init__(self, link: Link) -> None:
        """Ask the camera through ``link``."""
        self._link = link
        self._ring: int | None = None

    def functions(self) -> Mapping[str, Function]:
        """Declare the functions by their names."""
        two = (POINTER,) * 2
        wait = Function((POINTER, _INT, POINTER, POINTER), self._wait)
        return {
            "PicamAdvanced_SetAcquisitionBuffer": Function(two, self._set_buffer),
            "PicamAdvanced_GetAcquisitionBuffer": Function(two, self._get_buffer),
            "PicamAdvanced_HasAcquisitionBufferOverrun": self._link.integer_of_handle("overrun"),
            "Picam_StartAcquisition": self._link.of_handle("start"),
            "Picam_StopAcquisition": self._link.of_handle("stop"),
            "Picam_IsAcquisitionRunning": self._link.integer_of_handle("running"),
            "Picam_WaitForAcquisitionUpdate": wait,
        }

    def _set_buffer(self, device: int | None, buffer: int | None) -> None:
        wanted = read_structure(buffer, c.AcquisitionBuffer)
        self._link.ask("set_buffer", device, wanted.memory_size if wanted.memory else 0)
        self._ring = wanted.memory

    def _get_buffer(self, device: int | None, output: int | None) -> None:
        write_structure(output, c.AcquisitionBuffer(self._ring, self._link.ask("buffer", device)))

    def _wait(
        self, handle: int | None, time_out_ms: int, available: int | None, status: int | None
    ) -> None:
        news = self._link.ask("wait", handle, time_out_ms)
        first: int | None = None
        if news["count"] and self._ring is not None:
            first = self._ring + news["offset"]
            write_bytes(first, news["data"])
        write_structure(available, c.AvailableData(first, news["count"]))
        write_structure(
            status, c.AcquisitionStatus(news["running"], news["errors"], news["rate_hz"])
        )
