"""Going to a dot that was found on a map: the way there, a search, and the peak by fine motion."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from labctl.measurements._context import Context
from labctl.measurements._counting import Counter, Counting
from labctl.measurements._dots import FoundDot, stored_dots
from labctl.measurements._measurement import Measurement
from labctl.roles import Positioner

__all__ = ["VISITED_HZ", "VISIT_S", "Visit"]

VISITED_HZ = "visited_hz"
"""Name under which a visit keeps the count rate that it ended with."""

VISIT_S = 25.0
"""Usual lab time of a visit."""
_AXES = ("x", "y")
_SEARCH_STEPS = 0.6
"""Of the spot's full width: at the next point of such a net a dot shows at least half its light."""
_FOUND_SHARE = 0.5
_SCAN_POINTS = 7
_SCANS = ("x", "y", "x", "y")


class Visit(Measurement):
    """Bring a dot into the spot; stores no point, and remembers the count rate there.

    An open-loop stage comes back only within its errors. So rings around the place are searched,
    to ``reach_um`` or half the way to the nearest other dot, until half of the dot's light is
    there; then the fine axes, where there are any, look for the peak. What an open-loop stage
    believes of its position is set right by the dot afterwards.

    Attributes:
        dot: The dot.
        found: The journalled record of the map that it was found on.
        reach_um: Farthest distance of the search, um.
        least_share: A dot with less of its brightness on the map is gone.
    """

    kind: ClassVar[str] = "visit"

    dot: FoundDot
    found: Mapping[str, Any]
    reach_um: float
    least_share: float

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return VISIT_S

    def run(self, context: Context) -> None:
        """Go there, search, look for the peak."""
        stage = context.station.only(Positioner, prefer="stage")
        reach_um = min(self.reach_um, _half_way(self.dot, stored_dots(self.found)))
        with Counting.model_validate(self.found["counting"]).ready(context) as counter:
            place = _Place(context, stage, counter, self.dot)
            place.search(_SEARCH_STEPS * float(self.found["spot_um"]), reach_um)
            rate_hz = place.count()
            # Where there is no light of the dot, the fine axes would find that of another one.
            if rate_hz >= _FOUND_SHARE * self.least_share * self.dot.brightness_hz:
                for axis in _SCANS:
                    place.peak_up(axis)
                rate_hz = place.count()
        if rate_hz >= _FOUND_SHARE * self.dot.brightness_hz:
            place.set_right()
        context.remember(VISITED_HZ, rate_hz)


def _half_way(dot: FoundDot, dots: Sequence[FoundDot]) -> float:
    apart = (
        math.hypot(dot.x_um - other.x_um, dot.y_um - other.y_um)
        for other in dots
        if other.name != dot.name
    )
    return min(apart, default=math.inf) / 2


@dataclass
class _Place:
    """Where the stage stands while it looks for a dot."""

    context: Context
    stage: Positioner
    counter: Counter
    dot: FoundDot

    def search(self, step_um: float, reach_um: float) -> None:
        """Try places around the dot's, and stay at the first with enough light, or the best."""
        best, most_hz = ((0.0, 0.0), (0.0, 0.0)), -math.inf
        half_um = min((self._fine_range_um(axis) or 0.0) / 2 for axis in _AXES)
        # Coarse steps of unknown size add up to errors, and the fine motion has none: it covers
        # what lies between few coarse places.
        fine = list(_rings(half_um / math.ceil(half_um / step_um) if half_um else 1.0, half_um))
        for coarse in _rings(2.0 * half_um or step_um, reach_um):
            self._go(coarse)
            for offset in fine:
                if math.hypot(coarse[0] + offset[0], coarse[1] + offset[1]) > reach_um + 1e-9:
                    continue
                self._bend(offset)
                rate_hz = self.count()
                if rate_hz > most_hz:
                    best, most_hz = (coarse, offset), rate_hz
                if rate_hz >= _FOUND_SHARE * self.dot.brightness_hz:
                    return
        self._go(best[0])
        self._bend(best[1])

    def count(self) -> float:
        """Count with the light on."""
        with self.counter.light():
            return self.counter.rate_hz()

    def peak_up(self, axis: str) -> None:
        """Scan the fine motion of an axis over its range and stay where the light is strongest."""
        range_um = self._fine_range_um(axis)
        if range_um is None:
            return
        settable = self.stage.settable(f"fine_{axis}")
        places_um = np.linspace(0.0, range_um, _SCAN_POINTS)
        rates: list[float] = []
        for um in places_um:
            self.context.move(settable, float(um))
            rates.append(self.count())
        self.context.move(settable, _peak_um(places_um.tolist(), rates))

    def set_right(self) -> None:
        """Let axes without read-out believe that the dot is where the map says."""
        for axis, um in zip(_AXES, (self.dot.x_um, self.dot.y_um), strict=True):
            if not self.stage.has_readout(axis):
                fine = self._fine_range_um(axis) is not None
                self.stage.define_position(
                    axis, um - (self.stage.read_fine_position(axis) if fine else 0.0)
                )

    def _go(self, offset_um: tuple[float, float]) -> None:
        targets = (self.dot.x_um + offset_um[0], self.dot.y_um + offset_um[1])
        halves = [(self._fine_range_um(axis) or 0.0) / 2 for axis in _AXES]
        for axis, um, half_um in zip(_AXES, targets, halves, strict=True):
            if half_um:
                # A sensor sees the bent piezo, too: the coarse motion would make up for it.
                self.context.move(self.stage.settable(f"fine_{axis}"), 0.0)
            self.context.move(self.stage.settable(axis), um - half_um)

    def _bend(self, offset_um: tuple[float, float]) -> None:
        """Put the fine motion off the middle of its range; coarse motion takes it away."""
        for axis, um in zip(_AXES, offset_um, strict=True):
            range_um = self._fine_range_um(axis)
            if range_um is not None:
                self.context.move(self.stage.settable(f"fine_{axis}"), range_um / 2 + um)

    def _fine_range_um(self, axis: str) -> float | None:
        return self.stage.facts(axis).fine_range_um


def _rings(step_um: float, reach_um: float) -> Iterator[tuple[float, float]]:
    """Yield places on a square net within a square, the nearest to the middle first.

    Of equally near ones those upwards come first: the way up needs no run-up, whose two ways differ
    by what is not known of the steps.
    """
    span = _span(int(reach_um / step_um + 1e-9))
    net = [(i * step_um, j * step_um) for i in span for j in span]
    yield from sorted(net, key=lambda at: (math.hypot(*at), -at[0], -at[1]))


def _span(number: int) -> range:
    return range(-number, number + 1)


def _peak_um(places_um: Sequence[float], rates: Sequence[float]) -> float:
    """Return where a Gaussian through the highest reading and its neighbours has its maximum."""
    top = int(np.argmax(rates))
    if not 0 < top < len(rates) - 1:
        return places_um[top]
    low, middle, high = (math.log(max(rates[top + n], 1.0)) for n in (-1, 0, 1))
    bend = low - 2.0 * middle + high
    if bend >= 0.0:
        return places_um[top]
    return places_um[top] + 0.5 * (places_um[1] - places_um[0]) * (low - high) / bend
