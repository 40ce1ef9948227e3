"""The cryostat: cool-down, steps, noise, and that polling changes nothing."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labctl_sim.world import Thermal, World

Maker = Callable[..., World]


def settled_after_s(thermal: Thermal, clock: Any, target_k: float) -> float:
    """When the 60 s mean of platform and sample stays within max(10 mK, 1 rms)."""
    began_s = clock.s
    thermal.set_target(target_k)
    traces: list[tuple[float, float]] = []
    for _ in range(900):
        clock.s += 1.0
        traces.append((thermal.platform_k(), thermal.sample_k()))
    means = np.apply_along_axis(
        lambda trace: np.convolve(trace, np.ones(60) / 60, "valid"), 0, np.array(traces)
    )
    limit_k = max(0.010, thermal.noise_rms_k(target_k))
    outside = np.flatnonzero(np.any(np.abs(means - target_k) > limit_k, axis=1))
    clock.s = began_s + 900.0
    return float(outside[-1] + 61)


@pytest.mark.parametrize("start_k", [295.0, 300.0])
def test_cools_from_room_temperature_in_about_three_hours_of_lab_time(
    make_world: Maker, clock: Any, start_k: float
) -> None:
    thermal = make_world(temperature_k=start_k).thermal
    thermal.goal = "cooldown"
    thermal.set_target(4.0)
    began_s = time.perf_counter()
    clock.s = 2.6 * 3600
    assert thermal.platform_k() > 50.0
    clock.s = 3.4 * 3600
    assert thermal.platform_k() == pytest.approx(4.0, abs=0.01)
    assert thermal.sample_k() == pytest.approx(4.0, abs=0.01)
    assert time.perf_counter() - began_s < 2.0
    assert thermal.pressure_pa() < 1e-3


@pytest.mark.parametrize("start_k", [4.0, 10.0, 20.0, 40.0, 60.0, 80.0])
def test_a_ten_kelvin_step_settles_in_three_to_eight_minutes(
    make_world: Maker, clock: Any, start_k: float
) -> None:
    thermal = make_world(temperature_k=start_k).thermal
    assert 180.0 < settled_after_s(thermal, clock, start_k + 10.0) < 480.0
    assert 150.0 < settled_after_s(thermal, clock, start_k) < 510.0


@pytest.mark.parametrize("kelvin", [4.0, 20.0, 50.0, 90.0])
def test_at_rest_the_sample_is_as_warm_as_the_platform(
    make_world: Maker, clock: Any, kelvin: float
) -> None:
    """The set point is the platform's; the sample thermometer must confirm it."""
    thermal = make_world(temperature_k=max(kelvin - 10.0, 4.0)).thermal
    thermal.set_target(kelvin)
    clock.s = 1200.0
    assert thermal.platform_k() == pytest.approx(kelvin, abs=1e-3)
    assert thermal.sample_k() == pytest.approx(thermal.platform_k(), abs=1e-3)


def test_the_heat_leak_warms_a_cryostat_that_is_off(make_world: Maker, clock: Any) -> None:
    tight, leaky = make_world(), make_world()
    tight.attach_cryostat({"heat_leak_w": 0.1})
    leaky.attach_cryostat({"heat_leak_w": 0.6})
    for world in (tight, leaky):
        world.thermal.goal = "warmup"
        world.thermal.goal = "idle"
    clock.s = 1800.0
    assert 4.0 < tight.thermal.platform_k() < leaky.thermal.platform_k() < 295.0


def test_pressures_and_stages_are_truths(make_world: Maker, clock: Any) -> None:
    truth = {"cold_pressure_pa": 1e-5, "stage1_base_k": 41.0, "stage2_lead_k": 0.1}
    thermal = make_world().attach_cryostat(truth)
    clock.s = 4 * 3600.0
    assert thermal.pressure_pa() == pytest.approx(1e-5)
    assert thermal.stage1_k() == pytest.approx(41.0)
    assert thermal.stage2_k() == pytest.approx(3.1 + 1.45 / 0.667 * np.tanh(0.8 / 20), abs=0.004)


def test_settle_time_is_a_truth(make_world: Maker, clock: Any) -> None:
    quick, slow = make_world(temperature_k=20.0), make_world(temperature_k=20.0)
    quick.attach_cryostat({"start_temperature_k": 20.0, "settle_time_s": 200.0})
    slow.attach_cryostat({"start_temperature_k": 20.0, "settle_time_s": 500.0})
    quick_s = settled_after_s(quick.thermal, clock, 30.0)
    clock.s = 0.0
    assert settled_after_s(slow.thermal, clock, 30.0) > 1.3 * quick_s


def test_without_heater_it_reaches_base(make_world: Maker, clock: Any) -> None:
    thermal = make_world().attach_cryostat({"base_temperature_k": 3.4})
    thermal.set_target(None)
    clock.s = 3600.0
    assert thermal.platform_k() == pytest.approx(3.4, abs=1e-3)
    assert thermal.heater_w() == 0.0


def test_warm_up_and_idle(make_world: Maker, clock: Any) -> None:
    thermal = make_world().thermal
    assert thermal.goal == "cooldown"
    thermal.goal = "warmup"
    clock.s = 4 * 3600.0
    assert thermal.platform_k() == pytest.approx(295.0, abs=0.5)
    thermal.goal = "idle"
    assert thermal.heater_w() >= 0.0
    with pytest.raises(ValueError, match="none of idle"):
        thermal.goal = "defrost"


def test_sample_follows_the_platform(make_world: Maker, clock: Any) -> None:
    thermal = make_world(temperature_k=20.0).thermal
    thermal.set_target(30.0)
    clock.s = 60.0
    assert thermal.sample_k() < thermal.platform_k() - 0.5


@pytest.mark.parametrize(("kelvin", "rms_k"), [(4.0, 0.005), (90.0, 0.020)])
def test_sensor_noise(make_world: Maker, clock: Any, kelvin: float, rms_k: float) -> None:
    thermal = make_world(temperature_k=kelvin).thermal
    readings: list[float] = []
    for tick in range(3000):
        clock.s = 0.1 * tick + 0.05
        readings.append(thermal.read_platform_k())
    # 3000 readings give the deviation to 1.3 %; bound four errors.
    assert float(np.std(readings)) == pytest.approx(rms_k, rel=0.052)
    assert float(np.mean(readings)) == pytest.approx(kelvin, abs=4 * rms_k / 3000**0.5)


def test_platform_and_sample_have_their_own_noise(make_world: Maker) -> None:
    thermal = make_world().thermal
    assert thermal.read_platform_k() != thermal.read_sample_k()


def test_polling_changes_nothing(make_world: Maker, clock: Any) -> None:
    asked, silent = make_world().thermal, make_world().thermal
    for thermal in (asked, silent):
        thermal.set_target(20.0)
    rng = np.random.default_rng(0)
    for at_s in np.sort(rng.uniform(0.0, 299.0, 400)):
        clock.s = float(at_s)
        asked.read_platform_k()
        asked.stability_k()
        asked.heater_w()
    clock.s = 300.03
    for thermal in (asked, silent):
        thermal.set_target(12.0)
    clock.s = 351.7
    asked.read_sample_k()
    clock.s = 400.0
    for name in ("platform_k", "sample_k", "read_platform_k", "read_sample_k", "stability_k",
                 "heater_w", "pressure_pa", "stage1_k", "stage2_k"):  # fmt: skip
        assert getattr(asked, name)() == getattr(silent, name)(), name


def test_readings_repeat_within_a_tick_and_with_the_seed(make_world: Maker, clock: Any) -> None:
    first, second = make_world().thermal, make_world().thermal
    clock.s = 12.34
    reading = first.read_platform_k()
    clock.s = 12.36
    assert first.read_platform_k() == reading
    assert second.read_platform_k() == reading
    assert make_world(seed=1).thermal.read_platform_k() != reading


def test_stability_is_the_span_of_the_last_minute(make_world: Maker, clock: Any) -> None:
    thermal = make_world().thermal
    readings: list[float] = []
    for tick in range(601):
        clock.s = 100.0 + 0.1 * tick
        readings.append(thermal.read_platform_k())
    assert thermal.stability_k() == pytest.approx(float(np.ptp(readings)), abs=1e-9)


def test_looking_back(make_world: Maker, clock: Any) -> None:
    thermal = make_world().thermal
    thermal.set_target(20.0)
    clock.s = 77.7
    then_k = thermal.sample_k()
    clock.s = 1000.0
    assert thermal.sample_at(77.7) == pytest.approx(then_k, abs=1e-9)


def test_steps_of_integration_are_fine_enough(make_world: Maker, clock: Any) -> None:
    # The same step, begun half a tick later, ends in the same trace: the grid does not show.
    first, second = make_world().thermal, make_world().thermal
    first.set_target(20.0)
    clock.s = 0.25
    second.set_target(20.0)
    clock.s = 60.0
    early_k = first.platform_k()
    clock.s = 60.25
    assert second.platform_k() == pytest.approx(early_k, abs=0.1)


def test_a_weekend_at_rest_costs_nothing(make_world: Maker, clock: Any) -> None:
    polled, silent = make_world().thermal, make_world().thermal
    began_s = time.perf_counter()
    clock.s = 50 * 3600.0
    assert silent.platform_k() == pytest.approx(4.0, abs=1e-3)
    assert time.perf_counter() - began_s < 2.0
    clock.s = 0.0
    for hour in range(50):
        clock.s = 3600.0 * hour
        polled.platform_k()
    clock.s = 50 * 3600.0 + 60.0
    for thermal in (polled, silent):
        thermal.set_target(10.0)
    clock.s += 100.0
    assert polled.platform_k() == silent.platform_k()
