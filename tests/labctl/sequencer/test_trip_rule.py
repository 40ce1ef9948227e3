"""When a reading trips and when it is well again, over series of readings."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.sequencer import TripRule, TripWatch, rule_of
from labctl.setup import Interlock

NAN = math.nan


def tripped(rule: TripRule, readings: Sequence[float], every_s: float = 1.0) -> list[bool]:
    watch = TripWatch(rule, 0.0)
    found: list[bool] = []
    for number, value in enumerate(readings):
        watch.take(number * every_s, value)
        found.append(watch.tripped)
    return found


def entry(**fields: object) -> Interlock:
    return Interlock.model_validate({"watch": "cryostat.temperature", "do": "suspend", **fields})


@pytest.mark.parametrize(
    ("rule", "readings", "first"),
    [
        (TripRule(high=10.0), [9.0, 10.0, 10.1, 9.0], 2),
        (TripRule(low=10.0), [11.0, 10.0, 9.9], 2),
        (TripRule(low=3.0, high=9.0), [3.0, 9.0, 2.9], 2),
        (TripRule(high=10.0, delay_s=2.0), [11.0, 11.0, 9.0, 11.0, 11.0, 11.0], 5),
        # A reading that never changes is stale after 4 s, whatever its number.
        (TripRule(stale_s=4.0), [1.0, 2.0, 2.0, 2.0, 2.0, 2.0], 5),
        (TripRule(stale_s=4.0), [1.0, NAN, NAN, NAN, NAN], 4),
        # No reading at all counts as a bad one after 10 s.
        (TripRule(high=10.0), [9.0, *[NAN] * 10], 10),
    ],
)
def test_it_trips_with_the_first_reading_that_must(
    rule: TripRule, readings: list[float], first: int
) -> None:
    expected = [False] * first + [True] * (len(readings) - first)
    assert tripped(rule, readings) == expected


def test_between_both_thresholds_it_is_neither_bad_nor_well() -> None:
    watch = TripWatch(TripRule(high=10.0, good_high=8.0, good_s=2.0), 0.0)
    seen: list[tuple[bool, bool]] = []
    for number, value in enumerate([9.0, 11.0, 9.0, 9.0, 8.0, 8.0, 8.1, 8.0, 8.0, 8.0]):
        watch.take(float(number), value)
        seen.append((watch.bad, watch.well))
    assert [bad for bad, _ in seen] == [False, True, *[False] * 8]
    # Well for 2 s without a break: from the third reading in a row on.
    assert [well for _, well in seen] == [*[False] * 9, True]
    assert watch.tripped
    watch.release()
    assert not watch.tripped


@given(
    st.lists(st.floats(0.0, 20.0) | st.just(NAN), min_size=1, max_size=40),
    st.floats(0.0, 5.0),
)
def test_never_well_while_bad_and_never_a_trip_without_a_bad_reading(
    readings: list[float], delay_s: float
) -> None:
    watch = TripWatch(TripRule(high=10.0, good_high=9.0, delay_s=delay_s), 0.0)
    for number, value in enumerate(readings):
        was = watch.tripped
        watch.take(float(number), value)
        assert not (watch.bad and watch.well)
        assert watch.bad or not watch.tripped or was
        assert not watch.well or value <= 9.0


@pytest.mark.parametrize(
    ("fields", "bounds"),
    [
        ({"above": "12 K", "rearm": "10 K"}, (-math.inf, 12.0, -math.inf, 10.0)),
        ({"below": "3 K", "rearm": "3500 mK"}, (3.0, math.inf, 3.5, math.inf)),
        ({"band": ["3 K", "9 K"], "rearm": ["4 K", "8 K"]}, (3.0, 9.0, 4.0, 8.0)),
        ({"alarm": True}, (-math.inf, 0.5, -math.inf, 0.5)),
    ],
)
def test_an_interlock_of_a_file_becomes_a_rule(
    fields: dict[str, object], bounds: tuple[float, ...]
) -> None:
    rule = rule_of(entry(**fields), "K")
    assert (rule.low, rule.high, rule.good_low, rule.good_high) == bounds


@pytest.mark.parametrize(
    ("rule", "readings", "words"),
    [
        (TripRule(high=10.0), [11.0], "11 K, above 10 K"),
        (TripRule(low=10.0), [9.5], "9.5 K, below 10 K"),
        (TripRule(stale_s=3.0), [4.0] * 5, "always 4 K for 4 s"),
        (TripRule(high=10.0), [NAN] * 12, "no valid reading for 11 s"),
    ],
)
def test_it_says_what_is_wrong(rule: TripRule, readings: list[float], words: str) -> None:
    watch = TripWatch(rule, 0.0)
    for number, value in enumerate(readings):
        watch.take(float(number), value)
    assert watch.bad
    assert watch.describe("K") == words
