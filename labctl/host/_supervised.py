"""The engine's side of its supervisor: signs of life, and a new one when it is gone."""

import os
import secrets
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

from labctl.channels import Channel, accept_from, listen
from labctl.errors import LabctlError
from labctl.host._connection import Connection, SimulatedBy
from labctl.host._runner import Watched, unwatched
from labctl.host._supervisor import HUNG_S, WORLD_HUNG_S, Beat, SetupFiles, SupervisorOrder
from labctl.roles import Shutter
from labctl.sequencer import Session

__all__ = ["Supervision", "supervised"]

_BEAT_S = 0.25
_NEWS_S = 5.0
_SILENT_S = 3.0
"""A supervisor that has not answered for so long is replaced, s of wall time."""


class Supervision:
    """Sends the signs of life from a thread of its own; looks after the supervisor in turn.

    Attributes:
        news: What happened to the supervisor, for the books of a run; taken by whoever tells it.
    """

    def __init__(self, order: SupervisorOrder, turns: Callable[[], int]) -> None:
        """``turns`` grows while the engine's thread moves."""
        self._order, self._turns = order, turns
        self._lit: Callable[[], bool] = lambda: False
        self._folder = ""
        self._ending = threading.Event()
        self._process, self._channel = _start(order)
        self.news: deque[str] = deque()
        self._thread = threading.Thread(target=self._beat, name="signs of life", daemon=True)
        self._thread.start()

    @contextmanager
    def run(self, session: Session, folder: Path) -> Generator[None]:
        """Say for the block which run goes on, and whether light is let in; keep its books."""
        station = session.station
        shutters = [s for name in station if isinstance(s := station[name], Shutter)]
        self._folder = str(folder)
        self._lit = lambda: session.measuring and any(s.ordered_open for s in shutters)
        cancel = session.clock.call_every(_NEWS_S, lambda: self._tell(session))
        self.news.append(f"process {self._process.pid} looks after this run")
        self._tell(session)
        try:
            yield
        finally:
            cancel()
            self._folder, self._lit = "", lambda: False

    def _tell(self, session: Session) -> None:
        while self.news:
            session.book.message("info", "supervisor", self.news.popleft())

    def close(self) -> None:
        """Take leave: the supervisor ends without doing anything."""
        self._ending.set()
        self._thread.join()
        with suppress(OSError):
            self._channel.send(self._sign(bye=True))
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_SILENT_S)
        # Ended before the channel is closed: to a supervisor that has not heard the leave-taking,
        # its end would look like the death of the engine.
        _end(self._process)
        self._channel.close()

    def _sign(self, *, bye: bool = False) -> dict[str, Any]:
        return Beat(turns=self._turns(), lit=self._lit(), folder=self._folder, bye=bye).model_dump()

    def _beat(self) -> None:
        heard_s = monotonic()
        while not self._ending.wait(_BEAT_S):
            try:
                self._channel.send(self._sign())
                while self._channel.poll():
                    self._channel.receive()
                    heard_s = monotonic()
            except (EOFError, OSError):
                heard_s = self._replace("died")
            if monotonic() - heard_s > _SILENT_S:
                heard_s = self._replace("hung")

    def _replace(self, what: str) -> float:
        """Replace a supervisor that is of no use; returns the time from which the new one counts.

        The old one is ended first: it must not wake up and end an engine that is well.
        """
        _end(self._process)
        self._channel.close()
        try:
            order = self._order.model_copy(update={"folder": self._folder})
            self._process, self._channel = _start(order)
        except LabctlError as error:
            self.news.append(f"the supervisor {what}, and there is no new one: {error}")
            self._ending.set()
        else:
            self.news.append(f"the supervisor {what}; process {self._process.pid} takes its place")
        return monotonic()


@contextmanager
def supervised(
    connection: Connection,
    setup: SetupFiles,
    by: SimulatedBy | None,
    *,
    hung_s: float | None = None,
) -> Generator[Watched]:
    """Have a supervisor for the block; none where the engine's world dies with it.

    Yields:
        What a run is opened with, so that the supervisor knows of it.

    Args:
        connection: What the engine holds.
        setup: The files from which the supervisor reads the set-up.
        by: How it is simulated; None: it is real.
        hung_s: How long an engine that lets light in may stand still, s of wall time; None: as
            long as befits real instruments, or a simulated world that calculates.

    Raises:
        LabctlError: It does not start; nothing may be lit without it.
    """
    if by is not None and by.world_port is None:
        yield unwatched
        return
    order = SupervisorOrder(
        **setup.model_dump(),
        world_port=by.world_port if by else None,
        world_key=by.world_key if by else "",
        hung_s=hung_s or (WORLD_HUNG_S if by else HUNG_S),
    )
    clock = connection.clock
    supervision = Supervision(order, lambda: clock.turns)
    try:
        yield supervision.run
    finally:
        supervision.close()


def _start(order: SupervisorOrder) -> tuple["subprocess.Popen[bytes]", Channel]:
    key = secrets.token_hex(32)
    listener, port = listen(key.encode())
    with listener:
        process = subprocess.Popen(
            [sys.executable, "-m", "labctl.host.supervise"],
            stdin=subprocess.PIPE,
            start_new_session=True,  # it outlives the terminal of the engine
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        told = order.model_copy(update={"port": port, "engine": os.getpid()})
        with suppress(OSError):  # it has died; that is seen below
            if process.stdin is not None:
                process.stdin.write(f"{key}\n{told.model_dump_json()}\n".encode())
                process.stdin.close()
        channel = accept_from(listener, port, alive=lambda: process.poll() is None)
    if channel is None:
        message = f"the supervisor's process ended at once with status {process.returncode}"
        raise LabctlError(message)
    return process, channel


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(OSError):
        process.kill()
    process.wait()
