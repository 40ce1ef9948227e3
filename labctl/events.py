"""Everything that happens in a run, and everything that a run can be told.

Both are closed unions of frozen models that travel as JSON between the engine and whoever looks
on. Arrays never travel in an event: a descriptor says where in the journal they lie.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

__all__ = [
    "Abort",
    "ArrayDescriptor",
    "Command",
    "Event",
    "InterlockAction",
    "InterlockChanged",
    "InterlockState",
    "LiveResult",
    "Message",
    "MoveFinished",
    "MoveStarted",
    "Pause",
    "PointStored",
    "Progress",
    "Reading",
    "Rearm",
    "Resume",
    "RunStarted",
    "RunStopped",
    "Skip",
    "StateChanged",
    "Stop",
    "decode_command",
    "decode_event",
    "unchecked",
]

State = Literal[
    "idle",
    "running",
    "suspended",
    "pausing",
    "paused",
    "stopping",
    "done",
    "aborted",
    "failed",
]
Level = Literal["info", "warning", "error"]
InterlockState = Literal["armed", "tripped"]
InterlockAction = Literal["close_light", "suspend", "abort"]
PausePolicy = Literal["finish", "bank", "repeat"]
_Model = TypeVar("_Model", bound=BaseModel)


class _Frozen(BaseModel):
    # A sensor without a valid reading gives NaN, which JSON has no number for.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


# A frozen model refuses assignment; its slots do not, and are found once here.
_slots: Mapping[str, Any] = vars(BaseModel)
_set_values = _slots["__dict__"].__set__
_set_names = _slots["__pydantic_fields_set__"].__set__
_set_extra = _slots["__pydantic_extra__"].__set__
_set_private = _slots["__pydantic_private__"].__set__


def unchecked(kind: type[_Model], fields: dict[str, Any]) -> _Model:
    """Return a model without checking it, in a third of the time.

    Args:
        kind: Any model of this module.
        fields: All that have no default, each known to be of its type; the model keeps this dict.
    """
    model: _Model = object.__new__(kind)
    # What pydantic's model_construct does, which takes longer than checking.
    defaults, names = _defaults(kind)
    for name, value in defaults:
        fields.setdefault(name, value)
    _set_values(model, fields)
    _set_names(model, names)
    _set_extra(model, None)
    _set_private(model, None)
    return model


@cache
def _defaults(kind: type[BaseModel]) -> tuple[list[tuple[str, Any]], set[str]]:
    """Return the defaults of a model, and the names of all its fields."""
    fields = kind.model_fields
    defaults = [(name, one.default) for name, one in fields.items() if not one.is_required()]
    return defaults, set(fields)


class ArrayDescriptor(_Frozen):
    """Where an array of a stored point lies: ``offset`` bytes from the start of the journal."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    units: str
    axes: tuple[str, ...]
    offset: int


class _Event(_Frozen):
    """Common to all events.

    Attributes:
        run: Uid of the run.
        seq: Number of the event in its run, from 0, without gaps.
        t_mono_s: Clock time, s; use it for durations.
        t_utc: Wall-clock label.
    """

    run: str
    seq: int
    t_mono_s: float
    t_utc: datetime


class RunStarted(_Event):
    """The start record is safe on disk; the first step follows."""

    kind: Literal["run_started"] = "run_started"
    name: str
    journal: str
    points: int | None
    expected_s: float | None
    simulated: bool


class StateChanged(_Event):
    """The run's state machine has moved."""

    kind: Literal["state_changed"] = "state_changed"
    state: State
    reason: str = ""


class MoveStarted(_Event):
    """A settable has been given a new value."""

    kind: Literal["move_started"] = "move_started"
    settable: str
    value: float
    units: str


class MoveFinished(_Event):
    """A settable has arrived (and settled, where a rule says so)."""

    kind: Literal["move_finished"] = "move_finished"
    settable: str
    value: float
    units: str
    seconds: float
    settled: bool = True


class Progress(_Event):
    """How far the present step has come; may be dropped by a display that lags."""

    kind: Literal["progress"] = "progress"
    text: str
    fraction: float | None = None


class LiveResult(_Event):
    """What has come out of the present acquisition so far; names of values carry the unit."""

    kind: Literal["live_result"] = "live_result"
    measurement: str
    values: dict[str, float]


class PointStored(_Event):
    """A point is safe on disk; ``live_time_s`` is how long light was counted in it."""

    kind: Literal["point_stored"] = "point_stored"
    index: int
    step_id: str
    measurement: str
    label: str
    arrays: tuple[ArrayDescriptor, ...]
    set: dict[str, float]
    read: dict[str, float]
    quality: int
    live_time_s: float | None = None
    brief: str = ""


class Reading(_Event):
    """A monitor has read a quantity."""

    kind: Literal["reading"] = "reading"
    quantity: str
    value: float
    units: str


class InterlockChanged(_Event):
    """An interlock, or the guard of a detector, stands otherwise than before.

    Attributes:
        name: Like ``cryostat.temperature above 120 K``.
        state: ``armed`` or ``tripped``.
        action: What it does when it trips.
        text: The reading, and why it matters.
        latched: Whether a person must re-arm it.
    """

    kind: Literal["interlock_changed"] = "interlock_changed"
    name: str
    state: InterlockState
    action: InterlockAction
    text: str
    latched: bool


class Message(_Event):
    """Something that a person should know, in words."""

    kind: Literal["message"] = "message"
    level: Level
    device: str
    text: str


class RunStopped(_Event):
    """The run has ended and everything is safe (or ``unsafe`` says what is not)."""

    kind: Literal["run_stopped"] = "run_stopped"
    status: Literal["complete", "aborted", "failed"]
    reason: str
    points: int
    journal: str
    product: str = ""
    unsafe: tuple[str, ...] = ()


class Pause(_Frozen):
    """Pause: after the point, or now with the point banked or repeated."""

    kind: Literal["pause"] = "pause"
    policy: PausePolicy = "finish"


class Resume(_Frozen):
    """Go on after a pause."""

    kind: Literal["resume"] = "resume"


class Stop(_Frozen):
    """End the run after the present point."""

    kind: Literal["stop"] = "stop"
    reason: str = "stopped by the user"


class Abort(_Frozen):
    """End the run now, cleaning up."""

    kind: Literal["abort"] = "abort"
    reason: str = "aborted by the user"


class Skip(_Frozen):
    """Leave the present step and go on with the next."""

    kind: Literal["skip"] = "skip"


class Rearm(_Frozen):
    """Release a latched guard or interlock after a person has looked.

    Attributes:
        device: An instrument (all that concerns it), ``instrument.quantity`` or the full name of
            an interlock.
    """

    kind: Literal["rearm"] = "rearm"
    device: str


Event = Annotated[
    RunStarted
    | StateChanged
    | MoveStarted
    | MoveFinished
    | Progress
    | LiveResult
    | PointStored
    | Reading
    | InterlockChanged
    | Message
    | RunStopped,
    Field(discriminator="kind"),
]
Command = Annotated[
    Pause | Resume | Stop | Abort | Skip | Rearm,
    Field(discriminator="kind"),
]

_event: TypeAdapter[Event] = TypeAdapter(Event)
_command: TypeAdapter[Command] = TypeAdapter(Command)


def decode_event(text: str | bytes) -> Event:
    """Return the event that ``model_dump_json`` wrote; raises pydantic's ValidationError."""
    return _event.validate_json(text)


def decode_command(text: str | bytes) -> Command:
    """Return the command that ``model_dump_json`` wrote; raises pydantic's ValidationError."""
    return _command.validate_json(text)
