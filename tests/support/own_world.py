"""A world in a process of its own, and engines beside it that can be killed or stopped."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labctl.host import LeasedWorld, RunRequest

KEY = "a secret of this test"
_WORLD = """
import json, sys
from labctl.host import serve_virtual
from labctl.setup import load_setup
serve_virtual(load_setup(sys.argv[1]), dot="A7", seed=4, key=sys.argv[2],
    announce=lambda told: print(json.dumps(dict(told)), flush=True))
"""
_ENGINE = """
import sys
from labctl.host import LocalHost, RunRequest
def listen(event):
    words = event.text if event.kind in ("message", "progress") else ""
    print(event.kind, words, flush=True)
LocalHost(hung_s=float(sys.argv[2])).run(RunRequest.model_validate_json(sys.argv[1]), [listen])
"""
Process = subprocess.Popen[str]


@dataclass(frozen=True)
class OwnWorld:
    """Where the world is reached."""

    port: int

    def log(self) -> list[tuple[float, str]]:
        """Return the world's own log; takes the lease for a moment."""
        world = LeasedWorld(self.port, KEY.encode(), {})
        try:
            return world.log()
        finally:
            world.close()

    def request(self, request: RunRequest) -> RunRequest:
        """Return the request as one of this world."""
        return request.model_copy(update={"world_port": self.port, "world_key": KEY})


@contextmanager
def own_world(setup: Path) -> Generator[OwnWorld]:
    """Serve a set-up in virtual time from a process of its own."""
    command = [sys.executable, "-c", _WORLD, str(setup), KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield OwnWorld(json.loads(process.stdout.readline())["lease"])
        finally:
            process.kill()


@contextmanager
def engine(request: RunRequest, hung_s: float = 60.0) -> Generator[Process]:
    """Carry a request out in a process of its own, which prints every event on a line."""
    command = [sys.executable, "-c", _ENGINE, request.model_dump_json(), str(hung_s)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def await_line(process: Process, *starts: str) -> str:
    """Read what the engine prints up to one line after the other; returns the last of them."""
    assert process.stdout is not None
    line = ""
    for start in starts:
        for line in process.stdout:
            if line.startswith(start):
                break
        else:
            message = f"the engine ended before {start!r}"
            raise AssertionError(message)
    return line
