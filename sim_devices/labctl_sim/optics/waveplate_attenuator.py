"""A half-wave plate in a rotation mount, in front of a fixed polarizer, in the laser's beam."""

import math
from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.optics._passive import Passive


class WaveplateAttenuator(Passive):
    """The pair in the world: T = Tmin + (1 - Tmin) cos^2(2 (theta - theta0)); see `Passive`.

    ``plate_deg`` is the ring's angle with the most light, theta0; ``extinction_rel`` is Tmin.
    """

    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "plate_deg": 0.0,
        "extinction_rel": 1.3e-3,
    }

    def act(self, angle_deg: float) -> None:
        """Let the share of the laser's light pass."""
        turned = math.cos(2.0 * math.radians(angle_deg - float(self.truth["plate_deg"])))
        least = float(self.truth["extinction_rel"])
        self.world.table.attenuate(self.name, least + (1.0 - least) * turned * turned)

    def leave(self) -> None:
        """Let all light pass."""
        self.world.table.attenuate(self.name, 1.0)
