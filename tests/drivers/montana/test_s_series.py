"""The driver against prepared answers, and against the simulated s-series on virtual time."""

import math
import time
from collections.abc import Callable, Generator
from typing import Any, Protocol

import pytest

from labctl.clock import VirtualClock
from labctl.errors import (
    DeviceError,
    DeviceRefusedError,
    GarbledReplyError,
    NoReplyError,
    RefusedError,
)
from labctl.roles import Limits
from labctl.transport import HttpReply, HttpTransport
from labctl_drivers.montana.s_series import SSeries, SSeriesSettings


class Rig(Protocol):
    def inject(self, instrument: str, kind: str, **parameters: Any) -> None: ...


class Bench(Protocol):
    clock: VirtualClock
    rig: Rig

    def http(self, name: str) -> HttpTransport: ...


Connect = Callable[..., tuple[SSeries, Bench]]


@pytest.fixture
def connect(bench: Callable[..., Bench]) -> Generator[Connect]:
    drivers: list[SSeries] = []

    def make(
        settings: dict[str, Any] | None = None, **truth: float | bool
    ) -> tuple[SSeries, Bench]:
        found = bench(cryo={"simulator": "montana.s_series", "truth": truth})
        own = SSeriesSettings.model_validate(settings or {})
        limits = {"temperature": Limits(3.2, 320.0)}
        driver = SSeries("cryo", found.http("cryo"), own, limits)
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("thermometer", ["platform", "user1"])
def test_readings_at_rest(connect: Connect, thermometer: str, average: bool) -> None:
    driver, bench = connect({"sample_thermometer": thermometer}, has_one_second_average=average)
    bench.clock.sleep(120.0)
    assert driver.read("platform_temperature") == pytest.approx(4.0, abs=0.1)
    assert driver.read("temperature") == pytest.approx(4.0, abs=0.5)
    assert 0.0 < driver.read("stability") < 0.1
    assert driver.read_thermometer().stable
    assert driver.alarm() == ""


def test_temperature_step_in_virtual_time(connect: Connect) -> None:
    driver, bench = connect()
    began = time.perf_counter()
    driver.settable("temperature").start(20.0)
    assert driver.set_point_k() == 20.0
    bench.clock.sleep(10.0)
    assert not driver.read_thermometer().stable
    bench.clock.sleep(3600.0)
    assert driver.read_thermometer().stable
    assert driver.read("temperature") == pytest.approx(20.0, abs=0.1)
    assert driver.snapshot()["system_state"] == "StableAtTarget"
    assert time.perf_counter() - began < 10.0


def test_lost_sensor_is_nan_and_not_stable(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", "sentinel")
    assert math.isnan(driver.read("temperature"))
    assert math.isnan(driver.read("stability"))
    assert not driver.read_thermometer().stable
    assert driver.snapshot()["platform_temperature_k"] is None


def test_refusal_and_lie(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", "refuse")
    with pytest.raises(DeviceRefusedError, match=r"'PUT /v1/controller/.*': 4\d\d "):
        driver.start_temperature(20.0)
    bench.rig.inject("cryo", "lie")
    with pytest.raises(DeviceRefusedError, match="holds 4 K"):
        driver.start_temperature(20.0)


def test_silence_meets_the_deadline_at_no_wall_time(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", "hang", for_s=60.0)
    began, began_s = time.perf_counter(), bench.clock.now()
    with pytest.raises(NoReplyError, match=r"no reply within 5 s"):
        driver.read("temperature")
    assert bench.clock.now() - began_s == pytest.approx(5.0)
    assert time.perf_counter() - began < 1.0
    bench.clock.sleep(60.0)
    assert driver.read("temperature") == pytest.approx(4.0, abs=0.2)


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


@pytest.mark.parametrize("late_s", [5.1, 20.0])
def test_late_answer_is_never_taken_for_the_next(connect: Connect, late_s: float) -> None:
    driver, bench = connect()
    bench.rig.inject("cryo", "late", delay_s=late_s)
    with pytest.raises(NoReplyError):
        driver.set_point_k()
    assert all(driver.read("stability") < 0.1 for _ in range(10))


class Answers:
    """Stands for the transport: one prepared answer per request."""

    def __init__(self, *replies: HttpReply) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, str, bytes | None]] = []

    def open(self) -> None:
        return None

    def close(self) -> None:
        return None

    def request(
        self, method: str, path: str, body: bytes | None = None, *, timeout_s: float
    ) -> HttpReply:
        self.asked.append((method, path, body))
        return self.replies.pop(0)


def by_answers(*replies: HttpReply) -> tuple[SSeries, Answers]:
    answers = Answers(*replies)
    link: Any = answers
    return SSeries("cryo", link, SSeriesSettings(), {}), answers


def test_set_point_is_a_bare_json_number() -> None:
    target = HttpReply(200, b'{"platformTargetTemperature": 4.5}')
    driver, answers = by_answers(HttpReply(200, b""), target)
    driver.start_temperature(4.5)
    path = "/v1/controller/properties/platformTargetTemperature"
    assert answers.asked == [("PUT", path, b"4.5"), ("GET", path, None)]


def test_impossible_set_point_sends_nothing() -> None:
    driver, answers = by_answers()
    for kelvin in (0.0, math.nan, 400.0):
        with pytest.raises(RefusedError):
            driver.start_temperature(kelvin)
    assert answers.asked == []


def test_another_server_is_recognised() -> None:
    driver, _ = by_answers(HttpReply(200, b"<html>printer</html>"))
    with pytest.raises(GarbledReplyError, match=r"printer.*is this address an s-series"):
        driver.connect()


def test_invalid_state_is_an_alarm() -> None:
    driver, _ = by_answers(HttpReply(200, b'{"systemState": "Invalid"}'))
    assert driver.alarm() == "the system's state is Invalid"


def test_missing_user_thermometer_does_not_spoil_a_snapshot() -> None:
    sample = (
        b'{"sample": {"temperature": 4.0, "temperatureOK": true, "temperatureStability": 0.01,'
        b' "temperatureStabilityOK": true, "temperatureStable": true}}'
    )
    driver, _ = by_answers(
        HttpReply(200, b'{"platformTargetTemperature": 4.0}'),
        HttpReply(200, b'{"systemGoal": "Cooldown"}'),
        HttpReply(200, b'{"systemState": "StableAtTarget"}'),
        HttpReply(200, sample),
        HttpReply(404, b'{"title": "Not found"}'),
    )
    assert driver.snapshot() == {
        "set_point_k": 4.0,
        "system_goal": "Cooldown",
        "system_state": "StableAtTarget",
        "sample_thermometer": "platform",
        "platform_temperature_k": 4.0,
        "platform_stability_k": 0.01,
        "platform_stable": True,
        "user1_temperature_k": None,
    }
