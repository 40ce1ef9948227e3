"""One worker thread per instrument in wall time, so that a hung driver holds up nobody else."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from queue import SimpleQueue
from time import monotonic
from typing import Any, TypeVar, cast

from labctl.clock import Clock
from labctl.errors import NoReplyError, RefusedError
from labctl.roles import Instrument, Settable

__all__ = ["Sentry", "beside", "on_worker"]

R = TypeVar("R", bound=Instrument)
CALL_DEADLINE_S = 120.0
"""No call to an instrument takes longer: drivers start things and ask, they never wait."""
BUSY_S = 5.0
"""How long a call may wait for the one before it, s: a monitor meets a call that goes on."""
_HUNG_S = 2.0
"""A call that has taken so much life is waited for by nobody but its own caller."""
_QUICK_S = 0.0005
"""Most calls have returned after so much wall time; only then does the caller go on waiting."""

_here = threading.local()
"""``thread`` is set where an instrument's own thread runs."""

_Job = tuple[Future[Any], Callable[[], Any]]


class _Thread:
    """A thread that carries out jobs in their order.

    It is a daemon: a call that never returns must not keep the program from ending.
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, job: Callable[[], Any]) -> Future[Any]:
        future: Future[Any] = Future()
        self._jobs.put((future, job))
        return future

    def end(self) -> None:
        self._jobs.put(None)

    def _run(self) -> None:
        _here.thread = self
        while (entry := self._jobs.get()) is not None:
            future, job = entry
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(job())
            # Whatever it is belongs to the caller, who waits for it.
            except BaseException as error:
                future.set_exception(error)


class Sentry:
    """Does something again and again in wall time, on a thread of its own beside the engine's.

    What it calls of instruments runs on their threads, each call for at most ``BUSY_S``.
    """

    def __init__(self, name: str, period_s: float, action: Callable[[], None]) -> None:
        """Begin at once; ``period_s`` is wall time, s."""
        self._period_s, self._action = period_s, action
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop, and wait for what is being done."""
        self._ended.set()
        self._thread.join(2.0 * BUSY_S)

    def _run(self) -> None:
        _here.thread = self
        while not self._ended.wait(self._period_s):
            self._action()


class _OnWorker:
    """Stands for an instrument; every call runs on the instrument's own thread.

    The caller waits through its clock, so periodic actions, guards and commands go on meanwhile
    as far as they use other connections.
    """

    def __init__(self, instrument: Instrument, clock: Clock) -> None:
        self._instrument, self._clock = instrument, clock
        self._thread: _Thread | None = None
        self._last: Future[Any] | None = None
        self._given_up: Future[Any] | None = None
        self._asked_s = 0.0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._instrument, name)
        return partial(self._call, name, found) if callable(found) else found

    @property
    def __class__(self) -> type:
        # isinstance(station["camera"], Camera) must tell the role, not the stand-in.
        return type(self._instrument)

    @__class__.setter
    def __class__(self, value: type) -> None:
        raise AttributeError(value)

    def settable(self, quantity: str) -> Settable:
        """Return the settable, whose functions run on the instrument's thread, too."""
        found = self._instrument.settable(quantity)
        recover = found.recover
        return replace(
            found,
            recover=None if recover is None else partial(self._call, "recover", recover),
            start=partial(self._call, f"start_{quantity}", found.start),
            arrived=partial(self._call, f"{quantity}_arrived", found.arrived),
            read=partial(self._call, f"read_{quantity}", found.read),
        )

    def reader(self, quantity: str) -> Callable[[], float]:
        """Return what reads a readable, which runs on the instrument's thread, too."""
        return partial(self._call, "read", self._instrument.reader(quantity))

    def busy_s(self) -> float:
        """Return for how long the call that is going on has taken, s of life; 0 if none is."""
        idle = self._last is None or self._last.done()
        return 0.0 if idle else monotonic() - self._asked_s

    def submit(self, job: Callable[[Any], Any]) -> Future[Any]:
        """Have a job done on the instrument's thread, after what goes on there; nobody waits."""
        if self._thread is None:
            raise RefusedError(self._instrument.name, "not connected", "connect first")
        return self._thread.submit(partial(job, self._instrument))

    def close(self) -> None:
        """Close the instrument and end its thread, after a hung call as soon as that returns."""
        thread, last = self._thread, self._last
        if thread is not None and last is not None and last is self._given_up and not last.done():
            thread.submit(self._instrument.close)
        else:
            self._call("close", self._instrument.close)
        if self._thread is not None:
            self._thread.end()
            self._thread = None

    def _call(self, name: str, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        if hasattr(_here, "thread"):
            return self._call_between(name, partial(function, *args, **named))
        self._wait_for_last(name)
        if self._thread is None:
            self._thread = _Thread(f"instrument {self._instrument.name}")
        self._asked_s = monotonic()
        future = self._last = self._thread.submit(partial(function, *args, **named))
        wait([future], _QUICK_S)
        if not self._done(future, CALL_DEADLINE_S, name):
            raise self._hangs(future, name, "the call does not return")
        return future.result()

    def _call_between(self, name: str, job: Callable[[], Any]) -> Any:
        """Call from another instrument's thread (a rule that asks): the clock is not its to run."""
        thread = self._thread
        if thread is None:
            raise RefusedError(self._instrument.name, f"{name}: not connected", "connect first")
        if thread is _here.thread:
            return job()
        future = thread.submit(job)
        wait([future], BUSY_S)
        if not future.done():
            # Whoever asks again and again must not leave a queue behind a call that hangs.
            future.cancel()
            raise self._silent(name, "an earlier call has not returned")
        return future.result()

    def _wait_for_last(self, name: str) -> None:
        # A call inside another one (a monitor while a call goes on), or after one that hangs.
        last = self._last
        if last is None or last.done():
            return
        if last is not self._given_up:
            what = f"{self._instrument.name}.{name}"
            deadline_s = self._clock.now() + BUSY_S
            self._clock.wait_until(
                lambda: last.done() or self.busy_s() > _HUNG_S, deadline_s=deadline_s, what=what
            )
        if not last.done():
            raise self._hangs(last, name, "an earlier call has not returned")

    def _done(self, future: "Future[Any]", within_s: float, name: str) -> bool:
        if future.done():
            return True
        what = f"{self._instrument.name}.{name}"
        deadline_s = self._clock.now() + within_s
        return self._clock.wait_until(future.done, deadline_s=deadline_s, what=what)

    def _hangs(self, call: "Future[Any]", name: str, what: str) -> NoReplyError:
        self._given_up = call
        return self._silent(name, what)

    def _silent(self, name: str, what: str) -> NoReplyError:
        return NoReplyError(self._instrument.name, name, what, "switch the instrument off and on")


def beside(instrument: Instrument, job: Callable[[Any], Any]) -> Future[Any]:
    """Have a job done with an instrument beside whatever the engine does; returns at once.

    For a thread that must neither wait nor run the clock: panels, and whoever makes the light safe
    while a driver hangs. The job is given the instrument itself. What has a connection does it on
    its own thread, after the call that goes on there; a composite on a thread that ends with it.
    """
    if isinstance(instrument, _OnWorker):
        return instrument.submit(job)
    thread = _Thread(f"beside {instrument.name}")
    future = thread.submit(partial(job, instrument))
    thread.end()
    return future


def on_worker(instrument: R, clock: Clock) -> R:
    """Return a stand-in of the instrument whose calls run on a thread of its own."""
    return cast(R, _OnWorker(instrument, clock))
