"""What the engine's own thread does: runs of the queue, live views, one thing at a time."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from labctl.errors import LabctlError, RefusedError
from labctl.events import Abort, Command, Event, StateChanged, Stop
from labctl.host._connection import Connection
from labctl.host._runner import Watched, kept, optical_table
from labctl.host._unstored import unstored_session
from labctl.host.server._board import Board
from labctl.host.server._carrier import Carrier
from labctl.host.server._panel import Panel
from labctl.host.server._queue import Entry, RunQueue
from labctl.host.server._request import EngineRequest
from labctl.measurements import Measurement
from labctl.sequencer import Control, Interruption
from labctl.setup import Setup

__all__ = ["Work"]

_IDLE_S = 0.05
_HELD = ("paused", "suspended")

Task = Callable[[Control], None]


class Work:
    """Carries out tasks on the thread that calls ``step``; everything else may be called by any."""

    def __init__(
        self,
        request: EngineRequest,
        setup: Setup,
        connection: Connection,
        board: Board,
        queue: RunQueue,
        watched: Watched,
    ) -> None:
        """Work on a connected set-up; ``watched`` as ``open_run`` takes it, for live views, too."""
        self._request, self._setup, self._connection = request, setup, connection
        self._board, self._queue, self._watched = board, queue, watched
        self._lock = threading.Lock()
        self._tasks: deque[tuple[str, Task]] = deque()
        self._control: Control | None = None
        self._kind = ""
        self._state = "idle"
        self._runs = 0
        self._ready = threading.Event()
        self.panel: Panel | None = None
        self.carrier = Carrier(request, setup, connection, board, watched)

    def step(self) -> bool:
        """Do what is next; False if there was nothing to do for a moment."""
        kind, task = self._next()
        if task is None:
            self._ready.wait(_IDLE_S)
            self._ready.clear()
            return False
        control = Control()
        with self._lock:
            self._kind, self._control = kind, control
        self._tell(kind)
        try:
            task(control)
        except LabctlError as error:
            self._board.say("error", kind, str(error))
        # Whatever one task does wrong, the engine goes on: it owns the instruments.
        except Exception as error:
            self._board.say("error", kind, f"a mistake in labctl: {error!r}")
            self._connection.station.make_safe()
        finally:
            with self._lock:
                self._kind, self._control, self._state = "", None, "idle"
            self._tell("")
        return True

    def engaged(self) -> str:
        """Say what goes on that must not be disturbed by setting anything; empty: nothing."""
        busy = self._kind == "run" and self._state not in _HELD
        return "a run is going on" if busy else ""

    def busy(self) -> bool:
        """Whether something goes on or waits."""
        return bool(self._kind or self._tasks or len(self._queue))

    def post(self, command: Command) -> None:
        """Hand the run a command.

        Raises:
            RefusedError: None is going on.
        """
        with self._lock:
            if self._control is None or self._kind != "run":
                raise RefusedError("run", "none is going on", "start one")
            self._control.post(command)

    def end_task(self, reason: str) -> None:
        """End whatever goes on, now; does nothing if nothing does."""
        with self._lock:
            self._tasks.clear()
            if self._control is not None:
                self._control.post(Abort(reason=reason))

    def look(self, live: Measurement | None) -> None:
        """Begin a live view in place of the present one; None: only end that.

        Raises:
            RefusedError: A run is going on.
        """
        with self._lock:
            if self._kind == "run":
                raise RefusedError("live view", "a run is going on", "its data are shown anyway")
            self._tasks.clear()
            if self._control is not None:
                self._control.post(Stop(reason="another live view"))
                self._control.post(Abort(reason="another live view"))
            if live is not None:
                self._tasks.append((live.kind, lambda control: self._look(live, control)))
        self._ready.set()

    def wake(self) -> None:
        """Look into the queue now."""
        with self._lock:
            if self._kind not in ("", "run") and self._control is not None:
                self._control.post(Abort(reason="a run begins"))
        self._ready.set()

    def _next(self) -> tuple[str, Task | None]:
        # A run begins with everything at rest: the stage may be on its way to a dot.
        at_rest = self.panel is None or not self.panel.moving()
        entry = self._queue.take() if at_rest else None
        if entry is not None:
            return "run", lambda control: self._carry_out(entry, control)
        with self._lock:
            return self._tasks.popleft() if self._tasks else ("", None)

    def _tell(self, kind: str) -> None:
        if self.panel is not None:
            self.panel.measuring = bool(kind)
        self._board.engine(task=kind)

    def _hear(self, event: Event) -> None:
        if isinstance(event, StateChanged):
            self._state = event.state
            if self.panel is not None:
                self.panel.measuring = event.state not in _HELD
        self._board.event(event)

    def _carry_out(self, entry: Entry, control: Control) -> None:
        self._runs += 1
        self._connection.noise = f"run {self._runs}/"
        self.carrier.carry_out(entry, control, self._hear)

    def _look(self, live: Measurement, control: Control) -> None:
        self._runs += 1
        self._connection.noise = f"look {self._runs}/"
        connection = self._connection
        root, store = kept(connection, self._setup, self._request.out)
        unstored = unstored_session(
            connection.station,
            connection.clock,
            control=control,
            calibrations=store.load(),
            table=optical_table(self._setup),
            begin_point=connection.begin_point,
            guard=connection.guard,
            listeners=[self._hear_look],
        )
        with unstored as session, self._watched(session, root), suppress(Interruption):
            session.measure(live, step_id="look")

    def _hear_look(self, event: Event) -> None:
        if event.kind == "message":
            self._board.say(event.level, event.device, event.text)
