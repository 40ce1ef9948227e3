"""A rule between two instruments is asked at the moment of a set, and doubt is strict."""

import math
from collections.abc import Callable

import pytest

from fake_stage import FakeStage
from labctl.clock import VirtualClock
from labctl.errors import NoReplyError, RefusedError
from labctl.roles import LimitRule, Limits


def silent() -> float:
    raise NoReplyError("cryostat", "GTP", "no reply within 5 s")


def ruled(read: Callable[[], float]) -> FakeStage:
    stage = FakeStage(VirtualClock())
    why = "the piezo is damaged"
    temperature = ("cryostat.temperature", "K", read)
    stage.add_rule(
        LimitRule("step_voltage_x", "V", Limits(0.0, 30.0), *temperature, above=100.0, why=why)
    )
    return stage


def test_it_limits_only_while_its_condition_holds() -> None:
    kelvin = [99.0]
    stage = ruled(lambda: kelvin[0])
    stage.set_step_voltage("x", 60.0)
    kelvin[0] = 101.0
    with pytest.raises(RefusedError, match=r"cryostat.temperature is 101 K.*0 to 30 V.*damaged"):
        stage.set_step_voltage("x", 31.0)
    stage.set_step_voltage("y", 60.0)
    stage.set_step_voltage("x", 30.0)
    assert stage.diary == ["voltage x 60", "voltage y 60", "voltage x 30"]


def test_what_is_set_already_keeps_it_from_stepping() -> None:
    kelvin = [4.0]
    stage = ruled(lambda: kelvin[0])
    stage.set_step_voltage("x", 60.0)
    kelvin[0] = 300.0
    for refused in (lambda: stage.start_steps("x", 1), lambda: stage.start_x(5.0)):
        with pytest.raises(RefusedError, match="breaks a rule"):
            refused()
    assert stage.diary == ["voltage x 60"]


@pytest.mark.parametrize("read", [silent, lambda: math.nan])
def test_no_valid_reading_counts_as_the_stricter_side(read: Callable[[], float]) -> None:
    with pytest.raises(RefusedError, match="counts as above 100 K"):
        ruled(read).set_step_voltage("x", 31.0)


def test_an_allowed_value_asks_nobody() -> None:
    asked: list[float] = []

    def read() -> float:
        asked.append(0.0)
        return 300.0

    ruled(read).set_step_voltage("x", 20.0)
    assert asked == []


def test_below_is_a_condition_too() -> None:
    rule = LimitRule(
        *("fluence", "uJ/cm^2", Limits(0.0, 1.0), "cryostat.temperature", "K"),
        read=lambda: 4.0,
        below=10.0,
    )
    with pytest.raises(RefusedError, match="allowed below 10 K: 0 to 1 uJ/cm"):
        rule.check("attenuator", 2.0)
    LimitRule("q", "V", Limits(0.0, 1.0), "r.s", "K", read=lambda: 11.0, below=10.0).check("d", 2.0)
