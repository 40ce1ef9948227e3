"""The settle rule on five traces of a temperature."""

import math
from collections.abc import Callable

import pytest

from labctl.roles import SettleRule, SettleWatch

RULE = SettleRule(tolerance=0.05, std=0.05, dwell_s=60.0, timeout_s=1800.0, poll_s=2.0)
TARGET = 20.0


def settled_at(trace: Callable[[float], float], rule: SettleRule = RULE) -> float | None:
    """Feed readings on the beat of the rule; returns when it counts as settled, s."""
    watch = SettleWatch(rule, TARGET)
    beat = 0
    while (t_s := beat * rule.poll_s) <= rule.timeout_s:
        watch.add(t_s, trace(t_s))
        if watch.settled():
            return t_s
        beat += 1
    return None


def test_a_temperature_that_is_there_settles_after_exactly_the_dwell_time() -> None:
    assert settled_at(lambda _: TARGET) == 60.0


def test_crossing_the_target_is_not_settling() -> None:
    # 5 mK/s: 20 s within the tolerance, on the way to somewhere else.
    assert settled_at(lambda t_s: 15.0 + 0.005 * t_s) is None


def test_a_slow_approach_settles_once_the_window_fits() -> None:
    # 16 K away with a time constant of 100 s: 50 mK away after 577 s; the mean over the window of
    # 60 s lies ahead of its end by the factor (e^0.6 - 1) / 0.6 = 1.37 in distance.
    found = settled_at(lambda t_s: TARGET - 16.0 * math.exp(-t_s / 100.0))
    expected_s = 100.0 * math.log(16.0 * (math.exp(0.6) - 1) / 0.6 / 0.05)
    assert found == pytest.approx(expected_s, abs=2 * RULE.poll_s)


def test_an_oscillation_about_the_target_never_settles() -> None:
    # Amplitude 0.1 K: standard deviation 71 mK, above the allowed 50 mK, though the mean is right.
    assert settled_at(lambda t_s: TARGET + 0.1 * math.sin(2 * math.pi * t_s / 20.0)) is None
    # 50 mK amplitude: 35 mK. That is allowed.
    assert settled_at(lambda t_s: TARGET + 0.05 * math.sin(2 * math.pi * t_s / 20.0)) == 60.0


def test_an_invalid_reading_starts_the_dwell_time_anew() -> None:
    assert settled_at(lambda t_s: math.nan if t_s == 40.0 else TARGET) == 42.0 + 60.0
    assert settled_at(lambda _: math.nan) is None


def test_a_beat_that_is_no_binary_fraction_still_fills_the_window() -> None:
    rule = SettleRule(0.05, 0.05, 0.9, 10.0, 0.1)
    assert settled_at(lambda _: TARGET, rule) == pytest.approx(0.9)


def test_offset_beyond_the_tolerance_never_settles() -> None:
    assert settled_at(lambda _: TARGET + 0.051) is None
    assert settled_at(lambda _: TARGET + 0.049) == 60.0
