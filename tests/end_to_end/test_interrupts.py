"""Ctrl-C once, twice, thrice on a program that runs a recipe; and the death of the engine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from labctl.errors import ConfigError, LabctlError
from labctl.events import Event, Stop
from labctl.host import ChildHost, RunRequest, RunState
from labctl.storage import read_run, recover
from small_setup import Bench

LONG = """
name: long
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 500 ms, frames: FRAMES}
  - spectrum: {grating: 300/mm, center: 531 nm, exposure: 500 ms, frames: FRAMES}
"""
PROGRAM = """
import json, sys
from labctl.cli._interrupt import commands_by_interrupt
from labctl.host import ChildHost, LocalHost, RunRequest
def say(**fields):
    print(json.dumps(fields), flush=True)
host = ChildHost() if sys.argv[2] == "child" else LocalHost()
def listen(event):
    say(kind=event.kind, text=getattr(event, "text", ""), state=getattr(event, "state", ""))
with commands_by_interrupt(host.post, lambda text: say(kind="heard", text=text)):
    report = host.run(RunRequest.model_validate_json(sys.argv[1]), [listen])
say(kind="report", journal=str(report.journal), status=report.outcome.status,
    reason=report.outcome.reason, unsafe=list(report.outcome.unsafe))
"""


class Program:
    """A run in a process of its own, as a terminal sees it."""

    def __init__(self, request: RunRequest, host: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, request.model_dump_json(), host],
            stdout=subprocess.PIPE,
            text=True,
            # CTRL_BREAK reaches a group of processes, which must not be our own.
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def press(self) -> None:
        name = "CTRL_BREAK_EVENT" if sys.platform == "win32" else "SIGINT"
        self.process.send_signal(signal.Signals[name])

    def until(self, **wanted: str) -> dict[str, Any]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told: dict[str, Any] = json.loads(line)
            if all(value in told.get(key, "") for key, value in wanted.items()):
                return told
        raise AssertionError(f"the program ended before it said {wanted}")


@contextmanager
def program(bench: Bench, host: str, frames: int) -> Generator[Program]:
    request = bench.request(recipe=bench.recipe(LONG.replace("FRAMES", str(frames))))
    started = Program(request.model_copy(update={"speed": 10.0}), host)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.communicate()


@pytest.mark.parametrize("host", ["local", "child"])
@pytest.mark.parametrize(
    ("presses", "frames", "points", "reason"),
    [
        (1, 20, 1, "stopped by the user"),
        (2, 2000, 0, "aborted by the user"),
        (3, 2000, 0, "by the user|interrupted at once"),
    ],
    ids=["once", "twice", "thrice"],
)
def test_ctrl_c(
    bench: Bench, host: str, presses: int, frames: int, points: int, reason: str
) -> None:
    with program(bench, host, frames) as started:
        started.until(kind="progress", text="frame 3 of")
        for number in range(presses):
            started.press()
            if number < 2:
                started.until(kind="heard")
        report = started.until(kind="report")
        assert started.process.wait(20) == 0
    assert report["status"] == "aborted"
    assert any(words in report["reason"] for words in reason.split("|"))
    assert report["unsafe"] == []
    run = read_run(Path(report["journal"]))
    assert run.status == "aborted"
    assert len(run.points.get("index", ())) == points
    assert run.stop is not None
    # The shutter's own word, asked after it was closed.
    assert run.stop["snapshot"]["shutter"]["open"] is False
    assert run.stop["snapshot"]["camera"]["shutter_timing_mode"] == "Always Closed"


def test_an_engine_that_is_killed_is_told_and_its_points_come_back(bench: Bench) -> None:
    started: list[Any] = []
    popen: Any = subprocess.Popen

    def remember(*arguments: Any, **options: Any) -> Any:
        started.append(popen(*arguments, **options))
        return started[-1]

    told: list[Event] = []

    def kill(event: Event) -> None:
        told.append(event)
        if event.kind == "point_stored":
            os.kill(started[0].pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    request = bench.request(recipe=bench.recipe(LONG.replace("FRAMES", "10")))
    request = request.model_copy(update={"speed": 10.0})
    with (
        patch("labctl.host._child.subprocess.Popen", remember),
        pytest.raises(LabctlError, match=r"died with status .* 'labctl recover'") as caught,
    ):
        ChildHost().run(request, [kill])
    (begun,) = [event for event in told if event.kind == "run_started"]
    assert begun.journal in str(caught.value)
    journal = Path(begun.journal)
    assert RunState.from_journal(journal).points == 1
    assert read_run(journal).status == "crashed"
    recover(journal)
    found = read_run(journal.parent)
    assert found.status == "recovered"
    assert found.data["spectrum"].sizes["point"] == 1


def test_a_child_tells_every_problem_of_the_input(bench: Bench) -> None:
    request = bench.request(recipe=bench.recipe("name: x\nsteps: [{spectrum: {exposre: 1 s}}]\n"))
    with pytest.raises(ConfigError) as caught:
        ChildHost().run(request)
    assert any("exposre" in problem.what for problem in caught.value.problems)


def test_a_display_that_fails_does_not_end_a_run_in_a_child(bench: Bench) -> None:
    host, seen = ChildHost(), list[str]()

    def broken(event: Event) -> None:
        raise RuntimeError("no display")

    def listen(event: Event) -> None:
        seen.append(event.kind)
        if event.kind == "point_stored":
            host.post(Stop(reason="enough"))

    request = bench.request(recipe=bench.recipe(LONG.replace("FRAMES", "4")))
    report = host.run(request.model_copy(update={"speed": 10.0}), [broken, listen])
    assert report.outcome.status == "aborted"
    assert report.outcome.reason == "enough"
    assert seen[-1] == "run_stopped"
