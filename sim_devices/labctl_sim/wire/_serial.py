"""A serial line's speed: characters leave one after the other and take their time."""

from labctl_sim.wire._leaving import Leaving
from labctl_sim.wire._session import Send, Timeline

_BITS_PER_CHARACTER = 10
"""Start bit, 8 data bits, no parity, one stop bit."""


class SerialLine:
    """Sends replies in order; each arrives when its last character has left.

    Args:
        timeline: The world.
        send: Where the bytes go.
        baud: Bits per second; 0 for a line without delay.
    """

    def __init__(self, timeline: Timeline, send: Send, baud: int) -> None:
        self._leaving = Leaving(timeline, send)
        self._character_s = _BITS_PER_CHARACTER / baud if baud else 0.0

    def transmit(self, data: bytes) -> None:
        """Put bytes behind whatever is still leaving."""
        self._leaving.transmit(data, len(data) * self._character_s)

    def pause(self, seconds: float) -> None:
        """Leave the line idle for a while before the next bytes."""
        self._leaving.pause(seconds)
