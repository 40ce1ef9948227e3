"""The driver of the DC2200 against tapes, and against the simulated instrument."""

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, GarbledReplyError, RefusedError
from labctl.transport import GarbledBytesError, TapeTransport
from labctl_drivers.thorlabs.dc2200 import Dc2200, Dc2200Settings, decode_switch, decode_unit

Pair = tuple[bytes, bytes]
FINE = b'+0,"No error"\n'
UNIT: Pair = (b"*IDN?\n", b"Thorlabs,DC2200,M00435922,1.6.0\n")


def order(text: bytes, reply: bytes = FINE) -> Pair:
    return text + b";:SYST:ERR?\n", reply


HELLO: list[Pair] = [
    order(b"*CLS"),
    UNIT,
    order(b"OUTPUT1:STATE OFF"),
    order(b"SOURCE1:MODE CB"),
    (b"SOURCE1:MODE?\n", b"CB\n"),
    UNIT,
]


def by_tape(*pairs: Pair) -> tuple[Dc2200, TapeTransport]:
    tape = TapeTransport("led", [*HELLO, *pairs], VirtualClock())
    driver = Dc2200("led", tape, Dc2200Settings(), {})
    driver.connect()
    return driver, tape


def test_level_is_set_and_read_back_before_the_light_goes_on() -> None:
    driver, tape = by_tape(
        order(b"SOURCE1:CBRIGHTNESS:BRIGHTNESS 25.0000"),
        (b"SOURCE1:CBRIGHTNESS:BRIGHTNESS?\n", b"2.500000e+01\n"),
        order(b"OUTPUT1:STATE ON"),
        (b"OUTPUT1:STATE?\n", b"1\n"),
    )
    driver.switch_on(0.25)
    tape.check_finished()


def test_another_level_than_asked_leaves_it_dark() -> None:
    driver, tape = by_tape(
        order(b"SOURCE1:CBRIGHTNESS:BRIGHTNESS 25.0000"),
        (b"SOURCE1:CBRIGHTNESS:BRIGHTNESS?\n", b"2.000000e+01\n"),
        order(b"OUTPUT1:STATE OFF"),
        (b"OUTPUT1:STATE?\n", b"0\n"),
    )
    with pytest.raises(DeviceRefusedError, match=r"holds 0\.2"):
        driver.switch_on(0.25)
    tape.check_finished()


def test_an_error_of_the_instrument_is_told() -> None:
    refusal = order(b"OUTPUT1:STATE OFF", b'-221,"Settings conflict"\n')
    driver, _ = by_tape(refusal)
    with pytest.raises(DeviceRefusedError, match="-221: Settings conflict"):
        driver.switch_off()


@pytest.mark.parametrize("level", [0.0, -0.1, 1.01, float("nan"), float("inf")])
def test_levels_out_of_range_send_nothing(level: float) -> None:
    driver, tape = by_tape()
    with pytest.raises(RefusedError, match="out of range"):
        driver.switch_on(level)
    tape.check_finished()


def test_another_instrument_is_not_taken_for_it() -> None:
    pairs = [HELLO[0], (b"*IDN?\n", b"Thorlabs,PM100D,P1,2.4\n")]
    tape = TapeTransport("led", pairs, VirtualClock())
    with pytest.raises(GarbledReplyError, match="not a DC2200"):
        Dc2200("led", tape, Dc2200Settings(), {}).connect()


@pytest.mark.parametrize(
    ("data", "value"), [(b"1\n", True), (b"0\r\n", False), (b"1", None), (b"", None)]
)
def test_switches(data: bytes, value: bool | None) -> None:
    assert decode_switch(data) is value


@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_unfinished_or_garbled(data: bytes) -> None:
    for decode in (decode_switch, decode_unit):
        with suppress(GarbledBytesError):
            assert decode(data) is None or data.count(b"\n") == 1


@pytest.fixture
def connected(bench: Callable[..., Any]) -> Generator[tuple[Dc2200, Any]]:
    found = bench(led={"simulator": "thorlabs.dc2200"})
    driver = Dc2200("led", found.visa("led"), Dc2200Settings(), {})
    driver.connect()
    yield driver, found
    driver.close()


def test_light_on_and_off(connected: tuple[Dc2200, Any]) -> None:
    driver, bench = connected
    table = bench.rig.world.table
    driver.switch_on(0.5)
    assert (driver.is_on(), driver.read_level()) == (True, pytest.approx(0.5))
    # Half the brightness is not half the light: efficiency droops.
    assert table.led.last == pytest.approx(0.5**0.88)
    assert driver.snapshot()["current_limit_a"] == pytest.approx(1.2)
    driver.make_safe("off")
    assert table.led.last == 0.0
    assert driver.read_level() == 0.0


def test_an_led_without_plug_is_noticed(connected: tuple[Dc2200, Any]) -> None:
    driver, bench = connected
    bench.rig.inject("led", "led_open")
    with pytest.raises(DeviceRefusedError, match="the light stays off"):
        driver.switch_on(0.5)


def test_a_garbled_answer_is_told(connected: tuple[Dc2200, Any]) -> None:
    driver, bench = connected
    bench.rig.inject("led", "garble", times=1)
    with pytest.raises(DeviceError):
        driver.is_on()
