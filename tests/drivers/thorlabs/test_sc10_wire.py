"""Bytes typed from the SC10 manual and InstrumentKit's tests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError, RefusalError
from labctl_drivers.thorlabs import _sc10_wire as wire
from labctl_drivers.thorlabs._sc10_wire import Command


def test_commands() -> None:
    expected = [
        b"id?\r",
        b"ens\r",
        b"ens?\r",
        b"closed?\r",
        b"interlock?\r",
        b"mode?\r",
        b"mode=1\r",
    ]
    assert [wire.encode(command) for command in Command] == expected


VALUES = [
    (Command.IDENTITY, b"id?\rTHORLABS SC10 VERSION 1.07\r> ", "THORLABS SC10 VERSION 1.07"),
    (Command.ENABLED, b"ens?\r1\r> ", "1"),
    (Command.CLOSED, b"closed?\r0\r> ", "0"),
    (Command.MODE, b"mode?\r1\r\n> ", "1"),
    (Command.MODE, b"> mode?\r1\r> ", "1"),
]


@pytest.mark.parametrize(("command", "data", "value"), VALUES)
def test_values_whole_and_byte_by_byte(command: Command, data: bytes, value: str) -> None:
    start = 2 if data.startswith(b"> ") else 0
    cuts = [wire.decode_value(data[:n], command) for n in range(start, len(data))]
    assert cuts == [None] * len(cuts)
    assert wire.decode_value(data, command) == value


@pytest.mark.parametrize(("command", "data", "_value"), VALUES)
@pytest.mark.parametrize("trailing", [b"> ", b"1\r> ", b"ens?\r0\r> "])
def test_trailing_bytes_are_never_believed(
    command: Command, data: bytes, _value: str, trailing: bytes
) -> None:
    with pytest.raises(GarbledBytesError, match="more than one"):
        wire.decode_value(data + trailing, command)


def test_flags() -> None:
    assert wire.decode_flag(b"ens?\r1\r> ", Command.ENABLED) is True
    assert wire.decode_flag(b"ens?\r0\r> ", Command.ENABLED) is False
    assert wire.decode_flag(b"ens?\r0\r", Command.ENABLED) is None
    with pytest.raises(GarbledBytesError, match="neither"):
        wire.decode_flag(b"ens?\r2\r> ", Command.ENABLED)


def test_orders_are_answered_by_the_echo_alone() -> None:
    assert wire.decode_nothing(b"ens\r> ", Command.TOGGLE) == ""
    assert wire.decode_nothing(b"ens\r", Command.TOGGLE) is None
    with pytest.raises(GarbledBytesError):
        wire.decode_nothing(b"ens\r1\r> ", Command.TOGGLE)


@pytest.mark.parametrize("data", [b"closed?\r1\r> ", b"1\r> ", b"> > ", b"ens?x", b"ens?\r\r> "])
def test_answer_to_something_else_is_garbled(data: bytes) -> None:
    with pytest.raises(GarbledBytesError):
        wire.decode_flag(data, Command.ENABLED)


def test_query_is_not_the_toggle() -> None:
    with pytest.raises(GarbledBytesError):
        wire.decode_nothing(b"ens?\r0\r> ", Command.TOGGLE)


def test_unknown_command() -> None:
    with pytest.raises(RefusalError, match="CMD_NOT_DEFINED"):
        wire.decode_value(b"id?\rCommand error CMD_NOT_DEFINED\r> ", Command.IDENTITY)


ALPHABET = b"ens?closed\r\n> 0123456789CMD_NOT\xff"
NOISE = st.binary(max_size=30) | st.lists(st.sampled_from(ALPHABET), max_size=30).map(bytes)


@given(NOISE | NOISE.map(lambda body: b"ens?\r" + body + b"> "))
def test_any_bytes_are_a_flag_or_an_error(data: bytes) -> None:
    try:
        assert wire.decode_flag(data, Command.ENABLED) in (None, True, False)
    except (GarbledBytesError, RefusalError):
        return
