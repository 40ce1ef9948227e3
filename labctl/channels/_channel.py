"""A local, authenticated channel that carries JSON and raw bytes, and never code."""

import base64
import json
import socket
from contextlib import suppress
from multiprocessing.connection import Client, Connection, Listener
from typing import Any

__all__ = ["Channel", "connect", "listen"]

_LOOPBACK = "127.0.0.1"


class Channel:
    """Sends and receives JSON values over one connection; bytes travel as base64."""

    def __init__(self, connection: "Connection[Any, Any]") -> None:
        """Take over an authenticated connection."""
        self._connection = connection
        with suppress(OSError), self._line() as line:
            # A short message after another one would wait for the first to be acknowledged.
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, value: Any) -> None:
        """Send one value; raises OSError when the other side is gone."""
        self._connection.send_bytes(json.dumps(value, default=_encode).encode())

    def receive(self) -> Any:
        """Wait for one value; raises EOFError when the other side is gone."""
        return json.loads(self._connection.recv_bytes(), object_hook=_decode)

    def send_packet(self, packet: bytes) -> None:
        """Send bytes as they are; raises OSError when the other side is gone."""
        self._connection.send_bytes(packet)

    def receive_packet(self, most: int | None = None) -> bytes:
        """Wait for bytes as they were sent; raises EOFError or OSError when nobody is there.

        A packet of more than ``most`` bytes ends the line, with an OSError.
        """
        return self._connection.recv_bytes(most)

    def poll(self, timeout_s: float = 0.0) -> bool:
        """Whether a value (or the end) is there within ``timeout_s`` of wall time."""
        return self._connection.poll(timeout_s)

    def ask(self, value: Any) -> Any:
        """Send one value and wait for the answer."""
        self.send(value)
        return self.receive()

    def hang_up(self) -> None:
        """End both directions: whoever waits in ``receive`` is let go. Any thread may call it."""
        with suppress(OSError), self._line() as line:
            line.shutdown(socket.SHUT_RDWR)

    def _line(self) -> socket.socket:
        return socket.fromfd(self._connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def listen(key: bytes, port: int = 0) -> tuple[Listener, int]:
    """Listen on loopback; returns the listener and its port."""
    listener = Listener((_LOOPBACK, port), authkey=key)
    address: Any = listener.address
    return listener, int(address[1])


def connect(port: int, key: bytes) -> Channel:
    """Connect to a listener on loopback; raises OSError or AuthenticationError."""
    return Channel(Client((_LOOPBACK, port), authkey=key))


def _encode(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"__bytes__": base64.b64encode(value).decode()}
    message = f"{type(value).__name__} does not travel over a channel"
    raise TypeError(message)


def _decode(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["__bytes__"]) if set(value) == {"__bytes__"} else value
