"""The state of a run as anybody can rebuild it: from its events, or later from its journal."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labctl.events import (
    Event,
    InterlockChanged,
    InterlockState,
    Message,
    PointStored,
    Reading,
    RunStarted,
    State,
    StateChanged,
)
from labctl.storage import Header, RecordKind, journal_segments, read_journal

__all__ = ["RunState"]

_ENDS: dict[str, State] = {"complete": "done", "aborted": "aborted", "failed": "failed"}


@dataclass
class RunState:
    """What a run has come to.

    Attributes:
        run: Uid.
        name: Name of the recipe or script.
        state: Of the state machine.
        points: Points that are safe on disk.
        expected: Points that the recipe will give, if that is known.
        last_step: Step id of the last point.
        readings: Last value of every monitored quantity, with its unit.
        messages: What was said, newest last: (level, device, text).
        interlocks: State of every interlock, and what was seen when it last changed.
    """

    run: str = ""
    name: str = ""
    state: State = "idle"
    points: int = 0
    expected: int | None = None
    last_step: str = ""
    readings: dict[str, tuple[float, str]] = field(default_factory=dict[str, tuple[float, str]])
    messages: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    interlocks: dict[str, tuple[InterlockState, str]] = field(
        default_factory=dict[str, tuple[InterlockState, str]]
    )

    def apply(self, event: Event) -> None:
        """Take an event, in the order of their numbers."""
        match event:
            case RunStarted():
                self.run, self.name, self.expected = event.run, event.name, event.points
            case StateChanged():
                self.state = event.state
            case PointStored():
                self.points = max(self.points, event.index + 1)
                self.last_step = event.step_id
            case Reading():
                self.readings[event.quantity] = (event.value, event.units)
            case InterlockChanged():
                self.interlocks[event.name] = (event.state, event.text)
            case Message():
                self.messages.append((event.level, event.device, event.text))
            case _:
                pass

    @classmethod
    def from_journal(cls, path: Path) -> "RunState":
        """Rebuild the state from a journal, running, crashed or finished.

        Of a run that another process has gone on with, the segments up to this one count.
        """
        state = cls()
        for journal in journal_segments(path):
            with read_journal(journal) as records:
                for record in records:
                    state._take(record)
            if journal == path:
                break
        return state

    def _take(self, record: Header) -> None:
        data: Any = record.data
        match record.kind:
            case RecordKind.START:
                self.run, self.name = data["uid"], data["name"]
                self.expected = data["plan"]["points"]
            case RecordKind.POINT:
                self.points = max(self.points, data["index"] + 1)
                self.last_step = record.step_id
            case RecordKind.MONITOR:
                # The journal has no NaN; an invalid reading is null there.
                value = math.nan if data["value"] is None else data["value"]
                self.readings[data["quantity"]] = (value, data["units"])
            case RecordKind.EVENT if data["name"] == "state_changed":
                self.state = data["data"]["state"]
            case RecordKind.EVENT if data["name"] == "interlock":
                told = data["data"]
                self.interlocks[told["name"]] = (told["state"], told["text"])
            case RecordKind.EVENT if data["name"] == "message":
                self.messages.append((data["level"], data["device"], data["message"]))
            case RecordKind.STOP:
                self.state = _ENDS[data["status"]]
            case _:
                pass
