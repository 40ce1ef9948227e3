"""When a reading trips, and when it is well again: pure decisions over a series of readings."""

import math
from dataclasses import dataclass

from labctl.setup import Interlock, number_in
from labctl.units import format_quantity

__all__ = ["PATIENCE_S", "TripRule", "TripWatch", "rule_of"]

PATIENCE_S = 10.0
"""For so long a reading may stay away, s, before it counts as a bad one."""


@dataclass(frozen=True)
class TripRule:
    """What is bad, and what is well again. Numbers in the reading's unit.

    Attributes:
        low: Bad below this.
        high: Bad above this.
        good_low: Well again from here on.
        good_high: Well again up to here.
        stale_s: Bad when nothing new has come for so long, s.
        delay_s: How long it must be bad before it trips, s.
        good_s: How long it must be well before it is well again, s.
    """

    low: float = -math.inf
    high: float = math.inf
    good_low: float = -math.inf
    good_high: float = math.inf
    stale_s: float = math.inf
    delay_s: float = 0.0
    good_s: float = 0.0


def rule_of(entry: Interlock, unit: str) -> TripRule:
    """Return the rule of an interlock whose reading has this unit; of an alarm, 1 is bad."""
    low, high = _span(entry.below, entry.above, entry.band, unit)
    good = (low, high)
    if isinstance(entry.rearm, tuple):
        good = _span(None, None, entry.rearm, unit)
    elif entry.rearm is not None:
        below, above = (
            entry.rearm if one is not None else None for one in (entry.below, entry.above)
        )
        good = _span(below, above, None, unit)
    if entry.alarm:
        low, high, good = -math.inf, 0.5, (-math.inf, 0.5)
    stale_s = math.inf if entry.stale_s is None else entry.stale_s
    return TripRule(low, high, *good, stale_s, entry.delay_s, entry.rearm_for_s)


def _span(
    below: str | float | None,
    above: str | float | None,
    band: tuple[str | float, str | float] | None,
    unit: str,
) -> tuple[float, float]:
    if band is not None:
        return number_in(band[0], unit), number_in(band[1], unit)
    return (
        -math.inf if below is None else number_in(below, unit),
        math.inf if above is None else number_in(above, unit),
    )


class TripWatch:
    """Applies a rule to readings, one after the other.

    Attributes:
        tripped: Whether it was bad for long enough, and not well again since.
        bad: Whether the last reading is a bad one, tripped or not.
        well: Whether readings have been well for long enough to go on.
    """

    def __init__(self, rule: TripRule, now_s: float) -> None:
        """Begin armed; ``now_s`` is the clock's time, s."""
        self.rule = rule
        self.tripped, self.bad, self.well = False, False, True
        self._bad_s: float | None = None
        self._good_s: float | None = None
        self._value = math.nan
        self._now_s = self._valid_s = self._fresh_s = now_s

    def take(self, now_s: float, value: float) -> None:
        """Take a reading; NaN: there was none."""
        self._now_s = now_s
        if value == value:
            self._valid_s = now_s
            if value != self._value:
                self._fresh_s, self._value = now_s, value
        self.bad = self._is_bad(now_s, value)
        self._bad_s = (now_s if self._bad_s is None else self._bad_s) if self.bad else None
        if self._bad_s is not None and now_s - self._bad_s >= self.rule.delay_s:
            self.tripped = True
        good = not self.bad and self._is_good(value)
        self._good_s = (now_s if self._good_s is None else self._good_s) if good else None
        self.well = self._good_s is not None and now_s - self._good_s >= self.rule.good_s

    @property
    def silent(self) -> bool:
        """Whether the last reading gave no number."""
        return self._now_s > self._valid_s

    def release(self) -> None:
        """Arm again."""
        self.tripped, self._bad_s = False, None

    def describe(self, unit: str) -> str:
        """Return in words what is wrong with the last reading."""
        rule, value = self.rule, self._value
        shown = format_quantity(value, unit)
        if self.silent:
            return f"no valid reading for {self._now_s - self._valid_s:.0f} s"
        if self._now_s - self._fresh_s >= rule.stale_s:
            return f"always {shown} for {self._now_s - self._fresh_s:.0f} s"
        if value > rule.high:
            return f"{shown}, above {format_quantity(rule.high, unit)}"
        return f"{shown}, below {format_quantity(rule.low, unit)}" if value < rule.low else shown

    def _is_bad(self, now_s: float, value: float) -> bool:
        rule = self.rule
        if now_s - self._valid_s >= min(PATIENCE_S, rule.stale_s):
            return True
        if now_s - self._fresh_s >= rule.stale_s:
            return True
        return value < rule.low or value > rule.high

    def _is_good(self, value: float) -> bool:
        return self.rule.good_low <= value <= self.rule.good_high
