"""Bytes as the PM100D manual and other projects' drivers show them."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.transport import GarbledBytesError, RefusalError
from labctl_drivers.thorlabs import _pm100d_wire as wire

SENSOR = wire.Sensor("S130C", "12345", "10-Jan-2023", 289)
ANSWERS: list[tuple[Callable[[bytes], Any], bytes, Any]] = [
    (wire.decode_number, b"4.05000000E+02\n", 405.0),
    (wire.decode_number, b"405\r\n", 405.0),
    (wire.decode_reading, b"1.23456E-06\n", 1.23456e-6),
    (wire.decode_reading, b"-3.1E-11\n", -3.1e-11),
    (
        wire.decode_fields,
        b"Thorlabs,PM100D,P0012345,2.4.0\n",
        ("Thorlabs", "PM100D", "P0012345", "2.4.0"),
    ),
    (wire.decode_sensor, b"S130C,12345,10-Jan-2023,1,18,289\n", SENSOR),
    (wire.decode_error, b'+0,"No error"\n', ""),
    (wire.decode_error, b'0,"No error"\r\n', ""),
]


def test_commands() -> None:
    assert wire.encode("SENS:CORR:WAV 405") == b"SENS:CORR:WAV 405\n"


@pytest.mark.parametrize(("decode", "data", "value"), ANSWERS)
def test_answers_whole_and_byte_by_byte(
    decode: Callable[[bytes], Any], data: bytes, value: Any
) -> None:
    assert [decode(data[:n]) for n in range(len(data))] == [None] * len(data)
    assert decode(data) == value


@pytest.mark.parametrize(("decode", "data", "_value"), ANSWERS)
@pytest.mark.parametrize("trailing", [b"1\n", b"\n", b"4.0E-06\n"])
def test_two_answers_are_never_believed(
    decode: Callable[[bytes], Any], data: bytes, _value: Any, trailing: bytes
) -> None:
    with pytest.raises(GarbledBytesError, match="more than one"):
        decode(data + trailing)


@pytest.mark.parametrize("data", [b"9.9E+37\n", b"9.90000000E+37\n", b"-9.9e37\n"])
def test_over_range_is_no_number(data: bytes) -> None:
    with pytest.raises(RefusalError, match="over range"):
        wire.decode_reading(data)
    with pytest.raises(GarbledBytesError, match="not a finite number"):
        wire.decode_number(data)


@pytest.mark.parametrize("data", [b"9.91E+37\n", b"nan\n", b"inf\n"])
def test_a_reading_that_is_none(data: bytes) -> None:
    with pytest.raises(RefusalError, match="no valid reading"):
        wire.decode_reading(data)


def test_no_sensor() -> None:
    with pytest.raises(RefusalError, match="no sensor"):
        wire.decode_sensor(b"no sensor,,,0,0,0\n")


def test_flags_of_a_sensor() -> None:
    thermal = wire.decode_sensor(b"S302C,1,x,2,1,337\n")
    assert thermal is not None
    assert (thermal.measures_power, thermal.wavelength_settable) == (True, False)
    assert (SENSOR.measures_power, SENSOR.wavelength_settable) == (True, True)
    energy = wire.decode_sensor(b"ES111C,1,x,3,1,34\n")
    assert energy is not None
    assert (energy.measures_power, energy.wavelength_settable) == (False, True)


@pytest.mark.parametrize("data", [b'-113,"Undefined header"\n', b'+100,"x"\n'])
def test_an_error_is_a_refusal(data: bytes) -> None:
    with pytest.raises(RefusalError, match=r"-113: Undefined header|100: x"):
        wire.decode_error(data)


@pytest.mark.parametrize("data", [b"\xff\n", b"\x07\n", b"no\n"])
@pytest.mark.parametrize("decode", [wire.decode_number, wire.decode_reading, wire.decode_error])
def test_noise_is_garbled(decode: Callable[[bytes], Any], data: bytes) -> None:
    with pytest.raises(GarbledBytesError):
        decode(data)


NOISE = st.binary(max_size=30) | st.text('0123456789.,E+-"nas \r\n', max_size=30).map(str.encode)


@given(NOISE | NOISE.map(lambda body: body + b"\n"))
def test_any_bytes_are_an_answer_or_an_error(data: bytes) -> None:
    for decode in (wire.decode_reading, wire.decode_number, wire.decode_sensor, wire.decode_error):
        try:
            value = decode(data)
        except (GarbledBytesError, RefusalError):
            continue
        assert not isinstance(value, float) or abs(value) < 9.85e37
