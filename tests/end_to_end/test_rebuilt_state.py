"""The state of a run, from its events and from any beginning of its journal: the same."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labctl.events import Abort, Event, Pause, Resume
from labctl.host import RunState
from labctl.storage import Header, RecordKind, read_journal
from live_bench import POINTS, LiveRun, both, frame, once, run_live, state
from small_setup import Bench

TOLD = {
    RecordKind.START: "run_started",
    RecordKind.POINT: "point_stored",
    RecordKind.MONITOR: "reading",
}


def complete(bench: Bench) -> LiveRun:
    return run_live(
        bench.request(recipe=bench.recipe(POINTS)),
        both(
            once(frame(2), lambda live: live.control.post(Pause(policy="bank"))),
            once(state("paused"), lambda live: live.control.post(Resume())),
        ),
    )


def aborted(bench: Bench) -> LiveRun:
    return run_live(
        bench.request(recipe=bench.recipe(POINTS)),
        once(frame(2, 1), lambda live: live.control.post(Abort())),
    )


def failed(bench: Bench) -> LiveRun:
    return run_live(
        bench.request(recipe=bench.recipe(POINTS)),
        once(frame(2, 1), lambda live: live.rig.inject("camera", "lose_connection")),
    )


def told_by(record: Header) -> str:
    """Return the kind of the event that follows a record; empty if none does."""
    if record.kind == RecordKind.EVENT:
        return str(record.data["name"])
    return TOLD.get(RecordKind(record.kind), "")


def prefixes(journal: Path, folder: Path) -> Iterator[tuple[Path, Header]]:
    """Cut the journal after every record, as a crash would."""
    raw = journal.read_bytes()
    cut = folder / "cut.lcj"
    for record in read_journal(journal):
        cut.write_bytes(raw[: record.address.offset + record.address.length])
        yield cut, record


@pytest.mark.parametrize("make", [complete, aborted, failed])
def test_at_every_record_the_journal_tells_what_the_events_told(
    bench: Bench, make: Callable[[Bench], LiveRun]
) -> None:
    live = make(bench)
    status = live.ended.outcome.status
    assert status == make.__name__
    stored = {"run_started", "state_changed", "message", "point_stored", "reading"}
    waiting: list[Event] = [event for event in live.events if event.kind in stored]
    expected, count = RunState(), 0
    for cut, record in prefixes(live.ended.journal, bench.folder):
        kind = told_by(record)
        if kind:
            event = waiting.pop(0)
            assert event.kind == kind
            expected.apply(event)
        # As text, because an invalid reading equals nothing.
        assert repr(RunState.from_journal(cut)) == repr(expected)
        count += 1
    assert waiting == []
    assert count >= 10
    assert expected.state == {"complete": "done"}.get(status, status)


def test_a_torn_last_record_is_left_out(bench: Bench) -> None:
    live = aborted(bench)
    raw = live.ended.journal.read_bytes()
    torn = bench.folder / "torn.lcj"
    torn.write_bytes(raw[:-1])
    assert RunState.from_journal(torn).state == "aborted"
    assert RunState.from_journal(torn).points == 1


def test_events_are_numbered_without_gaps_to_the_end(bench: Bench) -> None:
    live = aborted(bench)
    assert [event.seq for event in live.events] == list(range(len(live.events)))
    assert live.events[0].kind == "run_started"
    assert live.events[-1].kind == "run_stopped"
