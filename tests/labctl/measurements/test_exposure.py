"""How frames are taken: light for the exposures only, previews, what a pause keeps."""

from collections.abc import Generator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from fake_lab import Bench, settings_of
from labctl.errors import DeviceError, NoReplyError, ProtectionError, RefusedError
from labctl.events import Event, Pause, Resume
from labctl.measurements import Array, Context, Measurement
from labctl.measurements._exposure import Exposure, expose
from labctl.roles import Camera
from labctl.storage import Quality, RecordKind, read_journal


class Frames(Measurement):
    """Takes frames as every spectrum does."""

    kind: ClassVar[str] = "frames"

    gain: int = 1
    count: int = 3
    light: bool = True

    def estimate_s(self) -> float:
        return float(self.count)

    def run(self, context: Context) -> None:
        camera = context.station.only(Camera)
        taken = expose(context, camera, Exposure(settings_of(self.gain), self.count, self.light))
        stored = [Array("frames", taken.counts, "counts", ("frame", "y", "x"))]
        context.store(stored, settings={}, live_time_s=float(self.count), quality=taken.quality)


@pytest.fixture
def bench(tmp_path: Path) -> Generator[Bench]:
    found = Bench(tmp_path)
    found.start()
    yield found
    found.book.close()


def measure(bench: Bench, *, gain: int = 1, count: int = 3, light: bool = True) -> None:
    measurement = Frames(gain=gain, count=count, light=light)
    bench.session.measure(measurement, step_id="s")


def frames_of(bench: Bench, kind: RecordKind) -> list[int]:
    records = [record for record in read_journal(bench.journal) if record.kind == kind]
    return [len(r.arrays["frames"].values) if r.arrays else 0 for r in records]


def pause_at(bench: Bench, *times_s: float) -> None:
    for at_s in times_s:
        bench.clock.schedule(at_s, lambda: bench.control.post(Pause(policy="bank")))

    def resume(event: Event) -> None:
        if event.kind == "state_changed" and event.state == "paused":
            bench.diary.append("paused")
            bench.control.post(Resume())

    bench.book.announcer.add(resume)


def test_the_light_is_let_in_for_the_exposures_and_for_nothing_else(bench: Bench) -> None:
    measure(bench)
    light = [entry for entry in bench.diary if not entry.endswith(("gain 1", "enable"))]
    assert light == ["shutter.open", "camera.start 3", "camera.stop", "shutter.close"]
    assert bench.clock.now() == 3.0


def test_dark_frames_leave_the_shutter_alone(bench: Bench) -> None:
    measure(bench, light=False)
    assert not [entry for entry in bench.diary if entry.startswith("shutter")]


def test_gain_is_set_after_a_preview_of_one_frame_without_it(bench: Bench) -> None:
    measure(bench, gain=100)
    wanted = ("camera.gain", "camera.start", "shutter")
    assert [entry for entry in bench.diary if entry.startswith(wanted)] == [
        "camera.gain 1",
        "shutter.open",
        "camera.start 1",
        "shutter.close",
        "camera.gain 100",
        "shutter.open",
        "camera.start 3",
        "shutter.close",
    ]


def test_too_much_light_in_the_preview_is_refused_in_the_dark(bench: Bench) -> None:
    bench.camera.light_hz = 1000.0
    with pytest.raises(RefusedError, match="would bring"):
        measure(bench, gain=100)
    assert not bench.shutter.position
    assert bench.camera.gain == 1


def test_a_latched_guard_keeps_the_camera_s_shutter_closed(bench: Bench) -> None:
    bench.camera.trip()
    bench.camera.enabled = False
    with pytest.raises(ProtectionError):
        measure(bench)
    assert "camera.enable" not in bench.diary
    assert not bench.camera.enabled


def test_pauses_bank_what_is_new_and_the_point_has_everything_once(bench: Bench) -> None:
    pause_at(bench, 1.5, 4.2)
    measure(bench, count=6)
    # One frame before 1.5 s; the series goes on at 1.5 s: two more before 4.2 s.
    assert frames_of(bench, RecordKind.POINT_PART) == [1, 2]
    assert frames_of(bench, RecordKind.POINT) == [6]
    assert bench.clock.now() == pytest.approx(4.2 + 3.0)


def test_a_pause_before_the_first_frame_banks_nothing_and_goes_on(bench: Bench) -> None:
    pause_at(bench, 0.5)
    measure(bench, count=2)
    assert frames_of(bench, RecordKind.POINT_PART) == [0]
    assert frames_of(bench, RecordKind.POINT) == [2]


def test_frames_are_fetched_before_the_light_ends(bench: Bench) -> None:
    pause_at(bench, 1.5)
    measure(bench)
    first = bench.diary[: bench.diary.index("paused")]
    assert first.index("camera.stop") < first.index("shutter.close")


@pytest.mark.parametrize("at_s", [0.5, 2.5], ids=["in the preview", "in the gained frames"])
def test_after_a_pause_a_new_preview_is_taken_before_the_gain(bench: Bench, at_s: float) -> None:
    pause_at(bench, at_s)
    measure(bench, gain=100)
    after = bench.diary[bench.diary.index("paused") :]
    gains = [entry for entry in after if entry.startswith("camera.gain")]
    assert gains == ["camera.gain 1", "camera.gain 100"]
    assert frames_of(bench, RecordKind.POINT) == [3]


def test_the_first_error_is_told_even_if_the_shutter_fails_to_close(bench: Bench) -> None:
    silence = NoReplyError("shutter", "ens", "no reply")
    bench.shutter.troubles.add("shutter.close", silence)
    bench.camera.troubles.add("camera.start 3", DeviceError("camera", "start", "no"))
    with pytest.raises(DeviceError, match="camera: 'start': no"):
        measure(bench)
    # Made safe by the second attempt.
    assert not bench.shutter.position
    assert bench.diary.count("shutter.close") == 2


def test_a_point_whose_shutter_did_not_answer_at_its_end_is_measured_again(bench: Bench) -> None:
    bench.shutter.troubles.add("shutter.close", NoReplyError("shutter", "ens", "no reply"))
    measure(bench)
    assert not bench.shutter.position
    assert bench.diary.count("shutter.open") == 2
    assert qualities(bench) == [Quality.RETRIED]


def qualities(bench: Bench) -> list[int]:
    records = [r for r in read_journal(bench.journal) if r.kind == RecordKind.POINT]
    return [record.data["quality"] for record in records]


def test_lost_frames_are_taken_again_and_the_point_says_so(bench: Bench) -> None:
    bench.camera.to_lose = {1, 4}
    measure(bench, count=5)
    assert frames_of(bench, RecordKind.POINT) == [5]
    assert qualities(bench) == [Quality.FRAME_DROPPED]
    assert "2 frames were lost; 2 are taken again" in bench.texts()
    light = [entry for entry in bench.diary if entry.startswith(("shutter", "camera.st"))]
    assert light == [
        "shutter.open",
        "camera.start 5",
        "camera.stop",
        "camera.start 2",
        "camera.stop",
        "shutter.close",
    ]
    measure(bench, count=2)
    assert qualities(bench)[1:] == [0]


def test_loss_that_goes_on_is_an_error_in_the_dark(bench: Bench) -> None:
    bench.camera.to_lose = {0, 3, 4}
    with pytest.raises(DeviceError, match="1 frames were lost, after 2 that were taken again"):
        measure(bench, count=3)
    assert frames_of(bench, RecordKind.POINT) == []
    assert not bench.shutter.position


def test_a_lost_preview_is_no_preview(bench: Bench) -> None:
    bench.camera.to_lose = {0}
    measure(bench, gain=100)
    starts = [entry for entry in bench.diary if entry.startswith(("camera.gain", "camera.start"))]
    assert starts == [
        "camera.gain 1",
        "camera.start 1",
        "camera.start 1",
        "camera.gain 100",
        "camera.start 3",
    ]
    # The frames of the point itself came in one series.
    assert qualities(bench) == [0]


def test_frames_lost_before_a_pause_count_too(bench: Bench) -> None:
    bench.camera.to_lose = {0}
    pause_at(bench, 2.5)
    measure(bench, count=4)
    assert frames_of(bench, RecordKind.POINT_PART) == [1]
    assert frames_of(bench, RecordKind.POINT) == [4]
    assert qualities(bench) == [Quality.FRAME_DROPPED | Quality.SUSPENDED_DURING]


def test_counts_come_as_they_were_digitised(bench: Bench) -> None:
    measure(bench, count=2)
    (record,) = [r for r in read_journal(bench.journal) if r.kind == RecordKind.POINT]
    frames = record.arrays["frames"].values
    assert frames.dtype == np.uint16
    assert frames.shape == (2, 4, 8)
    assert frames[0, 0, 0] == 600
    assert frames[0, 1, 1] == 500
