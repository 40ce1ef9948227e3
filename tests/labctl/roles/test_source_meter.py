"""Ramps, and what a source-meter refuses."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.roles import BiasSettings
from labctl.roles._ramp import Ramp

LEVELS = st.floats(-200.0, 200.0)


@given(LEVELS, LEVELS, st.lists(st.floats(0.0, 5.0), max_size=30))
def test_no_step_is_larger_than_the_largest(
    level: float, target: float, pauses: list[float]
) -> None:
    ramp = Ramp(level, target, per_s=5.0, step=10.0, now_s=0.0)
    at_s, found = 0.0, [level]
    for pause_s in [*pauses, *([2.0] * 50)]:
        at_s += pause_s
        due = ramp.due(at_s)
        if due is not None:
            found.append(due)
    assert all(abs(b - a) <= 10.0 + 1e-9 for a, b in itertools.pairwise(found))
    assert ramp.done
    assert found[-1] == target
    assert min(level, target) <= min(found)
    assert max(found) <= max(level, target)


def test_a_step_is_due_only_after_its_period() -> None:
    ramp = Ramp(0.0, 0.3, per_s=5.0, step=0.1, now_s=10.0)
    assert ramp.due(10.0) == pytest.approx(0.1)
    assert ramp.due(10.01) is None
    assert ramp.due(10.02) == pytest.approx(0.2)
    assert ramp.due(99.0) == 0.3
    assert ramp.due(99.1) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("compliance", "0 A"),
        ("compliance", "2 A"),
        ("gap", "0 um"),
        ("gap", 5),
        ("gap_accuracy", -0.1),
        ("ramp_rate", "0 V/s"),
        ("on_compliance", "ignore"),
    ],
)
def test_settings_that_cannot_be(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=key):
        BiasSettings.model_validate({key: value})


def test_defaults_are_careful() -> None:
    bias = BiasSettings()
    assert bias.compliance == 1e-7
    assert bias.gap is None
    assert math.isclose(bias.ramp_step / bias.ramp_rate, 0.02)
