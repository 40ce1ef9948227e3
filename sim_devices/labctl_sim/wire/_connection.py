"""One accepted client: a socket that any thread may send on and only the server thread reads."""

import socket
import threading
from collections.abc import Callable

from labctl_sim.wire._session import Session


class Connection:
    """A client's socket with the bytes that did not fit into it yet.

    Args:
        name: The instrument and a running number, for messages.
        sock: The accepted socket; it is made non-blocking.
        on_backlog: Called, in the sending thread, when bytes are left that wait for room.
    """

    def __init__(
        self, name: str, sock: socket.socket, on_backlog: Callable[["Connection"], None]
    ) -> None:
        self.name = name
        self.sock = sock
        self.session: Session | None = None
        self._on_backlog = on_backlog
        self._lock = threading.Lock()
        self._backlog = bytearray()
        self._ending = False
        self._gone = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Send at once as much as fits, the rest as soon as there is room; ``b""`` ends."""
        with self._lock:
            if self._gone or self._ending:
                return
            self._ending = not data
            self._backlog += data
            left = self._flush()
        if left:
            self._on_backlog(self)

    def flush(self) -> bool:
        """Send more of what is left.

        Returns:
            True while something still waits for room.
        """
        with self._lock:
            return self._flush()

    def read(self) -> bytes:
        """Read what is there; ``b""`` when the client has gone."""
        try:
            data = self.sock.recv(65536)
            if hasattr(socket, "TCP_QUICKACK"):
                # A client that does not switch Nagle's algorithm off holds its next bytes back
                # until these are acknowledged, and nobody could see that they are on their way.
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError:
            return b""
        return data

    def shut(self) -> None:
        """End both directions; the server thread then finds the end of the stream and cleans up."""
        with self._lock:
            self._shut()

    def close(self) -> None:
        """Close the socket; whatever is sent afterwards is lost."""
        with self._lock:
            self._gone = True
            self._backlog.clear()
            self.sock.close()

    def _flush(self) -> bool:
        if self._gone:
            return False
        try:
            while self._backlog:
                del self._backlog[: self.sock.send(self._backlog)]
        except BlockingIOError:
            return True
        except OSError:
            # The client has left; reading finds the end of the stream and closes.
            self._backlog.clear()
        if self._ending:
            self._shut()
        return False

    def _shut(self) -> None:
        if self._gone:
            return
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            # Already ended by the client.
            return
