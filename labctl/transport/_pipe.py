"""In-memory connection: the other end is a session object in the same process."""

from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias

from labctl.clock import Clock
from labctl.transport._recorder import FlightRecorder
from labctl.transport._transport import Transport

__all__ = ["PipeSession", "PipeTransport"]


class PipeSession(Protocol):
    """The other end of a pipe."""

    def receive(self, data: bytes) -> None:
        """Take what was sent."""
        ...

    def closed(self) -> None:
        """Take note that the connection was closed."""
        ...


Opener: TypeAlias = Callable[[Callable[[bytes], None]], PipeSession]


class PipeTransport(Transport):
    """A connection without any operating system; for tests and embedded simulators."""

    def __init__(
        self, name: str, opener: Opener, clock: Clock, recorder: FlightRecorder | None = None
    ) -> None:
        """``opener`` begins a session; it gets the function that sends to us (``b""`` ends)."""
        super().__init__(name, lambda: PipePort(opener), clock, recorder)


class PipePort:
    """Our end of a pipe; what arrives after closing is lost."""

    reopen_cures = True

    def __init__(self, opener: Opener) -> None:
        """Begin a session."""
        self._arrived: deque[bytes] = deque()
        self._session = opener(self._arrived.append)
        self._ended = False

    def send(self, data: bytes) -> None:
        """Hand bytes to the session."""
        self._session.receive(data)

    def receive(self) -> bytes:
        """Return everything that the session has sent."""
        received = b""
        while self._arrived and not self._ended:
            chunk = self._arrived.popleft()
            self._ended = not chunk
            received += chunk
        if self._ended and not received:
            raise ConnectionAbortedError("the instrument has closed the connection")
        return received

    def close(self) -> None:
        """End the session."""
        self._session.closed()
