"""Recorded conversations: the file format, and a transport that plays one back."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from labctl.clock import Clock
from labctl.errors import RefusedError, StorageError
from labctl.transport._recorder import FlightRecorder
from labctl.transport._transport import Transport

__all__ = ["TapeTransport", "read_tape"]

Pair = tuple[bytes, bytes]
_LINE = TypeAdapter(dict[str, Any])


class TapeTransport(Transport):
    """Plays an instrument from a recorded conversation; every byte sent must be on the tape."""

    def __init__(
        self,
        name: str,
        exchanges: Sequence[Pair],
        clock: Clock,
        recorder: FlightRecorder | None = None,
    ) -> None:
        """``exchanges`` are (sent, received) in order; nothing sent: received on opening."""
        self._port_of_tape = _TapePort(name, exchanges)
        super().__init__(name, self._port_of_tape.wind, clock, recorder)

    def check_finished(self) -> None:
        """Check that the whole tape has been played.

        Raises:
            RefusedError: Something on the tape was never asked for.
        """
        left = self._port_of_tape.left
        if left:
            what = f"the tape goes on with {left[0][0]!r}, {len(left)} exchanges are left"
            raise RefusedError(self.name, what)


class _TapePort:
    reopen_cures = False

    def __init__(self, name: str, exchanges: Sequence[Pair]) -> None:
        self._name = name
        self.left = list(exchanges)
        self._ready = b""

    def wind(self) -> "_TapePort":
        while self.left and not self.left[0][0]:
            self._ready += self.left.pop(0)[1]
        return self

    def send(self, data: bytes) -> None:
        expected, reply = self.left[0] if self.left else (b"", b"")
        if data != expected:
            what = f"sent {data!r}, the tape has {expected!r}"
            raise RefusedError(self._name, what, "record a new tape if the driver has changed")
        del self.left[0]
        self._ready += reply

    def receive(self) -> bytes:
        received, self._ready = self._ready, b""
        return received

    def close(self) -> None:
        self._ready = b""


def read_tape(path: Path) -> list[Pair]:
    """Return the (sent, received) pairs of a tape that a flight recorder has written.

    Raises:
        StorageError: The file is no tape; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise StorageError(f"{path}: cannot be read ({error})") from error
    entries = [_parse(path, number, line) for number, line in enumerate(lines, 1)]
    if not entries or entries[0].get("tape") != 1:
        raise StorageError(f"{path}:1: not a tape of version 1")
    return _pairs(entries[1:])


def _parse(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        entry = _LINE.validate_json(line)
        for key in ("sent", "received"):
            str(entry.get(key, "")).encode("latin-1")
    except ValueError as error:
        raise StorageError(f"{path}:{number}: not a line of a tape ({error})") from error
    return entry


def _pairs(entries: Iterable[dict[str, Any]]) -> list[Pair]:
    pairs: list[Pair] = []
    for entry in entries:
        if "sent" in entry:
            pairs.append((str(entry["sent"]).encode("latin-1"), b""))
        elif "received" in entry:
            sent, received = pairs.pop() if pairs else (b"", b"")
            pairs.append((sent, received + str(entry["received"]).encode("latin-1")))
    return pairs
