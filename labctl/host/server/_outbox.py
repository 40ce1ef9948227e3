"""What waits for one window: words that must arrive, and pictures of which the newest counts."""

import threading
from collections import deque

__all__ = ["MOST_WORDS", "Outbox"]

MOST_WORDS = 20_000
"""A window that leaves so many packets unread is taken for dead."""


class Outbox:
    """A bounded queue between the engine, which never waits, and the thread that sends."""

    def __init__(self, most: int = MOST_WORDS) -> None:
        """Begin empty; ``most`` words may wait."""
        self._most = most
        self._words: deque[bytes] = deque()
        self._pictures: dict[str, bytes] = {}
        self._there = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, packet: bytes) -> bool:
        """Queue what must arrive; False: too much waits, or it is closed, and nothing more will."""
        with self._there:
            if len(self._words) >= self._most:
                self._closed = True
            if not self._closed:
                self._words.append(packet)
            self._there.notify()
            return not self._closed

    def show(self, topic: str, packet: bytes) -> None:
        """Queue display data; what of the same topic still waits is dropped and counted."""
        with self._there:
            if self._closed:
                return
            # Taken out first, so that a topic that is shown often does not keep its old place.
            if self._pictures.pop(topic, None) is not None:
                self.dropped += 1
            self._pictures[topic] = packet
            self._there.notify()

    def take(self) -> bytes | None:
        """Wait for the next packet, words first; None once it is closed."""
        with self._there:
            while not (self._closed or self._words or self._pictures):
                self._there.wait()
            if self._closed:
                return None
            if self._words:
                return self._words.popleft()
            return self._pictures.pop(next(iter(self._pictures)))

    def close(self) -> None:
        """Let whoever waits go; what is left is forgotten."""
        with self._there:
            self._closed = True
            self._there.notify_all()
