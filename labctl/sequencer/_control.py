"""Commands from outside, and how they interrupt what the engine is doing."""

from collections import deque
from enum import Flag
from queue import Empty, SimpleQueue
from typing import assert_never

from labctl.errors import LabctlError, RefusedError
from labctl.events import Abort, Command, Pause, PausePolicy, Rearm, Resume, Skip, Stop
from labctl.measurements import Bank
from labctl.sequencer._states import StateMachine

__all__ = [
    "BETWEEN",
    "DATA",
    "HELD",
    "MOVING",
    "STORING",
    "Aborted",
    "Control",
    "Interruption",
    "Repeated",
    "Skipped",
    "Suspended",
    "Wish",
]


class Interruption(Exception):  # noqa: N818 - not an error: the user wants something else now
    """Base of what a command raises inside the engine's waits."""


class Aborted(Interruption):
    """End the run now, cleaning up."""


class Skipped(Interruption):
    """Leave the present step."""


class Repeated(Interruption):
    """Pause now; the point is measured again afterwards."""


class Suspended(Interruption):
    """An interlock has tripped: wait until it is well again, then go on."""


class Wish(Flag):
    """What commands can want of a wait in progress."""

    ABORT = 1
    STOP = 2
    SKIP = 4
    REPEAT = 8
    BANK = 16
    TRIP = 32


MOVING = Wish.ABORT
"""Heeded while an instrument moves for seconds: left in the middle it would refuse what follows."""
BETWEEN = Wish.ABORT | Wish.STOP | Wish.SKIP | Wish.TRIP
"""Heeded between points and in long waits outside of points."""
DATA = Wish.ABORT | Wish.SKIP | Wish.REPEAT | Wish.BANK | Wish.TRIP
"""Heeded while data of a point come in."""
HELD = Wish.ABORT | Wish.STOP
"""Heeded at the end of a pause, and while interlocks keep the run from going on."""
STORING = Wish.ABORT | Wish.TRIP
"""Heeded when a point is complete: whatever was bad while it was measured, it is not stored."""

_NOTHING = Wish(0)
_LATE = "the step to skip had ended already: it is kept, and no other one is left out"
_AT_ONCE: dict[PausePolicy, Wish] = {
    "finish": _NOTHING,
    "bank": Wish.BANK,
    "repeat": Wish.REPEAT,
}


class Control:
    """Takes commands from any thread; the engine's thread carries them out when it looks."""

    def __init__(self) -> None:
        """Begin without commands."""
        self.machine = StateMachine()
        self.refused: deque[str] = deque()
        self.rearm: deque[str] = deque()
        # Its put is the one that may be called in a signal handler, whatever is interrupted.
        self._inbox: SimpleQueue[tuple[Command, int]] = SimpleQueue()
        self._step = 0
        self._pending = _NOTHING
        self._pause: PausePolicy | None = None
        self._reason = ""
        self._trip = ""
        self._failure: LabctlError | None = None

    def post(self, command: Command) -> None:
        """Take a command; safe from any thread and from signal handlers."""
        self._inbox.put((command, self._step))

    def trip(self, reason: str) -> None:
        """Let the run be suspended as soon as the present wait heeds it; engine's thread only."""
        self._trip = reason
        self._pending |= Wish.TRIP

    def release(self) -> None:
        """Forget the trips so far: the run is suspended now."""
        self._pending &= ~Wish.TRIP

    def end(self, reason: str, failure: LabctlError | None = None) -> None:
        """End the run as a command to abort does, or with a failure; engine's thread only."""
        if not self.machine.allows("abort") or Wish.ABORT in self._pending:
            return
        self._failure = failure
        self._set_pause(None)
        self._reason = reason
        self._pending |= Wish.ABORT

    def is_idle(self) -> bool:
        """Whether nobody wants anything; every step and every wait asks this first."""
        return (
            self._pending is _NOTHING
            and self._pause is None
            and self._inbox.empty()
            and not self.rearm
            and not self.refused
        )

    def interrupts(self, heeded: Wish) -> bool:
        """Whether the present wait, which heeds these wishes, must end; takes what was posted."""
        if not self._inbox.empty():
            self._take()
        return self._pending is not _NOTHING and bool(self._pending & heeded)

    def raise_interruption(self, heeded: Wish) -> None:
        """Raise what the present wait must end with, if anything.

        Raises:
            LabctlError: What a guard has ended the run with.
            Aborted: The run ends now.
            Suspended: Wait for interlocks, then go on.
            Skipped: The step ends now.
            Repeated: Pause now, then measure the point again.
            Bank: Pause now, keeping what has come.
        """
        if self._pending is _NOTHING:
            return
        wishes = self._pending & heeded
        if wishes & Wish.ABORT and self._failure is not None:
            raise self._failure
        if wishes & (Wish.ABORT | Wish.STOP):
            raise Aborted(self._reason)
        if wishes & Wish.TRIP:
            raise Suspended(self._trip)
        if wishes & Wish.SKIP:
            self._pending &= ~Wish.SKIP
            raise Skipped("skipped by the user")
        if wishes & Wish.REPEAT:
            raise Repeated
        if wishes & Wish.BANK:
            raise Bank

    def step_over(self) -> None:
        """Take note that a point is stored or left out: a skip that was meant for it is over."""
        if not self._inbox.empty():
            self._take()
        self._step += 1
        if self._pending is not _NOTHING and self._pending & Wish.SKIP:
            self._pending &= ~Wish.SKIP
            self.refused.append(_LATE)

    def wants_pause(self) -> bool:
        """Whether a pause is due or goes on; takes what was posted."""
        if not self._inbox.empty():
            self._take()
        return self._pause is not None

    def wait_for_command(self, timeout_s: float) -> None:
        """Wait in wall time for a person's next command; virtual time stands still meanwhile."""
        try:
            command, step = self._inbox.get(timeout=timeout_s)
        except Empty:
            return
        self._try(command, step)

    def _take(self) -> None:
        while not self._inbox.empty():
            self._try(*self._inbox.get())

    def _try(self, command: Command, step: int) -> None:
        try:
            self._carry_out(command, step)
        except RefusedError as refusal:
            self.refused.append(str(refusal))

    def _carry_out(self, command: Command, step: int) -> None:
        match command:
            case Pause(policy=policy):
                self.machine.apply("pause")
                self._set_pause(policy)
            case Resume():
                self.machine.apply("resume")
                self._set_pause(None)
            case Stop(reason=reason):
                self._end("stop", Wish.STOP, reason)
            case Abort(reason=reason):
                self._end("abort", Wish.ABORT, reason)
            case Skip():
                if self.machine.state != "running":
                    raise RefusedError("run", f"cannot skip while {self.machine.state}")
                if step != self._step:
                    raise RefusedError("run", _LATE)
                self._pending |= Wish.SKIP
            case Rearm(device=device):
                self.rearm.append(device)
            case _:
                assert_never(command)

    def _set_pause(self, policy: PausePolicy | None) -> None:
        self._pause = policy
        self._pending &= ~(Wish.BANK | Wish.REPEAT)
        if policy is not None:
            self._pending |= _AT_ONCE[policy]

    def _end(self, verb: str, wish: Wish, reason: str) -> None:
        self.machine.apply(verb)
        self._set_pause(None)
        if Wish.ABORT not in self._pending:
            # A second Ctrl-C may overtake the first; the abort is what ends the run.
            self._reason = reason
        self._pending |= wish
