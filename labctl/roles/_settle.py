"""The settle rule: when a slow, noisy quantity counts as having arrived."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

__all__ = ["SettleRule", "SettleWatch"]


@dataclass(frozen=True)
class SettleRule:
    """|mean - set| < tolerance and standard deviation < std over a dwell time.

    Attributes:
        tolerance: Largest distance of the mean from the set point, in the quantity's unit.
        std: Largest standard deviation over the dwell time, same unit.
        dwell_s: Length of the window, s.
        timeout_s: Longest time from the start of the change, s.
        poll_s: Time between readings, s.
    """

    tolerance: float
    std: float
    dwell_s: float
    timeout_s: float
    poll_s: float = 2.0


@dataclass
class SettleWatch:
    """Applies a rule to readings, one after the other."""

    rule: SettleRule
    target: float
    _readings: deque[tuple[float, float]] = field(default_factory=deque[tuple[float, float]])

    def add(self, t_s: float, value: float) -> None:
        """Take a reading; an invalid one (NaN) starts the dwell time anew."""
        if value != value:
            self._readings.clear()
            return
        self._readings.append((t_s, value))
        # One reading older than the window stays, so that the window is known to be full.
        while len(self._readings) > 1 and self._readings[1][0] <= t_s - self.rule.dwell_s + 1e-6:
            self._readings.popleft()

    def settled(self) -> bool:
        """Whether the readings span the dwell time and fulfil the rule."""
        # Beats at multiples of a period may fall short of the dwell time by rounding.
        if len(self._readings) < 3 or self.span_s() < self.rule.dwell_s - 1e-6:
            return False
        near = abs(self.mean() - self.target) < self.rule.tolerance
        return near and self.std() < self.rule.std

    def describe(self, unit: str) -> str:
        """Return in words what the latest readings were, or that there were none."""
        if len(self._readings) < 2:
            return "no valid readings at the end"
        return f"the last {self.span_s():.0f} s were {self.mean():.4g} ± {self.std():.2g} {unit}"

    def span_s(self) -> float:
        """Return the time that the kept readings span, s."""
        return self._readings[-1][0] - self._readings[0][0] if self._readings else 0.0

    def mean(self) -> float:
        """Return the mean of the kept readings, in the quantity's unit."""
        return float(np.mean([value for _, value in self._readings]))

    def std(self) -> float:
        """Return the standard deviation of the kept readings, in the quantity's unit."""
        return float(np.std([value for _, value in self._readings], ddof=1))
