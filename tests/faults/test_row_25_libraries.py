"""Row 25: a vendor's library crashes or hangs within a call, in a process of its own."""

import re
from collections.abc import Callable

import pytest

from invariants import DARK_WITHIN_S, check_invariants, twice
from labctl.errors import ConnectionLostError
from labctl.events import Event
from labctl.storage import Quality, RecordKind, read_run
from live_bench import LiveRun, frame, once, run_live
from own_world import await_line, engine, own_world
from photon_setup import PhotonBench
from small_setup import Bench

DECAY = "trpl: {center: 531 nm, stop: {time: 4 s}}"
APART = "isolate: true, longest_call: 1 s, simulate: {isolate: true}"
LIMIT_S = 1.0
MODULES = ["picoharp300", "hydraharp400", "multiharp150", "picoharp330"]
CAMERA = "camera: {driver: princeton.picam"


def after_2_s(event: Event) -> bool:
    return event.kind == "live_result" and event.values["live_time_s"] >= 2.0


def strike(device: str, kind: str, **parameters: object) -> Callable[[LiveRun], None]:
    return lambda live: live.rig.inject(device, kind, **parameters)


def apart(driver: str) -> str:
    """Return the name of a driver with the keys that put its library into its own process."""
    return f"{driver}, {APART}"


def processes(live: LiveRun, device: str) -> list[str]:
    """Return what was said of the ends of a library's processes, as far as it is kept."""
    entries = live.traffic(device)
    return [str(e["returned"]) for e in entries if e.get("called") == "(the library's process)"]


def check_dark(live: LiveRun) -> None:
    """All is safe but the tagger, which cannot be asked whether it stands still; that is said."""
    assert not live.shutter_open
    assert [text.partition(":")[0] for text in live.ended.outcome.unsafe] == ["tagger.stop"]


def check_repeated(live: LiveRun, device: str) -> None:
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    told = [event.text for event in live.of("message") if event.device == device]
    assert any("its settings were pushed again" in text for text in told)
    marked = [point for point in live.records(RecordKind.POINT) if point.attempt == 1]
    assert [point.data["quality"] & Quality.RETRIED for point in marked] == [Quality.RETRIED]


@pytest.mark.parametrize("how", ["segfault", "abort"])
@pytest.mark.parametrize("module", MODULES)
def test_a_tagger_whose_library_crashes_is_opened_again_in_a_fresh_process(
    photons: PhotonBench, module: str, how: str
) -> None:
    request = photons.ask(DECAY, DRIVER=apart(f"picoquant.{module}"))
    live = run_live(request, once(after_2_s, strike("tagger", "crash", how=how)))
    check_repeated(live, "tagger")
    (point,) = live.records(RecordKind.POINT)
    assert point.data["live_time_s"] == pytest.approx(4.0, abs=0.02)
    (warning,) = [e.text for e in live.of("message") if e.text.startswith("trouble")]
    prefix = live.recorder.dump("tagger")[-1]["called"].partition("_")[0] if live.recorder else ""
    assert re.match(rf"trouble with the connection: tagger: '{prefix}_\w+': the library's", warning)
    assert "has crashed" in warning


def test_a_crash_gives_the_same_every_time_and_says_what_happened(photons: PhotonBench) -> None:
    def scenario() -> LiveRun:
        request = photons.ask(DECAY, DRIVER=apart("picoquant.multiharp150"))
        return run_live(request, once(after_2_s, strike("tagger", "crash")))

    live = twice(scenario)
    check_repeated(live, "tagger")
    (said,) = processes(live, "tagger")
    assert "has crashed (SIGSEGV" in said or "has crashed (exception" in said


def test_a_camera_whose_library_crashes_is_opened_again_in_a_fresh_process(bench: Bench) -> None:
    request = bench.request(recipe=bench.recipe())
    text = request.setup.read_text("utf-8")
    assert CAMERA in text
    request.setup.write_text(text.replace(CAMERA, f"{CAMERA}, {APART}"), "utf-8")
    live = run_live(request, once(frame(2, 1), strike("camera", "crash")))
    check_repeated(live, "camera")


def test_a_library_that_crashes_again_and_again_fails_the_run_in_the_dark(
    photons: PhotonBench,
) -> None:
    request = photons.ask(DECAY, DRIVER=apart("picoquant.hydraharp400"))
    live = run_live(request, once(after_2_s, strike("tagger", "crash", how="abort", times=1000)))
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert isinstance(outcome.error, ConnectionLostError)
    assert outcome.error.device == "tagger"
    assert outcome.error.command.startswith("HH_")
    assert "the library's process has crashed" in outcome.reason
    # The tagger cannot be told to stop any more: its library is gone, and said to be.
    check_invariants(live, device="tagger", unsafe=True)
    check_dark(live)


def test_a_library_that_hangs_is_ended_after_its_limit_in_wall_time(photons: PhotonBench) -> None:
    """The world's own book, on the wall clock: light goes off after the limit, and no later."""
    request = photons.ask(DECAY, DRIVER=apart("picoquant.multiharp150"))
    request = request.model_copy(update={"speed": 1.0})
    hung_s: list[float] = []

    def hang(live: LiveRun) -> None:
        hung_s.append(live.clock.now())
        live.rig.inject("tagger", "hang", for_s=LIMIT_S + 2.0)

    live = run_live(request, once(after_2_s, hang))
    check_repeated(live, "tagger")
    dark_s = next(s for s, what in live.rig.log() if what == "light off" and s > hung_s[0])
    assert LIMIT_S <= dark_s - hung_s[0] <= LIMIT_S + DARK_WITHIN_S
    (warning,) = [e.text for e in live.of("message") if e.text.startswith("trouble")]
    assert "has not returned within 1 s; its process was ended" in warning


def test_a_library_that_hangs_for_good_fails_the_run_in_the_dark(photons: PhotonBench) -> None:
    request = photons.ask(DECAY, DRIVER=apart("picoquant.multiharp150"))
    live = run_live(request, once(after_2_s, strike("tagger", "hang")))
    assert live.ended.outcome.status == "failed"
    assert isinstance(live.ended.outcome.error, ConnectionLostError)
    check_invariants(live, device="tagger", unsafe=True)
    check_dark(live)


def test_engine_and_world_outlive_a_library_that_crashes_in_the_light(photons: PhotonBench) -> None:
    """Each of the three is a process of its own; the book of the world is the judge."""
    crash_s = 8.0
    fault = f"simulate: {{isolate: true, faults: [{{kind: crash, after: {crash_s:g} s}}]}}"
    driver = f"picoquant.multiharp150, isolate: true, longest_call: 1 s, {fault}"
    request = photons.ask(DECAY, DRIVER=driver)
    with own_world(request.setup) as world:
        with engine(world.request(request)) as process:
            await_line(process, "message trouble with the connection: tagger", "run_stopped")
            assert process.wait(60) == 0
        log = world.log()
    assert request.out is not None
    (journal,) = request.out.rglob("*.lcj")
    run = read_run(journal)
    assert run.stop is not None
    assert run.stop["status"] == "complete"
    # Let in for the point, shut after the crash, let in again for the same point, shut at the end.
    _, *changes = [(s, what) for s, what in log if what.startswith("light ") and s > 0.0]
    assert [what for _, what in changes] == ["light off", "light on", "light off"]
    assert crash_s <= changes[0][0] <= crash_s + DARK_WITHIN_S
