"""Sensor cooling."""

import math
from typing import Any

import pytest

from labctl_sim.world._cooling import SensorCooling


def cooling(clock: Any, **changes: float) -> SensorCooling:
    keys = {
        "start_c": 20.0,
        "target_c": -70.0,
        "coldest_c": -80.0,
        "time_constant_s": 150.0,
        "band_c": 0.2,
        "hold_s": 30.0,
    }
    return SensorCooling(clock.now, **(keys | changes))


def test_first_order_approach(clock: Any) -> None:
    sensor = cooling(clock)
    clock.s = 150.0
    assert sensor.celsius() == pytest.approx(-70.0 + 90.0 / math.e)


def test_locks_after_it_stayed_in_the_band(clock: Any) -> None:
    sensor = cooling(clock)
    enters_s = 150.0 * math.log(90.0 / 0.2)
    clock.s = enters_s + 29.9
    assert not sensor.locked()
    assert abs(sensor.celsius() + 70.0) < 0.2
    clock.s = enters_s + 30.1
    assert sensor.locked()


def test_starts_locked_when_it_was_cold_already(clock: Any) -> None:
    assert cooling(clock, start_c=-70.0).locked()


def test_a_new_set_point_unlocks(clock: Any) -> None:
    sensor = cooling(clock, start_c=-70.0)
    clock.s = 10.0
    sensor.set_target(-50.0)
    assert not sensor.locked()
    assert sensor.celsius() == pytest.approx(-70.0)
    clock.s = 2000.0
    assert sensor.locked()
    assert sensor.celsius() == pytest.approx(-50.0, abs=1e-3)


def test_a_set_point_out_of_reach_never_locks(clock: Any) -> None:
    sensor = cooling(clock)
    sensor.set_target(-100.0)
    clock.s = 1e5
    assert not sensor.locked()
    assert sensor.celsius() == pytest.approx(-80.0)
    assert sensor.target_c == -100.0


def test_asking_changes_nothing(clock: Any) -> None:
    asked, silent = cooling(clock), cooling(clock)
    for second in range(500):
        clock.s = float(second)
        asked.celsius()
        asked.locked()
    assert asked.celsius() == silent.celsius()
