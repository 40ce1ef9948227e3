"""HTTP/1.1 client without sockets of its own: a silent server meets its deadline in clock time."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from labctl.clock import Clock
from labctl.errors import ConfigError, Problem, RefusedError
from labctl.transport._decode import GarbledBytesError
from labctl.transport._port import Port, dial_tcp
from labctl.transport._recorder import FlightRecorder
from labctl.transport._transport import Tap, Transport

__all__ = ["HttpReply", "HttpTransport"]


@dataclass(frozen=True)
class HttpReply:
    """Status and body of a complete answer."""

    status: int
    body: bytes


class HttpTransport:
    """Requests to one server, each on a connection of its own.

    An answer that comes after its deadline meets a closed connection, so it can never be taken
    for the next one, and there is no idle connection that the server could drop meanwhile.

    Attributes:
        tap: Hook for injected faults.
    """

    def __init__(
        self,
        name: str,
        url: str,
        clock: Clock,
        recorder: FlightRecorder | None = None,
        *,
        dial: Callable[[], Port] | None = None,
    ) -> None:
        """``url`` is ``http://host:port``; ``dial`` replaces the TCP connection.

        Raises:
            ConfigError: The address is no plain http address.
        """
        host, port, self._prefix = _address(name, url)
        self._host = f"{host}:{port}"
        self.name, self.url, self.clock = name, url, clock
        self.recorder = recorder or FlightRecorder(clock)
        self.tap: Tap | None = None
        self._dial = dial or (lambda: dial_tcp(host, port))
        self._opened = False

    def open(self) -> None:
        """Allow requests; the first one shows whether anybody answers."""
        self._opened = True

    def close(self) -> None:
        """Allow no further requests."""
        self._opened = False

    def reconnect(self) -> None:
        """Do nothing: every request makes its own connection."""

    def flush(self) -> None:
        """Do nothing: nothing of an earlier request can still arrive."""

    def request(
        self, method: str, path: str, body: bytes | None = None, *, timeout_s: float
    ) -> HttpReply:
        """Send a request and let clock time pass until its answer is complete.

        Args:
            method: ``GET``, ``PUT``, ``POST``.
            path: Path below the address, with its leading slash.
            body: JSON text, or None.
            timeout_s: Longest time to the complete answer, s of the clock.

        Raises:
            RefusedError: Not opened, or no possible path; nothing was sent.
            NoReplyError: Nobody listens, or no complete answer before the deadline.
            GarbledReplyError: The answer is not HTTP.
        """
        command = f"{method} {path}"
        if not self._opened:
            raise RefusedError(self.name, f"{command!r}: not connected", "connect first")
        try:
            exchange = _Exchange(method, self._prefix + path, self._host, body)
        except h11.LocalProtocolError as error:
            raise RefusedError(self.name, f"{command!r} is not HTTP: {error}") from error
        stream = Transport(self.name, self._dial, self.clock, self.recorder)
        stream.tap = self.tap
        stream.open()
        try:
            return stream.query(
                exchange.request,
                exchange.decode,
                command=command,
                timeout_s=timeout_s,
                at_end=exchange.decode_end,
            )
        finally:
            stream.close()


class _Exchange:
    """One request and the incremental decoder of its answer."""

    def __init__(self, method: str, target: str, host: str, body: bytes | None) -> None:
        headers = [("Host", host), ("Accept", "application/json"), ("Connection", "close")]
        if body is not None:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        self._head = h11.Request(method=method, target=target, headers=headers)
        self._body = body or b""
        self.request = self._client()[1]

    def decode(self, data: bytes) -> HttpReply | None:
        return self._decode(data, ended=False)

    def decode_end(self, data: bytes) -> HttpReply | None:
        return self._decode(data, ended=True)

    def _client(self) -> tuple[h11.Connection, bytes]:
        client = h11.Connection(h11.CLIENT)
        sent = client.send(self._head) or b""
        if self._body:
            sent += client.send(h11.Data(data=self._body)) or b""
        return client, sent + (client.send(h11.EndOfMessage()) or b"")

    def _decode(self, data: bytes, *, ended: bool) -> HttpReply | None:
        # h11 keeps state, a decoder gets everything each time: replies here are short.
        client, _ = self._client()
        try:
            client.receive_data(data)
            if ended:
                client.receive_data(b"")
            return _read(client)
        except h11.RemoteProtocolError as error:
            raise GarbledBytesError(str(error)) from error


def _read(client: h11.Connection) -> HttpReply | None:
    status, body = 0, b""
    while True:
        event = client.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return HttpReply(status, body)
        elif not isinstance(event, h11.InformationalResponse):
            return None


def _address(name: str, url: str) -> tuple[str, int, str]:
    hint = "write it like http://cryostat.example:47101"
    try:
        parts = urlsplit(url)
        port = parts.port or 80
    except ValueError as error:
        raise ConfigError([Problem(f"{url!r}: {error}", name, hint)]) from error
    if parts.scheme != "http" or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError([Problem(f"{url!r} is no http address", name, hint)])
    return parts.hostname, port, parts.path.rstrip("/")
