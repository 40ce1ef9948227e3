"""A half-wave plate in a rotation mount before a polarizer that stands still, for collected light.

A half-wave plate with its axis at psi turns light of direction a to 2 psi - a (Hecht, Optics), so
a polarizer at f lets a = 2 psi - f pass, and the light behind it always has the direction f.
"""

from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.optics._passive import Passive


class HalfWaveAnalyser(Passive):
    """Plate and polarizer in the world; see `Passive`.

    ``plate_deg`` is the ring's angle at which the plate's axis lies along x, ``polarizer_deg``
    the direction of the polarizer, counted from x.
    """

    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "plate_deg": 0.0,
        "polarizer_deg": 90.0,
    }

    def act(self, angle_deg: float) -> None:
        """Let one direction pass, and leave in the other."""
        fixed_deg = float(self.truth["polarizer_deg"])
        axis_deg = angle_deg - float(self.truth["plate_deg"])
        table = self.world.table
        table.analyser_deg = (2.0 * axis_deg - fixed_deg) % 180.0
        table.fixed_output_polarization_deg = fixed_deg
        table.depolarised = False

    def leave(self) -> None:
        """Let all light pass unchanged."""
        self.world.table.analyser_deg = None
        self.world.table.fixed_output_polarization_deg = None
