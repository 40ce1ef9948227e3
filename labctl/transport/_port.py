"""The seam below a transport: something that carries bytes and never blocks."""

import select
import socket
from contextlib import suppress
from typing import Protocol

__all__ = ["Port", "SocketPort", "dial_tcp"]

_CHUNK = 65536
_TIMEOUT_S = 5.0
"""Wall time; a host that is switched off does not even refuse."""


class Port(Protocol):
    """One open connection. Every failure is an ``OSError``."""

    @property
    def reopen_cures(self) -> bool:
        """Whether a reply that is still on its way is lost by closing this connection."""
        ...

    def send(self, data: bytes) -> None:
        """Send all bytes."""
        ...

    def receive(self) -> bytes:
        """Return what has come, empty if nothing has; raises OSError if the peer has gone."""
        ...

    def close(self) -> None:
        """Give the connection up."""
        ...


class SocketPort:
    """A connected TCP socket, its own or one that a VISA library has opened."""

    reopen_cures = True

    def __init__(self, sock: socket.socket) -> None:
        """Take a connected socket; small requests leave at once."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Only sending can block: a peer that reads nothing must not hold us for ever.
        sock.settimeout(_TIMEOUT_S)
        self._sock = sock

    def send(self, data: bytes) -> None:
        """Send all bytes."""
        self._sock.sendall(data)

    def receive(self) -> bytes:
        """Return everything that lies in the socket's buffer."""
        received = b""
        while select.select([self._sock], [], [], 0)[0]:
            chunk = self._sock.recv(_CHUNK)
            if not chunk:
                if received:
                    break
                raise ConnectionAbortedError("the instrument has closed the connection")
            received += chunk
        return received

    def close(self) -> None:
        """Close the socket."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


def dial_tcp(host: str, port: int) -> SocketPort:
    """Connect to a host; waits at most 5 s of wall time."""
    return SocketPort(socket.create_connection((host, port), timeout=_TIMEOUT_S))
