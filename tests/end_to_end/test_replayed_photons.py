"""Whole runs in which recorded photons come in the place of the dot's, to the count."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labctl.errors import ConfigError
from labctl.photons import read_ptu, replay
from labctl.setup import load_setup
from live_bench import LiveRun, run_live
from photon_setup import PhotonBench

RECORDINGS = Path(__file__).parents[3] / "shared" / "realdata"
REAL = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the real recordings are not on this computer"
)
COUNTS = (45012, 32871)
"""Photons of each channel of ``v20_t3.ptu``, as two readers of other projects agree."""
T2_COUNT = 305565


@pytest.fixture
def bench(tmp_path: Path) -> PhotonBench:
    return PhotonBench(tmp_path)


def replayed(bench: PhotonBench, recording: str, step: str) -> LiveRun:
    """Run a step on a HydraHarp 400 whose photons come from a file."""
    tagger = f"picoquant.hydraharp400, simulate: {{truth: {{replay: {recording}}}}}"
    words: dict[str, Any] = {"DRIVER": tagger, "rep_rate: 10 MHz": "rep_rate: 5 MHz"}
    live = run_live(bench.ask(step, **words), lambda _event, _live: None)
    assert live.ended.outcome.status == "complete", live.ended.outcome.reason
    return live


def in_the_raw_file(live: LiveRun) -> list[int]:
    (entry,) = live.run.sidecars
    photons = replay(read_ptu(live.run.path.parent / str(entry["name"])), []).photons
    return [photons[code] for code in sorted(photons)]


@REAL
def test_a_t3_recording_is_stored_to_the_count(bench: PhotonBench) -> None:
    # A relative name is looked for beside the set-up file.
    shutil.copy(RECORDINGS / "v20_t3.ptu", bench.folder / "recorded.ptu")
    live = replayed(bench, "recorded.ptu", "photons: {stop: {time: 11 s}, time_bin: 100 ms}")
    stored = live.run.data["photons"]
    assert tuple(stored["by_detector"].values[0].sum(axis=0)) == COUNTS
    assert in_the_raw_file(live) == list(COUNTS)
    decays = stored["decays"].values[0]
    # Delays beyond the laser's period, a few in a thousand, belong to the next pulse here.
    assert decays.sum() == pytest.approx(sum(COUNTS), rel=2e-3)
    width_ps = float(np.diff(stored["delay"].values)[0])
    peaks_ps = decays.argmax(axis=-1) * width_ps
    # The recording's decays are highest in its bins 60 and 66 of 64 ps; its rise takes some bins.
    assert peaks_ps == pytest.approx([60 * 64.0, 66 * 64.0], abs=3 * 64.0)


@REAL
def test_a_t2_recording_is_stored_to_the_count(bench: PhotonBench) -> None:
    path = (RECORDINGS / "v20_t2.ptu").as_posix()
    step = "photons: {mode: t2, detectors: [apd_1], stop: {time: 6 s}, time_bin: 100 ms}"
    live = replayed(bench, f'"{path}"', step)
    assert live.run.data["photons"]["by_detector"].values[0].sum(axis=0) == [T2_COUNT]
    assert in_the_raw_file(live) == [T2_COUNT]


def problems(bench: PhotonBench, truth: str, recording: bytes | None = None) -> tuple[str, ...]:
    if recording is not None:
        (bench.folder / "recorded.ptu").write_bytes(recording)
    tagger = f"picoquant.multiharp150, simulate: {{truth: {{{truth}}}}}"
    request = bench.ask("trpl: {stop: {time: 1 s}}", DRIVER=tagger)
    with pytest.raises(ConfigError) as raised:
        load_setup(request.setup)
    line = 1 + request.setup.read_text("utf-8").splitlines().index(
        f"  tagger: {{driver: {tagger}}}"
    )
    (problem,) = raised.value.problems
    assert problem.where == f"{request.setup}:{line}"
    return problem.what, problem.hint


def test_a_missing_recording_is_one_error_with_its_line(bench: PhotonBench) -> None:
    what, hint = problems(bench, "replay: nowhere.ptu")
    assert "there is no recording 'nowhere.ptu'" in what
    assert "beside the set-up file" in hint


@pytest.mark.parametrize("data", [b"", b"PQHISTO\0" + bytes(100), b"PQTTTR\0\0" + bytes(8)])
def test_a_foreign_recording_is_one_error_with_its_line(bench: PhotonBench, data: bytes) -> None:
    what, hint = problems(bench, "replay: recorded.ptu", data)
    assert "recorded.ptu" in what
    assert hint == "give a PTU file of T2 or T3 records"


def test_a_shutter_before_no_detector_is_one_error(bench: PhotonBench) -> None:
    words: dict[str, Any] = {"blocks: detectors": "blocks: apd_3"}
    request = bench.ask("trpl: {stop: {time: 1 s}}", **words)
    with pytest.raises(ConfigError) as raised:
        load_setup(request.setup)
    (problem,) = raised.value.problems
    assert "there is no detector 'apd_3'" in problem.what
    assert problem.hint == "there are excitation, detectors, apd_1, apd_2"
    lines = request.setup.read_text("utf-8").splitlines()
    assert "apd_3" in lines[int(problem.where.rpartition(":")[2]) - 1]
