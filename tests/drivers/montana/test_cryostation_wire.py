"""Bytes typed from the Communication Specification as public drivers' tests show it."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError, RefusalError
from labctl_drivers.montana import _cryostation_wire as wire
from labctl_drivers.montana._cryostation_wire import Query, Reading, SetPoint

COMMANDS = [
    (Query.PLATFORM_TEMPERATURE, b"03GPT"),
    (Query.SAMPLE_TEMPERATURE, b"03GST"),
    (Query.USER_STABILITY, b"03GUS"),
    (Query.STAGE_1_TEMPERATURE, b"04GS1T"),
    (Query.SET_POINT, b"04GTSP"),
    (Query.PLATFORM_HEATER_POWER, b"04GPHP"),
    (Query.ALARM, b"03GAS"),
    (SetPoint(10.0), b"10STSP 10.00"),
    (SetPoint(4.2), b"09STSP 4.20"),
    (SetPoint(4.2, ","), b"09STSP 4,20"),
    (SetPoint(299.999), b"11STSP 300.00"),
]
READINGS = [
    (b"07289.904", 289.904, "."),
    (b"054.201", 4.201, "."),
    (b"06274.92", 274.92, "."),
    (b"044.20", 4.2, "."),
    (b"044,20", 4.2, ","),
    (b"070.00900", 0.009, "."),
    (b"014", 4.0, ""),
    (b"050.000", 0.0, "."),
    (b"06-0.100", math.nan, "."),
    (b"05-0.10", math.nan, "."),
    (b"08-0.10000", math.nan, "."),
    (b"04-0.1", math.nan, "."),
    (b"06-0,100", math.nan, ","),
]
GARBLED = [
    b"xx4.20",
    b" 44.20",
    b"00",
    b"044.2x",
    b"031e3",
    b"03nan",
    b"03inf",
    b"03NaN",
    b"044..2",
    b"054,2.1",
    b"061_00.0",
    b"06-1.000",
    b"06-0.200",
    b"061001.0",
    b"0910000.000",
    b"044.20054.201",
    b"044.2\xb2",
    b"02\xd9\xa4",
]
REFUSALS = [
    (b"23Error: Invalid command.", "Error: Invalid command."),
    (b"24Error: Invalid set point", "Error: Invalid set point"),
    (b"40System not able to cooldown at this time", "System not able to cooldown at this time"),
]


def reading(data: bytes) -> Reading | None:
    return wire.decode_reading(data, largest=1000.0)


@pytest.mark.parametrize(("command", "expected"), COMMANDS)
def test_commands(command: str | SetPoint, expected: bytes) -> None:
    assert wire.encode(command) == expected


@pytest.mark.parametrize(("data", "kelvin", "sign"), READINGS)
def test_readings_whole_and_byte_by_byte(data: bytes, kelvin: float, sign: str) -> None:
    assert [reading(data[:n]) for n in range(len(data))] == [None] * len(data)
    found = reading(data)
    assert found is not None
    assert found.decimal_sign == sign
    assert found.value == pytest.approx(kelvin, nan_ok=True)


@pytest.mark.parametrize(("data", "_kelvin", "_sign"), READINGS)
@pytest.mark.parametrize("trailing", [b"0", b"054.201", b"\r\n"])
def test_trailing_bytes_are_never_believed(
    data: bytes, _kelvin: float, _sign: str, trailing: bytes
) -> None:
    with pytest.raises(GarbledBytesError, match="more than one reply"):
        reading(data + trailing)


@pytest.mark.parametrize("data", GARBLED)
def test_garbled(data: bytes) -> None:
    with pytest.raises(GarbledBytesError):
        reading(data)


@pytest.mark.parametrize(("data", "text"), REFUSALS)
@pytest.mark.parametrize("decode", [reading, wire.decode_ok, wire.decode_alarm])
def test_refusals(data: bytes, text: str, decode: Callable[[bytes], object]) -> None:
    assert decode(data[:-1]) is None
    with pytest.raises(RefusalError) as caught:
        decode(data)
    assert caught.value.reply == text
    assert caught.value.remedy


def test_order_and_its_answer() -> None:
    answer = b"33OK, Temperature Set Point = 10.00"
    assert wire.decode_ok(answer) == "OK, Temperature Set Point = 10.00"
    assert wire.decode_ok(b"02OK") == "OK"
    with pytest.raises(RefusalError, match="Magnet off"):
        wire.decode_ok(b"10Magnet off")


def test_alarm() -> None:
    assert wire.decode_alarm(b"01T") is True
    assert wire.decode_alarm(b"01F") is False
    assert wire.decode_alarm(b"01") is None
    with pytest.raises(GarbledBytesError):
        wire.decode_alarm(b"01t")


ALPHABET = b"0123456789.,-+eEOKnaif \r\n\xff"
NOISE = st.binary(max_size=40) | st.lists(st.sampled_from(ALPHABET), max_size=40).map(bytes)


@given(NOISE | NOISE.map(lambda body: b"%02d" % len(body) + body))
def test_any_bytes_are_a_possible_temperature_or_an_error(data: bytes) -> None:
    try:
        found = reading(data)
        alarm = wire.decode_alarm(data) if data[2:] in (b"T", b"F") else None
    except (GarbledBytesError, RefusalError):
        return
    assert alarm in (None, True, False)
    assert found is None or math.isnan(found.value) or 0.0 <= found.value <= 1000.0


@given(st.floats(2.0, 350.0), st.sampled_from(".,"))
def test_every_set_point_is_one_frame(kelvin: float, sign: str) -> None:
    data = wire.encode(SetPoint(kelvin, sign))
    assert int(data[:2]) == len(data) - 2
    sent_k = float(data.decode()[7:].replace(",", "."))
    assert abs(sent_k - kelvin) <= 0.005000001
