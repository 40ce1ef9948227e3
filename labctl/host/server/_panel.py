"""Panels: reads every instrument again and again, and carries out what a person sets by hand.

It has a thread of its own that never waits for an instrument, so that one which hangs is seen as
such and holds up no other. What an instrument does, it does on its own thread.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

from labctl.errors import DeviceError, LabctlError, RefusedError
from labctl.host.server._board import Board
from labctl.host.server._status import describe, set_points, status
from labctl.host.server._switches import switches
from labctl.roles import (
    Camera,
    ImagingCamera,
    Instrument,
    PhotonCounter,
    Positioner,
    PulseCounter,
    Settable,
    TimeTagger,
)
from labctl.sequencer import Guard, Standing
from labctl.stations import Station, beside

__all__ = ["Panel"]

_LOOK_S = 0.05
_IDLE_S, _MOVING_S, _RUNNING_S = 1.0, 0.1, 2.0
_HUNG_S = 3.0
_DETECTORS = (Camera, ImagingCamera, PhotonCounter, PulseCounter, TimeTagger)
"""While data come in, nobody else asks these; some tell the mean since they were last asked."""


@dataclass(frozen=True)
class _Move:
    """A move that is under way; ``end_s`` is when it should have ended, s of the clock."""

    settable: Settable
    value: float
    end_s: float


@dataclass
class _Seat:
    """What the panel knows of one instrument."""

    instrument: Instrument
    described: dict[str, Any] = field(default_factory=dict[str, Any])
    job: "Future[dict[str, Any]] | None" = None
    asked_s: float = float("-inf")
    at_once: bool = True
    moves: dict[str, _Move] = field(default_factory=dict[str, _Move])
    told: dict[str, Any] = field(default_factory=dict[str, Any])


class Panel:
    """All instruments as a person sees and sets them."""

    def __init__(
        self, station: Station, guard: Guard, board: Board, engaged: Callable[[], str]
    ) -> None:
        """Show on ``board``; ``engaged`` says what forbids to set anything now, or nothing."""
        self._guard, self._board, self._engaged = guard, board, engaged
        self._seats = {name: _Seat(station[name]) for name in station}
        self._closing = threading.Event()
        self.measuring = False
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)

    def start(self) -> None:
        """Ask every instrument what it can do, then read them all until ``close``."""
        jobs = {name: beside(seat.instrument, describe) for name, seat in self._seats.items()}
        roles: list[dict[str, Any]] = []
        for name, job in jobs.items():
            seat = self._seats[name]
            try:
                seat.described = job.result(_HUNG_S)
            except (LabctlError, OSError, TimeoutError) as error:
                self._board.say("warning", name, f"cannot be described: {error}")
                continue
            roles.append(seat.described)
        self._board.roles(roles)
        self._thread.start()

    def moving(self) -> bool:
        """Whether anything that was set by hand is still on its way."""
        return any(seat.moves for seat in self._seats.values())

    def close(self) -> None:
        """Read nothing more."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()

    def set(self, name: str, quantity: str, value: float) -> "Future[None]":
        """Start to give a quantity a value; limits and rules are those of the instrument.

        Raises:
            RefusedError: Something is going on that must not be disturbed.
        """
        seat = self._free(name)

        def start(instrument: Instrument) -> None:
            settable = instrument.settable(quantity)
            settable.start(value)
            if not settable.spec.settles:
                end_s = self._board.clock.now() + settable.spec.timeout_s
                seat.moves[quantity] = _Move(settable, value, end_s)

        return self._now(seat, start)

    def switch(self, name: str, switch: str, choice: str) -> "Future[None]":
        """Start to bring a switch to a choice."""

        def take(instrument: Instrument) -> None:
            found = switches(instrument)
            if switch not in found:
                raise RefusedError(name, f"has no switch {switch!r}", ", ".join(found))
            found[switch].take(choice)

        return self._now(self._free(name), take)

    def step(self, name: str, axis: str, steps: int) -> "Future[None]":
        """Start coarse steps of a stage, upwards if positive."""

        def start(instrument: Instrument) -> None:
            if not isinstance(instrument, Positioner):
                raise RefusedError(name, "makes no steps", "only a positioner does")
            instrument.start_steps(axis, steps)

        return self._now(self._free(name), start)

    def act(self, name: str, action: str) -> "Future[None]":
        """Carry out a safe action; allowed at any time."""
        seat = self._seat(name)

        def do(instrument: Instrument) -> None:
            seat.moves.clear()
            instrument.make_safe(action)

        return self._now(seat, do)

    def rearm(self, name: str) -> "Future[None] | None":
        """Release an interlock, or the guard of an instrument, after a person has looked."""
        if name in self._seats:
            return self._now(self._seat(name), lambda instrument: instrument.rearm())
        if not self._guard.rearm(name):
            raise RefusedError(name, "is neither an interlock nor an instrument", "look at the log")
        return None

    def _seat(self, name: str) -> _Seat:
        if name not in self._seats:
            raise RefusedError(name, "is no instrument of this set-up", ", ".join(self._seats))
        return self._seats[name]

    def _free(self, name: str) -> _Seat:
        if why := self._engaged():
            raise RefusedError(name, f"cannot be set now: {why}", "pause or abort first")
        return self._seat(name)

    def _now(self, seat: _Seat, job: Callable[[Any], Any]) -> "Future[Any]":
        seat.at_once = True
        return beside(seat.instrument, job)

    def _run(self) -> None:
        while not self._closing.wait(_LOOK_S):
            for name, seat in self._seats.items():
                if seat.described:
                    self._look(name, seat)
            self._board.engine(interlocks=[_plain(one) for one in self._guard.standings()])

    def _look(self, name: str, seat: _Seat) -> None:
        now_s = monotonic()
        if seat.job is None:
            if self._due(seat, now_s):
                seat.asked_s, seat.at_once = now_s, False
                clock_s = self._board.clock.now()
                seat.job = beside(seat.instrument, partial(_read, seat, self.measuring, clock_s))
            return
        if seat.job.done():
            self._show(name, seat, _outcome(seat.job))
            seat.job = None
        elif now_s - seat.asked_s > _HUNG_S:
            silent = f"has not answered for {now_s - seat.asked_s:.0f} s"
            self._show(name, seat, {"error": silent, "hung": True})

    def _due(self, seat: _Seat, now_s: float) -> bool:
        if self.measuring and isinstance(seat.instrument, _DETECTORS):
            return False
        if seat.at_once:
            return True
        idle_s = _RUNNING_S if self.measuring else _IDLE_S
        return now_s - seat.asked_s >= (_MOVING_S if seat.moves else idle_s)

    def _show(self, name: str, seat: _Seat, found: dict[str, Any]) -> None:
        values: dict[str, Any] = {**seat.told, "error": "", "hung": False, **found}
        if values["error"] and not seat.told.get("error"):
            self._board.say("warning", name, values["error"])
        seat.told = values
        self._board.values(name, values)


def _plain(standing: Standing) -> dict[str, Any]:
    return {
        "name": standing.name,
        "state": standing.state,
        "action": standing.action,
        "text": standing.text,
        "latched": standing.latched,
    }


def _read(seat: _Seat, measuring: bool, clock_s: float, instrument: Instrument) -> dict[str, Any]:
    # A move has several legs, and the next one begins when somebody asks; also in a live view.
    news = [_arrived(seat, name, clock_s) for name in list(seat.moves)]
    if measuring:
        # What the engine moves must itself be told how its moves end.
        names = seat.described["readables"]
        found: dict[str, Any] = {
            "read": {name: instrument.read(name) for name in names},
            "switches": {one.name: one.read() for one in switches(instrument).values()},
            "busy": False,
            "set": set_points(instrument),
        }
    else:
        found = status(instrument, seat.described)
    found["moving"] = list(seat.moves)
    failed = [text for text in news if text]
    return {**found, "error": "; ".join(failed)} if failed else found


def _arrived(seat: _Seat, quantity: str, clock_s: float) -> str:
    """Look how far a move is; returns what went wrong."""
    move = seat.moves[quantity]
    settable = move.settable
    try:
        if settable.arrived():
            del seat.moves[quantity]
            settable.confirm(move.value)
        elif clock_s > move.end_s:
            del seat.moves[quantity]
            return f"{settable.name}: has not arrived within {settable.spec.timeout_s:g} s"
    except DeviceError as error:
        seat.moves.pop(quantity, None)
        return str(error)
    return ""


def _outcome(job: "Future[dict[str, Any]]") -> dict[str, Any]:
    try:
        return job.result()
    except RefusedError:
        # It moves and takes no question before it has arrived.
        return {"busy": True}
    except (LabctlError, OSError) as error:
        return {"error": str(error)}
