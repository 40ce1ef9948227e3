"""Bytes typed from the ANC300's console as PyMeasure, pylablib and the QCoDeS driver show it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError, RefusalError
from labctl_drivers.attocube import _anc300_wire as wire

TABLE: list[tuple[str, Callable[[list[str]], Any], bytes, Any]] = [
    ("getm 1", wire.parse_mode, b"mode = gnd\r\nOK\r\n", "gnd"),
    ("getm 1", wire.parse_mode, b"> getm 1\r\nmode = stp+\r\nOK\r\n> ", "stp+"),
    ("getf 1", wire.parse_frequency_hz, b"frequency = 210 Hz\r\n\nOK\r\n", 210.0),
    ("getv 2", wire.parse_voltage_v, b"voltage = 20.000000 V\r\nOK\r\n", 20.0),
    ("geto 2", wire.parse_voltage_v, b"\nvoltage = 0.000000 V\r\nOK\r\n", 0.0),
    ("getc 3", wire.parse_capacitance_nf, b"capacitance = 998.901733 nF\r\nOK\r\n", 998.901733),
    ("stop 1", wire.parse_nothing, b"OK\r\n", ""),
    ("echo off", wire.parse_nothing, b"> echo off\r\nOK\r\n", ""),
    ("echo off", wire.parse_nothing, b"echo off\r\nOK\r\n", ""),
    ("getcser", wire.parse_serial, b"ANC300B-C-1514-3006076\r\nOK\r\n", "ANC300B-C-1514-3006076"),
    (
        *("getser 1", wire.parse_serial),
        *(b"axis serial number = ANM150A-M-1545-3010045\r\nOK\r\n", "ANM150A-M-1545-3010045"),
    ),
    (
        *("ver", wire.parse_version),
        b"attocube ANC300 controller version 1.1.0-1304 2013-10-17 08:16\r\n"
        b"ANC150 compatibillity console\r\nOK\r\n",
        "1.1.0-1304 2013-10-17 08:16",
    ),
]
BANNER = b"\xff\xfb\x01\xff\xfb\x03attocube ANC300 console\r\nAuthorization code: "


@pytest.mark.parametrize(("command", "parse", "data", "value"), TABLE)
def test_answers_whole_byte_by_byte_and_with_bytes_behind(
    command: str, parse: Callable[[list[str]], Any], data: bytes, value: Any
) -> None:
    decode = wire.decoder(command, parse)
    assert decode(data) == value
    end = data.index(b"OK\r\n") + 4
    for length in range(end):
        assert decode(data[:length]) is None, data[:length]
    assert decode(data + b"\n") == value
    for behind in (b"voltage = 1.000000 V\r\nOK\r\n", b"\x00", b"OK\r\n", b"x"):
        with pytest.raises(GarbledBytesError):
            decode(data + behind)


def test_commands() -> None:
    assert wire.encode("stepu 1 40") == b"stepu 1 40\r\n"
    assert wire.encode(wire.ECHO_OFF) == b"echo off\r\n"


@pytest.mark.parametrize(
    "text",
    [
        *("Wrong axis type", "Axis in wrong mode", "Value out of range"),
        "Axis not in computer control mode",
    ],
)
def test_refusals_keep_the_words_and_say_what_to_do(text: str) -> None:
    decode = wire.decoder("stepu 1 1", wire.parse_nothing)
    data = f"{text}\r\nERROR\r\n".encode()
    for length in range(len(data)):
        assert decode(data[:length]) is None
    with pytest.raises(RefusalError, match=text) as caught:
        decode(data)
    assert caught.value.remedy


def test_a_text_that_contains_ok_does_not_end_the_answer() -> None:
    assert wire.decoder("ver", wire.parse_text)(b"LOOK OK 1\r\n") is None
    assert wire.decoder("ver", wire.parse_text)(b"LOOK OK 1\r\nOK\r\n") == "LOOK OK 1"


@pytest.mark.parametrize(
    ("parse", "lines"),
    [
        (wire.parse_mode, ["mode = fly"]),
        (wire.parse_mode, ["mode gnd"]),
        (wire.parse_voltage_v, ["voltage = 20 Hz"]),
        (wire.parse_voltage_v, ["voltage = nan V"]),
        (wire.parse_voltage_v, ["voltage = 999.0 V"]),
        (wire.parse_voltage_v, ["frequency = 20 Hz"]),
        (wire.parse_voltage_v, []),
        (wire.parse_voltage_v, ["voltage = 1.0 V", "voltage = 1.0 V"]),
        (wire.parse_nothing, ["mode = gnd"]),
        (wire.parse_serial, []),
    ],
)
def test_what_cannot_be_is_garbled(parse: Callable[[list[str]], Any], lines: list[str]) -> None:
    with pytest.raises(GarbledBytesError):
        parse(lines)


def test_a_capacitance_never_measured_is_no_number() -> None:
    value = wire.parse_capacitance_nf(["capacitance = ?"])
    assert value != value


GOOD_LOGIN = b"******\r\nAuthorization success\r\n> "


@pytest.mark.parametrize("before", [b"", BANNER])
def test_login_byte_by_byte(before: bytes) -> None:
    data = before + GOOD_LOGIN
    success = data.index(b"success\r\n") + len(b"success\r\n")
    for length in range(success - 1):
        assert wire.decode_login(data[:length]) is None, data[:length]
    assert wire.decode_login(data) == "Authorization success"


@pytest.mark.parametrize(
    "verdict", [b"Authorization failed\r\n", b"no way\r\n", b"Authorization code: "]
)
def test_any_other_verdict_is_a_wrong_password(verdict: bytes) -> None:
    with pytest.raises(RefusalError) as caught:
        wire.decode_login(BANNER + b"***\r\n" + verdict)
    assert "password" in caught.value.remedy
    with pytest.raises(RefusalError):
        wire.login_at_end(b"***\r\n")


def test_a_console_that_wants_a_password_says_so() -> None:
    text = b"attocube ANC300 console\r\nAuthorization code: "
    with pytest.raises(RefusalError, match="authorization code") as caught:
        wire.decoder("echo off", wire.parse_nothing)(text)
    assert "password" in caught.value.remedy


@given(st.binary(max_size=60))
def test_any_bytes_are_incomplete_garbled_refused_or_a_value(data: bytes) -> None:
    for command, parse, _, _ in TABLE:
        try:
            wire.decoder(command, parse)(data)
            wire.decode_login(data)
        except (GarbledBytesError, RefusalError):
            continue
