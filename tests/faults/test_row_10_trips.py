"""Row 10: temperature, vacuum or an alarm trips in the middle of a point."""

from collections.abc import Callable

import pytest

from invariants import check_invariants, spans_of, twice
from labctl.events import Abort, Event, Rearm
from labctl.storage import Quality, RecordKind
from live_bench import LiveRun, both, frame, once, run_live, state
from small_setup import LEGACY, Bench

ALARM = "{watch: cryostat.temperature, alarm: true, every: 0.5 s, do: suspend, why: vacuum lost}"
WARM = "{watch: cryostat.temperature, above: 9 K, rearm: 8.2 K, every: 0.5 s, do: DO}"
STEPS = """
name: trips
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: cryostat.temperature
    values: [8]
    settle: {tolerance: 50 mK, std: 50 mK, for: 60 s, timeout: 30 min}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 4}
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 4}
"""


def ask(bench: Bench, interlocks: str, react: Callable[[Event, LiveRun], None]) -> LiveRun:
    setup = bench.setup(LEGACY)
    setup.write_text(f"{setup.read_text('utf-8')}interlocks: [{interlocks}]\n", "utf-8")
    return run_live(bench.request(setup=setup, recipe=bench.recipe(STEPS)), react)


def inject(device: str, kind: str, **parameters: float) -> Callable[[LiveRun], None]:
    return lambda live: live.rig.inject(device, kind, **parameters)


def after(seconds: float, action: Callable[[LiveRun], None]) -> Callable[[LiveRun], None]:
    """Do it so many seconds of the clock later."""

    def later(live: LiveRun) -> None:
        live.clock.schedule(live.clock.now() + seconds, lambda: action(live))

    return later


def test_a_vacuum_trip_suspends_and_the_point_is_repeated_when_all_is_cold_again(
    bench: Bench,
) -> None:
    def scenario() -> LiveRun:
        return ask(
            bench,
            ALARM,
            both(
                once(frame(2, 1), inject("cryostat", "vacuum_trip")),
                once(state("suspended"), after(60.0, inject("cryostat", "clear"))),
            ),
        )

    live = twice(scenario)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    ((began_s, ended_s),) = spans_of(live, "suspended")
    # The alarm is over after 60 s; it must stay away for 5 s, looked at every 0.5 s.
    assert 65.0 <= ended_s - began_s <= 66.0
    check_invariants(live, violated=[(began_s - 0.5, ended_s)])
    first, second = live.records(RecordKind.POINT)
    assert (first.data["quality"], first.attempt) == (0, 0)
    assert (second.data["quality"], second.attempt) == (
        Quality.SUSPENDED_DURING | Quality.TEMPERATURE_UNSTABLE,
        1,
    )
    # The sample had warmed by tens of kelvin: it has settled again by the full rule.
    assert second.data["read"]["cryostat.temperature"]["value"] == pytest.approx(8.0, abs=0.05)
    assert second.data["began_s"] > ended_s + 60.0
    events = [r.data for r in live.records(RecordKind.EVENT) if r.data["name"] == "interlock"]
    assert [event["data"]["state"] for event in events] == ["tripped", "armed"]
    assert "vacuum lost" in events[0]["message"]
    assert [event.name for event in live.run.events].count("interlock") == 2


def test_no_set_point_is_sent_while_it_is_suspended(bench: Bench) -> None:
    orders: list[float] = []

    def note_orders(_: Event, live: LiveRun) -> None:
        sent = [one for one in live.traffic("cryostat") if "STSP" in one.get("sent", "")]
        orders.extend(one["t_s"] for one in sent if one["t_s"] not in orders)

    live = ask(
        bench,
        ALARM,
        both(
            once(frame(2), inject("cryostat", "vacuum_trip")),
            once(state("suspended"), after(60.0, inject("cryostat", "clear"))),
            note_orders,
        ),
    )
    ((began_s, ended_s),) = spans_of(live, "suspended")
    before_s, again_s = orders
    assert before_s < began_s
    # Sent again when all is well, and not a moment earlier.
    assert again_s == pytest.approx(ended_s, abs=0.01)


def test_a_temperature_that_is_too_high_trips_above_and_re_arms_below(bench: Bench) -> None:
    """Both thresholds are met by the swinging of a cryostat that does not settle."""
    live = ask(
        bench,
        WARM.replace("DO", "suspend"),
        once(frame(2), inject("cryostat", "no_settling", amplitude_k=1.5, for_s=200.0)),
    )
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    spans = spans_of(live, "suspended")
    check_invariants(live, violated=[spans[0]])
    trip = next(one for one in live.of("interlock_changed") if one.state == "tripped")
    assert "above 9 K" in trip.text
    # The reading swings below the re-arm threshold, but not for 5 s at a time: period 40 s.
    assert all(ended_s - began_s >= 5.0 for began_s, ended_s in spans)


def test_what_does_not_end_aborts_after_the_longest_wait(bench: Bench) -> None:
    patient = ALARM.replace("do: suspend", "do: suspend, wait: 10 min")
    live = twice(lambda: ask(bench, patient, once(frame(2), inject("cryostat", "vacuum_trip"))))
    outcome = live.ended.outcome
    assert outcome.status == "aborted"
    assert "not re-armed within 600 s" in outcome.reason
    ((began_s, ended_s),) = spans_of(live, "suspended")
    assert 600.0 <= ended_s - began_s <= 601.0
    check_invariants(live, device="cryostat", violated=[(began_s, ended_s)])
    assert live.of("point_stored") == []


@pytest.mark.parametrize(
    ("action", "status"), [("abort", "aborted"), ("close_light", "failed"), ("suspend", "aborted")]
)
def test_what_latches_waits_for_a_person_or_ends_the_run(
    bench: Bench, action: str, status: str
) -> None:
    entry = ALARM.replace("do: suspend", f"do: {action}, latch: true, wait: 20 min")
    live = ask(
        bench,
        entry,
        both(
            once(frame(2), inject("cryostat", "vacuum_trip")),
            once(state("suspended"), after(60.0, inject("cryostat", "clear"))),
        ),
    )
    assert live.ended.outcome.status == status
    check_invariants(live, device="cryostat.temperature alarm")
    assert live.of("point_stored") == []


def test_a_person_re_arms_what_has_latched_but_not_while_it_is_bad(bench: Bench) -> None:
    def rearm(live: LiveRun) -> None:
        live.control.post(Rearm(device="cryostat.temperature"))

    live = ask(
        bench,
        ALARM.replace("do: suspend", "do: suspend, latch: true, wait: 20 min"),
        both(
            once(frame(2), inject("cryostat", "vacuum_trip")),
            once(state("suspended"), after(60.0, inject("cryostat", "clear"))),
            both(
                once(state("suspended"), after(30.0, rearm)),
                once(state("suspended"), after(90.0, rearm)),
            ),
        ),
    )
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    ((began_s, ended_s),) = spans_of(live, "suspended")
    assert ended_s - began_s == pytest.approx(90.0, abs=0.01)
    refused = [e.text for e in live.of("message") if "can be re-armed when that is over" in e.text]
    assert len(refused) == 1
    check_invariants(live)


def test_an_abort_is_heeded_while_it_is_suspended(bench: Bench) -> None:
    live = ask(
        bench,
        ALARM,
        both(
            once(frame(2), inject("cryostat", "vacuum_trip")),
            once(state("suspended"), after(10.0, lambda live: live.control.post(Abort()))),
        ),
    )
    assert live.ended.outcome.status == "aborted"
    check_invariants(live)
    ((began_s, ended_s),) = spans_of(live, "suspended")
    assert ended_s - began_s == pytest.approx(10.0, abs=0.5)
