"""Row 4 behind vendor libraries: a cable is pulled within a point and put in again later."""

from collections.abc import Callable

import pytest

from invariants import check_invariants, twice
from labctl.errors import ConnectionLostError, DeviceRefusedError
from labctl.events import Event
from labctl.storage import Quality, RecordKind
from live_bench import LiveRun, frame, once, run_live
from photon_setup import PhotonBench
from small_setup import Bench

DECAY = "trpl: {center: 531 nm, stop: {time: 4 s}}"
LASER = {
    "  shutter: {": "  laser: {driver: picoquant.sepia, intensity: 60 %, rep_rate: 10 MHz}\n"
    "  shutter: {",
    "safe_state: [": "safe_state: [laser.off, ",
}
MODULES = ["picoharp300", "hydraharp400", "multiharp150", "picoharp330"]
PARTS = """
  imaging_camera: {driver: thorlabs.uc480, magnification: 60}
  led: {driver: thorlabs.dc2200, address: "USB0::0x1313::0x80C8::M00435922::INSTR"}
  lamp:"""
PICTURE = """
name: pictures
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - image: {exposure: 1 s, frames: 4, light: none, roi: [600, 64, 450, 64]}
"""


def after_2_s(event: Event) -> bool:
    return event.kind == "live_result" and event.values["live_time_s"] >= 2.0


def picture_2(event: Event) -> bool:
    return event.kind == "progress" and event.text.startswith("picture 2")


def away(device: str, pulled: str, for_s: float) -> Callable[[LiveRun], None]:
    """Pull a cable, and put it in again so many seconds of the clock later."""

    def act(live: LiveRun) -> None:
        live.rig.inject(device, pulled)
        back_s = live.clock.now() + for_s
        live.clock.schedule(back_s, lambda: live.rig.inject(device, "clear"))

    return act


def check_dark(live: LiveRun) -> None:
    """All is safe but the tagger, which cannot be asked whether it stands still; that is said."""
    assert not live.shutter_open
    assert [text.partition(":")[0] for text in live.ended.outcome.unsafe] == ["tagger.stop"]


def check_repeated(live: LiveRun, device: str, attempts: int = 1) -> None:
    """The point was measured again, is marked, and everything it was told is in force again."""
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    told = [event.text for event in live.of("message") if event.device == device]
    assert any("its settings were pushed again" in text for text in told)
    marked = [point for point in live.records(RecordKind.POINT) if point.attempt == attempts]
    assert [point.data["quality"] & Quality.RETRIED for point in marked] == [Quality.RETRIED]


@pytest.mark.parametrize("for_s", [0.05, 3.0, 30.0])
@pytest.mark.parametrize("module", MODULES)
def test_a_tagger_whose_cable_was_pulled_is_opened_again(
    photons: PhotonBench, module: str, for_s: float
) -> None:
    request = photons.ask(DECAY, DRIVER=f"picoquant.{module}")
    live = run_live(request, once(after_2_s, away("tagger", "unplug", for_s)))
    check_repeated(live, "tagger")
    (point,) = live.records(RecordKind.POINT)
    assert point.data["live_time_s"] == pytest.approx(4.0, abs=0.02)


def test_a_laser_whose_cable_was_pulled_is_opened_again_in_the_dark(photons: PhotonBench) -> None:
    def scenario() -> LiveRun:
        request = photons.ask(f"{DECAY}\n{DECAY}", changes=LASER)
        return run_live(request, once(after_2_s, away("laser", "unplug", 20.0)))

    live = twice(scenario)
    check_repeated(live, "laser")
    assert len(live.records(RecordKind.POINT)) == 2


@pytest.mark.parametrize("for_s", [3.0, 30.0])
def test_a_camera_whose_cable_was_pulled_is_opened_again(bench: Bench, for_s: float) -> None:
    away_now = away("camera", "lose_connection", for_s)
    live = run_live(bench.request(recipe=bench.recipe()), once(frame(2, 1), away_now))
    check_repeated(live, "camera")


def test_an_imaging_camera_whose_cable_was_pulled_is_opened_again(bench: Bench) -> None:
    request = bench.request(recipe=bench.recipe(PICTURE))
    text = request.setup.read_text("utf-8")
    assert text.count("\n  lamp:") == 1
    request.setup.write_text(text.replace("\n  lamp:", PARTS), "utf-8")
    live = run_live(request, once(picture_2, away("imaging_camera", "disconnect", 5.0)))
    check_repeated(live, "imaging_camera")


def test_another_tagger_on_the_same_cable_is_refused(photons: PhotonBench) -> None:
    def swap(live: LiveRun) -> None:
        live.rig.inject("tagger", "unplug")
        back_s = live.clock.now() + 3.0
        live.clock.schedule(back_s, lambda: live.rig.inject("tagger", "clear"))
        live.clock.schedule(back_s, lambda: live.rig.inject("tagger", "other_unit"))

    live = run_live(photons.ask(DECAY), once(after_2_s, swap))
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, DeviceRefusedError)
    assert "another unit answers" in outcome.reason
    assert "1099999" in outcome.reason
    check_invariants(live, device="tagger")


def test_a_tagger_that_stays_away_fails_the_run_in_the_dark(photons: PhotonBench) -> None:
    def scenario() -> LiveRun:
        return run_live(photons.ask(DECAY), once(after_2_s, away("tagger", "unplug", 1e6)))

    live = twice(scenario)
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, ConnectionLostError)
    assert "DEVICE_NOT_OPEN" in outcome.reason
    check_invariants(live, device="tagger", unsafe=True)
    check_dark(live)
