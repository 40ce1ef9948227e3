"""Pause, resume, skip, stop and abort of runs on the simulated set-up, judged by its world."""

from pathlib import Path

import numpy as np
import pytest

from labctl.events import Abort, Event, Pause, PausePolicy, Resume, Skip, Stop
from labctl.storage import Quality, RecordKind
from live_bench import POINTS, LiveRun, both, frame, once, run_live, state
from small_setup import Bench

FRAMES = 4


class Seen:
    """What the world looked like when the run was paused."""

    def __init__(self) -> None:
        self.shutter: list[bool] = []
        self.camera: list[bool] = []
        self.at_s: list[float] = []

    def look(self, live: LiveRun) -> None:
        self.shutter.append(bool(live.rig.world.table.shutter_open))
        self.at_s.append(live.clock.now())
        # Somebody looks, goes for a coffee, and comes back.
        live.control.post(Resume())


def paused(folder: Path, policy: PausePolicy) -> tuple[LiveRun, Seen]:
    bench, seen = Bench(folder), Seen()
    live = run_live(
        bench.request(recipe=bench.recipe(POINTS)),
        both(
            once(frame(2), lambda live: live.control.post(Pause(policy=policy))),
            once(state("paused"), seen.look),
        ),
    )
    return live, seen


@pytest.fixture(scope="module")
def banked(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveRun, Seen]:
    return paused(tmp_path_factory.mktemp("banked"), "bank")


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveRun, Seen]:
    return paused(tmp_path_factory.mktemp("repeated"), "repeat")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveRun, Seen]:
    return paused(tmp_path_factory.mktemp("finished"), "finish")


def test_all_points_come_whatever_the_pause_and_the_light_was_off_in_it(
    banked: tuple[LiveRun, Seen],
    repeated: tuple[LiveRun, Seen],
    finished: tuple[LiveRun, Seen],
) -> None:
    for live, seen in (banked, repeated, finished):
        assert live.ended.outcome.status == "complete", live.ended.outcome.reason
        assert live.run.data["spectrum"]["frames"].shape == (3, FRAMES, 1600)
        assert seen.shutter == [False]
        states = [event.state for event in live.of("state_changed")]
        assert states == ["running", "pausing", "paused", "running", "stopping", "done"]
        assert not live.shutter_open


def test_frames_taken_before_a_pause_are_banked_and_none_is_taken_twice(
    banked: tuple[LiveRun, Seen],
) -> None:
    live, _ = banked
    (part,) = live.records(RecordKind.POINT_PART)
    point = live.records(RecordKind.POINT)[0]
    kept = part.arrays["frames"].values
    assert kept.shape == (2, 1, 1600)
    assert part.data["live_time_s"] == 2.0
    assert point.data["live_time_s"] == FRAMES * 1.0
    assert np.array_equal(point.arrays["frames"].values[:2], kept.sum(axis=1))
    assert point.data["quality"] & Quality.SUSPENDED_DURING
    later = live.records(RecordKind.POINT)[1]
    assert not later.data["quality"] & Quality.SUSPENDED_DURING


def test_the_light_of_a_banked_point_is_that_of_its_frames_and_little_more(
    banked: tuple[LiveRun, Seen],
) -> None:
    live, _ = banked
    stored_s = live.of("point_stored")[0].t_mono_s
    # Four frames of 1 s. What is lost: the frame that went on (at most 1 s) and four travels of
    # the shutter with their serial lines.
    assert 4.0 < live.light_s(0.0, stored_s) < 5.0


def test_every_frame_of_a_banked_point_had_the_light_for_all_of_its_time(
    banked: tuple[LiveRun, Seen],
) -> None:
    live, _ = banked
    frames = live.records(RecordKind.POINT)[0].arrays["frames"].values.astype(float)
    totals = (frames - np.median(frames, axis=1, keepdims=True)).sum(axis=1)
    # A frame during which the shutter closed would miss more than this.
    assert totals == pytest.approx(np.full(FRAMES, totals.mean()), rel=0.05)


def test_a_repeated_point_is_taken_anew_as_a_whole(repeated: tuple[LiveRun, Seen]) -> None:
    live, seen = repeated
    first = live.records(RecordKind.POINT)[0]
    assert first.attempt == 1
    assert first.data["began_s"] >= seen.at_s[0]
    assert live.records(RecordKind.POINT_PART) == []


def test_a_finished_point_is_stored_before_the_pause(finished: tuple[LiveRun, Seen]) -> None:
    live, seen = finished
    assert live.of("point_stored")[0].t_mono_s <= seen.at_s[0]
    assert live.of("point_stored")[1].t_mono_s > seen.at_s[0]


@pytest.mark.parametrize(
    ("command", "status", "points"),
    [
        (Skip(), "complete", [532.0, 534.0]),
        (Stop(reason="enough"), "aborted", [530.0]),
        (Abort(reason="fire"), "aborted", []),
    ],
    ids=["skip", "stop", "abort"],
)
def test_ends_in_the_middle_of_a_point(
    bench: Bench, command: Skip | Stop | Abort, status: str, points: list[float]
) -> None:
    live = run_live(
        bench.request(recipe=bench.recipe(POINTS)),
        once(frame(2), lambda live: live.control.post(command)),
    )
    assert live.ended.outcome.status == status
    assert not live.shutter_open
    found = [event.set["spectrograph.wavelength"] for event in live.of("point_stored")]
    assert found == points
    assert live.run.status == status
    assert live.run.stop is not None
    assert live.run.stop["reason"] == getattr(command, "reason", "")
    assert live.run.stop["snapshot"]["shutter"]["open"] is False


def test_a_stop_in_a_pause_stores_what_was_banked_and_takes_no_more(bench: Bench) -> None:
    live = run_live(
        bench.request(recipe=bench.recipe(POINTS)),
        both(
            once(frame(2), lambda live: live.control.post(Pause(policy="bank"))),
            once(state("paused"), lambda live: live.control.post(Stop(reason="enough"))),
        ),
    )
    assert live.ended.outcome.status == "aborted"
    assert live.of("point_stored") == []
    (part,) = live.records(RecordKind.POINT_PART)
    assert part.arrays["frames"].values.shape[0] == 2
    assert live.light_s(part.t_mono_s, live.clock.now()) == 0.0


def test_an_abort_is_seen_at_once(bench: Bench) -> None:
    asked: list[float] = []

    def abort(live: LiveRun) -> None:
        asked.append(live.clock.now())
        live.control.post(Abort())

    live = run_live(bench.request(recipe=bench.recipe(POINTS)), once(frame(2), abort))
    stopping: Event = next(e for e in live.of("state_changed") if e.state == "stopping")
    assert stopping.t_mono_s - asked[0] < 0.2
    # The blade's travel and two serial exchanges.
    assert live.light_s(asked[0] + 0.2, live.clock.now()) == 0.0
