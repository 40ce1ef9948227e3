"""The engine in a process of its own, behind the same interface as the one in this process."""

import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from labctl.channels import Channel, accept_from, connect, listen
from labctl.errors import ConfigError, LabctlError, Problem
from labctl.events import (
    Command,
    Event,
    Progress,
    Reading,
    RunStarted,
    decode_command,
    decode_event,
)
from labctl.host._local import LocalHost
from labctl.host._request import RunRequest
from labctl.host._runner import RunReport
from labctl.sequencer import Listener, Outcome

__all__ = ["ChildHost", "main"]

_QUEUE = 10_000
_LOOK_S = 0.2
"""On Windows, only a wait that ends by itself lets an interrupt of the terminal through."""


class ChildHost:
    """Starts the engine as a child process and passes commands in and events out."""

    def __init__(self) -> None:
        """Begin without a child."""
        self._commands: SimpleQueue[Command | None] = SimpleQueue()

    def post(self, command: Command) -> None:
        """Hand the run a command; safe from any thread and from signal handlers."""
        self._commands.put(command)

    def run(self, request: RunRequest, listeners: Iterable[Listener] = ()) -> RunReport:
        """Carry out a recipe in a child process; otherwise as ``LocalHost.run``.

        Raises:
            ConfigError: Something is wrong with the input; nothing was touched.
            LabctlError: The engine could not run, or died; what it stored is in its journal.
        """
        key = secrets.token_hex(32)
        listener, port = listen(key.encode())
        with listener:
            process = subprocess.Popen(
                [sys.executable, "-m", "labctl.host", str(port)],
                stdin=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C reaches the parent only, which sends commands
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
            try:
                channel = _called_back(process, listener, port, key)
                return self._follow(channel, process, request, list(listeners))
            finally:
                process.wait()
                self._commands = SimpleQueue()

    def _follow(
        self,
        channel: Channel,
        process: "subprocess.Popen[bytes]",
        request: RunRequest,
        listeners: list[Listener],
    ) -> RunReport:
        link = _Link(channel, self._commands)
        try:
            link.begin(request)
            return _report(_heard(link, process, listeners))
        finally:
            link.end()


class _Link:
    """Both directions of the channel on threads of their own, so that nothing breaks a message."""

    def __init__(self, channel: Channel, commands: "SimpleQueue[Command | None]") -> None:
        self._channel, self._commands = channel, commands
        self.messages: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._send, name="commands to the engine", daemon=True),
            threading.Thread(target=self._receive, name="events of the engine", daemon=True),
        ]

    def begin(self, request: RunRequest) -> None:
        with suppress(OSError):  # an engine that is dead already shows by its silence
            self._channel.send({"request": request.model_dump_json()})
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._commands.put(None)
        for thread in self._threads:
            thread.join()
        self._channel.close()

    def _send(self) -> None:
        while (command := self._commands.get()) is not None:
            with suppress(OSError):
                self._channel.send({"command": command.model_dump_json()})

    def _receive(self) -> None:
        # Until the child closes its end: by itself after its report, or by dying.
        with suppress(EOFError, OSError):
            while True:
                self.messages.put(self._channel.receive())
        self.messages.put(None)


def _called_back(process: "subprocess.Popen[bytes]", listener: Any, port: int, key: str) -> Channel:
    with suppress(OSError):  # it has died; that is seen below
        if process.stdin is not None:
            process.stdin.write(key.encode() + b"\n")
            process.stdin.close()
    channel = accept_from(listener, port, alive=lambda: process.poll() is None)
    if channel is None:
        message = f"the engine's process ended at once with status {process.returncode}"
        raise LabctlError(message)
    return channel


def _heard(
    link: _Link, process: "subprocess.Popen[bytes]", listeners: list[Listener]
) -> dict[str, Any]:
    """Hand events on until the report comes; a third Ctrl-C breaks the engine off."""
    journal = ""
    while True:
        try:
            message = link.messages.get(timeout=_LOOK_S)
            if message is None:
                raise _dead(process, journal)
            if "event" not in message:
                return message
            event = decode_event(message["event"])
            if isinstance(event, RunStarted):
                journal = event.journal
            _hand(event, listeners)
        except Empty:
            continue
        except KeyboardInterrupt:
            _interrupt(process)


def _hand(event: Event, listeners: list[Listener]) -> None:
    for listener in tuple(listeners):
        try:
            listener(event)
        # A display of any kind must not leave the engine alone.
        except Exception:
            listeners.remove(listener)


def _interrupt(process: "subprocess.Popen[bytes]") -> None:
    """Break the engine off as Ctrl-C would; it makes everything safe and reports."""
    name = "CTRL_BREAK_EVENT" if sys.platform == "win32" else "SIGINT"
    process.send_signal(signal.Signals[name])


def _dead(process: "subprocess.Popen[bytes]", journal: str) -> LabctlError:
    message = f"the engine's process died with status {process.wait()}"
    if journal:
        message += f"; everything it stored is in {journal}; bring it back with 'labctl recover'"
    return LabctlError(message)


class _Sender:
    """Sends events from a thread of its own; a display that lags never holds the engine up."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._queue: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()
        self.dropped = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress | Reading) and self._queue.qsize() > _QUEUE:
            self.dropped += 1
            return
        self._queue.put({"event": event.model_dump_json()})

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
    if "SIGBREAK" in signal.Signals.__members__:
        signal.signal(signal.Signals["SIGBREAK"], signal.default_int_handler)
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
    except KeyboardInterrupt:
        return {"failure": "interrupted at once, outside of the run"}
    return {
        "report": {
            "uid": report.uid,
            "journal": str(report.journal),
            "product": str(report.product) if report.product else None,
            "status": report.outcome.status,
            "reason": report.outcome.reason,
            "unsafe": list(report.outcome.unsafe),
            "skipped": report.outcome.skipped,
            "remarks": list(report.remarks),
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
    unsafe = tuple(found["unsafe"])
    outcome = Outcome(found["status"], found["reason"], None, unsafe, found["skipped"])
    product = Path(found["product"]) if found["product"] else None
    remarks = tuple(found["remarks"])
    return RunReport(found["uid"], Path(found["journal"]), outcome, product, remarks)
