"""Bytes typed from the manuals of the 2400 and the 2450."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError, RefusalError
from labctl_drivers.keithley import _scpi_wire as wire

NUMBERS = wire.answer(wire.parse_numbers(3))
TEXT = wire.answer(wire.parse_text)
FLAG = wire.answer(wire.parse_flag)
READING = b'+1.000000E+00,+5.000000E-10,+2.252800E+04;+0,"No error"\n'


def test_every_line_asks_for_errors() -> None:
    assert wire.encode(":OUTP 1") == b":OUTP 1;:SYST:ERR?\n"
    assert wire.encode("*CLS", ":SOUR:VOLT 0") == b"*CLS;:SOUR:VOLT 0;:SYST:ERR?\n"


@pytest.mark.parametrize("data", [READING, READING.replace(b"\n", b"\r\n")])
def test_a_reading_whole_and_byte_by_byte(data: bytes) -> None:
    assert [NUMBERS(data[:n]) for n in range(len(data))] == [None] * len(data)
    assert NUMBERS(data) == (1.0, 5e-10, 22528.0)


def test_semicolons_inside_quotes_divide_nothing() -> None:
    assert FLAG(b'1;0,"No error;0;0 0"\n') is True
    assert wire.nothing(b'0,"No error;0;0 0"\n') == ""
    assert wire.nothing(b'+0,"No error"\r\n') == ""


@pytest.mark.parametrize("trailing", [b"\n", b"1\n", READING])
def test_trailing_bytes_are_never_believed(trailing: bytes) -> None:
    with pytest.raises(GarbledBytesError, match="more than one"):
        NUMBERS(READING + trailing)


def test_numbers_that_stand_for_none() -> None:
    found = NUMBERS(b'9.91E37,+9.9E+37,0;+0,"No error"\n')
    assert found is not None
    assert [math.isnan(value) for value in found] == [True, True, False]


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (b'-113,"Undefined header"\n', "SCPI"),
        (b'-222,"Parameter data out of range;1;2026/01/01 00:00:00.000"\n', "range"),
        (b'+802,"OUTPUT blocked by interlock"\n', "interlock"),
        (b'+803,"Not permitted with OUTPUT off"\n', "manual"),
    ],
)
def test_errors_say_what_to_do(data: bytes, remedy: str) -> None:
    for decode in (wire.nothing, TEXT):
        with pytest.raises(RefusalError) as caught:
            decode(data)
        assert remedy in caught.value.remedy
        assert caught.value.reply in data.decode()


def test_an_error_behind_a_value_makes_it_doubtful() -> None:
    with pytest.raises(RefusalError):
        FLAG(b'1;-221,"Settings conflict"\n')


@pytest.mark.parametrize(
    "data",
    [
        b'1;2;0,"No error"\n',
        b'0,"No error"\n',
        b"1\n",
        b"\n",
        b'2;0,"No error"\n',
        b'\xff;0,"No error"\n',
        b"1;0,No error\n",
    ],
)
def test_anything_else_is_garbled(data: bytes) -> None:
    with pytest.raises(GarbledBytesError):
        FLAG(data)


def test_a_value_does_not_answer_an_order() -> None:
    with pytest.raises(GarbledBytesError):
        wire.nothing(b'1;0,"No error"\n')


def test_wrong_numbers() -> None:
    for text in ("1,2", "1,2,3,4", "1,2,x", "1,2,nan", "1,2,inf", "1,2,0x3", "1,2,", ""):
        with pytest.raises(GarbledBytesError):
            wire.parse_numbers(3)(text)


ALPHABET = b'0123456789+-.E,;"\r\n No error\xff'
NOISE = st.binary(max_size=40) | st.lists(st.sampled_from(ALPHABET), max_size=40).map(bytes)


@given(NOISE | NOISE.map(lambda body: body + b';0,"No error"\n'))
def test_any_bytes_are_an_answer_or_an_error(data: bytes) -> None:
    for decode in (NUMBERS, TEXT, FLAG, wire.nothing):
        try:
            decode(data)
        except (GarbledBytesError, RefusalError):
            continue
