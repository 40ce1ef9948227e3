"""The driver against the simulated legacy Cryostation on virtual time."""

import math
import time
from collections.abc import Callable, Generator
from typing import Any, Protocol

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError
from labctl.roles import Limits, SettleRule, SettleWatch
from labctl.transport import VisaTransport
from labctl_drivers.montana.cryostation import Cryostation, CryostationSettings


class Rig(Protocol):
    def inject(self, instrument: str, kind: str, **parameters: Any) -> None: ...


class Bench(Protocol):
    clock: VirtualClock
    rig: Rig

    def visa(self, name: str) -> VisaTransport: ...


Connect = Callable[..., tuple[Cryostation, Bench]]


@pytest.fixture
def connect(bench: Callable[..., Bench]) -> Generator[Connect]:
    drivers: list[Cryostation] = []

    def make(
        settings: dict[str, Any] | None = None, **truth: float | bool
    ) -> tuple[Cryostation, Bench]:
        found = bench(cryo={"simulator": "montana.cryostation", "truth": truth})
        own = CryostationSettings.model_validate(settings or {})
        limits = {"temperature": Limits(3.2, 320.0)}
        driver = Cryostation("cryo", found.visa("cryo"), own, limits)
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


def test_readings_at_rest(connect: Connect) -> None:
    driver, bench = connect(start_temperature_k=4.0)
    bench.clock.sleep(120.0)
    assert driver.read("platform_temperature") == pytest.approx(4.0, abs=0.1)
    assert driver.read("temperature") == pytest.approx(4.0, abs=0.5)
    assert 0.0 < driver.read("stability") < 0.1
    assert driver.alarm() == ""
    assert driver.snapshot()["platform_heater_w"] >= 0.0


@pytest.mark.parametrize("comma", [False, True])
def test_temperature_step_settles_in_virtual_time(connect: Connect, comma: bool) -> None:
    driver, bench = connect({"sample_thermometer": "platform"}, decimal_comma=comma)
    began = time.perf_counter()
    driver.settable("temperature").start(20.0)
    assert driver.set_point_k() == 20.0
    watch = SettleWatch(SettleRule(0.05, 0.05, 60.0, 3600.0), 20.0)
    began_s = bench.clock.now()
    while not watch.settled() and bench.clock.now() - began_s < 3600.0:
        bench.clock.sleep(2.0)
        watch.add(bench.clock.now(), driver.read("temperature"))
    assert watch.settled()
    assert 60.0 < bench.clock.now() - began_s < 3600.0
    assert time.perf_counter() - began < 10.0


def test_missing_thermometer_is_told_on_connecting(connect: Connect) -> None:
    with pytest.raises(DeviceRefusedError, match="no sample thermometer is fitted"):
        connect(sample_thermometer_fitted=False)
    driver, _ = connect({"sample_thermometer": "platform"}, sample_thermometer_fitted=False)
    assert driver.snapshot()["sample_temperature_k"] is None


def test_without_external_control_nobody_answers(connect: Connect) -> None:
    with pytest.raises(DeviceError):
        connect(external_control=False)


def test_lost_sensor_is_nan(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", "sentinel")
    assert math.isnan(driver.read("temperature"))
    assert math.isnan(driver.read("stability"))
    bench.rig.inject("cryo", "clear")
    assert driver.read("temperature") == pytest.approx(4.0, abs=0.5)


def test_not_a_number_is_no_temperature(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", "nan")
    with pytest.raises(DeviceError, match="GPT"):
        driver.read("platform_temperature")


def test_refusal_and_lie(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", "refuse")
    with pytest.raises(DeviceRefusedError, match=r"STSP 20.00"):
        driver.start_temperature(20.0)
    bench.rig.inject("cryo", "lie")
    with pytest.raises(DeviceRefusedError, match="external control"):
        driver.start_temperature(20.0)


def test_alarm(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", "alarm")
    assert "error" in driver.alarm()


@pytest.mark.parametrize("kind", ["drop", "garble", "disconnect"])
def test_one_disturbed_answer_is_at_most_one_error(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", kind)
    errors = 0
    for _ in range(3):
        try:
            assert driver.read("platform_temperature") == pytest.approx(4.0, abs=0.2)
        except DeviceError:
            errors += 1
    assert errors <= 1


@pytest.mark.parametrize("late_s", [5.1, 6.0, 20.0])
def test_late_answer_is_never_taken_for_the_next(connect: Connect, late_s: float) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", "late", delay_s=late_s)
    with pytest.raises(NoReplyError, match="within 5 s"):
        driver.set_point_k()
    # A stability of some millikelvin cannot be mistaken for the set point.
    assert [driver.read("stability") < 0.1 for _ in range(20)] == [True] * 20
