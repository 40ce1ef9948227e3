import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from labctl.measurements import Stop, Trpl
from labctl.measurements._stop import Progressed


def stop(**rules: object) -> Stop:
    return Stop.model_validate(rules)


def test_the_first_rule_that_is_met_has_its_name() -> None:
    rules = stop(counts=100, at_most="60 s", dose="5 uJ/cm^2", relative_error=0.1)
    assert rules.met(Progressed(1.0, 99)) == ""
    assert rules.met(Progressed(1.0, 100)) == "counts"
    assert rules.met(Progressed(1.0, 0, dose_uj_cm2=5.0)) == "dose"
    assert rules.met(Progressed(1.0, 0, relative_error=0.1)) == "relative_error"
    assert rules.met(Progressed(60.0, 0)) == "at_most"
    assert stop(time="2 s").met(Progressed(2.0, 0)) == "time"


def test_a_rule_is_not_met_by_what_is_not_known() -> None:
    rules = stop(dose="1 uJ/cm^2", relative_error=0.5, at_most="10 s")
    assert rules.met(Progressed(9.0, 10**9)) == ""


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"counts": 100}, "never end for sure"),
        ({}, "never end for sure"),
        ({"time": "0 s"}, "greater than 0"),
        ({"counts": 0, "time": "1 s"}, "greater than 0"),
        ({"relative_error": 1.5, "time": "1 s"}, "less than 1"),
        ({"time": 5}, "no unit"),
        ({"seconds": "5 s"}, "Extra inputs"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Stop.model_validate(rules)


def test_the_dose_takes_any_unit_of_fluence() -> None:
    assert stop(dose="2 J/cm^2", at_most="1 s").dose_uj_cm2 == pytest.approx(2e6)


positive = st.floats(0.01, 1e6)


@given(positive, st.integers(1, 10**9), positive, st.integers(0, 10**10))
def test_the_shown_fraction_reaches_one_when_a_rule_is_met(
    at_most_s: float, counts: int, live_s: float, seen: int
) -> None:
    rules = stop(counts=counts, at_most=f"{at_most_s} s")
    now = Progressed(live_s, seen)
    assert 0.0 <= rules.fraction(now) <= 1.0
    assert bool(rules.met(now)) == (rules.fraction(now) == 1.0)


def test_the_error_counts_as_its_square() -> None:
    rules = stop(relative_error=0.01, at_most="1000 s")
    # Twice the error wanted: a quarter of the photons are there.
    assert rules.fraction(Progressed(1.0, 10, relative_error=0.02)) == pytest.approx(0.25)


def test_the_longest_time_and_the_expected_one() -> None:
    rules = stop(time="10 s", at_most="20 s")
    assert rules.longest_s == 10.0
    assert Trpl(stop={"time": "10 s"}).estimate_s() == pytest.approx(14.0)
