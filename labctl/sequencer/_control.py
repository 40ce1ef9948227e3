"""Commands from outside, and how they interrupt what the engine is doing."""

import threading
from collections import deque
from typing import assert_never

from labctl.errors import RefusedError
from labctl.events import Abort, Command, Pause, PausePolicy, Rearm, Resume, Skip, Stop
from labctl.measurements import Bank
from labctl.sequencer._states import StateMachine

__all__ = ["Aborted", "Control", "Interruption", "Repeated", "Skipped"]


class Interruption(Exception):  # noqa: N818 - not an error: the user wants something else now
    """Base of what a command raises inside the engine's waits."""


class Aborted(Interruption):
    """End the run now, cleaning up."""


class Skipped(Interruption):
    """Leave the present step."""


class Repeated(Interruption):
    """Pause now; the point is measured again afterwards."""


class Control:
    """Takes commands from any thread; the engine's thread carries them out when it looks."""

    def __init__(self) -> None:
        """Begin without commands."""
        self.machine = StateMachine()
        self.refused: deque[str] = deque()
        self.rearm: deque[str] = deque()
        self._commands: deque[Command] = deque()
        self._wake = threading.Event()
        self._stop_reason: str | None = None
        self._pause: PausePolicy | None = None
        self._abort_reason: str | None = None
        self._skip = False

    def post(self, command: Command) -> None:
        """Take a command; safe from any thread and from signal handlers."""
        self._commands.append(command)
        self._wake.set()

    @property
    def stop_reason(self) -> str | None:
        """Why the run shall end after this point, if it shall."""
        return self._stop_reason

    def interrupts(self, bankable: bool = False) -> bool:
        """Whether the present wait must end; takes what was posted."""
        if self._commands:
            self._take()
        if self._abort_reason is not None or self._skip:
            return True
        return self._pause == "repeat" or (bankable and self._pause == "bank")

    def raise_interruption(self, bankable: bool = False) -> None:
        """Raise what the present wait must end with, if anything.

        Raises:
            Aborted: The run ends now.
            Skipped: The step ends now.
            Repeated: Pause now, then measure the point again.
            Bank: Pause now, keeping what has come.
        """
        if self._abort_reason is not None:
            raise Aborted(self._abort_reason)
        if self._skip:
            self._skip = False
            raise Skipped("skipped by the user")
        if self._pause == "repeat":
            raise Repeated
        if bankable and self._pause == "bank":
            raise Bank

    def wants_pause(self) -> bool:
        """Whether a pause is due at the next checkpoint."""
        if self._commands:
            self._take()
        return self._pause is not None

    def held(self) -> bool:
        """Whether a pause goes on; takes what was posted."""
        if self._commands:
            self._take()
        ended = self._abort_reason is not None or self._stop_reason is not None
        return self._pause is not None and not ended

    def wait_for_command(self, timeout_s: float | None) -> None:
        """Wait in wall time for a person's next command; virtual time stands still meanwhile."""
        self._wake.wait(timeout_s)
        self._wake.clear()

    def _take(self) -> None:
        while self._commands:
            command = self._commands.popleft()
            try:
                self._carry_out(command)
            except RefusedError as refusal:
                self.refused.append(str(refusal))

    def _carry_out(self, command: Command) -> None:
        match command:
            case Pause(policy=policy):
                self.machine.apply("pause")
                self._pause = policy
            case Resume():
                self.machine.apply("resume")
                self._pause = None
            case Stop(reason=reason):
                self.machine.apply("stop")
                self._stop_reason = reason
            case Abort(reason=reason):
                self.machine.apply("abort")
                self._abort_reason = reason
            case Skip():
                if self.machine.state != "running":
                    raise RefusedError("run", f"cannot skip while {self.machine.state}")
                self._skip = True
            case Rearm(device=device):
                self.rearm.append(device)
            case _:
                assert_never(command)
