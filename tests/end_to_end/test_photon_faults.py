"""What goes wrong while photons are taken: the light ends first, and what came is kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from labctl.errors import DeviceError, NoReplyError, ProtectionError, StorageError
from labctl.events import Abort, Event
from labctl.measurements import Trpl
from labctl.photons import PtuWriter, read_ptu, replay
from labctl.storage import Quality, RecordKind
from labctl_sim.world.photons import Bench
from live_bench import LiveRun, both, once, run_live
from photon_setup import PhotonBench

STEPS = """
    trpl: {center: 531 nm, stop: {time: 6 s}}
    trpl: {stop: {time: 1 s}}
"""


@pytest.fixture
def bench(tmp_path: Path) -> PhotonBench:
    return PhotonBench(tmp_path)


def after_2_s(event: Event) -> bool:
    return event.kind == "live_result" and event.values["live_time_s"] >= 2.0


def inject(kind: str, **parameters: Any) -> Callable[[LiveRun], None]:
    return lambda live: live.rig.inject("tagger", kind, **parameters)


def struck(bench: PhotonBench, action: Callable[[LiveRun], None]) -> LiveRun:
    """Run two decays; something happens 2 s into the first one."""
    return run_live(bench.ask(STEPS), once(after_2_s, action))


def raw_photons(live: LiveRun, number: int = 0) -> int:
    entry = live.run.sidecars[number]
    file = read_ptu(live.run.path.parent / str(entry["name"]))
    return replay(file, []).photons[0]


def lit_after(live: LiveRun, seconds: float) -> float:
    """Return for how long the dot was lit later than so many seconds after the light came on."""
    changes = live.rig.world.table.excitation.changes(0.0, live.clock.now())
    on_s = next(at_s for at_s, value in changes if value)
    return live.light_s(on_s + seconds, live.clock.now())


def test_too_much_light_ends_the_light_within_half_a_second_and_latches(
    bench: PhotonBench,
) -> None:
    live = struck(bench, inject("over_light", rate_hz=2e7))
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, ProtectionError)
    assert "apd_1" in str(outcome.error)
    assert "too much light" in str(outcome.error)
    # Live results come once a second, rates are looked at every 0.2 s with a gate of 0.1 s.
    assert lit_after(live, 2.8) == 0.0
    assert not live.shutter_open
    assert all(not apd.shutter_open for apd in Bench.of(live.rig.world).apds("tagger"))
    assert live.records(RecordKind.POINT) == []
    # What had come by then is a file of the run all the same.
    assert raw_photons(live) > 2000


def test_a_full_buffer_ends_the_point_with_what_it_has(bench: PhotonBench) -> None:
    live = run_live(
        bench.ask(STEPS.replace("}}", "}, on_overrun: flag}")),
        both(
            once(after_2_s, inject("fifo_overrun")),
            once(lambda e: e.kind == "point_stored", inject("clear")),
        ),
    )
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    first, second = live.records(RecordKind.POINT)
    assert first.data["quality"] & Quality.FIFO_FULL
    assert first.data["settings"]["photons"]["flags"] == ["fifo_full"]
    assert 2.0 <= first.data["live_time_s"] < 2.3
    counts = live.run.data["trpl"]["counts"].values.sum(axis=1)
    assert counts[0] == raw_photons(live)
    assert any("fifo_full" in event.text for event in live.of("message"))
    # The next point begins with an empty buffer.
    assert not second.data["quality"] & Quality.FIFO_FULL


def test_without_sync_nothing_begins(bench: PhotonBench) -> None:
    def at_start(event: Event) -> bool:
        return event.kind == "run_started"

    live = run_live(bench.ask(STEPS), once(at_start, inject("lose_sync")))
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, DeviceError)
    assert "trigger cable" in str(outcome.error)
    assert live.light_s(0.0, live.clock.now()) == 0.0


def test_a_module_that_is_unplugged_fails_the_run_and_keeps_the_photons(
    bench: PhotonBench,
) -> None:
    live = struck(bench, inject("unplug"))
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, DeviceError)
    assert outcome.error.device == "tagger"
    assert lit_after(live, 2.8) == 0.0
    assert raw_photons(live) > 2000
    # It could not be asked whether it stands still: that is said loudly.
    assert any("tagger.stop" in text for text in outcome.unsafe)


def test_usb_errors_are_asked_again(bench: PhotonBench) -> None:
    live = struck(bench, inject("usb_error", times=1, skip=3))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    assert len(live.records(RecordKind.POINT)) == 2


def test_an_abort_keeps_the_photons(bench: PhotonBench) -> None:
    live = struck(bench, lambda live: live.control.post(Abort()))
    assert live.ended.outcome.status == "aborted"
    assert live.records(RecordKind.POINT) == []
    assert raw_photons(live) > 2000
    assert lit_after(live, 2.3) == 0.0


def test_dropped_counts_are_told_and_the_point_goes_on(bench: PhotonBench) -> None:
    live = struck(bench, inject("drop_counts"))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    point = live.records(RecordKind.POINT)[0].data
    assert point["settings"]["photons"]["flags"] == ["counts_dropped"]
    assert point["live_time_s"] == pytest.approx(6.0, abs=0.02)


def test_a_silent_detector_is_no_dark_reading(bench: PhotonBench) -> None:
    steps = "trpl: {center: 531 nm, stop: {time: 6 s}}"

    def off(live: LiveRun) -> None:
        live.rig.inject("apd_1", "switch_off")

    live = run_live(bench.ask(steps), once(after_2_s, off))
    assert live.ended.outcome.status == "failed"
    assert "its power is off" in str(live.ended.outcome.error)
    assert np.isfinite(lit_after(live, 0.0))
    assert not live.shutter_open


def test_a_module_that_hangs_does_not_keep_the_light_on(bench: PhotonBench) -> None:
    request = bench.ask(STEPS).model_copy(update={"speed": 10.0})
    live = run_live(request, once(after_2_s, inject("hang")))
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, NoReplyError)
    assert "with the light on" in str(outcome.error)
    # 2 s of life until it counts as hung; any other call would be waited for 120 s by the clock.
    assert lit_after(live, 60.0) == 0.0
    assert not live.shutter_open
    assert raw_photons(live) > 2000
    assert any("tagger.stop" in text for text in outcome.unsafe)


@pytest.mark.parametrize("what", ["too much light", "abort", "unplugged", "end of the point"])
def test_a_hung_shutter_of_the_detectors_does_not_keep_the_light_on(
    bench: PhotonBench, what: str
) -> None:
    """Nobody needs it while photons come in; it is asked when the excitation is off already."""

    def hang(live: LiveRun) -> None:
        live.rig.inject("apd_shutter", "hang")
        if what == "too much light":
            live.rig.inject("tagger", "over_light", rate_hz=2e7)
        elif what == "abort":
            live.control.post(Abort())
        elif what == "unplugged":
            live.rig.inject("tagger", "unplug")

    live = struck(bench, hang)
    assert live.ended.outcome.status == ("aborted" if what == "abort" else "failed")
    # Rates are looked at every 0.2 s with a gate of 0.1 s; the blade takes some hundredths.
    assert lit_after(live, 6.1 if what == "end of the point" else 2.8) == 0.0
    assert not live.shutter_open
    assert any("apd_shutter.close" in text for text in live.ended.outcome.unsafe)
    assert raw_photons(live) > 2000


def test_a_live_result_that_cannot_be_made_is_told_once(bench: PhotonBench) -> None:
    with patch.object(Trpl, "live", side_effect=ZeroDivisionError("no fit")):
        live = run_live(bench.ask(STEPS), once(after_2_s, lambda live: None))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    # That the response of the instrument was not measured is another matter.
    (told,) = [one for one in live.of("message") if one.device != "calibration"]
    assert (told.level, told.device) == ("warning", "tagger")
    assert "no fit" in told.text
    assert len(live.records(RecordKind.POINT)) == 2
    # Rates and counts are told all the same.
    assert live.of("live_result")[-1].values["counts"] > 0


def test_a_full_disk_ends_the_light_and_the_file_still_belongs_to_the_run(
    bench: PhotonBench,
) -> None:
    left = [40]
    write: Any = vars(PtuWriter)["_write"]

    def full(writer: PtuWriter, data: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        write(writer, data)

    with patch.object(PtuWriter, "_write", full):
        live = run_live(bench.ask(STEPS), once(after_2_s, lambda live: None))
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, StorageError)
    assert "No space left on device" in str(outcome.error)
    assert not live.shutter_open
    # A reading every 0.1 s.
    assert lit_after(live, 4.2) == 0.0
    assert raw_photons(live) > 2000


def test_a_break_in_the_analysis_ends_the_light_and_keeps_the_records(bench: PhotonBench) -> None:
    lives: list[LiveRun] = []
    with (
        patch("labctl.photons._decays.Decays.feed", side_effect=ZeroDivisionError("own mistake")),
        pytest.raises(ZeroDivisionError),
    ):
        run_live(bench.ask(STEPS), lambda _, live: lives.append(live))
    live = lives[0]
    assert not live.rig.world.table.shutter_open
    (path,) = (bench.folder / "data").rglob("*.ptu")
    assert sum(replay(read_ptu(path), []).photons.values()) > 0
