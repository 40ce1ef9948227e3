"""The red stop: the light is safe at once, whatever a driver does."""

import threading
from collections.abc import Generator
from time import monotonic

import pytest

from fake_lab import FakeLamp, FakeShutter
from labctl.clock import RealClock
from labctl.errors import DeviceRefusedError
from labctl.host.server._red import RedStop
from labctl.stations import Station
from labctl.stations._worker import on_worker


class Hanging(FakeLamp):
    """Does not return from a call until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.go = threading.Event(), threading.Event()

    def lit(self) -> str:
        self.inside.set()
        self.go.wait(30.0)
        return super().lit()


class Sticking(FakeShutter):
    """Does not close."""

    def shut(self) -> None:
        raise DeviceRefusedError(self.name, "close", "the blade sticks", "close it by hand")


@pytest.fixture
def clock() -> Generator[RealClock]:
    clock = RealClock()
    yield clock
    clock.close()


def test_a_driver_that_hangs_keeps_nothing_else_from_being_made_safe(clock: RealClock) -> None:
    shutter, lamp = FakeShutter(), Hanging()
    station = Station(
        {"lamp": on_worker(lamp, clock), "shutter": on_worker(shutter, clock)},
        ["lamp.off", "shutter.close"],
    )
    station.connect()
    try:
        station.get("shutter", FakeShutter).set_open(True)
        hanging = threading.Thread(target=lambda: station.get("lamp", FakeLamp).lit())
        hanging.start()
        lamp.inside.wait(10.0)
        began_s = monotonic()
        red = RedStop(station)
        found = red.outcome()
        assert monotonic() - began_s < 0.5
        assert found["shutter.close"].startswith("ok after")
        assert shutter.is_shut()
        assert found["lamp.off"].startswith("waits")
        lamp.go.set()
        hanging.join()
        assert all(word.startswith("ok") for word in red.outcome(10.0).values())
    finally:
        lamp.go.set()
        station.close()


def test_what_is_not_safe_is_said(clock: RealClock) -> None:
    station = Station({"shutter": on_worker(Sticking(), clock)}, ["shutter.close"])
    station.connect()
    try:
        found = RedStop(station).outcome(10.0)
        assert found["shutter.close"].startswith("NOT SAFE: shutter: ")
        assert "the blade sticks" in found["shutter.close"]
    finally:
        station.close()


def test_an_instrument_that_is_not_connected_is_said_too(clock: RealClock) -> None:
    station = Station({"shutter": on_worker(FakeShutter(), clock)}, ["shutter.close"])
    found = RedStop(station).outcome(10.0)
    assert "not connected" in found["shutter.close"]
