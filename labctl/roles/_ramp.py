"""A set point that is taken up in small steps."""

import math

__all__ = ["Ramp"]


class Ramp:
    """Levels from where an output stands to a target, one at a time.

    Nothing here waits: whoever asks gets the level that is due now, and never one that is farther
    than a step from the one before, however late they ask.
    """

    def __init__(
        self, level: float, target: float, *, per_s: float, step: float, now_s: float
    ) -> None:
        """Begin at ``level``; the first step is due at once.

        Args:
            level: Where the output stands.
            target: Where it shall go.
            per_s: Speed, in its unit per s.
            step: Largest step, in its unit.
            now_s: Clock time, s.
        """
        self.target, self.period_s = target, step / per_s
        self._level, self._step, self._next_s = level, step, now_s

    @property
    def done(self) -> bool:
        """Whether the target has been handed out."""
        return self._level == self.target

    def due(self, now_s: float) -> float | None:
        """Return the level to set now; None: it is not time yet, or the target is reached."""
        if self.done or now_s < self._next_s:
            return None
        left = self.target - self._level
        near = abs(left) <= self._step
        self._level = self.target if near else self._level + math.copysign(self._step, left)
        self._next_s = now_s + self.period_s
        return self._level
