"""Bytes typed from the SP-750i and IsoPlane manuals and from public drivers."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.roles import Grating
from labctl.transport import GarbledBytesError, RefusalError
from labctl_drivers.princeton import _spectrapro_wire as wire

Parse = Callable[[str], Any]

LIST = (
    b"\r\n\x1a1  300 g/mm BLZ=  500NM \r\n 2  1800 g/mm BLZ=  1.6UM \r\n"
    b" 3  Not Installed     \r\n 4  Mirror\r\n 5  150 g/mm BLZ=  HOLO \r\n ok\r\n"
)
GRATINGS = {
    1: Grating(300.0, 500.0),
    2: Grating(1800.0, 1600.0),
    4: Grating(0.0, 0.0),
    5: Grating(150.0, 0.0),
}
ANSWERS: list[tuple[str, bytes, Parse, object]] = [
    ("?NM", b" 700.000 nm  ok\r\n", wire.parse_wavelength, 700.0),
    ("?NM", b" 700.00 ok\r\n", wire.parse_wavelength, 700.0),
    ("?NM", b" -0.003 nm  ok\r\n", wire.parse_wavelength, -0.003),
    ("?GRATING", b" 2  ok\r\n", wire.parse_number, 2),
    ("?GRATINGS", LIST, wire.parse_gratings, GRATINGS),
    ("MODEL", b" SP-2-500i  ok\r\n", wire.parse_word, "SP-2-500i"),
    ("SERIAL", b" 12345  ok\r\n", wire.parse_word, "12345"),
    ("EXIT-MIRROR ?MIRROR", b" front  ok\r\n", wire.parse_mirror, "front"),
    ("EXIT-MIRROR ?MIRROR", b" SIDE ok\r\n", wire.parse_mirror, "side"),
    ("531.000 GOTO", b" ok\r\n", wire.parse_nothing, ""),
    ("2 GRATING", b"  ok\r\n", wire.parse_nothing, ""),
]
GARBLED: list[tuple[str, bytes, Parse]] = [
    ("?NM", b" ok\r\n", wire.parse_wavelength),
    ("?NM", b" nan nm ok\r\n", wire.parse_wavelength),
    ("?NM", b" 7e2 nm ok\r\n", wire.parse_wavelength),
    ("?NM", b" 700.000 mm ok\r\n", wire.parse_wavelength),
    ("?NM", b" 99999.0 nm ok\r\n", wire.parse_wavelength),
    ("?NM", b" 700.000 nm 2 ok\r\n", wire.parse_wavelength),
    ("?NM", b" 7\xb20.000 nm ok\r\n", wire.parse_wavelength),
    ("?NM", b" ok\r\n 700.000 nm  ok\r\n", wire.parse_wavelength),
    ("?GRATING", b" 0 ok\r\n", wire.parse_number),
    ("?GRATING", b" 12 ok\r\n", wire.parse_number),
    ("?GRATINGS", b" ok\r\n", wire.parse_gratings),
    ("?GRATINGS", b" 1  300 g/mm BLZ= 500NM \r\n 1  Mirror\r\n ok\r\n", wire.parse_gratings),
    ("?GRATINGS", b" 1  300 l/mm \r\n ok\r\n", wire.parse_gratings),
    ("EXIT-MIRROR ?MIRROR", b" 0 ok\r\n", wire.parse_mirror),
    ("MODEL", b" ok\r\n", wire.parse_word),
    ("MODEL", b" SP\x072 ok\r\n", wire.parse_word),
    ("MODEL", b"\r\nAddress Error \r\nA=3F4F PC=81444\r\n", wire.parse_word),
]


def test_commands() -> None:
    assert wire.encode(wire.goto(531.0), lower=False) == b"531.000 GOTO\r"
    assert wire.encode(wire.goto(531.0), lower=True) == b"531.000 goto\r"
    assert wire.encode(wire.goto(0.0005), lower=False) == b"0.001 GOTO\r"
    assert wire.encode(wire.select_grating(2), lower=False) == b"2 GRATING\r"
    assert wire.encode(wire.move_mirror("side"), lower=False) == b"EXIT-MIRROR SIDE\r"
    assert wire.encode(wire.MIRROR, lower=True) == b"exit-mirror ?mirror\r"


@pytest.mark.parametrize(("command", "data", "parse", "value"), ANSWERS)
@pytest.mark.parametrize("echo", [True, False, None])
@pytest.mark.parametrize("echoed", [True, False])
def test_answers_whole_and_byte_by_byte(
    command: str, data: bytes, parse: Parse, value: object, echo: bool | None, echoed: bool
) -> None:
    if echo not in (None, echoed):
        return
    sent = (command.encode() if echoed else b"") + data
    decode = wire.decoder(command, parse, echo)
    assert [decode(sent[:n]) for n in range(len(sent))] == [None] * len(sent)
    assert decode(sent) == wire.Reply(value, echoed)


@pytest.mark.parametrize(("command", "data", "parse", "value"), ANSWERS)
@pytest.mark.parametrize("trailing", [b" ", b" ok\r\n", b" 531.000 nm  ok\r\n", b"?\r\n"])
def test_trailing_bytes_are_never_believed(
    command: str, data: bytes, parse: Parse, value: object, trailing: bytes
) -> None:
    with pytest.raises(GarbledBytesError, match="more than one answer"):
        wire.decoder(command, parse, None)(data + trailing)


@pytest.mark.parametrize(("command", "data", "parse"), GARBLED)
def test_garbled(command: str, data: bytes, parse: Parse) -> None:
    with pytest.raises(GarbledBytesError):
        wire.decoder(command, parse, None)(data)


def test_missing_echo_shows_an_answer_to_something_else() -> None:
    with pytest.raises(GarbledBytesError, match=r"echo of '\?NM'"):
        wire.decoder("?NM", wire.parse_wavelength, True)(b" 700.000 nm  ok\r\n")
    with pytest.raises(GarbledBytesError):
        wire.decoder("?NM", wire.parse_wavelength, False)(b"?NM 700.000 nm  ok\r\n")


def test_echo_comes_as_it_was_sent() -> None:
    decode = wire.decoder("?NM", wire.parse_wavelength, True)
    assert decode(b"?nm 700.000 nm  ok\r\n") == wire.Reply(700.0, True)


@pytest.mark.parametrize("data", [b"MODEL ? \r\n", b"\x00~X MODEL ? \r\n", b" ? \r\n", b"X?\r\n"])
def test_unknown_word(data: bytes) -> None:
    with pytest.raises(RefusalError) as caught:
        wire.decoder("MODEL", wire.parse_word, None)(data)
    assert "case" in caught.value.remedy


@pytest.mark.parametrize("text", [b" no motor ok\r\n", b" No Mirror  ok\r\n"])
def test_parts_without_motor(text: bytes) -> None:
    for command, parse in [
        ("EXIT-MIRROR SIDE", wire.parse_nothing),
        (wire.MIRROR, wire.parse_mirror),
    ]:
        with pytest.raises(RefusalError, match=r"(?i)no m"):
            wire.decoder(command, parse, None)(text)


ALPHABET = b" ok\r\n?0123456789.-+nmNMeg/BLZ=ULRATIGMirorstaled\x1a\xff"
NOISE = st.binary(max_size=60) | st.lists(st.sampled_from(ALPHABET), max_size=60).map(bytes)


@given(NOISE | NOISE.map(lambda body: body + b" ok\r\n"), st.sampled_from([True, False, None]))
def test_any_bytes_are_a_possible_value_or_an_error(data: bytes, echo: bool | None) -> None:
    for command, parse in [("?NM", wire.parse_wavelength), ("?GRATING", wire.parse_number)]:
        try:
            reply = wire.decoder(command, parse, echo)(data)
        except (GarbledBytesError, RefusalError):
            continue
        assert reply is None or -100.0 <= reply.value <= 20000.0
    for command, parse in [("?GRATINGS", wire.parse_gratings), ("MODEL", wire.parse_word)]:
        try:
            wire.decoder(command, parse, echo)(data)
        except (GarbledBytesError, RefusalError):
            continue


@given(st.floats(0.0, 1400.0))
def test_every_position_is_sent_to_the_picometre(nanometers: float) -> None:
    word = wire.goto(nanometers).split()
    assert word[1] == "GOTO"
    assert abs(float(word[0]) - nanometers) <= 0.000501


def test_words_of_slits_and_mirrors() -> None:
    assert wire.encode(wire.move_slit("front", 105.0), lower=False) == (
        b"FRONT-ENT-SLIT 105 MICRONS\r"
    )
    assert wire.ask_slit("side") == "SIDE-ENT-SLIT ?MICRONS"
    assert wire.move_mirror("side", mirror="ENT") == "ENT-MIRROR SIDE"
    assert wire.ask_mirror("ENT") == "ENT-MIRROR ?MIRROR"


def test_widths_of_slits() -> None:
    assert wire.parse_micrometers("480 um") == 480.0
    assert wire.parse_micrometers("20") == 20.0
    for text in ("no motor", "no slit"):
        with pytest.raises(RefusalError, match=text):
            wire.parse_micrometers(text)
    for text in ("", "um", "-5 um", "9000 um", "5.5 um"):
        with pytest.raises(GarbledBytesError):
            wire.parse_micrometers(text)
