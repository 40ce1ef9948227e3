"""The queue of runs: what is carried out next, and in which order."""

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from labctl.errors import RefusedError

__all__ = ["Entry", "RunQueue"]


@dataclass(frozen=True)
class Entry:
    """A recipe that waits, as it was checked when it was added.

    Attributes:
        number: Its name in the queue.
        recipe: The file.
        name: Name of the recipe.
        points: Number of points, if that is known.
        expected_s: Expected lab time, s, if that is known.
        resume: Folder of the interrupted run that is gone on with; its own recipe counts then.
        accept: Whether differences between then and now are accepted, and recorded.
    """

    number: int
    recipe: Path
    name: str
    points: int | None
    expected_s: float | None
    resume: Path | None = None
    accept: bool = False

    def plain(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        resume = "" if self.resume is None else str(self.resume)
        return {**asdict(self), "recipe": str(self.recipe), "resume": resume}


class RunQueue:
    """Entries in their order; safe from any thread. ``changed`` is told of every change."""

    def __init__(self, changed: Callable[[list[dict[str, Any]]], None]) -> None:
        """Begin empty."""
        self._changed = changed
        self._lock = threading.RLock()
        self._entries: list[Entry] = []
        self._last = 0

    def add(self, entry: Entry) -> int:
        """Put an entry at the end; returns its number."""
        with self._lock:
            self._last += 1
            self._entries.append(replace(entry, number=self._last))
            self._tell()
            return self._last

    def remove(self, number: int) -> None:
        """Take an entry out.

        Raises:
            RefusedError: It does not wait any more.
        """
        with self._lock:
            self._entries.remove(self._find(number))
            self._tell()

    def move(self, number: int, place: int) -> None:
        """Bring an entry to a place, from 0."""
        with self._lock:
            entry = self._find(number)
            self._entries.remove(entry)
            self._entries.insert(max(place, 0), entry)
            self._tell()

    def take(self) -> Entry | None:
        """Take the first entry out; None if nothing waits."""
        with self._lock:
            if not self._entries:
                return None
            entry = self._entries.pop(0)
            self._tell()
            return entry

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._entries)

    def _find(self, number: int) -> Entry:
        for entry in self._entries:
            if entry.number == number:
                return entry
        raise RefusedError("queue", f"entry {number} does not wait", "it runs, or has run")

    def _tell(self) -> None:
        self._changed([entry.plain() for entry in self._entries])
