"""Bytes typed from real modules' answers and from the tables of public drivers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError, RefusalError
from labctl_drivers.thorlabs import _ell14_wire as wire

MODULE = wire.Module(14, "11400517", "2023", "2.3", 360, 143360)
DECODERS = {
    "identity": wire.decode_identity,
    "position": wire.decode_position,
    "offset": wire.decode_home_offset,
    "velocity": wire.decode_velocity,
    "status": wire.decode_status,
    "moved": wire.decode_moved,
}
ANSWERS = [
    ("identity", "2", b"2IN0E1140051720231701016800023000\r\n", MODULE),
    ("position", "0", b"0PO00008C00\r\n", 35840),
    ("position", "0", b"0PO00000000\r\n", 0),
    ("position", "A", b"APOFFFF7400\r\n", -35840),
    ("position", "0", b"0POFFFFFFFF\r\n", -1),
    ("offset", "0", b"0HO000010C0\r\n", 4288),
    ("velocity", "0", b"0GV64\r\n", 100),
    ("status", "0", b"0GS00\r\n", 0),
    ("status", "0", b"0GS09\r\n", 9),
    ("moved", "0", b"0PO00004600\r\n", True),
    ("moved", "0", b"0GS00\r\n", True),
    ("moved", "0", b"0GS09\r\n0PO00004600\r\n", True),
    ("position", "0", b"0BS09\r\n0BO00004600\r\n0PO00004600\r\n", 17920),
]


def test_requests() -> None:
    assert wire.encode("0", wire.IDENTITY) == b"0in"
    assert wire.encode("A", wire.STATUS) == b"Ags"
    assert wire.encode("0", wire.HOME) == b"0ho0"
    assert wire.encode("0", wire.move_to(35840)) == b"0ma00008C00"
    assert wire.encode("0", wire.move_to(17920)) == b"0ma00004600"
    assert wire.encode("0", wire.move_to(-35840)) == b"0maFFFF7400"


@pytest.mark.parametrize(("kind", "address", "data", "value"), ANSWERS)
def test_answers_whole_and_byte_by_byte(
    kind: str, address: str, data: bytes, value: object
) -> None:
    decode = DECODERS[kind]
    assert [decode(data[:n], address) for n in range(len(data))] == [None] * len(data)
    assert decode(data, address) == value


@pytest.mark.parametrize(("kind", "address", "data", "_value"), ANSWERS)
@pytest.mark.parametrize("trailing", [b"%b", b"%bPO", b"%bPO00000000\r\n"])
def test_trailing_bytes_are_never_believed(
    kind: str, address: str, data: bytes, _value: object, trailing: bytes
) -> None:
    with pytest.raises(GarbledBytesError, match="more than one"):
        DECODERS[kind](data + trailing % address.encode(), address)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("position", b"1PO00000000\r\n"),
        ("position", b"0po00000000\r\n"),
        ("position", b"0PO0000000\r\n"),
        ("position", b"0PO000000000\r\n"),
        ("position", b"0PO0000000g\r\n"),
        ("position", b"0HO00000000\r\n"),
        ("position", b"0GS00\r\n"),
        ("position", b"\r\n"),
        ("position", b"0PO\xb0000000\r\n"),
        ("position", b"0" * 60),
        ("velocity", b"0GV640\r\n"),
        ("status", b"0PO00000000\r\n"),
        ("moved", b"0BSX\r\n"),
        ("identity", b"2IN0E114005172023170101680002300\r\n"),
        ("identity", b"2IN0E1140051720231701016800000000\r\n"),
    ],
)
def test_what_is_no_answer_is_garbled(kind: str, data: bytes) -> None:
    address = "2" if kind == "identity" else "0"
    with pytest.raises(GarbledBytesError):
        DECODERS[kind](data, address)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"01", "communication time-out"),
        (b"02", "mechanical time-out"),
        (b"03", "command error"),
        (b"04", "value out of range"),
        (b"05", "isolated"),
        (b"07", "initialising"),
        (b"08", "thermal"),
        (b"0A", "sensor"),
        (b"0B", "motor"),
        (b"0C", "out of range"),
        (b"0D", "over-current"),
        (b"5A", "status 5A"),
    ],
)
def test_a_status_that_is_not_ok_is_a_refusal_with_its_words(code: bytes, words: str) -> None:
    data = b"0GS%b\r\n" % code
    with pytest.raises(RefusalError, match=words) as caught:
        wire.decode_moved(data, "0")
    assert caught.value.remedy
    assert wire.decode_status(data, "0") == int(code, 16)


def test_busy_is_no_answer_to_a_move_and_a_refusal_of_a_question() -> None:
    assert wire.decode_moved(b"0GS09\r\n", "0") is None
    with pytest.raises(RefusalError, match="busy"):
        wire.decode_position(b"0GS09\r\n", "0")


ALPHABET = b"0GSPOINBHV19AF\r\n\xff"
NOISE = st.binary(max_size=40) | st.lists(st.sampled_from(ALPHABET), max_size=40).map(bytes)


@given(NOISE | NOISE.map(lambda body: b"0" + body + b"\r\n"), st.sampled_from(sorted(DECODERS)))
def test_any_bytes_are_an_answer_or_an_error(data: bytes, kind: str) -> None:
    try:
        value = DECODERS[kind](data, "0")
    except (GarbledBytesError, RefusalError):
        return
    assert value is None or isinstance(value, int | wire.Module)
