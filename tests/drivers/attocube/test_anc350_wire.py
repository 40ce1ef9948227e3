"""Telegrams typed from the layout that pylablib and the ISIS emulator show."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError, RefusalError
from labctl_drivers.attocube import _anc350_wire as wire
from labctl_drivers.attocube._anc350_wire import Address

QUESTION = bytes.fromhex("10000000 01000000 15040000 01000000 07000000")
"""The position of axis 1, correlation 7."""
ORDER = bytes.fromhex("14000000 00000000 08040000 02000000 08000000 18fcffff")
"""Target of axis 2: -1000 nm."""
ANSWER = bytes.fromhex("18000000 03000000 15040000 01000000 07000000 00000000 87d6ffff")
"""-10617 nm."""
DONE = bytes.fromhex("14000000 03000000 15040000 01000000 07000000 00000000")
LATE = bytes.fromhex("18000000 03000000 15040000 01000000 06000000 00000000 01000000")
UPDATE = bytes.fromhex("14000000 04000000 15040000 00000000 00000000 39300000")
decode = wire.decoder(Address.POSITION_NM, 1, 7)


def test_questions_and_orders() -> None:
    assert wire.get(Address.POSITION_NM, 1, 7) == QUESTION
    assert wire.put(Address.TARGET_NM, 2, 8, -1000) == ORDER


@pytest.mark.parametrize(
    ("data", "value"),
    [
        *((ANSWER, -10617), (DONE, 0), (UPDATE + ANSWER, -10617), (LATE + ANSWER, -10617)),
        (UPDATE + LATE + UPDATE + ANSWER, -10617),
    ],
)
def test_answers_whole_byte_by_byte_and_with_bytes_behind(data: bytes, value: int) -> None:
    assert decode(data) == value
    for length in range(len(data)):
        assert decode(data[:length]) is None, length
    assert decode(data + UPDATE) == value
    assert decode(data + UPDATE[:9]) == value
    with pytest.raises(GarbledBytesError, match="more than one"):
        decode(data + ANSWER)
    with pytest.raises(GarbledBytesError, match="cannot have"):
        decode(data + b"\xff\xff\xff\xff")


def test_updates_and_late_answers_alone_are_no_answer() -> None:
    assert decode(UPDATE * 5 + LATE) is None


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (1, "bad address"),
        (2, "out of range"),
        (3, "ignored"),
        (4, "verif"),
        (5, "type"),
        (99, "un"),
    ],
)
def test_reasons(reason: int, words: str) -> None:
    data = DONE[:20] + struct.pack("<i", reason)
    with pytest.raises(RefusalError, match=words) as caught:
        decode(data)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("0f000000"),
        bytes.fromhex("12000000"),
        QUESTION,
        ANSWER.replace(bytes.fromhex("15040000"), bytes.fromhex("14040000")),
        bytes.fromhex("10000000 03000000 15040000 01000000 07000000"),
        bytes.fromhex("1c000000") + ANSWER[4:] + bytes(4),
    ],
)
def test_what_cannot_be_is_garbled(data: bytes) -> None:
    with pytest.raises(GarbledBytesError):
        decode(data)


@given(st.binary(max_size=80))
def test_any_bytes_are_incomplete_garbled_refused_or_a_value(data: bytes) -> None:
    try:
        assert isinstance(decode(data), int | None)
    except (GarbledBytesError, RefusalError):
        assert len(data) >= 4
