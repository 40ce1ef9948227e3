"""What must hold after every fault, whatever it was: light, data, words, handles, cryostat.

I1 light off within 1 s of detection, by the world's own book. I2 every point that was told is in
the journal, and the journal is whole. I3 status and reason are stored, and say which device. I4 no
point that was measured while its conditions were violated counts as good. I5 everything can be
opened again at once. I6 the cryostat is left as it is. I7 the same fault again gives the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

from labctl.events import Event
from labctl.storage import RecordKind, TailState, read_journal
from live_bench import LiveRun
from small_setup import arrays

DARK_WITHIN_S = 1.0
Span = tuple[float, float]


def detected_s(live: LiveRun) -> float:
    """Return when the run first left its course: an interlock tripped, or the state says so."""
    off = {"suspended", "stopping"}
    return next(
        event.t_mono_s
        for event in live.events
        if (event.kind == "interlock_changed" and event.state == "tripped")
        or (event.kind == "state_changed" and event.state in off)
    )


def spans_of(live: LiveRun, state: str) -> list[Span]:
    """Return from when to when the run was in a state, s."""
    changes = [*live.of("state_changed")]
    ends = [*[one.t_mono_s for one in changes[1:]], live.clock.now()]
    return [
        (one.t_mono_s, end_s)
        for one, end_s in zip(changes, ends, strict=True)
        if one.state == state
    ]


def check_invariants(
    live: LiveRun,
    *,
    device: str = "",
    violated: Sequence[Span] = (),
    detected: bool = True,
    unsafe: bool = False,
) -> None:
    """Check I1 to I6 of a run that has ended.

    Args:
        live: The run.
        device: What the reason of a failure must name.
        violated: From when to when conditions were bad, s.
        detected: Whether anything was to be noticed at all.
        unsafe: Whether the fault itself keeps something from being made safe.
    """
    if detected:
        _light_goes_off(live)
    _nothing_is_lost(live)
    _words_are_right(live, device)
    _nothing_bad_is_good(live, violated)
    assert unsafe or (live.ended.outcome.unsafe == () and not live.shutter_open)
    assert live.reopened == {}
    _cryostat_is_left_alone(live)


def check_repeats(first: LiveRun, second: LiveRun) -> None:
    """Check I7: events, their times, and every array of two runs are the same."""
    assert told(first) == told(second)
    assert arrays(first.run) == arrays(second.run)


def told(live: LiveRun) -> list[dict[str, Any]]:
    """Return what was told, without what differs from run to run: uid, label of time, paths."""
    varying = {"run", "t_utc", "journal", "product", "arrays"}
    return [event.model_dump(exclude=varying) for event in live.events]


def twice(scenario: Callable[[], LiveRun]) -> LiveRun:
    """Run a scenario two times and compare; returns the second run."""
    first, second = scenario(), scenario()
    check_repeats(first, second)
    return second


def first_of(kind: str) -> Callable[[Event], bool]:
    """Match events of a kind."""
    return lambda event: event.kind == kind


def _light_goes_off(live: LiveRun) -> None:
    seen_s = detected_s(live)
    for began_s, ended_s in spans_of(live, "suspended"):
        assert live.light_s(began_s + DARK_WITHIN_S, ended_s) == 0.0
    resumed = [begin_s for begin_s, _ in spans_of(live, "running") if begin_s > seen_s]
    until_s = resumed[0] if resumed else live.clock.now()
    assert live.light_s(seen_s + DARK_WITHIN_S, max(until_s, seen_s + DARK_WITHIN_S)) == 0.0


def _nothing_is_lost(live: LiveRun) -> None:
    with read_journal(live.ended.journal) as journal:
        stored = [one.data["index"] for one in journal if one.kind == RecordKind.POINT]
        assert journal.tail.state is TailState.END
    assert stored == [event.index for event in live.of("point_stored")]
    assert stored == list(range(len(stored)))


def _words_are_right(live: LiveRun, device: str) -> None:
    outcome, stop = live.ended.outcome, live.run.stop
    assert stop is not None
    assert (stop["status"], stop["reason"]) == (outcome.status, outcome.reason)
    assert (outcome.status == "complete") == (outcome.reason == "")
    assert device in outcome.reason


def _nothing_bad_is_good(live: LiveRun, violated: Sequence[Span]) -> None:
    for record in live.records(RecordKind.POINT):
        began_s, ended_s = record.data["began_s"], record.data["ended_s"]
        bad = any(begin_s < ended_s and began_s < end_s for begin_s, end_s in violated)
        assert record.data["quality"] or not bad


def _cryostat_is_left_alone(live: LiveRun) -> None:
    ordered = [one.value for one in live.of("move_started") if one.settable.startswith("cryostat")]
    if ordered:
        assert live.target_k == ordered[-1]
    assert live.goal != "warmup"
