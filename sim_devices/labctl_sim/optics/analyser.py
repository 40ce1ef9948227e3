"""A linear polarizer in a rotation mount, in the collection path."""

from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.optics._passive import Passive


class RotatingAnalyser(Passive):
    """The polarizer in the world; see `Passive`.

    ``axis_deg`` is the ring's angle at which its axis lies along x; with ``depolariser`` there is
    one behind it. Its extinction is a truth of the spectrograph.
    """

    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "axis_deg": 0.0,
        "depolariser": False,
    }

    def act(self, angle_deg: float) -> None:
        """Let one direction pass."""
        table = self.world.table
        table.analyser_deg = (angle_deg - float(self.truth["axis_deg"])) % 180.0
        table.fixed_output_polarization_deg = None
        table.depolarised = bool(self.truth["depolariser"])

    def leave(self) -> None:
        """Let all light pass unchanged."""
        self.world.table.analyser_deg = None
        self.world.table.depolarised = False
