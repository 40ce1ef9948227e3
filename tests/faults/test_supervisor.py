"""The engine or its supervisor dies or hangs; judged from the world's own log.

Row 18 of the fault matrix, as far as light is concerned.
"""

import json
import os
import re
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from labctl.host import RunRequest
from labctl.storage import read_run, recover
from own_world import OwnWorld, Process, await_line, engine, own_world
from small_setup import Bench

RECIPE = """
name: long exposures
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 3}
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 1 s, frames: 100000}
"""
DARK_AFTER_DETECTION_S, DARK_AFTER_DEATH_S, HUNG_S = 1.0, 3.0, 1.0
LIT = ("point_stored", "progress frame 2")
stops = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Generator[OwnWorld]:
    with own_world(Bench(tmp_path_factory.mktemp("world")).setup()) as found:
        yield found


@pytest.fixture
def request_(tmp_path: Path, world: OwnWorld) -> RunRequest:
    bench = Bench(tmp_path)
    return world.request(bench.request(recipe=bench.recipe(RECIPE)))


def folder_of(request: RunRequest) -> Path:
    assert request.out is not None
    (journal,) = request.out.rglob("*.lcj")
    return journal.parent


def story_of(request: RunRequest) -> dict[str, Any]:
    """Return what the supervisor wrote beside the run."""
    folder = folder_of(request)
    return json.loads((folder / f"{folder.name}_supervisor.json").read_text("utf-8"))


def dark_after_s(world: OwnWorld) -> float:
    """Return how long the world saw laser light after its last engine had gone, s."""
    log = [entry for entry in world.log() if entry[0] > 0.0]
    lights = [index for index, (_, what) in enumerate(log) if what.startswith("light")]
    on, off = lights[-2:]
    assert (log[on][1], log[off][1]) == ("light on", "light off")
    gone = [at_s for at_s, what in log[on:off] if what == "holder gone"]
    assert gone, "the engine was not lit when it went; nothing is shown"
    return log[off][0] - gone[0]


def supervisor_pid(line: str) -> int:
    found = re.search(r"process (\d+)", line)
    assert found is not None
    return int(found[1])


def ended(process: Process) -> str:
    """Wait until engine and supervisor have ended: both hold the end of this pipe."""
    assert process.stderr is not None
    return process.stderr.read()


def test_a_killed_engine_leaves_no_light(world: OwnWorld, request_: RunRequest) -> None:
    with engine(request_) as process:
        await_line(process, *LIT)
        process.kill()
        said = ended(process)
    assert "the engine died; made safe:" in said
    story = story_of(request_)
    assert story["why"] == "the engine died"
    assert [entry["action"] for entry in story["safe_state"]] == [
        "shutter.close",
        "camera.em_gain_1",
        "camera.close",
        "lamp.off",
    ]
    assert [entry["error"] for entry in story["safe_state"]] == [""] * 4
    assert story["safe_state"][0]["after_s"] < DARK_AFTER_DETECTION_S
    assert dark_after_s(world) < DARK_AFTER_DEATH_S
    report = recover(folder_of(request_))
    assert (report.status, report.points) == ("recovered", 1)
    assert int(read_run(report.product).points.sizes["point"]) == 1


@stops
def test_a_hung_engine_is_ended_and_leaves_no_light(world: OwnWorld, request_: RunRequest) -> None:
    with engine(request_, HUNG_S) as process:
        await_line(process, *LIT)
        os.kill(process.pid, signal.SIGSTOP)
        said = ended(process)
        assert process.wait() == -signal.SIGKILL
    found = re.search(r"the engine has not moved for (\d\.\d) s; made safe:", said)
    assert found is not None, said
    story = story_of(request_)
    assert story["engine"]["ended"] == "killed"
    assert story["safe_state"][0]["after_s"] < DARK_AFTER_DETECTION_S
    assert float(found[1]) + dark_after_s(world) < DARK_AFTER_DEATH_S


@pytest.mark.parametrize(
    ("harm", "word"),
    [("SIGKILL", "died"), pytest.param("SIGSTOP", "hung", marks=stops)],
)
def test_a_lost_supervisor_is_replaced_and_the_next_one_acts(
    world: OwnWorld, request_: RunRequest, harm: str, word: str
) -> None:
    with engine(request_) as process:
        pid = supervisor_pid(await_line(process, "message process"))
        await_line(process, *LIT)
        os.kill(pid, getattr(signal, harm, signal.SIGTERM))
        line = await_line(process, f"message the supervisor {word}; process", "progress frame")
        assert line
        process.kill()
        said = ended(process)
    assert "the engine died; made safe:" in said
    assert story_of(request_)["why"] == "the engine died"
    assert dark_after_s(world) < DARK_AFTER_DEATH_S


def test_an_engine_that_ends_in_order_is_left_alone(request_: RunRequest) -> None:
    recipe = request_.recipe
    recipe.write_text(RECIPE.replace("100000", "2"), "utf-8")
    with engine(request_) as process:
        await_line(process, "run_stopped")
        assert "made safe" not in ended(process)
    assert not list(folder_of(request_).glob("*_supervisor.json"))
