"""Row 12: the camera loses frames, stops, gives another shape, or saturates."""

from collections.abc import Callable
from typing import Any

import pytest

from invariants import check_invariants, twice
from labctl.errors import DeviceError, DeviceRefusedError, GarbledReplyError
from labctl.events import Event
from labctl.storage import Quality, RecordKind
from live_bench import POINTS, LiveRun, frame, once, run_live
from small_setup import Bench

FRAMES, COLUMNS, FULL_SCALE = 4, 1600, 65535
React = Callable[[Event, LiveRun], None]


def inject(kind: str, **parameters: Any) -> Callable[[LiveRun], None]:
    return lambda live: live.rig.inject("camera", kind, **parameters)


def stored(event: Event) -> bool:
    return event.kind == "point_stored"


def ask(bench: Bench, react: React) -> LiveRun:
    live = run_live(bench.request(recipe=bench.recipe(POINTS)), react)
    for record in live.records(RecordKind.POINT):
        arrays = record.arrays
        assert arrays["frames"].values.shape == (FRAMES, COLUMNS)
        assert arrays["counts"].values.shape == (COLUMNS,)
        assert arrays["wavelength"].values.shape == (COLUMNS,)
    return live


def qualities(live: LiveRun) -> list[int]:
    return [int(record.data["quality"]) for record in live.records(RecordKind.POINT)]


@pytest.mark.parametrize("at", range(1, FRAMES))
@pytest.mark.parametrize("count", [1, 2])
def test_lost_frames_are_taken_again_and_marked(bench: Bench, count: int, at: int) -> None:
    live = ask(bench, once(frame(at, 1), inject("drop_frames", count=count)))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    assert qualities(live) == [0, Quality.FRAME_DROPPED, 0]
    told = [event.text for event in live.of("message") if event.device == "camera"]
    assert sum("lost" in text for text in told) >= 1


def test_frames_that_are_lost_again_and_again_end_the_run(bench: Bench) -> None:
    live = twice(lambda: ask(bench, once(frame(2, 1), inject("drop_frames", count=50))))
    assert live.ended.outcome.status == "failed"
    assert isinstance(live.ended.outcome.error, DeviceError)
    assert "frames were lost" in live.ended.outcome.reason
    check_invariants(live, device="camera")
    # Two times they were taken again, not more often.
    told = [event.text for event in live.of("message") if "taken again" in event.text]
    assert len(told) == 2
    assert qualities(live) == [0]


@pytest.mark.parametrize("at", range(1, FRAMES))
def test_a_series_with_fewer_frames_is_no_point(bench: Bench, at: int) -> None:
    live = ask(bench, once(frame(at, 1), inject("stop_frames")))
    assert live.ended.outcome.status == "failed"
    assert f"frame {at + 1} of {FRAMES}" in live.ended.outcome.reason
    check_invariants(live, device="camera")
    assert qualities(live) == [0]


def test_a_region_that_is_read_back_otherwise_is_refused(bench: Bench) -> None:
    live = ask(bench, once(stored, inject("crop")))
    assert isinstance(live.ended.outcome.error, DeviceRefusedError)
    assert "read-back of the settings" in live.ended.outcome.reason
    check_invariants(live, device="camera")
    assert qualities(live) == [0]


@pytest.mark.parametrize("skip", [1, 2])
def test_frames_of_another_shape_are_never_stored(bench: Bench, skip: int) -> None:
    """The region changes after it was read back: with the shutter, or with the start."""
    live = ask(bench, once(stored, inject("crop", skip=skip)))
    assert isinstance(live.ended.outcome.error, GarbledReplyError)
    assert "a frame of (1, 100), the region is (1, 1600)" in live.ended.outcome.reason
    check_invariants(live, device="camera")
    assert qualities(live) == [0]


def test_saturation_is_flagged_and_nothing_is_exposed_again(bench: Bench) -> None:
    def react(event: Event, live: LiveRun) -> None:
        if event.kind == "point_stored":
            live.rig.inject("camera", "saturate" if event.index == 0 else "clear")

    live = ask(bench, react)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    assert qualities(live) == [0, Quality.SATURATED, 0]
    point = live.records(RecordKind.POINT)[1]
    assert (point.arrays["frames"].values == FULL_SCALE).all()
    assert point.attempt == 0
    assert point.data["live_time_s"] == FRAMES
