"""Real and virtual time: the only place where labctl waits.

In virtual time nothing waits on the wall clock. The engine's thread alone advances time, event
by event; before each advance the simulated set-up is brought to rest, so that every reply that is
due already lies in its socket buffer (the time contract of the simulated set-up).
"""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from labctl.errors import ConfigError, DeadlockError, Problem

__all__ = ["Action", "Cancel", "Clock", "EventQueue", "RealClock", "VirtualClock", "WorldTime"]

Action = Callable[[], None]
Cancel = Callable[[], None]


class Clock(Protocol):
    """What everything that measures or waits may ask of time. Times are seconds from the start."""

    @property
    def virtual(self) -> bool:
        """Whether time passes only when the engine lets it."""
        ...

    @property
    def speed(self) -> float:
        """Return how many of its seconds pass while its time of day advances by one."""
        ...

    def now(self) -> float:
        """Return the monotonic time in s."""
        ...

    def utc(self) -> datetime:
        """Return the wall-clock label of now; never used for durations."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` s pass; periodic actions that are due meanwhile are carried out."""
        ...

    def wait_until(
        self,
        ready: Callable[[], bool],
        *,
        deadline_s: float | None,
        what: str,
        device_call: bool = False,
    ) -> bool:
        """Let time pass until ``ready()`` or until the clock shows ``deadline_s``.

        Args:
            ready: Asked again after everything that happens.
            deadline_s: Clock time in s, or None to wait without limit.
            what: What is waited for, named in a deadlock error.
            device_call: Inside a call to an instrument: periodic actions are put off until the
                call has returned, so that they never use a connection in the middle of a request.

        Returns:
            Whether ``ready()`` was true; False when the deadline passed.
        """
        ...

    def call_every(self, period_s: float, action: Action) -> Cancel:
        """Carry out ``action`` on the engine's thread every ``period_s`` s, from one period on."""
        ...

    def schedule(self, at_s: float, action: Action) -> Cancel:
        """Carry out an action of the simulated world at clock time ``at_s`` s."""
        ...


class WorldTime(Protocol):
    """The simulated set-up as the virtual clock sees it, in this process or in another one."""

    def now(self) -> float:
        """Return the world's time in s."""
        ...

    def step(self, limit_s: float | None) -> tuple[float, bool]:
        """Bring everything to rest, then carry out the next event due by ``limit_s`` (None: any).

        Returns:
            The new time in s, and whether an event was carried out. Without a due event the time
            becomes ``limit_s`` (or stays, if that is None).
        """
        ...

    def schedule(self, at_s: float, action: Action) -> Cancel:
        """Queue an action of the simulated world."""
        ...


@dataclass(order=True)
class _Entry:
    at_s: float
    order: int
    action: Action | None = field(compare=False)


class EventQueue:
    """The world's future: actions ordered by time, then by the order of their arrival."""

    def __init__(self, settle: Action | None = None) -> None:
        """``settle`` brings the simulators to rest (returns once nothing is readable or busy)."""
        self._entries: list[_Entry] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._now_s = 0.0
        self.settle: Action = settle or (lambda: None)

    def now(self) -> float:
        """Return the world's time in s."""
        return self._now_s

    def schedule(self, at_s: float, action: Action) -> Cancel:
        """Queue ``action`` for ``at_s`` (not before now); thread-safe. Returns its cancellation."""
        with self._lock:
            entry = _Entry(max(at_s, self._now_s), next(self._order), action)
            heapq.heappush(self._entries, entry)

        def cancel() -> None:
            entry.action = None

        return cancel

    def step(self, limit_s: float | None) -> tuple[float, bool]:
        """Rest, then carry out the next event due by ``limit_s``, then rest again."""
        self.settle()
        action = self._take(limit_s)
        if action is None:
            if limit_s is not None:
                self._now_s = max(self._now_s, limit_s)
            return self._now_s, False
        action()
        self.settle()
        return self._now_s, True

    def next_s(self) -> float | None:
        """Return the time of the next event in s, or None if nothing is going to happen."""
        with self._lock:
            self._drop_cancelled()
            return self._entries[0].at_s if self._entries else None

    def _take(self, limit_s: float | None) -> Action | None:
        with self._lock:
            self._drop_cancelled()
            if not self._entries or (limit_s is not None and self._entries[0].at_s > limit_s):
                return None
            entry = heapq.heappop(self._entries)
            self._now_s = max(self._now_s, entry.at_s)
            return entry.action

    def _drop_cancelled(self) -> None:
        while self._entries and self._entries[0].action is None:
            heapq.heappop(self._entries)


class _Waiters:
    """Who waits for what, so that a deadlock can name them."""

    def __init__(self) -> None:
        self.names: list[str] = []

    @contextmanager
    def waiting(self, what: str) -> Generator[None]:
        self.names.append(what)
        try:
            yield
        finally:
            self.names.pop()


class _Periodic:
    """Actions that the engine's thread carries out at regular clock times."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._order = itertools.count()
        self._running = False

    def add(self, now_s: float, period_s: float, action: Action) -> Cancel:
        entry = _Entry(now_s + period_s, next(self._order), None)

        def fire() -> None:
            # Missed beats are skipped, not made up for: a monitor reads the present.
            entry.at_s += period_s
            action()

        entry.action = fire
        heapq.heappush(self._entries, entry)

        def cancel() -> None:
            entry.action = None

        return cancel

    def next_s(self) -> float | None:
        while self._entries and self._entries[0].action is None:
            heapq.heappop(self._entries)
        return self._entries[0].at_s if self._entries and not self._running else None

    def run_due(self, now_s: Callable[[], float]) -> None:
        """Carry out what is due; an action that itself waits does not start others."""
        if self._running:
            return
        self._running = True
        try:
            self._run(now_s)
        finally:
            self._running = False

    def _run(self, now_s: Callable[[], float]) -> None:
        while self._entries and self._entries[0].at_s <= now_s():
            entry = heapq.heappop(self._entries)
            if entry.action is None:
                continue
            due_s = entry.at_s
            entry.action()
            period_s = entry.at_s - due_s
            if now_s() > entry.at_s:
                missed = int((now_s() - entry.at_s) // period_s) + 1
                entry.at_s += missed * period_s
            heapq.heappush(self._entries, entry)


class VirtualClock:
    """Time that jumps from event to event; a night's series takes seconds.

    Without a world it is plain event-driven time with a queue of its own.
    """

    virtual = True
    speed = 1.0

    def __init__(
        self, world: WorldTime | None = None, *, start_utc: datetime | None = None
    ) -> None:
        """Drive ``world``; ``start_utc`` labels time zero (default: the real time is now)."""
        self._world: WorldTime = world or EventQueue()
        self._now_s = self._world.now()
        self._start_utc = start_utc or datetime.now(UTC) - timedelta(seconds=self._now_s)
        self._periodic = _Periodic()
        self._waiters = _Waiters()
        self.turns = 0
        """Grows whenever somebody waits: an engine whose count stands still hangs."""

    def now(self) -> float:
        """Return virtual time in s."""
        return self._now_s

    def utc(self) -> datetime:
        """Return the label of virtual now."""
        return self._start_utc + timedelta(seconds=self._now_s)

    def schedule(self, at_s: float, action: Action) -> Cancel:
        """Queue an action of the world."""
        return self._world.schedule(at_s, action)

    def call_every(self, period_s: float, action: Action) -> Cancel:
        """Carry out ``action`` every ``period_s`` s of virtual time, outside device calls."""
        return self._periodic.add(self._now_s, period_s, action)

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.wait_until(lambda: False, deadline_s=self._now_s + seconds, what="sleep")

    def wait_until(
        self,
        ready: Callable[[], bool],
        *,
        deadline_s: float | None,
        what: str,
        device_call: bool = False,
    ) -> bool:
        """Carry out due events one by one until ``ready()`` or the deadline.

        Raises:
            DeadlockError: Nothing is due, there is no deadline, and nobody is ready.
        """
        with self._waiters.waiting(what):
            while True:
                self.turns += 1
                if self._settled(ready):
                    return True
                if deadline_s is not None and self._now_s >= deadline_s:
                    return False
                self._advance(deadline_s, device_call)

    def _settled(self, ready: Callable[[], bool]) -> bool:
        # At rest without letting time pass: carries out only what is due now.
        happened = True
        while happened:
            if ready():
                return True
            happened = self._step(self._now_s)
        return ready()

    def _step(self, limit_s: float | None) -> bool:
        try:
            self._now_s, happened = self._world.step(limit_s)
        except TimeoutError as error:
            # The watchdog of the world, in wall time; as an OSError it would pass for a dead line.
            raise DeadlockError(self._waiters.names, str(error)) from error
        return happened

    def _advance(self, deadline_s: float | None, device_call: bool) -> None:
        beat_s = None if device_call else self._periodic.next_s()
        limit_s = min((t for t in (deadline_s, beat_s) if t is not None), default=None)
        before_s = self._now_s
        happened = self._step(limit_s if limit_s is None else max(limit_s, before_s))
        if not happened and limit_s is None:
            raise DeadlockError(self._waiters.names)
        if not device_call:
            self._periodic.run_due(self.now)


class RealClock:
    """The wall clock; ``speed`` > 1 lets a simulated set-up run faster than life."""

    virtual = False
    _POLL_S = 0.002
    _REPLY_S = 2.0

    def __init__(self, speed: float = 1.0) -> None:
        """Count clock seconds from now, ``speed`` of them per second of life.

        Raises:
            ConfigError: The speed is not a positive number.
        """
        if not 0.0 < speed < math.inf:
            raise ConfigError([Problem(f"no time passes at a speed of {speed:g}", "speed")])
        self.speed = speed
        self._zero_s = time.monotonic()
        self._periodic = _Periodic()
        self._timer = _Timer(self)
        self.turns = 0
        """Grows whenever somebody waits: an engine whose count stands still hangs."""

    def now(self) -> float:
        """Return clock time in s."""
        return (time.monotonic() - self._zero_s) * self.speed

    def utc(self) -> datetime:
        """Return the wall clock's time."""
        return datetime.now(UTC)

    def schedule(self, at_s: float, action: Action) -> Cancel:
        """Carry out an action of a simulated world at ``at_s``, on the timer's own thread."""
        return self._timer.schedule(at_s, action)

    def call_every(self, period_s: float, action: Action) -> Cancel:
        """Carry out ``action`` on the engine's thread every ``period_s`` s while it waits."""
        return self._periodic.add(self.now(), period_s, action)

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds`` clock seconds."""
        self.wait_until(lambda: False, deadline_s=self.now() + seconds, what="sleep")

    def wait_until(
        self,
        ready: Callable[[], bool],
        *,
        deadline_s: float | None,
        what: str,
        device_call: bool = False,
    ) -> bool:
        """Ask ``ready()`` every 2 ms of life until it is true or the deadline has passed."""
        if device_call and deadline_s is not None:
            # A reply comes through this computer's own programs, which a faster world does not
            # make any faster.
            deadline_s = max(deadline_s, self.now() + (self.speed - 1.0) * self._REPLY_S)
        while not ready():
            self.turns += 1
            now_s = self.now()
            if deadline_s is not None and now_s >= deadline_s:
                return False
            self._pause(now_s, deadline_s)
            if not device_call:
                self._periodic.run_due(self.now)
        return True

    def close(self) -> None:
        """Stop the timer's thread, if one was started."""
        self._timer.close()

    def _pause(self, now_s: float, deadline_s: float | None) -> None:
        left_s = self._POLL_S if deadline_s is None else (deadline_s - now_s) / self.speed
        time.sleep(min(self._POLL_S, max(left_s, 0.0)))


class _Timer:
    """Carries out a world's events at their wall-clock time."""

    def __init__(self, clock: RealClock) -> None:
        self._clock = clock
        self._queue = EventQueue()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closing = False

    def schedule(self, at_s: float, action: Action) -> Cancel:
        with self._wake:
            cancel = self._queue.schedule(at_s, action)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="world timer", daemon=True)
                self._thread.start()
            self._wake.notify()
        return cancel

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._wake:
                if self._closing:
                    return
                next_s = self._queue.next_s()
                now_s = self._clock.now()
                if next_s is None or next_s > now_s:
                    timeout_s = None if next_s is None else (next_s - now_s) / self._clock.speed
                    self._wake.wait(timeout_s)
                    continue
            self._queue.step(now_s)
