"""The dots of a run: found on a map, gone to one after the other, named in each point."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labctl.errors import AnalysisError, ConfigError, RefusedError
from labctl.measurements import CATALOGUE, DOTS, VISITED, FoundDot, Visit, stored_dots
from labctl.recipes import DotChoice, Loop
from labctl.sequencer._control import Skipped
from labctl.sequencer._doses import Doses

if TYPE_CHECKING:
    from labctl.sequencer._session import Session

__all__ = ["Dots", "NoMoreDots"]


_FEWEST_SHARES = 3
"""So many dots of a picture are gone to before one can be too dim for what it promised."""


class NoMoreDots(Skipped):
    """Fewer dots were found than a loop has room for: the rest of it is empty."""


class Dots:
    """What a session knows of dots, and the one in the spot.

    Attributes:
        record: How dots were found last; empty: they were not.
        here: The dot in the spot.
        doses: The light on each of them.
        lit: Name under which the dose of the dot in the spot, or on its way there, is remembered;
            empty: there is none.
    """

    def __init__(self, session: "Session") -> None:
        """None has been found yet."""
        self._session = session
        self.record: Mapping[str, Any] = {}
        self._listed: list[FoundDot] = []
        self.here: dict[str, str | float] | None = None
        self.lit = ""
        self.doses = Doses(session)

    def note(self, what: str, data: Mapping[str, Any]) -> None:
        """Take what was found, if it is dots."""
        if what == DOTS:
            self.record = dict(data)
            for dot in stored_dots(data) if DOTS in data else ():
                self._know(dot)

    def stored(self) -> dict[str, str | float] | None:
        """Return the dot in the spot as points store it, with its dose so far; None: no dot."""
        if self.here is None or self.lit not in self._session.memory:
            return self.here
        return {**self.here, "dose_uj_cm2": self.dose_uj_cm2()}

    def dose_uj_cm2(self) -> float:
        """Return the light on the dot in the spot in all runs, uJ/cm².

        Whatever is let in on the way to the dot counts as if it were in the centre of the spot, so
        that it is rather too much.
        """
        return self.doses.of(self.lit)

    def keep_doses(self) -> None:
        """Write the doses of this run into the catalogue of its sample, if there is one.

        It is the last but one thing of a run, whose end must be stored whatever becomes of it.
        """
        sample = str(self.record.get("sample", ""))
        known = self._session.calibrations.get(CATALOGUE, {}).get(sample)
        if known is None:
            return
        entries = {name: dict(entry) for name, entry in known["dots"].items()}
        for name, entry in entries.items():
            entry["dose_uj_cm2"] = self._session.memory.get(
                _of_catalogue(sample, name), entry.get("dose_uj_cm2", 0.0)
            )
        if entries != known["dots"]:
            record = {**known, "dots": entries}
            try:
                self._session.calibrated(CATALOGUE, sample, record, "end")
            except (OSError, ConfigError) as error:
                text = f"the doses of this run are not in the catalogue of {sample}: {error}"
                self._session.book.message("warning", CATALOGUE, text)

    def _know(self, dot: FoundDot) -> str:
        """Count the light on a dot, from what it has had in earlier runs; returns its key."""
        sample = str(self.record.get("sample", ""))
        known = self._session.calibrations.get(CATALOGUE, {}).get(sample, {}).get("dots", {})
        before_uj_cm2 = float(known.get(dot.name, {}).get("dose_uj_cm2", 0.0))
        # A name of a map alone is another dot's after the next map; its place is not.
        place = f"{dot.name} at {dot.x_um:.3f} {dot.y_um:.3f} um"
        key = _of_catalogue(sample, dot.name) if sample else f"dose of {place}"
        self.doses.know(key, dot.name, (dot.x_um, dot.y_um), before_uj_cm2)
        return key

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
            self._leave()

    def _leave(self) -> None:
        self.here, self.lit = None, ""

    def go_to(self, dot: FoundDot, choice: DotChoice, step_id: str) -> None:
        """Bring a dot into the spot; points that follow are named after it.

        Raises:
            Skipped: It is gone, or too dim, or has had too much light.
        """
        self._leave()
        key = self._know(dot)
        dose, most = self.doses.of(key), choice.most_dose_uj_cm2
        if most is not None and dose > most:
            text = f"dot {dot.name} has had {dose:.3g} uJ/cm^2 of light, more than {most:.3g}"
            raise Skipped(text)
        self.lit = key
        asked = {"dot": dot, "found": self.record, "reach": choice.reach_um}
        what = f"dot {dot.name} at ({dot.x_um:.2f}, {dot.y_um:.2f}) um is gone or bleached"
        try:
            self._session.measure(Visit.model_validate(asked), step_id=step_id)
        except (AnalysisError, RefusedError) as reason:
            self._leave()
            raise Skipped(f"{what}: {reason}") from reason
        seen = {name: self._session.memory[name] for name in VISITED}
        share, promised = self._share(seen["rate_hz"], dot)
        if share < choice.least_share:
            self._leave()
            rate = f"{seen['rate_hz']:.3g} Hz are {100 * share:.0f} %"
            raise Skipped(f"{what}: {rate} of {promised}")
        self.here = {**dot.as_setting(), **seen}

    def _share(self, rate_hz: float, dot: FoundDot) -> tuple[float, str]:
        """Return a count rate over what the dot promised, and in words what that was.

        Another detector counts in a picture, so that brightness there promises what most dots
        which were gone to have kept (the geometric mean); the first few are taken as they are.
        """
        share = rate_hz / dot.brightness_hz
        if self.record.get("comparable", True):
            return share, "its brightness on the map"
        memory, brightest = self._session.memory, stored_dots(self.record)[0].brightness_hz
        number, total = (f"{what} of dots like {brightest:.9g}" for what in ("number", "shares"))
        gone_to, logs = memory.get(number, 0.0), memory.get(total, 0.0)
        usual = share if gone_to < _FEWEST_SHARES else math.exp(logs / gone_to)
        if share > 0.0:
            self._remember(number, gone_to + 1.0)
            self._remember(total, logs + math.log(share))
        return share / usual if usual > 0.0 else 0.0, "what its brightness in the picture promises"

    def _remember(self, name: str, value: float) -> None:
        """Keep a number in the run; it is stored with the next point."""
        self._session.memory[name] = self._session.news[name] = value

    def heed(self, loops: Sequence[Loop]) -> None:
        """Forget the dot once a step lies outside of any loop over dots."""
        if not any(loop.name == "dot" for loop in loops):
            self._leave()


def _of_catalogue(sample: str, name: str) -> str:
    return f"dose of {sample} {name}"


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
