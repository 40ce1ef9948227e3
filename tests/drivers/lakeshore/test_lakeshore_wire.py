"""Bytes typed from the manuals and from a conversation of the maker's own Python driver."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError, RefusalError
from labctl_drivers.lakeshore import _lakeshore_wire as wire

NUMBER = wire.answer(wire.parse_number)
BOTH = wire.answer(wire.parse_number, wire.parse_whole)


def test_every_line_asks_for_events() -> None:
    assert wire.encode("SETP 1,10") == b"SETP 1,10;*ESR?\n"
    assert wire.encode("KRDG? A", "RDGST? A") == b"KRDG? A;RDGST? A;*ESR?\n"


@pytest.mark.parametrize(
    ("decode", "data", "value"),
    [
        (NUMBER, b"+4.20312E+0;000\r\n", (4.20312,)),
        (NUMBER, b"+012.3;000\r\n", (12.3,)),
        (NUMBER, b"+1.0000E+01;128\r\n", (10.0,)),
        (BOTH, b"+4.20312E+0;000;000\r\n", (4.20312, 0.0)),
        (BOTH, b"+0.00000E+0;032;001\r\n", (0.0, 32.0)),
        (wire.nothing, b"000\r\n", ""),
        (wire.cleared, b"160\r\n", ""),
    ],
)
def test_answers_whole_byte_by_byte_and_with_bytes_behind(
    decode: object, data: bytes, value: object
) -> None:
    assert callable(decode)
    assert [decode(data[:n]) for n in range(len(data))] == [None] * len(data)
    assert decode(data) == value
    with pytest.raises(GarbledBytesError):
        decode(data + b"000\r\n")


@pytest.mark.parametrize(
    ("register", "said"), [(b"032", "unknown command"), (b"016", "range"), (b"004", "no answer")]
)
def test_the_register_says_what_was_wrong(register: bytes, said: str) -> None:
    for data in (register + b"\r\n", b"+1.0E+0;" + register + b"\r\n"):
        with pytest.raises(RefusalError, match=said):
            NUMBER(data)


@pytest.mark.parametrize(
    "data", [b"000\r\n", b"1;2;000\r\n", b"x;000\r\n", b"1;x\r\n", b"\r\n", b"\xff;000\r\n"]
)
def test_anything_else_is_garbled(data: bytes) -> None:
    with pytest.raises(GarbledBytesError):
        NUMBER(data)


def test_bits_of_a_reading_in_words() -> None:
    assert wire.reasons(0) == ""
    assert "below" in wire.reasons(16)
    assert wire.reasons(33).count(",") == 1
    assert wire.reasons(2) == "status 2"


@given(st.binary(max_size=30) | st.binary(max_size=30).map(lambda body: body + b";000\r\n"))
def test_any_bytes_are_an_answer_or_an_error(data: bytes) -> None:
    for decode in (NUMBER, BOTH, wire.nothing, wire.cleared):
        try:
            decode(data)
        except (GarbledBytesError, RefusalError):
            continue
