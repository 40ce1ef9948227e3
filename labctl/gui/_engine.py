"""The engine as panels see it: how everything stands, what is told, and what can be asked."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from PyQt5.QtCore import QObject, QTimer, pyqtSignal

from labctl.errors import LabctlError, RefusedError
from labctl.events import Command, Event, Message, RunStarted, decode_event
from labctl.gui._inbox import Inbox, Picture
from labctl.host import RunState
from labctl.host.server import (
    EngineClient,
    EngineRequest,
    FarEngine,
    Head,
    attach,
    attach_to,
    start_engine,
)

__all__ = ["Engine"]

_AGAIN_MS = 1000
_LOG = 2_000
_TRACE = 4_000

Then = Callable[[Any], None]


class Engine(QObject):
    """Everything that the window knows. Panels read the attributes and hear the signals.

    The window never owns the run: this object only mirrors what the engine tells, and begins anew
    from the engine's own state whenever it attaches.

    Attributes:
        status: How the engine stands: connected, problem, simulated, speed, task, queue, paths …
        roles: What each instrument can do, by name (see ``labctl.host.server``).
        values: What was last read of each instrument, by name.
        run: The run that goes on, or the last one.
        started: The event that began it.
        traces: Readings by ``instrument.quantity``: (clock time in s, value).
        log: What was said: level, device, text, t_utc.
        pictures: The newest display data of each topic.
        seeks_again: Whether an engine that is not there now will be looked for again.
    """

    is_live = True
    """Whether anything can be asked; a run from its file only shows."""
    attached = pyqtSignal(bool)
    changed = pyqtSignal()
    roles_changed = pyqtSignal()
    values_changed = pyqtSignal(str)
    shown = pyqtSignal(str, object)
    happened = pyqtSignal(object)
    logged = pyqtSignal(object)
    failed = pyqtSignal(str)
    _answered = pyqtSignal(object, object)
    _line = pyqtSignal(object)

    def __init__(self, request: EngineRequest, far: FarEngine | None = None) -> None:
        """Know which engine to talk to, here or ``far`` away; ``begin`` attaches."""
        super().__init__()
        self.request, self._far = request, far
        self._forget()
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG)
        self.inbox = Inbox()
        self.inbox.woken.connect(self._drain)
        self._client: EngineClient | None = None
        self._seeking: threading.Thread | None = None
        self._closed = False
        self.seeks_again = True
        self._answered.connect(self._take_answer)
        self._line.connect(self._take_line)
        self._again = QTimer(self)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(lambda: self._seek(start=False))

    @property
    def is_attached(self) -> bool:
        """Whether the engine can be talked to."""
        return self._client is not None

    def begin(self, *, start: bool = True) -> None:
        """Attach to the engine of the set-up, or ``start`` one; returns at once."""
        self._seek(start=start)

    def close(self) -> None:
        """Hang up; the engine goes on."""
        self._closed = True
        self._again.stop()
        if self._seeking is not None:
            self._seeking.join(5.0)
        if self._client is not None:
            self._client.close()
            self._client = None

    def ask(self, verb: str, then: Then | None = None, **arguments: Any) -> None:
        """Ask the engine for something; ``then`` is given the answer, errors go to ``failed``."""
        if self._client is None:
            self.failed.emit(f"{verb}: no engine is attached")
            return
        future = self._client.ask(verb, **arguments)
        future.add_done_callback(lambda done: self._hand_over(done, then))

    def command(self, command: Command) -> None:
        """Hand the run a command."""
        self.ask("command", command=command.model_dump_json())

    def say(self, level: str, device: str, text: str) -> None:
        """Put a line of the window's own into the log."""
        self._log_entry({"level": level, "device": device, "text": text, "t_utc": ""})

    def _forget(self) -> None:
        self.status: dict[str, Any] = {}
        self.roles: dict[str, dict[str, Any]] = {}
        self.values: dict[str, dict[str, Any]] = {}
        self.run = RunState()
        self.started: RunStarted | None = None
        self.traces: dict[str, deque[tuple[float, float]]] = {}
        self.pictures: dict[str, Picture] = {}

    # -- the line ------------------------------------------------------------------------------

    def _seek(self, *, start: bool) -> None:
        if self._closed or self._client is not None:
            return
        if self._seeking is not None and self._seeking.is_alive():
            return
        self._seeking = threading.Thread(
            target=self._find, args=(start,), name="seek the engine", daemon=True
        )
        self._seeking.start()

    def _find(self, start: bool) -> None:
        """Look for the engine, on a thread: an engine that hangs must not hold up the window."""
        found: EngineClient | LabctlError | None
        try:
            found = self._attach()
            if found is None and start and self._far is None:
                found = start_engine(self.request, self.inbox.put, self._gone)
        except LabctlError as error:
            found = error
        # The window may be gone by now.
        with suppress(RuntimeError):
            self._line.emit(found)

    def _attach(self) -> EngineClient | None:
        told, gone = self.inbox.put, self._gone
        if self._far is not None:
            return attach_to(self._far, told, gone)
        request = self.request
        return attach(request.setup, simulate=request.simulate, told=told, gone=gone)

    def _gone(self) -> None:
        with suppress(RuntimeError):
            self._line.emit(None)

    def _take_line(self, found: "EngineClient | LabctlError | None") -> None:
        if isinstance(found, LabctlError):
            self.say("error", "engine", str(found))
            self.failed.emit(str(found))
        if isinstance(found, EngineClient):
            self._client = found
            self._again.stop()
            self.attached.emit(True)
            return
        if self._client is not None:
            self._client.close()
            self._client = None
            self.say("warning", "engine", "the line to the engine is lost")
        self.attached.emit(False)
        # A token that is refused is not the right one the next time, either.
        self.seeks_again = not (self._closed or isinstance(found, RefusedError))
        if self.seeks_again:
            self._again.start()

    def _hand_over(self, done: "Future[Any]", then: Then | None) -> None:
        try:
            answer: object = done.result()
        except LabctlError as error:
            answer = error
        with suppress(RuntimeError):
            self._answered.emit(answer, then)

    def _take_answer(self, answer: object, then: Then | None) -> None:
        if isinstance(answer, LabctlError):
            self.say("warning", "window", str(answer))
            self.failed.emit(str(answer))
        elif then is not None:
            then(answer)

    # -- what is told ----------------------------------------------------------------------------

    def _drain(self) -> None:
        words, pictures = self.inbox.take()
        for head in words:
            self._hear(head)
        for topic, picture in pictures.items():
            self._see(topic, picture)

    def _hear(self, head: Head) -> None:
        match head["kind"]:
            case "welcome":
                self._welcome(head)
            case "engine":
                self.status = head["engine"]
                self.changed.emit()
            case "roles":
                self.roles = {role["name"]: role for role in head["roles"]}
                self.roles_changed.emit()
            case "log":
                self._log_entry({key: head[key] for key in ("level", "device", "text", "t_utc")})
            case "event":
                self._event(decode_event(head["event"]))
            case _:
                pass

    def _welcome(self, head: Head) -> None:
        self._forget()
        self.status = head["engine"]
        self.roles = {role["name"]: role for role in head["roles"]}
        self.run = RunState(**head["run"])
        if head["started"] is not None:
            self.started = RunStarted.model_validate(head["started"])
        for name, trace in head["traces"].items():
            self.traces[name] = deque(((t, v) for t, v in trace), maxlen=_TRACE)
        self.log.clear()
        self.log.extend(head["log"])
        self.roles_changed.emit()
        self.changed.emit()
        self.logged.emit(None)

    def _see(self, topic: str, picture: Picture) -> None:
        if topic.startswith("values/"):
            self._take_values(picture.head)
            return
        self.pictures[topic] = picture
        self.shown.emit(topic, picture)

    def _take_values(self, head: Head) -> None:
        name, values = head["name"], head["values"]
        self.values[name] = values
        for quantity, value in values.get("read", {}).items():
            if isinstance(value, float):
                trace = self.traces.setdefault(f"{name}.{quantity}", deque(maxlen=_TRACE))
                trace.append((head["t_s"], value))
        self.values_changed.emit(name)

    def _event(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.run, self.started = RunState(), event
        self.run.apply(event)
        if isinstance(event, Message):
            self._log_entry(
                {
                    "level": event.level,
                    "device": event.device,
                    "text": event.text,
                    "t_utc": event.t_utc.isoformat(),
                }
            )
        self.happened.emit(event)

    def _log_entry(self, entry: dict[str, Any]) -> None:
        self.log.append(entry)
        self.logged.emit(entry)
