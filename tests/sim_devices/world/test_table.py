"""The table's light, and how long it was on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.world import Table
from labctl_sim.world._table import Timeline


def test_light_needs_laser_and_shutter(clock: Any) -> None:
    table = Table(clock.now)
    for laser, shutter in ((True, False), (False, True), (False, False)):
        table.laser_on, table.shutter_open = laser, shutter
        assert table.excitation.mean(0.0, 0.0) == 0.0
    table.laser_on = table.shutter_open = True
    assert table.excitation.mean(0.0, 0.0) == 1.0


def test_mean_over_an_exposure(clock: Any) -> None:
    table = Table(clock.now)
    table.laser_on = True
    for at_s, shutter in ((1.0, True), (3.0, False), (4.0, True)):
        clock.s = at_s
        table.shutter_open = shutter
    assert table.excitation.mean(0.0, 5.0) == pytest.approx(0.6)
    assert table.excitation.mean(2.0, 2.0) == 1.0
    assert table.excitation.mean(3.5, 3.5) == 0.0
    assert table.excitation.integral(2.5, 4.5) == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(0.01, 10.0), st.floats(0.0, 5.0)), max_size=30))
def test_integrals_add_up(changes: list[tuple[float, float]]) -> None:
    line, at_s = Timeline(0.0, 1.0), 0.0
    by_hand, value = 0.0, 1.0
    for wait_s, new in changes:
        by_hand += wait_s * value
        at_s, value = at_s + wait_s, new
        line.set(at_s, new)
    assert line.integral(0.0, at_s) == pytest.approx(by_hand)
    middle = at_s / 3
    parts = line.integral(0.0, middle) + line.integral(middle, at_s)
    assert parts == pytest.approx(by_hand)
