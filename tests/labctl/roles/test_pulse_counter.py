"""Rates from counts: differences over clock time, through the wrap of the counter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.errors import RefusedError
from labctl.roles import Identity, PulseCounter


class Card(PulseCounter):
    def __init__(self, start: int = 0) -> None:
        super().__init__("card")
        self.now_s, self.total = 0.0, start
        self.attach(lambda: self.now_s)

    def pass_time(self, seconds: float, counts: int) -> None:
        self.now_s += seconds
        self.total += counts

    def identity(self) -> Identity:
        return Identity("fake", "card")

    def snapshot(self) -> dict[str, Any]:
        return {}

    def inputs(self) -> tuple[int, ...]:
        return (0, 3)

    def read_counts(self, channel: int) -> int:
        return (self.total * (channel + 1)) % 2**32

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


@given(
    start=st.integers(0, 2**32 - 1),
    counts=st.integers(0, 10**7),
    seconds=st.floats(0.02, 100.0),
)
def test_the_rate_is_the_difference_over_the_time(start: int, counts: int, seconds: float) -> None:
    card = Card(start)
    card.connect()
    card.pass_time(seconds, counts)
    assert card.count_rate_hz(0) == pytest.approx(counts / seconds, rel=1e-12)
    assert card.count_rate_hz(3) == pytest.approx(4 * counts / seconds, rel=1e-12)


def test_each_rate_is_that_since_the_reading_before() -> None:
    card = Card()
    card.connect()
    for seconds, counts in ((0.1, 500), (0.2, 100), (0.1, 0)):
        card.pass_time(seconds, counts)
        assert card.count_rate_hz(0) == pytest.approx(counts / seconds, rel=1e-9)
        card.pass_time(0.001, 0)
        assert card.count_rate_hz(0) == pytest.approx(counts / seconds, rel=1e-9)
        card.now_s -= 0.001


def test_before_two_readings_there_is_no_rate() -> None:
    card = Card()
    card.connect()
    with pytest.raises(RefusedError, match="counter 0 has no rate yet"):
        card.count_rate_hz(0)
    card.pass_time(0.1, 7)
    assert card.count_rate_hz(0) == pytest.approx(70.0)


def test_a_new_connection_knows_no_old_counts() -> None:
    card = Card()
    card.connect()
    card.pass_time(1.0, 1000)
    card.close()
    card.total = 0
    card.connect()
    card.pass_time(1.0, 10)
    assert card.count_rate_hz(0) == pytest.approx(10.0)


def test_what_it_cannot_do() -> None:
    card = Card()
    with pytest.raises(RefusedError, match=r"no counter 1 \(counters: 0, 3\)"):
        card.count_rate_hz(1)

    class Clockless(Card):
        def attach(self, now: Any) -> None:
            return None

    with pytest.raises(RefusedError, match="no clock"):
        Clockless().count_rate_hz(0)
