"""Readings during a point: mean, standard deviation, number."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.sequencer._readings import Readings


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(0, 29))
def test_summary_agrees_with_the_definition(values: list[float], first: int) -> None:
    readings = Readings()
    for t_s, value in enumerate(values):
        readings.add("T", float(t_s), value, "K")
    found, wanted = readings.since("T", float(first)), values[first:]
    if not wanted:
        assert found is None
        return
    assert found is not None
    assert (found["count"], found["units"]) == (len(wanted), "K")
    assert found["value"] == pytest.approx(statistics.fmean(wanted), abs=1e-6)
    if len(wanted) == 1:
        assert found["std"] is None
    else:
        assert found["std"] == pytest.approx(statistics.stdev(wanted), abs=1e-6)


def test_invalid_readings_are_kept_out() -> None:
    readings = Readings()
    readings.add("T", 0.0, math.nan, "K")
    assert readings.quantities() == []
    readings.add("T", 1.0, 4.0, "K")
    readings.add("T", 2.0, math.nan, "K")
    found = readings.since("T", 0.0)
    assert found is not None
    assert (found["value"], found["count"]) == (4.0, 1)


def test_unknown_quantities_have_no_summary_and_are_not_created_by_asking() -> None:
    readings = Readings()
    assert readings.since("T", 0.0) is None
    assert readings.quantities() == []


def test_memory_is_bounded() -> None:
    readings = Readings()
    for number in range(10_000):
        readings.add("T", float(number), 4.0, "K")
    found = readings.since("T", 0.0)
    assert found is not None
    assert found["count"] == 4096
