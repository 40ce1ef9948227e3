"""Bytes typed from the ESP300 user's manual and from a conversation of PyMeasure's driver."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError
from labctl_drivers.newport import _esp300_wire as wire

TROUBLE = b"0, 451322, NO ERROR DETECTED\r\n"
SAID = [
    (wire.parse_number, b"12.34500\r\n", 12.345),
    (wire.parse_number, b"-0.00050\r\n", -0.0005),
    (wire.parse_flag, b"1\r\n", True),
    (wire.parse_flag, b"0\r\n", False),
    (wire.parse_text, b"ESP300 Version 3.04 07/27/01\r\n", "ESP300 Version 3.04 07/27/01"),
    (wire.parse_text, b"TS50DC.5, SN1263\r\n", "TS50DC.5, SN1263"),
    (wire.parse_trouble, TROUBLE, wire.Trouble(0, "NO ERROR DETECTED")),
    (
        wire.parse_trouble,
        b"106, 10, AXIS-1 POSITIVE SOFTWARE LIMIT DETECTED\r\n",
        wire.Trouble(106, "AXIS-1 POSITIVE SOFTWARE LIMIT DETECTED"),
    ),
]
PARSERS = (wire.parse_number, wire.parse_flag, wire.parse_text, wire.parse_trouble)


def test_commands_end_with_cr() -> None:
    assert wire.encode("1PA12.5") == b"1PA12.5\r"


@pytest.mark.parametrize(("parse", "data", "value"), SAID)
def test_answers_whole_byte_by_byte_and_with_bytes_behind(
    parse: object, data: bytes, value: object
) -> None:
    assert callable(parse)
    assert [parse(data[:n]) for n in range(len(data))] == [None] * len(data)
    assert parse(data) == value
    with pytest.raises(GarbledBytesError):
        parse(data + TROUBLE)


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (wire.parse_number, b"1e\r\n"),
        (wire.parse_number, b"nan\r\n"),
        (wire.parse_flag, b"2\r\n"),
        (wire.parse_text, b"\r\n"),
        (wire.parse_text, b"\xff\r\n"),
        (wire.parse_trouble, b"0\r\n"),
        (wire.parse_trouble, b"0, x, NO ERROR DETECTED\r\n"),
    ],
)
def test_anything_else_is_garbled(parse: object, data: bytes) -> None:
    assert callable(parse)
    with pytest.raises(GarbledBytesError):
        parse(data)


GENERAL = {
    4: "release the emergency stop",
    6: "is this an ESP300 or ESP301?",
    8: "close the interlock of the cable",
    9: "this controller does not have the axis; correct 'axis' in the set-up",
}
OF_AN_AXIS = {
    0: "the motor is not defined: is the right stage plugged in?",
    2: "switch the motor on again, and look what holds the stage",
    3: "the stage cannot follow: is something in its way?",
    4: "it stands at its end switch",
    5: "it stands at its end switch",
    6: "it is beyond the software limit; narrow the limits in the set-up",
    7: "it is beyond the software limit; narrow the limits in the set-up",
    8: "plug the stage in",
    13: "the motor is off: is the interlock closed, was the emergency stop pressed?",
    20: "home it again",
}


def test_every_error_says_what_to_do() -> None:
    """Errors of the controller lie below 100; 201 is error 1 of axis 2."""
    for code in range(100):
        for axis in (0, 1, 2, 3):
            known = OF_AN_AXIS if axis else GENERAL
            wanted = known.get(code, "see section 8 of the manual")
            assert wire.Trouble(100 * axis + code, "").remedy == wanted


@given(st.binary(max_size=30) | st.binary(max_size=30).map(lambda body: body + b"\r\n"))
def test_any_bytes_are_an_answer_or_garbled(data: bytes) -> None:
    for parse in PARSERS:
        try:
            parse(data)
        except GarbledBytesError:
            continue
