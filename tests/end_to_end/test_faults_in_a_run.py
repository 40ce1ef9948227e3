"""Instruments that fail in the middle of a run: told, stored, dark."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from labctl.errors import DeviceError, LabctlError
from labctl.events import Event
from labctl.storage import Quality, RecordKind
from live_bench import POINTS, LiveRun, frame, once, run_live
from small_setup import LEGACY, S_SERIES, Bench

TEMPERATURES = """
name: temperatures
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 2}
  - scan: cryostat.temperature
    values: [8]
    settle: {tolerance: 50 mK, std: 50 mK, for: 60 s, timeout: 30 min}
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 2}
"""
DARK_WITHIN_S = 1.0


@dataclass(frozen=True)
class Case:
    """A fault that strikes at the second frame of the second point, and what must be told."""

    device: str
    kind: str
    parameters: dict[str, Any]
    told: tuple[str, ...]
    error: type[LabctlError] = DeviceError
    points: int = 1


CASES = {
    "camera unplugged": Case(
        "camera", "lose_connection", {}, ("camera", "Picam_", "connection lost|Disconnected")
    ),
    "camera delivers no more": Case(
        "camera", "stop_frames", {}, ("camera", "frame 3 of 4", "not within 1")
    ),
    "camera loses frames": Case(
        "camera", "drop_frames", {"count": 20}, ("camera", "read frames", "frames were lost, after")
    ),
    "camera refuses by list": Case(
        "camera",
        "refuse_commit",
        {"way": "list"},
        ("camera", "Picam_CommitParameters", "refused ADC Speed"),
        points=2,
    ),
    "camera refuses by code": Case(
        "camera",
        "refuse_commit",
        {"way": "code28"},
        ("camera", "Picam_CommitParameters", "ADC Speed"),
        points=2,
    ),
    "spectrograph silent": Case(
        "spectrograph", "hang", {}, ("spectrograph", "no|within"), points=2
    ),
    "spectrograph garbled": Case(
        "spectrograph", "garble", {"times": None}, ("spectrograph",), points=2
    ),
}


def strike(case: Case, times: list[float]) -> Callable[[LiveRun], None]:
    def action(live: LiveRun) -> None:
        times.append(live.clock.now())
        live.rig.inject(case.device, case.kind, **case.parameters)

    return action


def detected_s(live: LiveRun) -> float:
    """Return when the run left its course."""
    return next(e.t_mono_s for e in live.of("state_changed") if e.state == "stopping")


@pytest.mark.parametrize("name", CASES)
def test_a_fault_in_the_middle_of_a_run(bench: Bench, name: str) -> None:
    case, times = CASES[name], list[float]()
    live = run_live(
        bench.request(recipe=bench.recipe(POINTS)), once(frame(2, 1), strike(case, times))
    )
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, case.error)
    for words in case.told:
        assert any(word in outcome.reason for word in words.split("|")), outcome.reason
    assert not live.shutter_open
    assert live.light_s(detected_s(live) + DARK_WITHIN_S, live.clock.now()) == 0.0
    run = live.run
    assert run.status == "failed"
    assert run.data["spectrum"].sizes["point"] == case.points
    assert run.stop is not None
    assert run.stop["reason"] == outcome.reason
    assert run.stop["snapshot"]["shutter"]["open"] is False


@pytest.mark.parametrize("count", [1, 2])
def test_a_few_lost_frames_are_taken_again(bench: Bench, count: int) -> None:
    live = run_live(
        bench.request(recipe=bench.recipe(POINTS)),
        once(frame(2, 1), lambda live: live.rig.inject("camera", "drop_frames", count=count)),
    )
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    run = live.run
    qualities = [int(quality) for quality in run.points["quality"].values]
    assert qualities == [0, Quality.FRAME_DROPPED, *[0] * (len(qualities) - 2)]
    assert run.data["spectrum"]["frames"].sizes["frame"] == 4
    told = [event.message for event in run.events if event.device == "camera"]
    assert f"{count} frames were lost; {count} are taken again" in told
    assert not live.shutter_open


@pytest.mark.parametrize("words", [LEGACY, S_SERIES], ids=["tcp", "http"])
@pytest.mark.parametrize("kind", ["hang", "garble"])
def test_a_cryostat_that_fails_while_the_temperature_settles(
    bench: Bench, words: dict[str, str], kind: str
) -> None:
    parameters = {} if kind == "hang" else {"times": None}

    def settling(event: Event) -> bool:
        return event.kind == "progress" and event.text.startswith("cryostat.temperature")

    live = run_live(
        bench.request(setup=bench.setup(words), recipe=bench.recipe(TEMPERATURES)),
        once(settling, lambda live: live.rig.inject("cryostat", kind, **parameters)),
    )
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, DeviceError)
    assert outcome.error.device == "cryostat"
    assert outcome.error.command
    assert outcome.error.reply
    assert not live.shutter_open
    assert live.run.data["spectrum"].sizes["point"] == 1
    # The other monitors and the snapshot stand in spite of the silent device.
    assert live.run.stop is not None
    assert "open" in live.run.stop["snapshot"]["shutter"]


def test_one_lost_reply_of_the_cryostat_costs_nothing(bench: Bench) -> None:
    def settling(event: Event) -> bool:
        return event.kind == "progress" and event.text.startswith("cryostat.temperature")

    live = run_live(
        bench.request(recipe=bench.recipe(TEMPERATURES)),
        once(settling, lambda live: live.rig.inject("cryostat", "drop", times=1)),
    )
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    assert any("asked again" in event.text for event in live.of("message"))


def test_a_shutter_that_fails_to_close_is_closed_again_and_nothing_is_unsafe(bench: Bench) -> None:
    times: list[float] = []
    case = Case("shutter", "drop", {"times": 2}, ())
    live = run_live(
        bench.request(recipe=bench.recipe(POINTS)), once(frame(3, 1), strike(case, times))
    )
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    assert live.ended.outcome.unsafe == ()
    assert not live.shutter_open
    (told,) = [e for e in live.of("message") if "trouble with the connection" in e.text]
    assert told.device == "shutter"
    # The point in which that happened is measured again, and says so.
    qualities = [int(quality) for quality in live.run.points["quality"].values]
    assert qualities == [0, Quality.RETRIED, 0]


def test_a_shutter_that_stays_open_is_told_loudly_and_the_rest_is_made_safe(bench: Bench) -> None:
    live = run_live(
        bench.request(recipe=bench.recipe(POINTS)),
        once(frame(3, 1), lambda live: live.rig.inject("shutter", "stuck")),
    )
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert live.shutter_open
    (text,) = outcome.unsafe
    assert text.startswith("shutter.close: shutter: 'close': the shutter did not move")
    loud = [event for event in live.of("message") if event.level == "error"]
    assert loud
    assert all(event.text.startswith("NOT SAFE: ") for event in loud)
    assert live.of("run_stopped")[0].unsafe == outcome.unsafe
    stored = live.run.stop
    assert stored is not None
    assert stored["snapshot"]["camera"]["shutter_timing_mode"] == "Always Closed"
    errors = [r for r in live.records(RecordKind.EVENT) if r.data["level"] == "error"]
    assert errors


def test_an_interlock_that_trips_before_a_point_is_one_clear_error(bench: Bench) -> None:
    live = run_live(
        bench.request(recipe=bench.recipe(POINTS)),
        once(
            lambda event: event.kind == "point_stored",
            lambda live: live.rig.inject("shutter", "interlock"),
        ),
    )
    assert live.ended.outcome.status == "failed"
    assert "interlock has tripped" in live.ended.outcome.reason
    assert not live.shutter_open
