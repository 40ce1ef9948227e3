"""The time contract, without any simulator."""

import threading

import pytest

from labctl.clock import EventQueue, RealClock, VirtualClock
from labctl.errors import DeadlockError


def test_sleep_takes_virtual_time_only() -> None:
    clock = VirtualClock()
    clock.sleep(3 * 3600)
    assert clock.now() == 3 * 3600
    assert (clock.utc() - VirtualClock().utc()).total_seconds() == pytest.approx(3 * 3600, abs=5)


def test_events_happen_in_order_of_time_then_of_arrival() -> None:
    clock, seen = VirtualClock(), list[tuple[str, float]]()
    for name, at_s in [("c", 2.0), ("a", 1.0), ("b", 1.0)]:
        clock.schedule(at_s, lambda name=name: seen.append((name, clock.now())))
    clock.sleep(5)
    assert [name for name, _ in seen] == ["a", "b", "c"]


def test_wait_ends_at_the_event_that_makes_it_ready() -> None:
    clock, done = VirtualClock(), threading.Event()
    clock.schedule(7.5, done.set)
    clock.schedule(8.0, lambda: None)
    assert clock.wait_until(done.is_set, deadline_s=100, what="the move")
    assert clock.now() == 7.5


def test_deadline_passes_in_virtual_time() -> None:
    clock = VirtualClock()
    assert not clock.wait_until(lambda: False, deadline_s=20.0, what="a silent device")
    assert clock.now() == 20.0


def test_waiting_for_nothing_names_every_waiter() -> None:
    clock = VirtualClock()

    def inner() -> bool:
        return clock.wait_until(lambda: False, deadline_s=None, what="reply of the tagger")

    with pytest.raises(DeadlockError) as caught:
        clock.wait_until(inner, deadline_s=None, what="end of the scan")
    assert caught.value.waiters == ("end of the scan", "reply of the tagger")


def test_cancelled_event_does_not_happen_and_does_not_keep_time_alive() -> None:
    clock, seen = VirtualClock(), list[int]()
    cancel = clock.schedule(1.0, lambda: seen.append(1))
    cancel()
    with pytest.raises(DeadlockError):
        clock.wait_until(lambda: False, deadline_s=None, what="nothing")
    assert seen == []


def test_periodic_actions_run_between_device_calls_never_inside() -> None:
    clock, seen = VirtualClock(), list[float]()
    clock.call_every(5.0, lambda: seen.append(clock.now()))
    clock.wait_until(lambda: False, deadline_s=12.0, what="a query", device_call=True)
    assert seen == []
    clock.sleep(1.0)
    assert seen == [12.0]
    clock.sleep(7.5)
    assert seen == [12.0, 15.0, 20.0]


def test_a_periodic_action_that_waits_starts_no_other() -> None:
    clock, seen = VirtualClock(), list[str]()

    def slow() -> None:
        seen.append("slow in")
        clock.sleep(3.0)
        seen.append("slow out")

    clock.call_every(2.0, slow)
    clock.call_every(2.0, lambda: seen.append("quick"))
    clock.sleep(2.0)
    assert seen == ["slow in", "slow out", "quick"]


def test_events_scheduled_by_events_are_carried_out_in_the_same_wait() -> None:
    clock, hits = VirtualClock(), list[float]()

    def again() -> None:
        hits.append(clock.now())
        if len(hits) < 3:
            clock.schedule(queue.now() + 1.0, again)

    queue = EventQueue()
    clock = VirtualClock(queue)
    clock.schedule(1.0, again)
    clock.sleep(10)
    assert queue.now() == 10
    assert len(hits) == 3


def test_simulators_are_at_rest_before_time_advances() -> None:
    rests = list[float]()
    queue = EventQueue()
    queue.settle = lambda: rests.append(queue.now())
    clock = VirtualClock(queue)
    clock.schedule(1.0, lambda: None)
    clock.sleep(2.0)
    assert 0.0 in rests
    assert rests.count(1.0) >= 1


def test_real_clock_counts_faster_and_runs_world_events() -> None:
    clock, seen = RealClock(speed=100.0), list[float]()
    try:
        clock.schedule(clock.now() + 1.0, lambda: seen.append(clock.now()))
        assert clock.wait_until(lambda: bool(seen), deadline_s=clock.now() + 50, what="event")
        assert seen[0] >= 1.0
    finally:
        clock.close()


def test_a_fast_clock_leaves_a_reply_its_wall_time() -> None:
    clock = RealClock(speed=100.0)
    try:
        asked = 0

        def ready() -> bool:
            nonlocal asked
            asked += 1
            return clock.now() > 50.0

        # 5 s of clock time are 50 ms of life, in which a busy computer may not answer.
        assert clock.wait_until(ready, deadline_s=5.0, what="a reply", device_call=True)
        assert asked > 1
    finally:
        clock.close()
