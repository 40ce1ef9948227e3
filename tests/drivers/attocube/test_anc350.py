"""The driver against the simulated controller on virtual time."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError
from labctl.roles import AxisSettings
from labctl_drivers.attocube.anc350 import Anc350, Anc350Settings

Connect = Callable[..., tuple[Anc350, Any]]
Axes = Callable[..., dict[str, AxisSettings]]
Go = Callable[..., float]


@pytest.fixture
def connect(bench: Callable[..., Any], axes: Axes) -> Generator[Connect]:
    drivers: list[Anc350] = []

    def make(settings: dict[str, Any] | None = None, **truth: Any) -> tuple[Anc350, Any]:
        cold = {"simulator": "montana.cryostation", "truth": {"start_temperature_k": 4.0}}
        found = bench(cryostat=cold, stage={"simulator": "attocube.anc350", "truth": truth})
        given = {"axes": axes(0), "backlash": "1 um", **(settings or {})}
        driver = Anc350("stage", found.visa("stage"), Anc350Settings.model_validate(given), {})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


def test_it_says_who_it_is_and_where_it_stands(connect: Connect) -> None:
    driver, _ = connect(hardware_number=7)
    assert driver.identity().serial == "hardware ID 7"
    found = driver.snapshot()
    assert found["axes"]["z"]["position_known"] == "sensor"
    assert found["axes"]["z"]["position_um"] == pytest.approx(0.0, abs=0.12)
    assert found["sensor_v"] == 2.0


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_it_arrives_where_the_sensor_says(connect: Connect, go: Go, axis: str) -> None:
    driver, bench = connect()
    for um in (12.0, 5.0, -8.0):
        assert go(driver, bench.clock, axis, um) == pytest.approx(um, abs=0.1)
        assert not driver.is_moving(axis)
        driver.check_held(axis)
    # The sensor reads 1 % too much.
    really_um = bench.rig.world.stage_um["xyz".index(axis)]
    assert really_um == pytest.approx(-8.0 / 1.01, abs=0.12)


def test_steps_are_made_one_by_one(connect: Connect) -> None:
    driver, bench = connect()
    driver.start_steps("x", 50)
    began_s = bench.clock.now()
    bench.clock.wait_until(lambda: not driver.is_moving("x"), deadline_s=began_s + 20, what="x")
    assert bench.rig.world.stage_um[0] == pytest.approx(50 * 0.12 * 2 / 3.5, rel=0.1)
    driver.start_steps("x", -50)
    driver.stop("x")
    assert not driver.is_moving("x")


def test_an_axis_that_sticks_is_told_and_comes_back(connect: Connect, go: Go) -> None:
    driver, bench = connect()
    go(driver, bench.clock, "x", 5.0)
    bench.rig.inject("stage", "stick", axis="x")
    began_s = bench.clock.now()
    with pytest.raises(DeviceRefusedError, match=r"sticks at .* um off.*recover"):
        go(driver, bench.clock, "x", 20.0)
    assert bench.clock.now() - began_s < 5.0
    assert not driver.is_moving("x")
    place_um = driver.recover("x")
    arrived = driver.settable("x")
    assert bench.clock.wait_until(arrived.arrived, deadline_s=began_s + 99.0, what="x")
    assert arrived.confirm(place_um) == pytest.approx(5.0, abs=0.1)


def test_an_axis_that_slips_is_told_on_the_way_and_at_rest(connect: Connect, go: Go) -> None:
    driver, bench = connect()
    settable = driver.settable("x")
    settable.start(40.0)
    bench.clock.sleep(0.1)
    assert not settable.arrived()
    bench.rig.inject("stage", "glitch", axis="x", by_um=-200.0)
    bench.clock.sleep(0.1)
    with pytest.raises(DeviceRefusedError, match="has jumped from"):
        settable.arrived()
    driver.recover("x")
    assert bench.clock.wait_until(settable.arrived, deadline_s=500.0, what="x")
    go(driver, bench.clock, "x", 3.0)
    bench.rig.inject("stage", "glitch", axis="x", by_um=1.0)
    with pytest.raises(DeviceRefusedError, match="by itself"):
        driver.check_held("x")


def test_an_end_stop_is_told(connect: Connect, go: Go) -> None:
    driver, bench = connect()
    go(driver, bench.clock, "y", 2.0)
    bench.rig.inject("stage", "end_stop", axis="y")
    with pytest.raises(DeviceRefusedError, match="upper end of travel"):
        go(driver, bench.clock, "y", 30.0)
    bench.rig.inject("stage", "clear")
    assert go(driver, bench.clock, "y", 30.0) == pytest.approx(30.0, abs=0.1)


@pytest.mark.parametrize(("gone", "words"), [(True, "not connected"), (False, "error")])
def test_sensor_trouble_is_told(connect: Connect, gone: bool, words: str) -> None:
    driver, bench = connect()
    driver.start_x(20.0)
    bench.rig.inject("stage", "sensor_error", axis="x", disconnected=gone)
    bench.clock.sleep(0.1)
    with pytest.raises(DeviceRefusedError, match=words):
        driver.x_arrived()


def test_an_axis_without_actuator_is_told_on_connecting(bench: Any, axes: Axes) -> None:
    found = bench(stage={"simulator": "attocube.anc350"})
    found.rig.inject("stage", "wrong_axis_type", axis="z")
    driver = Anc350(
        "stage", found.visa("stage"), Anc350Settings.model_validate({"axes": axes(0)}), {}
    )
    with pytest.raises(DeviceRefusedError, match="no actuator is connected as axis 2"):
        driver.connect()


def test_fine_motion_and_grounding(connect: Connect, go: Go) -> None:
    driver, bench = connect()
    assert go(driver, bench.clock, "fine_x", 0.8) == pytest.approx(0.8)
    assert driver.read("offset_x") == pytest.approx(30.0)
    assert bench.rig.world.stage_um[0] == pytest.approx(0.8, rel=0.1)
    driver.make_safe("ground")
    assert driver.read("offset_x") == 0.0


def test_axes_are_grounded_after_positioning(connect: Connect, go: Go) -> None:
    driver, bench = connect({"ground_after_move": True})
    go(driver, bench.clock, "x", 3.0)
    assert driver.is_grounded("x")


def test_sensors_warm_the_sample_less_at_lower_supply(connect: Connect) -> None:
    driver, bench = connect({"sensor_voltage": "1 V"}, sensor_heating_k=0.4)
    assert driver.snapshot()["sensor_v"] == 1.0
    thermal = bench.rig.world.thermal
    assert thermal.sample_k() - thermal.platform_k() == pytest.approx(0.1, abs=1e-6)


def test_capacitance(connect: Connect) -> None:
    driver, bench = connect()
    driver.set_step_voltage("x", 30.0)
    with pytest.raises(DeviceRefusedError, match="ignored"):
        driver.start_capacitance("x")
    driver.settable("fine_x").start(0.0)
    driver.start_capacitance("x")
    bench.clock.sleep(1.1)
    assert 100.0 < driver.capacitance_nf("x") < 500.0


@pytest.mark.parametrize("kind", ["drop", "garble", "disconnect", "late"])
def test_grounding_works_after_a_disturbed_answer(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    bench.rig.inject("stage", kind, **({"delay_s": 2.5} if kind == "late" else {}))
    try:
        driver.make_safe("ground")
    except DeviceError:
        driver.flush()
        driver.make_safe("ground")
    assert driver.all_grounded()


def test_silence(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("stage", "hang", for_s=30.0)
    with pytest.raises(NoReplyError, match="within 2 s"):
        driver.is_grounded("x")
    driver.flush()
    bench.clock.sleep(30.0)
    assert driver.is_grounded("x")
