"""One thread that serves every simulator of a rig on loopback sockets, and knows when all is quiet.

Only this thread reads sockets and calls sessions. Sends come from it and from whatever thread
carries out scheduled actions.
"""

import os
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count

from labctl_sim.wire._connection import Connection
from labctl_sim.wire._session import Opener

_HOST = "127.0.0.1"
_JOIN_S = 5.0
_QUIET_PASSES = 2


@dataclass(frozen=True)
class _Listener:
    name: str
    sock: socket.socket
    opener: Opener


class Server:
    """Serves sessions on 127.0.0.1.

    Args:
        lock: Held around every call into a session (the world's lock).
        report: Takes exceptions that a session let escape; its connection is closed.
    """

    def __init__(
        self, lock: AbstractContextManager[object], report: Callable[[BaseException], None]
    ) -> None:
        self._lock = lock
        self._report = report
        self._selector = selectors.DefaultSelector()
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._selector.register(self._far, selectors.EVENT_READ)
        self._listeners: list[_Listener] = []
        self._connections: set[Connection] = set()
        self._numbers = count(1)
        self._pump = threading.Lock()
        self._tickets: deque[threading.Lock] = deque()
        self._backlogged: deque[Connection] = deque()
        self._busy = ""
        self._active: set[str] = set()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def listen(self, name: str, opener: Opener, port: int = 0) -> int:
        """Open a port for an instrument, before :meth:`start`.

        Returns:
            The port number: ``port``, or a free one where that is 0.

        Raises:
            OSError: The port is taken; the message names the instrument.
        """
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":
            # On Windows this option would let two programs share the port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((_HOST, port))
        except OSError as error:
            sock.close()
            raise OSError(error.errno, f"{name}: port {port} cannot be opened: {error}") from error
        sock.listen(16)
        sock.setblocking(False)
        listener = _Listener(name, sock, opener)
        self._listeners.append(listener)
        self._selector.register(sock, selectors.EVENT_READ, listener)
        return int(sock.getsockname()[1])

    def start(self) -> None:
        """Start the server thread.

        Raises:
            RuntimeError: It has been started before.
        """
        if self._thread is not None:
            raise RuntimeError("the server has been started before")
        self._thread = threading.Thread(target=self._run, name="labctl-sim-wire", daemon=True)
        self._thread.start()

    def quiesce(self, timeout_s: float = 5.0) -> None:
        """Wait until two consecutive passes found nothing readable and no session busy.

        The caller must not hold the world's lock. ``timeout_s`` is wall time.

        Raises:
            TimeoutError: It did not become quiet; the message names the connections concerned.
        """
        if self._thread is None or self._stopping or self._is_quiet(timeout_s):
            return
        ticket = threading.Lock()
        ticket.acquire()
        self._tickets.append(ticket)
        self._wake()
        if not ticket.acquire(timeout=timeout_s):
            raise TimeoutError(f"simulators not quiet after {timeout_s:g} s: {self._standstill()}")

    def disconnect(self, name: str) -> None:
        """End every connection of one instrument; the port stays open."""
        for connection in [c for c in self._connections.copy() if _instrument(c) == name]:
            connection.shut()

    def close(self) -> None:
        """Stop the thread and close every socket; a second call does nothing.

        Raises:
            TimeoutError: A session is stuck and the thread does not end; the message names it.
        """
        if self._stopping:
            return
        self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
            if self._thread.is_alive():
                raise TimeoutError(f"server thread does not end: {self._standstill()}")
        for connection in self._connections.copy():
            self._drop(connection)
        for sock in (*(listener.sock for listener in self._listeners), self._near, self._far):
            sock.close()
        self._selector.close()

    def _is_quiet(self, timeout_s: float) -> bool:
        """Look from the calling thread: far cheaper than a round trip to the server thread.

        With the pump held no session can be busy, and what has come but is not served yet is
        still readable, since readiness is level-triggered.
        """
        if not self._pump.acquire(timeout=timeout_s):
            return False
        try:
            return not any(self._selector.select(0) for _ in range(_QUIET_PASSES))
        finally:
            self._pump.release()

    def _standstill(self) -> str:
        if self._busy:
            return f"{self._busy} is busy in its handler"
        if self._active:
            return f"bytes keep coming on {', '.join(sorted(self._active))}"
        return "the server thread has ended or is starved"

    def _wake(self) -> None:
        try:
            self._near.send(b"!")
        except BlockingIOError:
            # Plenty of wake-ups are waiting already.
            return

    def _run(self) -> None:
        while not self._stopping:
            self._selector.select()
            due = [self._tickets.popleft() for _ in range(len(self._tickets))]
            with self._pump:
                self._settle()
            for ticket in due:
                ticket.release()
            if self._tickets:
                # Their wake-up may have been taken by the passes above.
                self._wake()
        while self._tickets:
            self._tickets.popleft().release()

    def _settle(self) -> None:
        quiet = 0
        while quiet < _QUIET_PASSES and not self._stopping:
            quiet = 0 if self._pass() else quiet + 1
        self._active.clear()

    def _pass(self) -> bool:
        """Serve everything that is ready; False when nothing came in."""
        while self._backlogged:
            connection = self._backlogged.popleft()
            if connection in self._connections:
                self._watch(connection, writable=True)
        heard = False
        for key, events in self._selector.select(0):
            entry: object = key.data
            if isinstance(entry, Connection):
                heard |= self._serve(entry, events)
            elif isinstance(entry, _Listener):
                heard = True
                self._accept(entry)
            else:
                self._far.recv(4096)
        return heard

    def _watch(self, connection: Connection, *, writable: bool) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writable else 0)
        self._selector.modify(connection.sock, events, connection)

    def _accept(self, listener: _Listener) -> None:
        try:
            sock, _ = listener.sock.accept()
        except OSError:
            # The client left before it was served.
            return
        name = f"{listener.name} (connection {next(self._numbers)})"
        connection = Connection(name, sock, self._wait_for_room)
        self._connections.add(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)

        def begin() -> None:
            connection.session = listener.opener(connection.send)

        self._guarded(connection, begin)

    def _wait_for_room(self, connection: Connection) -> None:
        self._backlogged.append(connection)
        self._wake()

    def _serve(self, connection: Connection, events: int) -> bool:
        if events & selectors.EVENT_WRITE and not connection.flush():
            self._watch(connection, writable=False)
        if not events & selectors.EVENT_READ:
            return False
        data = connection.read()
        self._active.add(connection.name)
        session = connection.session
        if not data or session is None:
            self._drop(connection)
        else:
            self._guarded(connection, lambda: session.receive(data))
        return True

    def _guarded(self, connection: Connection, action: Callable[[], None]) -> None:
        self._busy = connection.name
        try:
            with self._lock:
                action()
        except Exception as error:
            # Last resort: one simulator's mistake must neither end the thread that serves all of
            # them nor stay unseen.
            self._report(error)
            self._drop(connection)
        finally:
            self._busy = ""

    def _drop(self, connection: Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        self._selector.unregister(connection.sock)
        connection.close()
        session = connection.session
        if session is not None:
            connection.session = None
            self._guarded(connection, session.closed)


def _instrument(connection: Connection) -> str:
    return connection.name.partition(" (connection ")[0]
