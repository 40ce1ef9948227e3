"""Row 6: the buffer of the time tagger runs full, in every kind of record and every module."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from invariants import check_invariants, twice
from labctl.events import Event
from labctl.photons import PtuFile, read_ptu, replay
from labctl.storage import Quality, RecordKind
from live_bench import LiveRun, both, once, run_live
from photon_setup import PhotonBench

MODULES = ["picoharp300", "hydraharp400", "multiharp150", "picoharp330"]
"""The first one has a single input beside the sync, so it takes no pairs."""
STEPS = """
    trpl: {center: 531 nm, stop: {time: 6 s}, on_overrun: flag}
    trpl: {stop: {time: 1 s}, on_overrun: flag}
"""
PAIRS = """
    g2: {center: 531 nm, stop: {time: 6 s}, on_overrun: flag}
    g2: {stop: {time: 1 s}, on_overrun: flag}
"""
AGAIN = """
    trpl: {center: 531 nm, stop: {time: 2 s}}
    trpl: {stop: {time: 0.5 s}}
"""
PAIRS_AGAIN = AGAIN.replace("trpl", "g2")
ABORT = AGAIN.replace("2 s}", "2 s}, on_overrun: abort")
OTHER_READER = "import ptufile, sys; print(len(ptufile.PtuFile(sys.argv[1]).read_records()))"


def after_s(seconds: float) -> Callable[[Event], bool]:
    return lambda event: event.kind == "live_result" and event.values["live_time_s"] >= seconds


def stored(event: Event) -> bool:
    return event.kind == "point_stored"


def inject(kind: str) -> Callable[[LiveRun], None]:
    return lambda live: live.rig.inject("tagger", kind)


def overrun(bench: PhotonBench, steps: str, module: str, at_s: float = 2.0) -> LiveRun:
    """Take two points; in the first one the buffer runs full, and then it is read again."""
    return run_live(
        bench.ask(steps, DRIVER=f"picoquant.{module}"),
        both(once(after_s(at_s), inject("fifo_overrun")), once(stored, inject("clear"))),
    )


def raw(live: LiveRun, number: int) -> PtuFile:
    """Return the raw file of a point, which must be whole."""
    path = live.run.path.parent / str(live.run.sidecars[number]["name"])
    file = read_ptu(path)
    assert (path.stat().st_size - file.header.size) % 4 == 0
    assert file.flags == frozenset()
    return file


def recorded(file: PtuFile, detectors: Mapping[str, Any]) -> int:
    """Return the photons of these detectors."""
    photons = replay(file, []).photons
    return sum(photons[detector["code"]] for detector in detectors.values())


def flags_of(live: LiveRun) -> list[int]:
    return [int(record.data["quality"]) for record in live.records(RecordKind.POINT)]


@pytest.mark.parametrize(
    ("module", "steps"),
    [*((module, STEPS) for module in MODULES), *((module, PAIRS) for module in MODULES[1:])],
    ids=[*(f"{module}-t3" for module in MODULES), *(f"{module}-t2" for module in MODULES[1:])],
)
def test_a_full_buffer_ends_the_point_and_says_so(
    photons: PhotonBench, module: str, steps: str
) -> None:
    live = overrun(photons, steps, module)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    first, second = live.records(RecordKind.POINT)
    assert first.data["quality"] & Quality.FIFO_FULL
    assert first.data["settings"]["photons"]["flags"] == ["fifo_full"]
    assert not second.data["quality"] & Quality.FIFO_FULL
    # What was asked for is not there, and neither its time nor its photons are made up.
    assert 2.0 <= first.data["live_time_s"] < 2.3
    for number, point in enumerate((first, second)):
        there = recorded(raw(live, number), point.data["settings"]["detectors"])
        assert point.data["settings"]["photons"]["counts"] == there > 0
    assert any("fifo_full" in event.text for event in live.of("message"))


def test_the_light_ends_with_the_records(photons: PhotonBench) -> None:
    live = overrun(photons, STEPS, "multiharp150")
    struck_s = next(e.t_mono_s for e in live.events if after_s(2.0)(e))
    told_s = next(e.t_mono_s for e in live.of("message") if "fifo_full" in e.text)
    changes = live.rig.world.table.excitation.changes(struck_s, told_s)
    off_s = next(at_s for at_s, value in changes if not value)
    assert off_s - struck_s <= 1.0


@pytest.mark.parametrize("seed", range(5))
def test_no_histogram_holds_what_no_record_holds(photons: PhotonBench, seed: int) -> None:
    at_s = 1.0 + np.random.default_rng(seed).integers(0, 4)
    live = overrun(photons, STEPS, MODULES[seed % len(MODULES)], at_s)
    check_invariants(live, detected=False)
    counts = live.run.data["trpl"]["counts"].values.sum(axis=1)
    for number, point in enumerate(live.records(RecordKind.POINT)):
        assert counts[number] == recorded(raw(live, number), point.data["settings"]["detectors"])


def test_a_buffer_that_stays_full_flags_every_point(photons: PhotonBench) -> None:
    live = twice(lambda: run_live(photons.ask(STEPS), once(after_s(2.0), inject("fifo_overrun"))))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    assert all(bits & Quality.FIFO_FULL for bits in flags_of(live))
    assert len(flags_of(live)) == 2
    assert live.records(RecordKind.POINT)[1].data["live_time_s"] < 0.3


def told_again(event: Event) -> bool:
    return event.kind == "message" and "once more" in event.text


@pytest.mark.parametrize("steps", [AGAIN, PAIRS_AGAIN], ids=["t3", "t2"])
def test_the_rest_of_the_point_is_taken_once_more(photons: PhotonBench, steps: str) -> None:
    react = both(once(after_s(1.0), inject("fifo_overrun")), once(told_again, inject("clear")))
    live = run_live(photons.ask(steps), react)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    first, second = live.records(RecordKind.POINT)
    assert [bool(bits & Quality.FIFO_FULL) for bits in flags_of(live)] == [True, False]
    assert [bool(bits & Quality.SUSPENDED_DURING) for bits in flags_of(live)] == [False, False]
    # All that was asked for, and not more: neither time nor light.
    parts = first.data["settings"]["photons"]["parts"]
    assert first.data["live_time_s"] == pytest.approx(2.0, abs=0.1)
    assert sum(part["live_time_s"] for part in parts) == pytest.approx(2.0, abs=0.1)
    assert 1.0 <= parts[0]["live_time_s"] < 1.3
    assert first.data["settings"]["stop"]["met"] == "time"
    there = sum(recorded(raw(live, n), first.data["settings"]["detectors"]) for n in (0, 1))
    assert first.data["settings"]["photons"]["counts"] == there > 0
    assert recorded(raw(live, 2), second.data["settings"]["detectors"]) > 0


def test_the_second_attempt_is_the_last_one(photons: PhotonBench) -> None:
    live = run_live(photons.ask(AGAIN), once(after_s(1.0), inject("fifo_overrun")))
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    check_invariants(live, detected=False)
    assert all(bits & Quality.FIFO_FULL for bits in flags_of(live))
    points = live.records(RecordKind.POINT)
    assert [len(point.data["settings"]["photons"]["parts"]) for point in points] == [2, 2]
    assert 1.0 <= points[0].data["live_time_s"] < 1.6
    assert "fifo_full" in points[0].data["settings"]["stop"]["met"]


def test_a_second_overrun_can_be_an_error(photons: PhotonBench) -> None:
    live = run_live(photons.ask(ABORT), once(after_s(1.0), inject("fifo_overrun")))
    outcome = live.ended.outcome
    assert outcome.status == "failed"
    assert "tagger: 'read photons': its buffer ran full twice" in outcome.reason
    assert "on_overrun: flag" in str(outcome.error)
    check_invariants(live, detected=False)
    assert live.records(RecordKind.POINT) == []
    # What had come by then are files of the run all the same.
    assert raw(live, 0).record_count > 0
    assert len(live.run.sidecars) == 2


def test_another_reader_finds_all_records(photons: PhotonBench, clients_python: Path) -> None:
    file = raw(overrun(photons, STEPS, "multiharp150"), 0)
    command = [str(clients_python), "-c", OTHER_READER, str(file.path)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60.0, check=True)
    assert int(found.stdout) == file.record_count > 2000
