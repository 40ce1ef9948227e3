"""Several units on one serial line: each has a transport of its own, all use one connection."""

import threading
from collections.abc import Callable

from labctl.clock import Clock
from labctl.transport._port import Port
from labctl.transport._recorder import FlightRecorder
from labctl.transport._transport import Transport
from labctl.transport._visa_port import SerialLine, open_visa

__all__ = ["SharedLine"]

_NEWLINE = b"\n"


class SharedLine:
    """A line on which every answer is a line of text that begins with its unit's address.

    The address is one character. A unit that has not answered yet (it moves, say) keeps no other
    from being asked. The connection is open while at least one unit uses it; when it is lost,
    it is lost for all of them, and the first that reconnects opens it anew.
    """

    def __init__(self, dial: Callable[[], Port]) -> None:
        """``dial`` opens the connection or raises OSError."""
        self._dial = dial
        self._lock = threading.RLock()
        self._port: Port | None = None
        self._inboxes: dict[bytes, bytes] = {}
        self._speaker = b""

    @classmethod
    def visa(cls, resource: str, baud_rate: int) -> "SharedLine":
        """Return the line behind a VISA resource name; nothing is opened."""
        return cls(lambda: open_visa(resource, SerialLine(baud_rate)))

    def transport(
        self, name: str, unit: str, clock: Clock, recorder: FlightRecorder | None = None
    ) -> Transport:
        """Return the transport of one unit, by its address of one character."""
        address = unit.encode("ascii")
        return Transport(name, lambda: _UnitPort(self, address), clock, recorder)

    def join(self, unit: bytes) -> None:
        """Let a unit take part; opens the connection for the first one.

        Raises:
            OSError: It cannot be opened, or another instrument is this unit.
        """
        with self._lock:
            if unit in self._inboxes:
                raise OSError(f"another instrument is already unit {unit.decode()} of this line")
            if self._port is None:
                self._port, self._speaker = self._dial(), b""
            self._inboxes[unit] = b""

    def leave(self, unit: bytes) -> None:
        """End the part of a unit; closes the connection behind the last one."""
        with self._lock:
            self._inboxes.pop(unit, None)
            if not self._inboxes and self._port is not None:
                port, self._port = self._port, None
                port.close()

    def send(self, unit: bytes, data: bytes) -> None:
        """Send bytes for a unit; what it has not finished saying is given up."""
        with self._lock:
            port = self._joined(unit)
            if self._speaker == unit:
                self._speaker = b""
            try:
                port.send(data)
            except OSError:
                self._lose()
                raise

    def receive(self, unit: bytes) -> bytes:
        """Return what this unit has said; what others have said is kept for them."""
        with self._lock:
            port = self._joined(unit)
            try:
                self._share_out(port.receive())
            except OSError:
                self._lose()
                raise
            said, self._inboxes[unit] = self._inboxes[unit], b""
            return said

    def _joined(self, unit: bytes) -> Port:
        if self._port is None or unit not in self._inboxes:
            raise OSError("the connection of the whole line was lost")
        return self._port

    def _share_out(self, data: bytes) -> None:
        for piece in data.splitlines(keepends=True):
            self._speaker = self._speaker or piece[:1]
            if self._speaker in self._inboxes:
                self._inboxes[self._speaker] += piece
            if piece.endswith(_NEWLINE):
                self._speaker = b""

    def _lose(self) -> None:
        port, self._port = self._port, None
        self._inboxes.clear()
        if port is not None:
            port.close()


class _UnitPort:
    """The line as one unit sees it."""

    reopen_cures = False

    def __init__(self, line: SharedLine, unit: bytes) -> None:
        line.join(unit)
        self._line, self._unit = line, unit

    def send(self, data: bytes) -> None:
        self._line.send(self._unit, data)

    def receive(self) -> bytes:
        return self._line.receive(self._unit)

    def close(self) -> None:
        self._line.leave(self._unit)
