"""What windows are told: kept as it stands now, so that one that comes later sees the same."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from labctl.channels import Arrays, pack
from labctl.clock import Clock
from labctl.events import Event, PointStored, RunStarted
from labctl.host._state import RunState
from labctl.host.server._audience import Audience, Window
from labctl.host.server._stored import MOST_BYTES, found_dots, stored_arrays
from labctl.measurements import Grown

__all__ = ["Board"]

_LOG = 2_000
_TRACE = 4_000
_MAP = "map"


class Board:
    """The present state of the engine, and the way to all windows; safe from any thread.

    Everything is told under one lock, so that a window that attaches misses nothing and sees
    nothing twice.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin with an empty board; ``clock`` dates what is said."""
        self.clock = clock
        self.audience: Audience | None = None
        self._lock = threading.RLock()
        self._engine: dict[str, Any] = {}
        self._roles: list[dict[str, Any]] = []
        self._run = RunState()
        self._started: dict[str, Any] | None = None
        self._journal = ""
        self._log: deque[dict[str, Any]] = deque(maxlen=_LOG)
        self._traces: dict[str, deque[tuple[float, float]]] = {}
        self._pictures: dict[str, bytes] = {}
        self._map: tuple[Arrays, dict[str, Any]] | None = None

    def welcome(self, window: Window) -> None:
        """Send a window that attaches how everything stands, then everything that follows."""
        with self._lock:
            window.outbox.put(pack({"kind": "welcome", **self.snapshot()}))
            for topic, packet in self._pictures.items():
                window.outbox.show(topic, packet)
            if self.audience is not None:
                self.audience.enter(window)

    def snapshot(self) -> dict[str, Any]:
        """Return how everything stands, as plain JSON values."""
        with self._lock:
            return {
                "engine": self._engine,
                "roles": self._roles,
                "run": asdict(self._run),
                "started": self._started,
                "log": list(self._log),
                "traces": {name: list(trace) for name, trace in self._traces.items()},
                "now_s": self.clock.now(),
                "display_dropped": 0 if self.audience is None else self.audience.dropped(),
            }

    def engine(self, **state: Any) -> None:
        """Tell what has changed of the engine itself."""
        with self._lock:
            if any(self._engine.get(name, self) != value for name, value in state.items()):
                self._engine = {**self._engine, **state}
                self._tell({"kind": "engine", "engine": self._engine})

    def roles(self, roles: list[dict[str, Any]]) -> None:
        """Tell what instruments there are."""
        with self._lock:
            self._roles = roles
            self._tell({"kind": "roles", "roles": roles})

    def say(self, level: str, device: str, text: str) -> None:
        """Tell something in words that belongs to no run."""
        utc = self.clock.utc().isoformat()
        entry = {"level": level, "device": device, "text": text, "t_utc": utc}
        with self._lock:
            self._log.append(entry)
            self._tell({"kind": "log", **entry})

    def event(self, event: Event) -> None:
        """Tell what happens in a run, and show the arrays of a point that is stored."""
        with self._lock:
            if isinstance(event, RunStarted):
                self._run = RunState()
                self._started, self._journal = event.model_dump(mode="json"), event.journal
            self._run.apply(event)
            # A run of a night has many messages; all of them are in its journal.
            del self._run.messages[:-_LOG]
            self._tell({"kind": "event", "event": event.model_dump_json()})
            if isinstance(event, PointStored):
                facts = {
                    "index": event.index,
                    "label": event.label,
                    "set": event.set,
                    "live_s": event.live_time_s,
                }
                arrays = stored_arrays(self._journal, event)
                self.show(f"point/{event.measurement}", arrays, **facts)
                if event.measurement == _MAP:
                    self._map = arrays, facts
            elif self._map is not None:
                self._show_dots(*self._map)

    def grown(self, measurement: str, found: Grown) -> None:
        """Show what a point has come to so far, in the place of the one that was stored last."""
        arrays = {one.name: one.values for one in found.arrays if one.values.nbytes <= MOST_BYTES}
        self.show(f"point/{measurement}", arrays, growing=True, **found.facts)

    def show(self, topic: str, arrays: Arrays, **facts: Any) -> None:
        """Show display data; of each topic the newest is kept for whoever comes later."""
        head = {"kind": "live", "topic": topic, "t_s": self.clock.now(), **facts}
        packet = pack(head, arrays)
        with self._lock:
            self._pictures[topic] = packet
            if self.audience is not None:
                self.audience.show(topic, packet)

    def values(self, name: str, values: Mapping[str, Any]) -> None:
        """Show what has been read of an instrument; numbers become traces against clock time."""
        now_s = self.clock.now()
        with self._lock:
            for quantity, value in values.get("read", {}).items():
                if isinstance(value, float):
                    key = f"{name}.{quantity}"
                    trace = self._traces.setdefault(key, deque(maxlen=_TRACE))
                    trace.append((now_s, value))
            self.show(f"values/{name}", {}, name=name, values=dict(values))

    def _show_dots(self, arrays: Arrays, facts: Mapping[str, Any]) -> None:
        """Show a map once more when its dots are known: they are looked for after it is stored."""
        dots = found_dots(self._journal)
        if dots:
            self._map = None
            self.show(f"point/{_MAP}", arrays, **facts, dots=dots)

    def _tell(self, head: Mapping[str, Any]) -> None:
        if self.audience is not None:
            self.audience.tell(pack(head))
