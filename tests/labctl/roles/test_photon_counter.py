"""Protection of single-photon detectors: the light first, then the shutter, latched."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_lab import FakeShutter
from labctl.errors import DeviceError, NoReplyError, ProtectionError, RefusedError
from labctl.roles import DetectorFacts, DetectorWiring, Identity, PhotonCounter

FACTS = DetectorFacts(77.0, 50.0, 50.0, 0.01)
MAX_HZ = 5e6


class Counter(PhotonCounter):
    def __init__(self, name: str = "apd_1", facts: DetectorFacts = FACTS) -> None:
        wiring = DetectorWiring("tagger", 2, shutter="apd_shutter")
        super().__init__(name, facts, wiring, max_rate_hz=MAX_HZ, warn_rate_hz=1e6)

    def identity(self) -> Identity:
        return Identity("fake", "detector")

    def snapshot(self) -> dict[str, Any]:
        return dict(self.guard_snapshot())

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


class Table:
    """A detector, its shutter, the shutter of the light, one diary."""

    def __init__(self, shuttered: bool = True) -> None:
        self.diary: list[str] = []
        self.light = FakeShutter("light", self.diary)
        self.shutter = FakeShutter("apd_shutter", self.diary)
        self.light.position = self.shutter.position = True
        self.rate_hz = 1000.0
        self.counter, self.neighbour = Counter(), Counter("apd_2")
        shutter = self.shutter if shuttered else None
        for one, other in ((self.counter, self.neighbour), (self.neighbour, self.counter)):
            one.attach(lambda: self.rate_hz, shutter, self.light.shut, [other])

    def trip(self) -> None:
        with pytest.raises(ProtectionError):
            self.counter.check_rate(2.0 * MAX_HZ)


@given(st.floats(0.0, MAX_HZ))
def test_a_bearable_rate_is_returned_and_moves_nothing(rate_hz: float) -> None:
    table = Table()
    table.rate_hz = rate_hz
    assert table.counter.read("count_rate") == rate_hz
    assert table.diary == []
    assert not table.counter.latched()


@pytest.mark.parametrize("rate_hz", [math.nextafter(MAX_HZ, math.inf), 4e7, math.inf, math.nan])
def test_too_much_ends_the_light_first_and_stays_latched(rate_hz: float) -> None:
    table = Table()
    table.rate_hz = rate_hz
    with pytest.raises(ProtectionError, match=r"apd_1: .*allowed are 5e\+06 Hz.*re-arm"):
        table.counter.read_count_rate()
    assert table.diary == ["light.close", "apd_shutter.close"]
    assert not table.light.position
    assert not table.shutter.position
    table.rate_hz = 10.0
    for attempt in (table.counter.read_count_rate, lambda: table.counter.check_rate(10.0)):
        with pytest.raises(ProtectionError):
            attempt()
    table.counter.rearm()
    assert table.counter.read_count_rate() == 10.0


def test_what_cannot_be_shut_is_said_and_hinders_nothing_else() -> None:
    table = Table()
    table.light.troubles.add("light.close", NoReplyError("light", "close", "no reply"))
    with pytest.raises(ProtectionError, match=r"NOT SAFE: light: 'close': no reply"):
        table.counter.check_rate(2.0 * MAX_HZ)
    assert table.diary == ["light.close", "apd_shutter.close"]
    assert table.counter.latched()


def test_each_reading_above_the_limit_closes_again() -> None:
    table = Table()
    table.trip()
    table.light.position = True
    table.trip()
    assert not table.light.position


def test_nothing_opens_while_it_or_its_neighbour_is_latched() -> None:
    table = Table()
    table.trip()
    with pytest.raises(ProtectionError, match=r"apd_1: .*too much light"):
        table.counter.set_open(True)
    with pytest.raises(ProtectionError, match="apd_2: behind the same shutter apd_1 is latched"):
        table.neighbour.set_open(True)
    assert not table.shutter.position
    table.counter.set_open(False)
    table.counter.rearm()
    table.neighbour.set_open(True)
    assert table.shutter.position


def test_the_safe_action_is_read_back() -> None:
    table = Table()
    table.counter.make_safe("close")
    assert table.counter.is_shut()
    table.shutter.position = table.shutter.stuck = True
    with pytest.raises(DeviceError, match="did not move"):
        table.counter.make_safe("close")


def test_without_a_shutter_there_is_nothing_to_move_and_it_says_so() -> None:
    table = Table(shuttered=False)
    table.counter.set_open(True)
    table.counter.shut()
    assert table.diary == []
    assert not table.counter.has_shutter
    assert not table.counter.is_shut()
    with pytest.raises(DeviceError, match="not done"):
        table.counter.make_safe("close")
    table.trip()
    assert table.diary == ["light.close"]
    with pytest.raises(ProtectionError):
        table.counter.set_open(True)


def test_a_rate_needs_somebody_who_counts() -> None:
    with pytest.raises(RefusedError, match="nobody counts its pulses"):
        Counter().read_count_rate()


@pytest.mark.parametrize(
    ("rate_hz", "over_s", "dark_hz", "silent"),
    [
        (0.0, 1.0, 50.0, True),
        (4.9, 1.0, 50.0, True),
        (5.0, 1.0, 50.0, False),
        (math.nan, 1.0, 50.0, True),
        (0.0, 0.1, 50.0, False),
        (0.0, 0.2, 50.0, True),
        (0.0, 1.0, 5.0, False),
        (0.0, 2.0, 5.0, True),
        (1e5, 1.0, 50.0, False),
    ],
)
def test_silence_is_a_fault_where_dark_counts_are_due(
    rate_hz: float, over_s: float, dark_hz: float, silent: bool
) -> None:
    counter = Counter(facts=DetectorFacts(77.0, 50.0, dark_hz, 0.01))
    if silent:
        with pytest.raises(DeviceError, match=r"apd_1: .*less than its dark rate.*gate is closed"):
            counter.check_alive(rate_hz, over_s)
    else:
        counter.check_alive(rate_hz, over_s)


def test_the_snapshot_tells_facts_wiring_and_guard() -> None:
    table = Table()
    table.counter.read_count_rate()
    found = table.counter.snapshot()
    assert found["dead_time_ns"] == 77.0
    assert (found["tagger"], found["channel"]) == ("tagger", 2)
    assert (table.counter.tagger, table.counter.channel) == ("tagger", 2)
    assert (found["guard"], found["last_rate_hz"]) == ("armed", 1000.0)
    table.trip()
    assert "too much light" in table.counter.snapshot()["guard"]
