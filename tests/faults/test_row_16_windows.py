"""Row 16: windows are killed, or too slow to follow; the run does not notice."""

import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labctl.channels import Channel
from labctl.host.server import EngineRequest, place_of
from labctl.host.server._rendezvous import call
from labctl.storage import Run, RunStatus, read_run
from served_engine import Hearer, attached, served, wait_for
from small_setup import Bench, arrays

POINTS = 20
RECIPE = f"""
name: many points
sample: {{name: CsPbBr3 23 nm, dot: A7}}
steps:
  - repeat:
      times: {POINTS}
      steps:
        - spectrum: {{grating: 300/mm, center: 531 nm, exposure: 20 ms, adc: 5 MHz, frames: 40,
            unlocked_sensor: true}}
"""
WINDOW = """
import sys, threading
from pathlib import Path
from labctl.host.server import attach
stored = threading.Event()
def told(head, arrays):
    if head["kind"] == "event" and '"point_stored"' in head["event"]:
        stored.set()
client = attach(Path(sys.argv[1]), simulate=True, told=told, gone=lambda: None)
print("added", client.ask("queue_add", recipe=sys.argv[2]).result(60), flush=True)
stored.wait(120)
print("sees points", flush=True)
threading.Event().wait()
"""


@contextmanager
def lab(folder: Path) -> Generator[EngineRequest]:
    """Serve the small set-up, whose world forgets, so that no point depends on when it is taken."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABCTL_RUNTIME_DIR", str(folder / "runtime"))
        bench = Bench(folder)
        setup = bench.setup()
        setup.write_text(setup.read_text("utf-8") + "simulate: {memory: false}\n", "utf-8")
        bench.recipe(RECIPE)
        request = EngineRequest(setup=setup, simulate=True, speed=4.0, out=folder / "data")
        with served(request):
            yield request


def recipe_of(request: EngineRequest) -> str:
    return str(request.setup.with_name("recipe.yaml"))


def result(request: EngineRequest) -> Run:
    """Wait for the one run of an engine, by looking at its files only."""
    data = request.setup.parent / "data"

    def complete() -> bool:
        products = list(data.rglob("*.nxs"))
        return bool(products) and read_run(products[0]).status is RunStatus.COMPLETE

    wait_for(complete, "the run to be complete")
    return read_run(next(data.rglob("*.lcj")))


@contextmanager
def slow_window(request: EngineRequest) -> Generator[Channel]:
    """Attach, and never read a byte."""
    channel = wait_for(lambda: call(place_of(request.setup, simulate=True)), "the engine")
    descriptor: int = channel._connection.fileno()
    with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        yield channel
    finally:
        channel.hang_up()
        channel.close()


@contextmanager
def window_process(request: EngineRequest) -> Generator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", WINDOW, str(request.setup), recipe_of(request)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def await_line(process: "subprocess.Popen[str]", start: str) -> None:
    assert process.stdout is not None
    assert any(line.startswith(start) for line in process.stdout), f"ended before {start!r}"


@pytest.fixture(scope="module")
def headless(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the run that nobody watches."""
    with lab(tmp_path_factory.mktemp("headless") / "lab") as request:
        with attached(request) as hearer:
            hearer.ask("queue_add", recipe=recipe_of(request))
        return result(request)


def stored(hearer: Hearer) -> int:
    welcome: dict[str, Any] = hearer.of("welcome")[0]
    return int(welcome["run"]["points"])


def test_killed_and_slow_windows_change_nothing(tmp_path: Path, headless: Run) -> None:
    with lab(tmp_path / "lab") as request:
        with slow_window(request):
            with window_process(request) as process:
                await_line(process, "sees points")
                process.kill()
                assert process.wait(30.0) != 0
            # Another window finds how far the run is, and the newest point, while it goes on.
            with attached(request) as late:
                wait_for(lambda: late.of("welcome"), "the welcome")
                assert late.of("welcome")[0]["engine"]["task"] == "run"
                assert 0 < stored(late) < POINTS
                wait_for(lambda: late.pictures.get("point/spectrum"), "the newest point")
            run = result(request)
            with attached(request) as window:
                dropped = window.ask("snapshot")["display_dropped"]
        assert arrays(run) == arrays(headless)
        assert len(arrays(headless)) == 3
        # The one that never reads has lost display data, which is counted.
        assert dropped > 0
        with attached(request) as again:
            wait_for(lambda: again.of("welcome"), "the welcome")
            assert stored(again) == POINTS
            head, last = wait_for(lambda: again.pictures.get("point/spectrum"), "the last point")
            assert head["index"] == POINTS - 1
            counts = run.data["spectrum"]["counts"].values[-1]
            np.testing.assert_array_equal(last["counts"], counts)
    assert run.points.sizes["point"] == POINTS
    assert (run.points["quality"].values == headless.points["quality"].values).all()
