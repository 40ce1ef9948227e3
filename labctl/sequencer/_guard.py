"""The guard of a set-up: looks at interlocks and detectors, in a run, in a live view and between.

In wall time each thing that it watches has a thread of its own, so that neither an engine that
is busy nor an instrument that hangs keeps it from looking at the others. In virtual time it looks
in callbacks of the clock, on the thread of the engine.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from labctl.clock import Cancel, Clock, RealClock
from labctl.roles import Camera, PhotonCounter
from labctl.sequencer._watches import (
    CameraWatch,
    DetectorWatch,
    InterlockWatch,
    Standing,
    Watched,
)
from labctl.setup import Interlock
from labctl.stations import Sentry, Station

__all__ = ["Guard"]

_SHORTEST_S = 0.02
"""Wall time between two looks where a simulated set-up runs faster than life, s."""
_KEPT = 1000


class Guard:
    """Everything that is watched for the sake of sample and detectors.

    A trip ends the light before anybody is told. What it means for a run is decided by the run;
    see ``Trips``.

    Attributes:
        news: What has changed since somebody took it, oldest first.
    """

    def __init__(self, station: Station, clock: Clock, interlocks: Iterable[Interlock]) -> None:
        """Watch the interlocks of a set-up, and all its detectors; ``start`` begins."""
        self._station, self._clock = station, clock
        self._watched: list[Watched] = [InterlockWatch(one, station, clock) for one in interlocks]
        for name in station:
            instrument = station[name]
            if isinstance(instrument, PhotonCounter):
                self._watched.append(DetectorWatch(instrument, clock))
            elif isinstance(instrument, Camera):
                self._watched.append(CameraWatch(instrument, clock))
        self.news: deque[Standing] = deque(maxlen=_KEPT)
        self._doubts = 0
        self._beats: list[_Beat | Sentry] = []
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin; the first look is taken at once."""
        self._look_at(self._watched)
        if isinstance(self._clock, RealClock):
            self._beats += self._sentries(self._clock.speed)
        else:
            self._beats += [
                _Beat(self._clock, one, partial(self._look_at, [one])) for one in self._watched
            ]

    def stop(self) -> None:
        """Look no more; a second call does nothing."""
        while self._beats:
            self._beats.pop().end()

    def standings(self) -> list[Standing]:
        """Return how everything stands."""
        return [watched.standing for watched in self._watched]

    def tripped(self) -> list[Standing]:
        """Return what has tripped and is not armed again."""
        return [one for one in self.standings() if one.state == "tripped"]

    def rearm(self, name: str) -> bool:
        """Release what a person means by a name; returns whether there is anything.

        Raises:
            RefusedError: Its condition still holds.
        """
        found = [one for one in self._watched if one.concerns(name)]
        for watched in found:
            before = watched.standing
            watched.rearm()
            self._note(watched, before)
        return bool(found)

    def take_note(self) -> None:
        """Take note of guards that have acted by themselves; asks nothing."""
        for watched in self._watched:
            before = watched.standing
            watched.take_note()
            self._note(watched, before)

    def begin_point(self) -> None:
        """Forget the doubts of earlier points."""
        self._doubts = 0

    def doubts(self) -> int:
        """Return the quality bits that all looks since ``begin_point`` leave."""
        with self._lock:
            for watched in self._watched:
                self._doubts |= watched.doubt()
            return self._doubts

    def _sentries(self, speed: float) -> "list[Sentry]":
        groups: dict[tuple[str, float], list[Watched]] = {}
        for watched in self._watched:
            groups.setdefault((watched.reader(), watched.shortest_s()), []).append(watched)
        return [
            Sentry(f"guard of {name}", max(s / speed, _SHORTEST_S), partial(self._look_at, group))
            for (name, s), group in groups.items()
        ]

    def _look_at(self, group: Iterable[Watched]) -> None:
        for watched in group:
            before = watched.standing
            watched.look()
            with self._lock:
                self._doubts |= watched.doubt()
            self._note(watched, before)

    def _note(self, watched: Watched, before: Standing) -> None:
        now = watched.standing
        if now.state == before.state:
            return
        if now.state == "tripped" and not watched.is_dark():
            failures = [
                f"{one.action}: {one.error}" for one in self._station.make_dark() if one.error
            ]
            if failures:
                now = replace(now, text=f"{now.text}; NOT SAFE: {'; '.join(failures)}")
        self.news.append(now)


class _Beat:
    """Looks in virtual time, as often as the watched thing wants it at the moment."""

    def __init__(self, clock: Clock, watched: Watched, look: Callable[[], None]) -> None:
        self._clock, self._watched, self._look = clock, watched, look
        self._period_s = watched.period_s()
        self._cancel: Cancel = clock.call_every(self._period_s, self._fire)
        watched.when_exposed(self.pace)

    def pace(self) -> None:
        """Take the pace that is wanted now."""
        wanted_s = self._watched.period_s()
        if wanted_s != self._period_s:
            self._cancel()
            self._period_s = wanted_s
            self._cancel = self._clock.call_every(wanted_s, self._fire)

    def end(self) -> None:
        """Look no more."""
        self._cancel()

    def _fire(self) -> None:
        self._look()
        self.pace()
