"""The time of day against the monotonic clock: whether somebody has set it."""

from labctl.clock import Clock
from labctl.sequencer._book import Book
from labctl.storage import Quality

__all__ = ["WallClock"]

_STEP_S = 2.0
_SLEW = 1e-3
"""Twice as fast as computers bring their clocks right little by little."""


class WallClock:
    """Tells when the label of time has jumped; durations never rest on it."""

    def __init__(self, clock: Clock, book: Book) -> None:
        """Compare from now on."""
        self._clock, self._book = clock, book
        self._looked_s = clock.now()
        self._offset_s = self._offset(self._looked_s)

    def look(self, now_s: float) -> int:
        """Return the quality bit of a point during which, or before which, the label jumped.

        ``now_s`` is what the clock shows now, s.
        """
        offset_s = self._offset(now_s)
        step_s = offset_s - self._offset_s
        allowed_s = _STEP_S + _SLEW * (now_s - self._looked_s)
        self._looked_s, self._offset_s = now_s, offset_s
        if abs(step_s) <= allowed_s:
            return 0
        text = f"the computer's clock was set by {step_s:+.1f} s; durations do not rest on it"
        self._book.message("warning", "clock", text, step_s=step_s)
        return Quality.CLOCK_STEP

    def _offset(self, now_s: float) -> float:
        # A simulated set-up may run faster than life; its labels do not.
        return self._clock.utc().timestamp() - now_s / self._clock.speed
