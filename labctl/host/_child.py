"""The engine in a process of its own, behind the same interface as the one in this process."""

import secrets
import subprocess
import sys
import threading
from collections.abc import Iterable
from multiprocessing.connection import Listener
from pathlib import Path
from queue import Full, Queue
from typing import Any

from labctl.errors import ConfigError, LabctlError, Problem
from labctl.events import Command, Event, Progress, Reading, decode_command, decode_event
from labctl.host._channel import Channel, connect, listen
from labctl.host._local import LocalHost
from labctl.host._request import RunRequest
from labctl.host._runner import RunReport
from labctl.sequencer import Listener as EventListener
from labctl.sequencer import Outcome

__all__ = ["ChildHost", "main"]

_QUEUE = 10_000


class ChildHost:
    """Starts the engine as a child process and passes commands in and events out."""

    def __init__(self) -> None:
        """Begin without a child."""
        self._channel: Channel | None = None
        self._waiting: list[Command] = []
        self._lock = threading.Lock()

    def post(self, command: Command) -> None:
        """Hand the run a command; safe from any thread."""
        with self._lock:
            if self._channel is None:
                self._waiting.append(command)
            else:
                self._channel.send({"command": command.model_dump_json()})

    def run(self, request: RunRequest, listeners: Iterable[EventListener] = ()) -> RunReport:
        """Carry out a recipe in a child process; otherwise as ``LocalHost.run``.

        Raises:
            ConfigError: Something is wrong with the input; nothing was touched.
            LabctlError: The engine could not run, or died; what it stored is in its journal.
        """
        key = secrets.token_hex(32)
        listener, port = listen(key.encode())
        process = subprocess.Popen(
            [sys.executable, "-m", "labctl.host", str(port)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches the parent only, which sends commands
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        try:
            with listener:
                if process.stdin is not None:
                    process.stdin.write(key.encode() + b"\n")
                    process.stdin.close()
                channel = _accept(listener, process)
            return self._follow(channel, request, list(listeners))
        finally:
            self._channel = None
            process.wait()

    def _follow(
        self, channel: Channel, request: RunRequest, listeners: list[EventListener]
    ) -> RunReport:
        channel.send({"request": request.model_dump_json()})
        with self._lock:
            self._channel = channel
            for command in self._waiting:
                channel.send({"command": command.model_dump_json()})
        try:
            while True:
                message = channel.receive()
                if "event" in message:
                    event = decode_event(message["event"])
                    for listener in listeners:
                        listener(event)
                else:
                    return _report(message)
        except EOFError as error:
            message = "the engine's process died; 'labctl recover' brings back what it stored"
            raise LabctlError(message) from error
        finally:
            channel.close()


def _accept(listener: Listener, process: "subprocess.Popen[bytes]") -> Channel:
    """Wait for the child's call; a child that dies before it calls is an error, not a wait."""
    found: list[Channel] = []
    waiting = threading.Thread(target=lambda: found.append(Channel(listener.accept())), daemon=True)
    waiting.start()
    while waiting.is_alive():
        waiting.join(0.05)
        if process.poll() is not None and not found:
            message = f"the engine's process ended at once with status {process.returncode}"
            raise LabctlError(message)
    return found[0]


class _Sender:
    """Sends events from a thread of its own; a display that lags never holds the engine up."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._queue: Queue[dict[str, Any] | None] = Queue(_QUEUE)
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()
        self.dropped = 0

    def __call__(self, event: Event) -> None:
        message = {"event": event.model_dump_json()}
        if isinstance(event, Progress | Reading):
            try:
                self._queue.put_nowait(message)
            except Full:
                self.dropped += 1
        else:
            self._queue.put(message)

    def finish(self, last: dict[str, Any]) -> None:
        self._queue.put(last)
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while (message := self._queue.get()) is not None:
                self._channel.send(message)
        except OSError:
            # Whoever looked on is gone; the run goes on, and its journal has everything.
            while self._queue.get() is not None:
                pass


def main() -> None:
    """Be the child: connect to the parent, run what it asks for, report."""
    key = sys.stdin.readline().strip()
    channel = connect(int(sys.argv[1]), key.encode())
    host, sender = LocalHost(), _Sender(channel)
    request = RunRequest.model_validate_json(channel.receive()["request"])
    threading.Thread(target=_obey, args=(channel, host), name="commands", daemon=True).start()
    sender.finish(_run(host, request, sender))
    channel.close()


def _run(host: LocalHost, request: RunRequest, sender: _Sender) -> dict[str, Any]:
    try:
        report = host.run(request, [sender])
    except ConfigError as error:
        return {"problems": [[p.what, p.where, p.hint] for p in error.problems]}
    except LabctlError as error:
        return {"failure": str(error)}
    return {
        "report": {
            "uid": report.uid,
            "journal": str(report.journal),
            "product": str(report.product) if report.product else None,
            "status": report.outcome.status,
            "reason": report.outcome.reason,
            "unsafe": list(report.outcome.unsafe),
        }
    }


def _obey(channel: Channel, host: LocalHost) -> None:
    try:
        while True:
            host.post(decode_command(channel.receive()["command"]))
    except (EOFError, OSError):
        return


def _report(message: dict[str, Any]) -> RunReport:
    if "problems" in message:
        raise ConfigError([Problem(*entry) for entry in message["problems"]])
    if "failure" in message:
        raise LabctlError(message["failure"])
    found = message["report"]
    outcome = Outcome(found["status"], found["reason"], None, tuple(found["unsafe"]))
    product = Path(found["product"]) if found["product"] else None
    return RunReport(found["uid"], Path(found["journal"]), outcome, product)
