"""Events are numbered without gaps, and a listener that fails is dropped."""

from labctl.clock import VirtualClock
from labctl.events import Event, Message, Progress
from labctl.sequencer import Announcer


def test_numbers_have_no_gaps_and_times_are_those_of_the_clock() -> None:
    clock, seen = VirtualClock(), list[Event]()
    announcer = Announcer("r1", clock)
    announcer.add(seen.append)
    for number in range(3):
        announcer.tell(Progress, text=f"step {number}")
        clock.sleep(1.5)
    assert [event.seq for event in seen] == [0, 1, 2]
    assert [event.t_mono_s for event in seen] == [0.0, 1.5, 3.0]
    assert {event.run for event in seen} == {"r1"}
    assert (seen[2].t_utc - seen[0].t_utc).total_seconds() == 3.0


def test_a_failing_listener_is_dropped_and_the_others_go_on() -> None:
    announcer, seen = Announcer("r1", VirtualClock()), list[Event]()

    def broken(event: Event) -> None:
        raise RuntimeError("no display")

    announcer.add(broken)
    announcer.add(seen.append)
    announcer.tell(Message, level="info", device="x", text="one")
    announcer.tell(Message, level="info", device="x", text="two")
    assert len(seen) == 2
    assert len(announcer.dropped) == 1
    assert "no display" in announcer.dropped[0]


def test_a_late_listener_is_told_from_then_on() -> None:
    announcer, seen = Announcer("r1", VirtualClock()), list[Event]()
    announcer.tell(Progress, text="before")
    announcer.add(seen.append)
    announcer.tell(Progress, text="after")
    assert [event.seq for event in seen] == [1]
