"""The driver against a tape, and against the simulated controller on virtual time."""

import math
from collections.abc import Callable, Generator
from typing import Any, Protocol

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import DelayStage, Limits
from labctl.transport import TapeTransport
from labctl_drivers.newport.esp300 import Esp300, Esp300Settings

NO_TROUBLE = (b"TB?\r", b"0, 451322, NO ERROR DETECTED\r\n")
WHO = [
    (b"VE?\r", b"ESP300 Version 3.04 07/27/01\r\n"),
    (b"2ID?\r", b"TS50DC.5, SN1263\r\n"),
]
HELLO = [
    (b"TB?\r", b"207, 10, AXIS-2 NEGATIVE SOFTWARE LIMIT DETECTED\r\n"),
    NO_TROUBLE,
    *WHO,
    (b"2SN?\r", b"2\r\n"),
    (b"2MO?\r", b"1\r\n"),
    *WHO,
]


def by_tape(*pairs: tuple[bytes, bytes], hello: list[Any] | None = None) -> Esp300:
    tape = TapeTransport("delay", [*(HELLO if hello is None else hello), *pairs], VirtualClock())
    driver = Esp300("delay", tape, Esp300Settings.model_validate({"axis": 2, "zero": "1 mm"}), {})
    driver.connect()
    return driver


def test_a_move_is_checked_for_errors_and_the_old_ones_are_dropped() -> None:
    driver = by_tape(
        (b"2PA2.49896\r", b""),
        NO_TROUBLE,
        (b"2MD?\r", b"0\r\n"),
        (b"2MD?\r", b"1\r\n"),
        NO_TROUBLE,
        (b"2TP\r", b"2.49900\r\n"),
    )
    driver.start_delay(10.0)
    assert not driver.delay_arrived()
    assert driver.delay_arrived()
    assert driver.read_delay() == pytest.approx(10.0, abs=0.001)


def test_a_move_that_is_refused() -> None:
    driver = by_tape(
        (b"2PA40.00000\r", b""),
        (b"TB?\r", b"206, 99, AXIS-2 POSITIVE SOFTWARE LIMIT DETECTED\r\n"),
    )
    with pytest.raises(DeviceRefusedError, match=r"2PA40.00000.*error 206.*narrow the limits"):
        driver.start_position(40.0)


def test_other_units_than_millimeters_are_refused() -> None:
    degrees = [*HELLO[:4], (b"2SN?\r", b"7\r\n")]
    with pytest.raises(DeviceRefusedError, match="linear stage"):
        by_tape(hello=degrees)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e6])
def test_nothing_is_sent_for_a_delay_out_of_limits(value: float) -> None:
    with pytest.raises(RefusedError):
        by_tape().start_delay(value)


def test_passes_and_direction() -> None:
    """4 ways of 1 mm at 0.299792458 mm/ps; larger positions shorten them."""
    hello = [(sent.replace(b"2", b"1", 1), said) for sent, said in HELLO]
    tape = TapeTransport("delay", [*hello, (b"1TP\r", b"1.00000\r\n")], VirtualClock())
    words = {"passes": 2, "towards": -1}
    driver = Esp300("delay", tape, Esp300Settings.model_validate(words), {})
    driver.connect()
    assert driver.read_delay() == pytest.approx(-4.0 / 0.299792458)


class Connect(Protocol):
    def __call__(self, **truth: Any) -> tuple[DelayStage, Any]: ...


@pytest.fixture
def connect(bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[DelayStage] = []

    def make(**truth: Any) -> tuple[DelayStage, Any]:
        found = bench(delay={"simulator": "newport.esp300", "truth": truth})
        limits = {"position": Limits(-60.0, 70.0)}
        settings = Esp300Settings.model_validate({"zero": "3.5 mm"})
        driver = Esp300("delay", found.visa("delay"), settings, limits)
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


def move(driver: DelayStage, bench: Any, quantity: str, value: float) -> float:
    settable = driver.settable(quantity)
    settable.start(value)
    deadline_s = bench.clock.now() + settable.spec.timeout_s
    assert bench.clock.wait_until(settable.arrived, deadline_s=deadline_s, what="delay")
    return settable.confirm(value)


def test_the_world_s_delay_counts_from_the_true_zero(connect: Connect) -> None:
    driver, bench = connect(true_zero_mm=3.8)
    for delay_ps in (0.0, 150.0, -400.0):
        assert move(driver, bench, "delay", delay_ps) == pytest.approx(delay_ps, abs=0.01)
        device = bench.rig.world.table.interferometer
        assert device.delay_ps == pytest.approx(delay_ps - 2.0 * 0.3 / 0.299792458, abs=0.01)


def test_a_move_takes_its_time(connect: Connect) -> None:
    driver, bench = connect(speed_mm_s=10.0, acceleration_mm_s2=100.0)
    began_s = bench.clock.now()
    move(driver, bench, "position", 20.0)
    # 0.1 s of acceleration and as much of braking: 2 s + 0.1 s; the link is slow, too.
    assert bench.clock.now() - began_s == pytest.approx(2.1, abs=0.1)


def test_limits_of_the_set_up_hold_for_the_delay(connect: Connect) -> None:
    driver, bench = connect()
    with pytest.raises(RefusedError, match="position"):
        driver.start_delay(1000.0)
    assert bench.rig.world.table.interferometer.delay_ps == pytest.approx(
        -2.0 * 3.62 / 0.299792458, abs=0.01
    )


def test_a_software_limit_of_the_controller_is_told(connect: Connect) -> None:
    driver, _ = connect(highest_mm=10.0)
    with pytest.raises(DeviceRefusedError, match="POSITIVE SOFTWARE LIMIT"):
        driver.start_position(20.0)


def test_a_stage_that_cannot_follow_is_an_error_and_can_be_switched_on_again(
    connect: Connect,
) -> None:
    driver, bench = connect()
    bench.rig.inject("delay", "stuck")
    with pytest.raises(DeviceRefusedError, match="cannot follow"):
        move(driver, bench, "position", 5.0)
    bench.rig.inject("delay", "clear")
    driver.close()
    driver.connect()
    assert move(driver, bench, "position", 5.0) == pytest.approx(5.0, abs=0.001)


def test_an_emergency_stop_ends_the_move(connect: Connect) -> None:
    driver, bench = connect()
    driver.start_position(50.0)
    bench.clock.sleep(0.5)
    bench.rig.inject("delay", "motor_off")
    with pytest.raises(DeviceRefusedError, match="EMERGENCY"):
        driver.is_moving()
    assert driver.snapshot()["motor_on"] is False


@pytest.mark.parametrize("kind", ["drop", "garble", "disconnect", "late"])
def test_after_a_disturbed_answer_it_goes_on(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    bench.rig.inject("delay", kind, **({"delay_s": 2.5} if kind == "late" else {}))
    try:
        driver.read_position()
    except DeviceError:
        driver.flush()
    assert move(driver, bench, "delay", 33.0) == pytest.approx(33.0, abs=0.01)


def test_silence(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("delay", "hang", for_s=30.0)
    with pytest.raises(NoReplyError, match="within 2 s"):
        driver.read_position()
