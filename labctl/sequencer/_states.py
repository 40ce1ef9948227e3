"""The states of a run, as a table. Everything that changes the state is here."""

from labctl.errors import RefusedError
from labctl.events import State

__all__ = ["FINAL", "TRANSITIONS", "StateMachine"]

TRANSITIONS: dict[tuple[State, str], State] = {
    ("idle", "start"): "running",
    ("running", "pause"): "pausing",
    ("running", "stop"): "stopping",
    ("running", "abort"): "stopping",
    ("running", "fail"): "stopping",
    ("running", "finish"): "stopping",
    ("running", "trip"): "suspended",
    ("suspended", "rearm"): "running",
    ("suspended", "pause"): "pausing",
    ("suspended", "stop"): "stopping",
    ("suspended", "abort"): "stopping",
    ("suspended", "fail"): "stopping",
    ("pausing", "paused"): "paused",
    ("pausing", "resume"): "running",
    ("pausing", "stop"): "stopping",
    ("pausing", "abort"): "stopping",
    ("pausing", "fail"): "stopping",
    ("pausing", "finish"): "stopping",
    ("paused", "resume"): "running",
    ("paused", "stop"): "stopping",
    ("paused", "abort"): "stopping",
    ("paused", "fail"): "stopping",
    ("stopping", "stop"): "stopping",
    ("stopping", "abort"): "stopping",
    ("stopping", "fail"): "stopping",
    ("stopping", "completed"): "done",
    ("stopping", "aborted"): "aborted",
    ("stopping", "failed"): "failed",
}
"""(state, verb) → next state; a pair that is not listed is refused."""

FINAL: frozenset[State] = frozenset({"done", "aborted", "failed"})


class StateMachine:
    """The present state of a run."""

    def __init__(self) -> None:
        """Begin idle."""
        self.state: State = "idle"

    def allows(self, verb: str) -> bool:
        """Whether the verb is possible now."""
        return (self.state, verb) in TRANSITIONS

    def apply(self, verb: str) -> State:
        """Change the state.

        Raises:
            RefusedError: The verb is not possible in this state.
        """
        try:
            self.state = TRANSITIONS[self.state, verb]
        except KeyError:
            raise RefusedError("run", f"cannot {verb} while {self.state}") from None
        return self.state
