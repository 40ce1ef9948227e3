"""From the engine's line to Qt's thread: words in their order, of pictures only the newest."""

import threading
from collections import deque
from typing import NamedTuple

from PyQt5.QtCore import QObject, pyqtSignal

from labctl.host.server import Arrays, Head

__all__ = ["Inbox", "Picture"]


class Picture(NamedTuple):
    """Display data: facts beside them, and arrays by name."""

    head: Head
    arrays: Arrays


class Inbox(QObject):
    """Takes what the engine says on any thread; ``woken`` is heard on Qt's.

    Attributes:
        dropped: Pictures that were not drawn because newer ones had come.
    """

    woken = pyqtSignal()

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._lock = threading.Lock()
        self._words: deque[Head] = deque()
        self._pictures: dict[str, Picture] = {}
        self._waking = False
        self.dropped = 0

    def put(self, head: Head, arrays: Arrays) -> None:
        """Take one thing that was said."""
        with self._lock:
            if head["kind"] == "live":
                self.dropped += head["topic"] in self._pictures
                self._pictures[head["topic"]] = Picture(head, arrays)
            else:
                self._words.append(head)
            first, self._waking = not self._waking, True
        if first:
            self.woken.emit()

    def take(self) -> tuple[list[Head], dict[str, Picture]]:
        """Return all that has come since."""
        with self._lock:
            words, self._words = list(self._words), deque()
            pictures, self._pictures = self._pictures, {}
            self._waking = False
        return words, pictures
