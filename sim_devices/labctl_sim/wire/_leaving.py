"""Bytes on their way: whatever delays them, they arrive in the order in which they left."""

from collections import deque

from labctl_sim.wire._session import Send, Timeline

__all__ = ["Leaving"]


class Leaving:
    """Sends bytes at a later moment, never before what left earlier.

    On the wall clock two actions may come in the wrong order: a thread that was stopped between
    asking the time and setting the alarm sets it too late. So an alarm sends the oldest bytes,
    not the bytes that it was set for.

    Args:
        timeline: The world.
        send: Where the bytes go.
    """

    def __init__(self, timeline: Timeline, send: Send) -> None:
        self._timeline = timeline
        self._send = send
        self._free_at_s = timeline.now()
        self._waiting: deque[bytes] = deque()

    def pause(self, seconds: float) -> None:
        """Leave nothing for a while behind what is under way."""
        self._free_at_s = max(self._timeline.now(), self._free_at_s) + seconds

    def transmit(self, data: bytes, takes_s: float) -> None:
        """Send ``data`` so that it arrives ``takes_s`` s after whatever is still leaving."""
        self.pause(takes_s)
        delay_s = self._free_at_s - self._timeline.now()
        if delay_s <= 0.0 and not self._waiting:
            self._send(data)
            return
        self._waiting.append(data)
        self._timeline.after(max(delay_s, 0.0), self._next)

    def _next(self) -> None:
        self._send(self._waiting.popleft())
