"""A short-pass edge filter that a rotation mount tilts, in the collection path."""

import math
from collections.abc import Mapping
from typing import ClassVar

from labctl_sim.optics._passive import Passive


class TiltedEdgeFilter(Passive):
    """The filter in the world; see `Passive`.

    Its edge lies at lambda0 sqrt(1 - (sin(theta) / n)^2), theta the tilt (Semrock). ``normal_deg``
    is the ring's angle at normal incidence. Width and density are truths of the spectrograph. The
    default is the filter of Zhu 2024 (496 to 565 nm) with numbers a little off the data sheet's.
    """

    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "normal_edge_nm": 565.9,
        "index_factor": 1.825,
        "normal_deg": 0.6,
    }

    def act(self, angle_deg: float) -> None:
        """Put the edge where the tilt brings it."""
        tilt_rad = math.radians(angle_deg - float(self.truth["normal_deg"]))
        sine = math.sin(tilt_rad) / float(self.truth["index_factor"])
        edge_nm = float(self.truth["normal_edge_nm"]) * math.sqrt(1.0 - sine * sine)
        self.world.table.edge_filter_nm = edge_nm

    def leave(self) -> None:
        """Let all light pass."""
        self.world.table.edge_filter_nm = None
