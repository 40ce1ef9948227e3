"""What the world says: which dot really was in the spot when each point began."""

import math
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from labctl.host import _rig
from labctl_sim.rig import Rig

__all__ = ["Sighting", "Witness", "witnessed"]


@dataclass(frozen=True)
class Sighting:
    """The dot that is nearest to the optical axis, and how far away, um."""

    dot: str
    apart_um: float


class Witness:
    """Notes the truth beside a run; no measurement ever sees it.

    Attributes:
        sightings: By the index of the point that begins; the last attempt counts.
        dots: Names of the sample's dots.
    """

    def __init__(self) -> None:
        self.sightings: dict[int, Sighting] = {}
        self.dots: list[str] = []

    def note(self, point_id: str, places_um: Mapping[str, tuple[float, float, float]]) -> None:
        """Note which dot is nearest."""
        self.dots = list(places_um)
        apart_um = {name: math.hypot(x, y) for name, (x, y, _) in places_um.items()}
        nearest = min(apart_um, key=lambda name: apart_um[name])
        self.sightings[int(point_id.partition("/")[0])] = Sighting(nearest, apart_um[nearest])


@contextmanager
def witnessed() -> Generator[Witness]:
    """Let runs of the block be seen by a witness."""
    witness = Witness()

    class Watched(Rig):
        def begin_point(self, point_id: str) -> None:
            witness.note(point_id, self.world.dots_um(self.world.now()))
            super().begin_point(point_id)

    usual = _rig.rig_factory
    _rig.rig_factory = lambda name="default": Watched
    try:
        yield witness
    finally:
        _rig.rig_factory = usual
