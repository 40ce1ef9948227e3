"""Switching a light path by hand, judged as in a run; nothing is shown or stored."""

from typing import ClassVar

from labctl.measurements._context import Context
from labctl.measurements._live import Live
from labctl.measurements._paths import take_path
from labctl.roles import Camera, PhotonCounter, Spectrograph

__all__ = ["LightPath"]


class LightPath(Live):
    """Every part of a light path brought into place, in the dark, and read back.

    Attributes:
        path: Name of the path.
    """

    kind: ClassVar[str] = "light_path"

    path: str

    def run(self, context: Context) -> None:
        """Take the path; all detectors that it may lead to are judged."""
        station = context.station
        side = context.table.path(self.path).get(_exit_of(context)) == "side"
        wanted = PhotonCounter if side else Camera
        detectors = [name for name in station if isinstance(station[name], wanted)]
        taken = take_path(context, self.path, self.path, detectors)
        words = ", ".join(f"{part} {place}" for part, place in taken.items() if part != "name")
        context.message("info", "light path", f"{self.path}: {words}")


def _exit_of(context: Context) -> str:
    station = context.station
    names = [name for name in station if isinstance(station[name], Spectrograph)]
    return f"{names[0]}.exit" if names else ""
