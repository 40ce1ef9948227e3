"""The engine as a window sees it: asked things, and told things; and how to find or start it."""

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from labctl.channels import Arrays, Channel, Head, call_door, pack, unpack
from labctl.errors import ConfigError, LabctlError, Problem
from labctl.host.server._rendezvous import call, place_of
from labctl.host.server._request import EngineRequest

__all__ = ["EngineClient", "FarEngine", "attach", "attach_to", "start_engine"]

_LOOK_S = 0.1
_STARTS_S = 60.0

Told = Callable[[Head, Arrays], None]


@dataclass(frozen=True)
class FarEngine:
    """An engine that a set-up lets other computers reach, and the token that it wants."""

    host: str
    port: int
    token: bytes = field(repr=False)


class EngineClient:
    """A line to an engine; ``told`` is given everything that it says, on the line's own thread."""

    def __init__(self, channel: Channel, told: Told, gone: Callable[[], None]) -> None:
        """Take over a channel; ``gone`` is called once when the engine hangs up or dies."""
        self._channel, self._told, self._gone = channel, told, gone
        self._lock = threading.Lock()
        self._asked: dict[int, Future[Any]] = {}
        self._last = 0
        self._thread = threading.Thread(target=self._receive, name="from the engine", daemon=True)
        self._thread.start()

    def ask(self, verb: str, **arguments: Any) -> "Future[Any]":
        """Ask for something; the answer comes into the future, or a LabctlError."""
        future: Future[Any] = Future()
        with self._lock:
            self._last += 1
            self._asked[self._last] = future
            packet = pack({"ask": self._last, "verb": verb, "arguments": arguments})
            try:
                self._channel.send_packet(packet)
            except OSError:
                del self._asked[self._last]
                future.set_exception(LabctlError("the engine has gone"))
        return future

    def close(self) -> None:
        """Hang up; the engine goes on."""
        self._channel.hang_up()
        if threading.current_thread() is not self._thread:
            self._thread.join(2.0)

    def _receive(self) -> None:
        with suppress(OSError, EOFError, LabctlError):
            while True:
                head, arrays = unpack(self._channel.receive_packet())
                if head["kind"] == "answer":
                    self._answered(head)
                else:
                    self._told(head, arrays)
        with self._lock:
            self._channel.close()
            left, self._asked = list(self._asked.values()), {}
        for future in left:
            future.set_exception(LabctlError("the engine has gone"))
        self._gone()

    def _answered(self, head: Head) -> None:
        with self._lock:
            future = self._asked.pop(head["ask"], None)
        if future is None:
            return
        if "error" not in head:
            future.set_result(head.get("value"))
        elif "problems" in head:
            future.set_exception(ConfigError([Problem(**p) for p in head["problems"]]))
        else:
            future.set_exception(LabctlError(head["error"]))


def attach(
    setup: Path, *, simulate: bool, told: Told, gone: Callable[[], None]
) -> EngineClient | None:
    """Return a line to the engine of a set-up; None if none is running."""
    channel = call(place_of(setup, simulate=simulate))
    return None if channel is None else EngineClient(channel, told, gone)


def attach_to(far: FarEngine, told: Told, gone: Callable[[], None]) -> EngineClient | None:
    """Return a line to an engine that listens for other computers; None if none answers.

    Raises:
        LabctlError: It refuses the token, or is no engine.
    """
    try:
        channel = call_door(far.host, far.port, far.token)
    except OSError:
        return None
    return EngineClient(channel, told, gone)


def start_engine(
    request: EngineRequest, told: Told, gone: Callable[[], None], log: Path | None = None
) -> EngineClient:
    """Start an engine in a process of its own, which outlives this one, and attach to it.

    Args:
        request: The set-up and how to simulate it.
        told: See ``EngineClient``.
        gone: See ``EngineClient``.
        log: File for what the process writes; None: beside the file of the rendezvous.

    Raises:
        LabctlError: It ended at once; says why.
    """
    place = place_of(request.setup, simulate=request.simulate)
    log = log or place.with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "labctl.host.server", request.model_dump_json()],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    deadline_s, pause = monotonic() + _STARTS_S, threading.Event()
    while monotonic() < deadline_s:
        found = attach(request.setup, simulate=request.simulate, told=told, gone=gone)
        if found is not None:
            _leave(process)
            return found
        if process.poll() is not None:
            break
        pause.wait(_LOOK_S)
    text = log.read_text("utf-8", errors="replace").strip()
    message = f"the engine has not started (status {process.returncode}): {text[-2000:]}"
    raise LabctlError(message)


def _leave(process: "subprocess.Popen[bytes]") -> None:
    # The engine is meant to outlive whoever started it; a thread takes note of its end, so that
    # it leaves no zombie while this process lives.
    threading.Thread(target=process.wait, name="end of the engine", daemon=True).start()
