"""Both drivers against a tape and against their simulators on virtual time."""

import math
from collections.abc import Callable, Generator
from typing import Any, Protocol

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import Limits, SettleWatch, TemperatureController
from labctl.transport import TapeTransport
from labctl_drivers.lakeshore.model335 import Model335, Model335Settings
from labctl_drivers.lakeshore.model336 import Model336, Model336Settings

WHO = (b"*IDN?;*ESR?\n", b"LSCI,MODEL336,LSA12AB/#######,2.9;000\r\n")
HELLO = [
    (b"*ESR?\n", b"128\r\n"),
    WHO,
    (b"RAMP 1,0,0.1;*ESR?\n", b"000\r\n"),
    (b"RAMP? 1;*ESR?\n", b"0,+000.1;000\r\n"),
    WHO,
]


def by_tape(*pairs: tuple[bytes, bytes]) -> Model336:
    tape = TapeTransport("thermostat", [*HELLO, *pairs], VirtualClock())
    driver = Model336("thermostat", tape, Model336Settings(), {})
    driver.connect()
    return driver


def test_a_set_point_is_read_back_and_the_heater_switched_on() -> None:
    driver = by_tape(
        (b"SETP 1,12.5000;*ESR?\n", b"000\r\n"),
        (b"RANGE? 1;*ESR?\n", b"0;000\r\n"),
        (b"RANGE 1,3;*ESR?\n", b"000\r\n"),
        (b"RANGE? 1;*ESR?\n", b"3;000\r\n"),
        (b"SETP? 1;*ESR?\n", b"+1.2500E+01;000\r\n"),
    )
    driver.start_temperature(12.5)
    assert driver.temperature_arrived() is False


@pytest.mark.parametrize(("status", "why"), [(b"064", "plugged in"), (b"016", "below")])
def test_a_reading_without_a_sensor_is_nan_with_the_reason(status: bytes, why: str) -> None:
    question = b"KRDG? A;RDGST? A;*ESR?\n"
    reading = b"+0.00000E+0;" + status + b";000\r\n"
    heater = (b"HTRST? 1;*ESR?\n", b"0;000\r\n")
    driver = by_tape((question, reading), (question, reading), heater)
    assert math.isnan(driver.read_temperature())
    assert why in driver.alarm()


def test_what_the_register_complains_of_is_an_error() -> None:
    driver = by_tape((b"HTR? 1;*ESR?\n", b"032\r\n"))
    with pytest.raises(DeviceRefusedError, match=r"HTR\? 1.*unknown command"):
        driver.read_heater()


@pytest.mark.parametrize("kelvin", [math.nan, math.inf, 1.0, 400.0])
def test_nothing_is_sent_for_a_temperature_out_of_limits(kelvin: float) -> None:
    with pytest.raises(RefusedError):
        by_tape().start_temperature(kelvin)


class Connect(Protocol):
    def __call__(
        self, settings: dict[str, Any] | None = None, **truth: Any
    ) -> tuple[TemperatureController, Any]: ...


MAKERS: dict[str, tuple[Callable[..., TemperatureController], type[Any]]] = {
    "lakeshore.model335": (Model335, Model335Settings),
    "lakeshore.model336": (Model336, Model336Settings),
}


@pytest.fixture(params=list(MAKERS))
def connect(request: pytest.FixtureRequest, bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[TemperatureController] = []
    make, settings_type = MAKERS[request.param]

    def connected(
        settings: dict[str, Any] | None = None, **truth: Any
    ) -> tuple[TemperatureController, Any]:
        found = bench(thermostat={"simulator": request.param, "truth": truth})
        wanted = settings_type.model_validate(settings or {})
        limits = {"temperature": Limits(3.2, 300.0)}
        driver = make("thermostat", found.visa("thermostat"), wanted, limits)
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield connected
    for driver in drivers:
        driver.close()


def test_it_settles_where_its_own_sensor_says(connect: Connect) -> None:
    driver, bench = connect(sensor_error_k=0.2, sensor_gain_rel=1.0)
    driver.start_temperature(20.0)
    watch = SettleWatch(driver.settle_rule, 20.0)
    while not watch.settled():
        bench.clock.sleep(5.0)
        watch.add(bench.clock.now(), driver.read_temperature())
        assert bench.clock.now() < 1800.0
    assert bench.rig.world.thermal.platform_k() == pytest.approx(19.8, abs=0.05)
    assert 0.0 < driver.read_heater() < 100.0


def test_a_ramp_moves_the_set_point(connect: Connect) -> None:
    driver, bench = connect(settings={"ramp": "60 K/min"})
    driver.start_temperature(34.0)
    assert driver.is_ramping()
    assert driver.set_point_k() == pytest.approx(34.0)
    assert bench.rig.world.thermal.target_k < 10.0
    bench.clock.sleep(60.0)
    assert not driver.is_ramping()
    assert bench.rig.world.thermal.target_k == pytest.approx(34.0, abs=0.05)


@pytest.mark.parametrize(("kind", "why"), [("sensor_open", "above"), ("sensor_shorted", "zero")])
def test_a_broken_sensor_gives_nan_and_an_alarm(connect: Connect, kind: str, why: str) -> None:
    driver, bench = connect()
    bench.rig.inject("thermostat", kind)
    assert math.isnan(driver.read_temperature())
    assert why in driver.alarm()
    assert driver.snapshot()["temperature_k"] is None
    bench.rig.inject("thermostat", "clear")
    assert driver.alarm() == ""


def test_a_broken_heater_is_told(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("thermostat", "heater_open")
    with pytest.raises(DeviceRefusedError, match="heater open"):
        driver.start_temperature(10.0)


def test_a_set_point_that_is_not_taken(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("thermostat", "lie")
    with pytest.raises(DeviceRefusedError, match="holds"):
        driver.start_temperature(50.0)


def test_the_heater_can_be_switched_off(connect: Connect) -> None:
    driver, bench = connect()
    driver.start_temperature(30.0)
    driver.make_safe("heater_off")
    assert bench.rig.world.thermal.target_k is None
    assert driver.read_heater() == 0.0


@pytest.mark.parametrize("kind", ["drop", "garble", "disconnect", "late"])
def test_after_a_disturbed_answer_it_goes_on(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    bench.rig.inject("thermostat", kind, **({"delay_s": 2.5} if kind == "late" else {}))
    try:
        driver.read_temperature()
    except DeviceError:
        driver.flush()
    assert driver.read_temperature() == pytest.approx(4.0, abs=0.1)


def test_silence(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("thermostat", "hang", for_s=30.0)
    with pytest.raises(NoReplyError, match="within 2 s"):
        driver.read_temperature()


def test_another_model_is_refused(bench: Callable[..., Any]) -> None:
    found = bench(thermostat={"simulator": "lakeshore.model335"})
    driver = Model336("thermostat", found.visa("thermostat"), Model336Settings(), {})
    with pytest.raises(DeviceRefusedError, match="MODEL335"):
        driver.connect()


def test_the_335_has_two_inputs(bench: Callable[..., Any]) -> None:
    found = bench(thermostat={"simulator": "lakeshore.model335"})
    settings = Model335Settings.model_validate({"input": "C"})
    driver = Model335("thermostat", found.visa("thermostat"), settings, {})
    with pytest.raises(DeviceRefusedError, match="no input C"):
        driver.connect()
