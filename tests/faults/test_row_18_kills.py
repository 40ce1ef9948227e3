"""Row 18: kill -9 at random instants, of who writes, of who builds the file, of the engine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from interrupted import SERIES, assert_same_points, points_of, request_of, run_without_product
from labctl.host import LocalHost, RunRequest, resume_request
from labctl.storage import RunStatus, lint_product, read_run, recover
from small_setup import Bench

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
import numpy as np
from labctl.storage import ArrayItem, JournalWriter, RecordKind
writer = JournalWriter(Path(sys.argv[1]), now=monotonic, utc=lambda: datetime.now(UTC))
writer.append(RecordKind.START, {"uid": "u", "name": "kill"})
for index in range(100000):
    counts = np.arange(1600, dtype=np.uint32) + index
    histogram = np.full(8192, index, dtype=np.uint32)
    data = {"index": index, "measurement": "look", "label": "", "set": {}, "read": {},
            "settings": {}, "quality": 0}
    arrays = [ArrayItem("counts", counts, "counts", ("x",)),
              ArrayItem("histogram", histogram, "counts", ("bin",))]
    writer.append(RecordKind.POINT, data, arrays)
    print(index, flush=True)
"""
ENGINE = """
import sys
from labctl.host import LocalHost, RunRequest
def listen(event):
    print(event.kind, getattr(event, "index", ""), getattr(event, "journal", ""), flush=True)
LocalHost().run(RunRequest.model_validate_json(sys.argv[1]), [listen])
"""
WORLD = """
import json, sys
from labctl.host import serve_virtual
from labctl.setup import load_setup
serve_virtual(load_setup(sys.argv[1]), dot="A7", seed=0, key=sys.argv[2],
    announce=lambda told: print(json.dumps(dict(told)), flush=True))
"""
KEY = "a secret of this test"


def killed_writer(journal: Path, rng: np.random.Generator) -> int:
    """Let a process write as fast as it can, kill it; returns how many points it had told."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(journal)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    enough, told = int(rng.integers(0, 60)), -1
    for line in process.stdout:
        told = int(line)
        if told >= enough:
            break
    _burn(int(rng.integers(0, 20_000)))
    os.kill(process.pid, KILL)
    rest = process.communicate()[0]
    whole = [line for line in rest.split("\n")[:-1] if line]
    return int(whole[-1]) + 1 if whole else told + 1


def _burn(turns: int) -> None:
    """Let a part of a write call pass; nothing that one could wait for is so short."""
    for _ in range(turns):
        pass


def _has_grown(file: Path, size: int) -> bool:
    try:
        return file.stat().st_size >= size
    except FileNotFoundError:
        # Not there yet, or renamed already.
        return False


def killed_finaliser(journal: Path, rng: np.random.Generator) -> bool:
    """Begin to build the product, kill it once something of it is there; False if it was done."""
    process = subprocess.Popen(
        [sys.executable, "-m", "labctl.storage.finalise", str(journal)], stdout=subprocess.DEVNULL
    )
    part = journal.with_suffix(".nxs.part")
    wanted = int(rng.integers(0, 100_000))
    while process.poll() is None and not _has_grown(part, wanted):
        _burn(1000)
    if process.poll() is None:
        os.kill(process.pid, KILL)
    return process.wait() != 0


@pytest.mark.timeout(7200)
def test_writer_and_finaliser_are_killed_at_random(tmp_path: Path, torture: bool) -> None:
    kills = points = lost = corrupt = 0
    for seed in range(530 if torture else 4):
        rng = np.random.default_rng(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        journal = folder / "run.lcj"
        acknowledged = killed_writer(journal, rng)
        kills += 1 + killed_finaliser(journal, rng)
        points += acknowledged
        found = points_of(folder)
        lost += max(0, acknowledged - len(found))
        for index, point in enumerate(found):
            assert point.data["index"] == index
            assert int(point.arrays["counts"].values[0]) == index
            assert np.all(point.arrays["histogram"].values == index)
        if not found:
            continue
        report = recover(folder)
        corrupt += bool(lint_product(report.product))
        assert report.points == len(found)
        assert report.status is RunStatus.RECOVERED
        assert recover(folder).made is False
        assert len(found) <= acknowledged + 1
    print(f"{kills} kills, {points} acknowledged, {lost} lost, {corrupt} corrupt")
    assert (lost, corrupt) == (0, 0)


@contextmanager
def world_of(request: RunRequest) -> Generator[int]:
    """Let the world live in a process of its own; yields the port of its lease."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORLD, str(request.setup), KEY], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(json.loads(process.stdout.readline())["lease"])
    finally:
        process.terminate()
        process.communicate(timeout=30)


def killed_engine(request: RunRequest, events: int) -> tuple[Path, set[int]]:
    """Run in a process, kill it after so many events; returns its journal and what it had told."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENGINE, request.model_dump_json()], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    journal, told = Path(), set[int]()
    for number, line in enumerate(process.stdout):
        kind, index, where = line.rstrip("\n").split(" ", 2)
        journal = Path(where) if where else journal
        if kind == "point_stored":
            told.add(int(index))
        if number >= events and journal != Path():
            os.kill(process.pid, KILL)
            break
    rest = process.communicate()[0].split("\n")[:-1]
    told |= {int(line.split(" ")[1]) for line in rest if line.startswith("point_stored")}
    return journal, told


@pytest.mark.timeout(7200)
def test_an_engine_that_is_killed_goes_on_in_the_same_world(bench: Bench, torture: bool) -> None:
    request = request_of(bench, SERIES)
    whole = run_without_product(request.model_copy(update={"out": bench.folder / "whole"}))
    # An uninterrupted run tells about 400.
    events = 380
    for seed in range(40 if torture else 1):
        rng = np.random.default_rng(seed)
        with world_of(request) as port:
            there = {"world_port": port, "world_key": KEY}
            journal, told = killed_engine(
                request.model_copy(update=there), int(rng.integers(3, events))
            )
            run = journal.parent
            assert told <= {int(point.data["index"]) for point in points_of(run)}
            assert read_run(run).status in ("crashed", "complete")
            if read_run(run).status == "complete":
                continue
            report = LocalHost().run(resume_request(run).model_copy(update=there))
        assert report.outcome.status == "complete", report.outcome.reason
        assert report.product is not None
        assert lint_product(report.product) == []
        assert_same_points(run, whole.journal.parent)
