"""The dots of a run: found on a map, gone to one after the other, named in each point."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labctl.errors import AnalysisError, RefusedError
from labctl.measurements import DOTS, VISITED, FoundDot, Visit, stored_dots
from labctl.recipes import DotChoice, Loop
from labctl.sequencer._control import Skipped

if TYPE_CHECKING:
    from labctl.sequencer._session import Session

__all__ = ["Dots", "NoMoreDots"]


class NoMoreDots(Skipped):
    """Fewer dots were found than a loop has room for: the rest of it is empty."""


class Dots:
    """What a session knows of dots, and the one in the spot.

    Attributes:
        record: How dots were found last; empty: they were not.
        here: The dot in the spot, as points store it.
    """

    def __init__(self, session: "Session") -> None:
        """None has been found yet."""
        self._session = session
        self.record: Mapping[str, Any] = {}
        self._listed: list[FoundDot] = []
        self.here: dict[str, str | float] | None = None

    def note(self, what: str, data: Mapping[str, Any]) -> None:
        """Take what was found, if it is dots."""
        if what == DOTS:
            self.record = dict(data)

    def chosen(self, choice: DotChoice) -> list[FoundDot]:
        """Return the dots of a loop in their order: the brightest first, or on a short way.

        Raises:
            Skipped: One that the loop names was not found.
        """
        dots = stored_dots(self.record) if self.record else []
        if choice.names is not None:
            lost = set(choice.names) - {dot.name for dot in dots}
            if lost:
                raise Skipped(f"dots {', '.join(sorted(lost))} were not found")
            dots = [dot for dot in dots if dot.name in choice.names]
        dots = sorted(dots, key=lambda dot: -dot.brightness_hz)[: choice.at_most]
        return dots if choice.brightest_first else _short_way(dots)

    def visit(self, index: int, choice: DotChoice, step_id: str) -> FoundDot:
        """Go to a dot of the loop; the first one that a process goes to decides on the list.

        Raises:
            NoMoreDots: So many were not found.
            Skipped: It is gone, or too dim.
        """
        if index == 0 or not self._listed:
            self._listed = self.chosen(choice)
        if index >= len(self._listed):
            raise NoMoreDots(f"{len(self._listed)} dots were found")
        self.go_to(self._listed[index], choice, step_id)
        return self._listed[index]

    def each(self, choice: DotChoice, *, step_id: str) -> Iterator[FoundDot]:
        """Go to one dot after the other; messages tell which were left out."""
        try:
            for dot in self.chosen(choice):
                self._session.checkpoint()
                try:
                    self.go_to(dot, choice, step_id)
                except Skipped as reason:
                    self._session.book.message("warning", "run", str(reason))
                    continue
                yield dot
        finally:
            self.here = None

    def go_to(self, dot: FoundDot, choice: DotChoice, step_id: str) -> None:
        """Bring a dot into the spot; points that follow are named after it.

        Raises:
            Skipped: It is gone, or too dim.
        """
        self.here = None
        asked = {"dot": dot, "found": self.record, "reach": choice.reach_um}
        what = f"dot {dot.name} at ({dot.x_um:.2f}, {dot.y_um:.2f}) um is gone or bleached"
        try:
            self._session.measure(Visit.model_validate(asked), step_id=step_id)
        except (AnalysisError, RefusedError) as reason:
            raise Skipped(f"{what}: {reason}") from reason
        seen = {name: self._session.memory[name] for name in VISITED}
        share = seen["rate_hz"] / dot.brightness_hz
        if self.record.get("comparable", True) and share < choice.least_share:
            rate = f"{seen['rate_hz']:.3g} Hz are {100 * share:.0f} %"
            raise Skipped(f"{what}: {rate} of its brightness on the map")
        self.here = {**dot.as_setting(), **seen}

    def heed(self, loops: Sequence[Loop]) -> None:
        """Forget the dot once a step lies outside of any loop over dots."""
        if not any(loop.name == "dot" for loop in loops):
            self.here = None


def _short_way(dots: Sequence[FoundDot]) -> list[FoundDot]:
    """Return the dots so that each is the nearest of those left, beginning at the lowest."""
    left = sorted(dots, key=lambda dot: (dot.y_um, dot.x_um))
    way = left[:1]
    left = left[1:]
    while left:
        here = way[-1]
        near = min(left, key=lambda d: math.hypot(d.x_um - here.x_um, d.y_um - here.y_um))
        way.append(near)
        left.remove(near)
    return way
