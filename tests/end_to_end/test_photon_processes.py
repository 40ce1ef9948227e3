"""Photons across processes: a run that is killed while they come, and a world of its own."""

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from labctl.host import ChildHost, LocalHost, RunReport
from labctl.photons import read_ptu, replay
from labctl.storage import file_digest, read_run, recover
from photon_setup import PhotonBench

KEY = "a secret of this test"
ENGINE = """
import sys
from labctl.host import LocalHost, RunRequest
def listen(event):
    if event.kind in ("point_stored", "live_result"):
        print(event.kind, flush=True)
LocalHost().run(RunRequest.model_validate_json(sys.argv[1]), [listen])
"""
WORLD = """
import json, sys
from labctl.host import serve_virtual
from labctl.setup import load_setup
serve_virtual(load_setup(sys.argv[1]), dot="A7", seed=4, key=sys.argv[2],
    announce=lambda told: print(json.dumps(dict(told)), flush=True))
"""


@pytest.fixture
def bench(tmp_path: Path) -> PhotonBench:
    return PhotonBench(tmp_path)


def killed(bench: PhotonBench) -> Path:
    """Kill a run in its second point; returns its folder."""
    steps = """
        trpl: {center: 531 nm, stop: {time: 1 s}}
        trpl: {stop: {time: 3000 s}}
    """
    request = bench.ask(steps).model_copy(update={"speed": 10.0})
    command = [sys.executable, "-c", ENGINE, request.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        stored = False
        for line in engine.stdout:
            stored = stored or line.startswith("point_stored")
            if stored and line.startswith("live_result"):
                break
        engine.kill()
    (journal,) = (bench.folder / "data").rglob("*.lcj")
    return journal.parent


def test_photons_of_a_killed_run_come_back(bench: PhotonBench) -> None:
    folder = killed(bench)
    report = recover(folder)
    assert (report.status, report.points) == ("recovered", 1)
    (remark,) = report.remarks
    stored, stray = read_run(report.product).sidecars
    assert str(stray["name"]) in remark
    path = folder / str(stray["name"])
    assert file_digest(path) == {"size": stray["size"], "sha256": stray["sha256"]}
    books = replay(read_ptu(path), [])
    # Live results come once a second; the dot gives some 2500 photons in that time.
    assert books.photons[0] > 1500
    assert 0.9 < books.elapsed_s
    assert replay(read_ptu(folder / str(stored["name"])), []).photons[0] > 1500


@pytest.fixture
def world_port(bench: PhotonBench) -> Generator[int]:
    """A world in its own process, in virtual time; yields the port of its lease."""
    setup = bench.ask("note: ''").setup
    command = [sys.executable, "-c", WORLD, str(setup), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["lease"]
        process.terminate()


@pytest.mark.parametrize("host", [LocalHost, ChildHost])
def test_a_world_in_its_own_process_gives_the_same_photons(
    bench: PhotonBench, world_port: int, host: type[LocalHost] | type[ChildHost]
) -> None:
    steps = """
        trpl: {center: 531 nm, stop: {time: 1 s}}
        g2: {stop: {time: 1 s}}
    """
    request = bench.ask(steps, seed=4)
    leased = host().run(request.model_copy(update={"world_port": world_port, "world_key": KEY}))
    assert leased.outcome.status == "complete", leased.outcome.reason
    assert raws(leased) == raws(LocalHost().run(request))


def raws(report: RunReport) -> list[bytes]:
    """Return the records of every point, without the headers, which have a date."""
    run = read_run(report.journal)
    files = [read_ptu(run.path.parent / str(entry["name"])) for entry in run.sidecars]
    return [b"".join(bytes(block.tobytes()) for block in file.blocks()) for file in files]
