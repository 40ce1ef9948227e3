"""An engine in a process of its own, and a window without a window that listens to it."""

import re
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from labctl.host.server import EngineClient, EngineRequest, FarEngine, attach, start_engine

ROOT = Path(__file__).parents[2]
MICROSCOPE = ROOT / "configs" / "setups" / "microscope.yaml"
PATIENCE_S = 150.0
TOKEN = "q3Jv8dKpX2mNbT5wZrLhYc7sFgA9eUiO"
"""Of the engines of tests that let windows of other computers in, on this computer only."""


def let_others_in(setup: Path) -> Path:
    """Let a set-up listen at a free port, with a token beside it; returns the set-up."""
    token = setup.parent / "token"
    token.write_text(f"{TOKEN}\n", "utf-8")
    token.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        block = f"listen: {{port: {free.getsockname()[1]}, token_file: token}}\n"
    setup.write_text(setup.read_text("utf-8") + block, "utf-8")
    return setup


def far(request: EngineRequest, token: str = TOKEN) -> FarEngine:
    """Return an engine that lets others in as a window of another computer knows it."""
    found = re.search(r"^listen: \{port: (\d+)", request.setup.read_text("utf-8"), re.M)
    assert found is not None
    return FarEngine("127.0.0.1", int(found[1]), token.encode())


def wait_for(ready: Callable[[], Any], what: str, within_s: float = PATIENCE_S) -> Any:
    """Look every 20 ms of life until something is there; returns it."""
    end_s, pause = monotonic() + within_s, threading.Event()
    while not (found := ready()):
        if monotonic() > end_s:
            pytest.fail(f"not within {within_s:g} s: {what}")
        pause.wait(0.02)
    return found


class Hearer:
    """A window without a window: keeps what an engine tells."""

    def __init__(self) -> None:
        self.heads: list[dict[str, Any]] = []
        self.pictures: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.gone = threading.Event()
        self.client: EngineClient | None = None

    def told(self, head: dict[str, Any], arrays: Any) -> None:
        if head["kind"] == "live":
            self.pictures[head["topic"]] = (head, dict(arrays))
        else:
            self.heads.append(head)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [head for head in self.heads if head["kind"] == kind]

    def ask(self, verb: str, **arguments: Any) -> Any:
        if self.client is None:
            pytest.fail("not attached")
        return self.client.ask(verb, **arguments).result(PATIENCE_S)

    def status(self) -> dict[str, Any]:
        told = [head["engine"] for head in self.heads if "engine" in head]
        return told[-1] if told else {}


@contextmanager
def attached(request: EngineRequest) -> Generator[Hearer]:
    """Attach to the engine of a request."""
    hearer = Hearer()

    def call() -> EngineClient | None:
        return attach(request.setup, simulate=True, told=hearer.told, gone=hearer.gone.set)

    client = hearer.client = wait_for(call, "an engine to attach to")
    try:
        yield hearer
    finally:
        client.close()


@contextmanager
def served(request: EngineRequest) -> Generator[None]:
    """Have an engine in a process of its own until the block ends; it is connected at its start."""
    hearer = Hearer()
    client = hearer.client = start_engine(request, hearer.told, hearer.gone.set)
    try:
        wait_for(lambda: hearer.status().get("connected"), "the set-up to be connected")
        try:
            yield
        finally:
            # Also after a failure, which would otherwise wait for the end of the engine in vain.
            hearer.ask("end")
        assert hearer.gone.wait(PATIENCE_S), "the engine has not ended"
    finally:
        client.close()
        for thread in threading.enumerate():
            if thread.name == "end of the engine":
                thread.join(PATIENCE_S)
