"""Calls on a thread of their own: a driver that hangs holds up nobody else."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from fake_lab import FakeCryostat, FakeShutter
from labctl.clock import RealClock, VirtualClock
from labctl.errors import NoReplyError, RefusedError
from labctl.roles import Cryostat, Instrument, Shutter
from labctl.stations import Station
from labctl.stations._worker import on_worker

FAST = 2000.0
"""120 s of clock time, the deadline of a call, are 60 ms of life."""


class Hanging(FakeShutter):
    """Does not return from ``read_open`` until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.returned = threading.Event()
        self.threads: list[str] = []

    def read_open(self) -> float:
        self.threads.append(threading.current_thread().name)
        self.go.wait(10.0)
        self.returned.set()
        return 1.0


@contextmanager
def hanging() -> Generator[tuple[Hanging, Hanging, RealClock]]:
    clock, shutter = RealClock(FAST), Hanging()
    stand_in = on_worker(shutter, clock)
    try:
        yield shutter, stand_in, clock
    finally:
        shutter.go.set()
        stand_in.close()
        clock.close()


def test_the_stand_in_passes_for_the_instrument() -> None:
    with hanging() as (shutter, stand_in, _):
        assert isinstance(stand_in, Shutter)
        assert isinstance(stand_in, Instrument)
        assert not isinstance(stand_in, Cryostat)
        assert stand_in.name == "shutter"
        assert Station({"shutter": stand_in}, []).only(Shutter) is stand_in
        shutter.go.set()
        assert stand_in.read_open() == 1.0
        assert shutter.threads == ["instrument shutter"]


def test_a_call_that_does_not_return_meets_its_deadline() -> None:
    with hanging() as (_, stand_in, clock):
        began_s = clock.now()
        with pytest.raises(NoReplyError, match="shutter: 'read_open': the call does not return"):
            stand_in.read_open()
        assert clock.now() - began_s >= 120.0


def test_after_a_hang_calls_are_refused_at_once_until_it_returns() -> None:
    with hanging() as (shutter, stand_in, clock):
        with pytest.raises(NoReplyError):
            stand_in.read_open()
        began_s = clock.now()
        with pytest.raises(NoReplyError, match="'is_open': an earlier call has not returned"):
            stand_in.is_open()
        # No wait of 5 s of clock time.
        assert clock.now() - began_s < 5.0
        shutter.go.set()
        clock.wait_until(shutter.returned.is_set, deadline_s=None, what="the hung call")
        clock.sleep(50.0)
        assert stand_in.is_open() is False


def test_while_a_call_hangs_other_instruments_and_periodic_actions_go_on() -> None:
    with hanging() as (_, stand_in, clock):
        other = on_worker(FakeShutter("other"), clock)
        seen: list[bool] = []
        cancel = clock.call_every(10.0, lambda: seen.append(other.is_open()))
        with pytest.raises(NoReplyError):
            stand_in.read_open()
        cancel()
        other.close()
        assert len(seen) >= 3


def test_a_monitor_of_the_busy_instrument_gives_up_soon_and_harms_nobody() -> None:
    with hanging() as (shutter, stand_in, clock):
        met: list[str] = []

        def monitor() -> None:
            try:
                stand_in.is_open()
            except NoReplyError as error:
                met.append(str(error))
                shutter.go.set()

        cancel = clock.call_every(10.0, monitor)
        assert stand_in.read_open() == 1.0
        cancel()
        assert met == [
            "shutter: 'is_open': an earlier call has not returned "
            "(switch the instrument off and on)"
        ]


def test_a_monitor_does_not_keep_others_from_seeing_that_a_call_hangs() -> None:
    clock, shutter = RealClock(), Hanging()
    stand_in = on_worker(shutter, clock)
    met_s: list[float] = []

    def monitor() -> None:
        began_s = clock.now()
        with pytest.raises(NoReplyError, match="an earlier call has not returned"):
            stand_in.is_open()
        met_s.append(clock.now() - began_s)
        shutter.go.set()

    cancel = clock.call_every(0.05, monitor)
    assert stand_in.read_open() == 1.0
    cancel()
    stand_in.close()
    clock.close()
    # Until the call was 2 s old, not the 5 s that any other one is waited for.
    assert 1.5 < met_s[0] < 4.0


def test_for_how_long_a_call_goes_on_can_be_asked() -> None:
    with hanging() as (shutter, stand_in, clock):
        seen_s: list[float] = [stand_in.busy_s()]

        def look() -> None:
            seen_s.append(stand_in.busy_s())
            if len(seen_s) == 4:
                shutter.go.set()

        cancel = clock.call_every(10.0, look)
        assert stand_in.read_open() == 1.0
        cancel()
        assert seen_s[0] == stand_in.busy_s() == 0.0
        assert 0.0 < seen_s[1] < seen_s[2] < seen_s[3] < 10.0
        assert shutter.busy_s() == 0.0


def test_settables_run_on_the_worker_too() -> None:
    clock = RealClock(FAST)
    cryostat = FakeCryostat(VirtualClock())
    names: list[str] = []
    cryostat.course = lambda target, _: names.append(threading.current_thread().name) or target
    stand_in = on_worker(cryostat, clock)
    settable = stand_in.settable("temperature")
    settable.start(20.0)
    assert settable.read() == 20.0
    assert settable.confirm(20.0) == 20.0
    assert settable.arrived() is False
    assert set(names) == {"instrument cryostat"}
    with pytest.raises(RefusedError, match="out of range"):
        settable.start(400.0)
    stand_in.close()
    clock.close()


def test_errors_of_the_driver_arrive_as_they_are() -> None:
    clock, shutter = RealClock(), FakeShutter()
    stand_in = on_worker(shutter, clock)
    shutter.troubles.add("shutter.open", ZeroDivisionError("own mistake"))
    with pytest.raises(ZeroDivisionError, match="own mistake"):
        stand_in.set_open(True)
    stand_in.set_open(True)
    assert shutter.position
    stand_in.close()
    clock.close()


def test_closing_ends_the_thread_and_connecting_again_starts_one() -> None:
    clock, stand_in = RealClock(), on_worker(FakeShutter(), RealClock())
    for _ in range(2):
        stand_in.connect()
        assert stand_in.connected
        stand_in.close()
        assert not stand_in.connected
    clock.close()
