"""Events and commands travel as JSON and come out as they went in."""

import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from labctl.events import (
    Abort,
    ArrayDescriptor,
    Command,
    Event,
    Message,
    Pause,
    Reading,
    decode_command,
    decode_event,
    unchecked,
)


def members(union: object) -> list[type[BaseModel]]:
    """Return the classes of ``Annotated[A | B | …, Field(…)]``."""
    return list(get_args(get_args(union)[0]))


EVENTS, COMMANDS = members(Event), members(Command)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
# JSON is text in UTF-8, which has no lone surrogates.
TEXTS = st.text(st.characters(codec="utf-8"))

st.register_type_strategy(datetime, TIMES)
st.register_type_strategy(str, TEXTS)


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_survives_json(kind: type[BaseModel]) -> None:
    @given(st.builds(kind))
    def round_trip(event: Event) -> None:
        found = decode_event(event.model_dump_json())
        assert type(found) is kind
        assert found.t_utc == event.t_utc
        # As text, because not-a-number equals nothing.
        assert repr(found.model_dump(exclude={"t_utc"})) == repr(
            event.model_dump(exclude={"t_utc"})
        )

    round_trip()


@pytest.mark.parametrize("kind", [*EVENTS, ArrayDescriptor], ids=lambda kind: kind.__name__)
def test_what_is_not_checked_is_the_same_as_what_is(kind: type[BaseModel]) -> None:
    needed = {name for name, field in kind.model_fields.items() if field.is_required()}

    @given(st.builds(kind))
    def same(checked: BaseModel) -> None:
        values = vars(checked)
        quick, whole = (
            unchecked(kind, {name: values[name] for name in names}) for names in (needed, values)
        )
        assert quick == kind.model_construct(**{name: values[name] for name in needed})
        assert whole == checked
        assert whole.model_dump_json() == whole.model_copy().model_dump_json()
        assert json.loads(whole.model_dump_json()) == json.loads(checked.model_dump_json())
        with pytest.raises(ValidationError, match="frozen"):
            setattr(whole, next(iter(needed)), None)

    same()


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_command_survives_json(kind: type[BaseModel]) -> None:
    @given(st.builds(kind))
    def round_trip(command: BaseModel) -> None:
        assert decode_command(command.model_dump_json()) == command

    round_trip()


def test_the_unions_hold_every_kind_once() -> None:
    kinds = [kind.model_fields["kind"].default for kind in [*EVENTS, *COMMANDS]]
    assert len(set(kinds)) == len(kinds) == 17


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_reading_that_is_no_number_arrives_as_such(value: float) -> None:
    event = Reading(
        run="r", seq=0, t_mono_s=0.0, t_utc=datetime.now(UTC), quantity="T", value=value, units="K"
    )
    found = decode_event(event.model_dump_json())
    assert isinstance(found, Reading)
    assert repr(found.value) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        '{"kind": "explode"}',
        '{"kind": "abort", "reason": 5}',
        '{"kind": "abort", "extra": 1}',
        '{"kind": "pause", "policy": "later"}',
    ],
)
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        decode_command(text)


@given(st.binary())
def test_no_bytes_crash_the_decoders(data: bytes) -> None:
    for decode in (decode_command, decode_event):
        with pytest.raises(ValidationError):
            decode(data)


def test_events_and_commands_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Abort().reason = "other"  # pyright: ignore[reportAttributeAccessIssue]
    assert Pause().policy == "finish"
    assert "text" in Message.model_fields
