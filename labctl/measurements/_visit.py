"""Going to a dot that was found before: the way there, a look where one is, and the maximum."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from labctl.errors import RefusedError
from labctl.measurements._climb import Climb, Peak, climb_or_search
from labctl.measurements._context import Context
from labctl.measurements._counting import Counting
from labctl.measurements._dots import FoundDot, stored_dots
from labctl.measurements._measurement import Measurement
from labctl.measurements._places import Places
from labctl.measurements._sight import Sight, sight_of
from labctl.roles import Positioner

__all__ = ["VISITED", "VISIT_S", "Visit"]

VISITED = ("rate_hz", "seen_x_um", "seen_y_um")
"""What a visit keeps under these names: the count rate above the dark one at the end, and where
the maximum was."""

VISIT_S = 25.0
"""Usual lab time of a visit."""
_AXES = ("x", "y")
_POINTS = 7
_SURE_SHARE = 0.5


class Visit(Measurement):
    """Bring a dot into the spot; stores no point, and remembers the count rate there.

    An open-loop stage comes back only within its errors. So, where a camera of known scale sees
    the sample, its picture leads to the place. Then the counts are climbed to their maximum; if
    nothing shines, they are searched around, to ``reach_um`` or half the way to the nearest other
    dot, which is also how far from its place the maximum may be.

    Attributes:
        dot: The dot.
        found: The journalled record of how it was found.
        reach_um: Farthest distance of the search, um.
    """

    kind: ClassVar[str] = "visit"

    dot: FoundDot
    found: Mapping[str, Any]
    reach_um: float

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return VISIT_S

    def run(self, context: Context) -> None:
        """Go there, look, climb.

        Raises:
            AnalysisError: Nothing shines there, or it is not known where the stage is.
            RefusedError: Nothing shines around, two could be the dot, or the one there is another.
        """
        stage = context.station.only(Positioner, prefer="stage")
        places = Places(context, stage)
        sight = sight_of(context, places)
        self._go(places, sight)
        reach_um = min(self.reach_um, _half_way(self.dot, stored_dots(self.found)))
        with Counting.model_validate(self.found["counting"]).ready(context) as counter:
            sd_um = float(self.found["spot_um"]) / 2.3548
            climb = Climb(
                Places(context, stage, _AXES), counter, _POINTS, dict.fromkeys(_AXES, sd_um)
            )
            peak = climb_or_search(climb, reach_um, within_um=reach_um)
            rate_hz = (peak.counts - counter.dark) / counter.counting_s
        self._check_place(peak, reach_um)
        if sight is None and rate_hz >= _SURE_SHARE * self.dot.brightness_hz:
            # Axes without read-out stand where the map says the dot is.
            places.believe({"x": self.dot.x_um, "y": self.dot.y_um})
        seen = (rate_hz, peak.place_um["x"], peak.place_um["y"])
        for name, value in zip(VISITED, seen, strict=True):
            context.remember(name, value)

    def _go(self, places: Places, sight: Sight | None) -> None:
        if sight is not None:
            sight.go(self.dot.x_um, self.dot.y_um)
            return
        for axis, um in zip(_AXES, (self.dot.x_um, self.dot.y_um), strict=True):
            places.step_to(axis, um)

    def _check_place(self, peak: Peak, reach_um: float) -> None:
        off_um = math.dist((peak.place_um["x"], peak.place_um["y"]), (self.dot.x_um, self.dot.y_um))
        if off_um > reach_um:
            what = f"the brightest place is {off_um:.2f} um from where the dot should be"
            raise RefusedError(self.kind, what, f"allowed: {reach_um:.2f} um")


def _half_way(dot: FoundDot, dots: Sequence[FoundDot]) -> float:
    apart = (
        math.hypot(dot.x_um - other.x_um, dot.y_um - other.y_um)
        for other in dots
        if other.name != dot.name
    )
    return min(apart, default=math.inf) / 2
