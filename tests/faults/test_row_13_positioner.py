"""Row 13: an axis meets an end stop, does not move, or slips; limits hold in the world, too."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from invariants import check_invariants, twice
from labctl.errors import ConfigError, DeviceRefusedError, RefusedError
from labctl.events import Event
from labctl.storage import Quality, RecordKind
from live_bench import LiveRun, frame, once, run_live
from small_setup import Bench
from stage_setup import AXES, places_log, request

TOLERANCE_UM, Z_UM = 0.1, 20.0
STEP_UM = 0.15
"""At most, at 30 V; so much an axis may overshoot before its sensor has told."""
SERIES = """
name: series
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: stage.AXIS
    values: VALUES
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 3}
"""
React = Callable[[Event, LiveRun], None]


def inject(kind: str, axis: str, **parameters: Any) -> Callable[[LiveRun], None]:
    return lambda live: live.rig.inject("stage", kind, axis=axis, **parameters)


def stored(event: Event) -> bool:
    return event.kind == "point_stored"


def nothing(event: Event, live: LiveRun) -> None:
    """Only look."""


def scan(bench: Bench, axis: str, values: Sequence[float], react: React) -> LiveRun:
    """Scan an axis with read-out; wherever the sample is, it is within the limits of z."""
    text = SERIES.replace("AXIS", axis).replace("VALUES", str(list(values)))
    with places_log() as places:
        live = run_live(request(bench, text), react)
    assert places
    z_um = [place[2] for place in places]
    assert -Z_UM - STEP_UM <= min(z_um) <= max(z_um) <= Z_UM + STEP_UM
    return live


def qualities(live: LiveRun) -> list[int]:
    return [int(record.data["quality"]) for record in live.records(RecordKind.POINT)]


def read(live: LiveRun, axis: str) -> list[float]:
    records = live.records(RecordKind.POINT)
    return [record.data["read"][f"stage.{axis}"]["value"] for record in records]


@pytest.mark.parametrize("axis", AXES)
def test_an_end_stop_ends_the_run_and_the_axis_stands(bench: Bench, axis: str) -> None:
    def scenario() -> LiveRun:
        return scan(bench, axis, [5, 10, 15], once(stored, inject("end_stop", axis)))

    live = twice(scenario) if axis == "z" else scenario()
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, DeviceRefusedError)
    assert f"position of {axis}" in outcome.reason
    check_invariants(live, device="stage")
    assert read(live, axis) == [pytest.approx(5.0, abs=TOLERANCE_UM)]
    assert not any(piezo.moving for piezo in live.rig._simulators["stage"].piezos.values())


@pytest.mark.parametrize("axis", AXES)
def test_an_axis_without_motion_is_freed_and_the_point_says_so(bench: Bench, axis: str) -> None:
    live = scan(bench, axis, [5, 10, 15], once(stored, inject("stick", axis)))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    assert read(live, axis) == pytest.approx([5.0, 10.0, 15.0], abs=TOLERANCE_UM)
    assert qualities(live) == [0, Quality.POSITION_OFF, 0]
    assert any("sticks" in event.text for event in live.of("message"))


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("by_um", [-4.0, 0.5, 4.0])
def test_a_point_in_which_an_axis_slips_is_taken_again(
    bench: Bench, axis: str, by_um: float
) -> None:
    live = scan(bench, axis, [5, 10, 15], once(frame(1, 1), inject("glitch", axis, by_um=by_um)))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    assert read(live, axis) == pytest.approx([5.0, 10.0, 15.0], abs=TOLERANCE_UM)
    assert qualities(live) == [0, Quality.POSITION_OFF, 0]
    # Nothing of the point that was spoilt is stored.
    assert [record.attempt for record in live.records(RecordKind.POINT)] == [0, 1, 0]


def test_an_axis_that_slips_in_every_attempt_ends_the_run(bench: Bench) -> None:
    def react(event: Event, live: LiveRun) -> None:
        if event.kind == "progress" and event.text.startswith("frame 1 of"):
            live.rig.inject("stage", "glitch", axis="x", by_um=4.0)

    live = scan(bench, "x", [5, 10], react)
    assert live.ended.outcome.status == "failed"
    assert "by itself" in live.ended.outcome.reason
    check_invariants(live, device="stage")
    assert live.records(RecordKind.POINT) == []


@pytest.mark.parametrize("values", [[-19.0, 20.0, -19.0], [20.0, 19.9, 20.0, -18.0, 20.0]])
def test_the_limit_of_z_is_not_passed_on_the_way_to_it(bench: Bench, values: list[float]) -> None:
    """Targets at the limits themselves; run-ups come from below."""
    live = scan(bench, "z", values, nothing)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    assert read(live, "z") == pytest.approx(values, abs=TOLERANCE_UM)


def test_a_run_up_beyond_the_limit_is_refused_before_anything_moves(bench: Bench) -> None:
    """-19.5 um itself is allowed; its run-up would begin at -20.5 um."""
    text = SERIES.replace("AXIS", "z").replace("VALUES", "[-19.5]")
    with places_log() as places:
        live = run_live(request(bench, text), nothing)
    assert isinstance(live.ended.outcome.error, RefusedError)
    check_invariants(live, device="stage")
    assert places == []


@pytest.mark.parametrize("target", [20.001, -20.001, 1e6, -1e6])
def test_a_plan_beyond_the_limit_does_not_begin(bench: Bench, target: float) -> None:
    text = SERIES.replace("AXIS", "z").replace("VALUES", str([0.0, target]))
    with places_log() as places, pytest.raises(ConfigError, match="out of range"):
        run_live(request(bench, text), nothing)
    assert places == []
