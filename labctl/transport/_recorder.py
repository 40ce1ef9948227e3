"""The flight recorder: the last exchanges with every instrument, for the report of a failure."""

import ctypes
import json
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labctl.clock import Clock
from labctl.transport._recorded_library import Record, pointed_to

__all__ = ["FlightRecorder", "plain_argument"]

_LONGEST = 4096
"""Bytes of one entry that a dump shows; a camera's frames would fill a report otherwise."""

_PLAIN = (bool, int, float, str, type(None))

Entry = dict[str, Any]


class FlightRecorder:
    """Keeps the last exchanges per device: clock time, direction, bytes or library call.

    Bytes are kept as text, one character per byte (Latin-1), so that a tape can be read by eye.
    """

    def __init__(self, clock: Clock, depth: int = 500) -> None:
        """``depth`` is the number of entries that are kept of each device."""
        self._clock, self._depth = clock, depth
        self._rings: dict[str, deque[tuple[int, Entry]]] = {}
        self._counts: dict[str, int] = {}
        self._number = 0
        self._lock = threading.Lock()

    def sent(self, device: str, data: bytes, command: str) -> None:
        """Record bytes that go to an instrument."""
        self._add(device, {"sent": data.decode("latin-1"), "command": command})

    def received(self, device: str, data: bytes) -> None:
        """Record bytes that come from an instrument."""
        self._add(device, {"received": data.decode("latin-1")})

    def called(self, device: str, function: str, arguments: tuple[Any, ...], result: Any) -> None:
        """Record a call into a vendor's library."""
        shown = [plain_argument(argument) for argument in arguments]
        returned = plain_argument(result)
        self._add(device, {"called": function, "arguments": shown, "returned": returned})

    def library_log(self, device: str) -> Record:
        """Return the function that a ``RecordedLibrary`` calls after each call."""

        def record(function: str, arguments: tuple[Any, ...], result: Any) -> None:
            self.called(device, function, arguments, result)

        return record

    def note(self, device: str, text: str) -> None:
        """Record that something happened to a connection, e.g. ``opened``."""
        self._add(device, {"note": text})

    def dump(self, device: str | None = None) -> list[Entry]:
        """Return the entries of one device, or of all, oldest first; plain JSON values.

        Each has ``t_s`` (clock time, s), ``device`` and one of ``sent`` (with ``command``),
        ``received``, ``called`` (with ``arguments``, ``returned``) or ``note``.
        """
        return [_shortened(entry) for entry in self._entries(device)]

    def save_tape(self, device: str, path: Path) -> None:
        """Write what is kept of a device as JSON lines: a header, then one entry per line.

        The header's ``lost`` counts entries that the ring has already forgotten.
        """
        entries = self._entries(device)
        lost = self._counts.get(device, 0) - len(entries)
        lines: list[Mapping[str, Any]] = [{"tape": 1, "device": device, "lost": lost}, *entries]
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        path.write_text(text, encoding="utf-8", newline="\n")

    def _entries(self, device: str | None) -> list[Entry]:
        with self._lock:
            rings = [r for name, r in self._rings.items() if device in (None, name)]
            numbered = [pair for ring in rings for pair in ring]
        return [entry for _, entry in sorted(numbered, key=lambda pair: pair[0])]

    def _add(self, device: str, entry: Entry) -> None:
        stamped: Entry = {"t_s": self._clock.now(), "device": device, **entry}
        with self._lock:
            ring = self._rings.get(device)
            if ring is None:
                ring = self._rings[device] = deque(maxlen=self._depth)
            ring.append((self._number, stamped))
            self._number += 1
            self._counts[device] = self._counts.get(device, 0) + 1


def _shortened(entry: Entry) -> Entry:
    return {k: v[:_LONGEST] if isinstance(v, str) else v for k, v in entry.items()}


def plain_argument(argument: Any) -> Any:
    """Return what an argument or result of a library shows, as a plain JSON value."""
    if type(argument) in _PLAIN:
        return argument
    value: Any = pointed_to(argument)
    if isinstance(value, ctypes.c_char_p):
        # Such a pointer need not lead to text, and after the call perhaps to nothing any more:
        # libraries hand out their image memory that way.
        return f"{ctypes.cast(value, ctypes.c_void_p).value or 0:#x}"
    # ctypes numbers hold their number in ``value``.
    value = getattr(value, "value", value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value if isinstance(value, _PLAIN) else repr(value)
