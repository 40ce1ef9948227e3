"""Readings of a run: what was read when, and what it was during a point."""

import math
from collections import deque
from collections.abc import Mapping
from typing import TypedDict

__all__ = ["Readings", "Summary"]

_KEPT = 4096


class Summary(TypedDict):
    """Readings of one quantity over a time, as the journal stores them.

    Attributes:
        value: Their mean.
        std: Their sample standard deviation; None if there is one reading only.
        count: How many there are.
        units: Their unit.
    """

    value: float
    std: float | None
    count: int
    units: str


class Readings:
    """The latest readings of every quantity, bounded in number."""

    def __init__(self) -> None:
        """Begin without readings."""
        self._kept: dict[str, deque[tuple[float, float]]] = {}
        self._units: dict[str, str] = {}

    def add(self, quantity: str, t_s: float, value: float, units: str) -> None:
        """Take a reading; NaN is kept out, because it is no number."""
        if value != value:
            return
        kept = self._kept.get(quantity)
        if kept is None:
            kept = self._kept[quantity] = deque(maxlen=_KEPT)
        kept.append((t_s, value))
        self._units[quantity] = units

    def forget(self, *quantities: str) -> None:
        """Drop what was read of quantities that are being changed."""
        for quantity in quantities:
            kept = self._kept.get(quantity)
            if kept is not None:
                kept.clear()

    def since(self, quantity: str, t_s: float) -> Summary | None:
        """Summarise the readings of a quantity from clock time ``t_s`` on."""
        values: list[float] = []
        for at_s, value in reversed(self._kept.get(quantity, ())):
            if at_s < t_s:
                break
            values.append(value)
        if not values:
            return None
        count = len(values)
        mean = math.fsum(values) / count
        std = None
        if count > 1:
            # Two or three readings per point: numpy would take thirty times as long.
            std = math.sqrt(math.fsum([(value - mean) ** 2 for value in values]) / (count - 1))
        return {"value": mean, "std": std, "count": count, "units": self._units[quantity]}

    def during(self, began_s: float, periods_s: Mapping[str, float]) -> dict[str, Summary]:
        """Summarise all quantities that were read.

        Args:
            began_s: Clock time of the beginning, s.
            periods_s: Periods of the monitored quantities, s. A short time may fall between two
                beats of a slow monitor: its last one holds.
        """
        found: dict[str, Summary] = {}
        for quantity in self._kept:
            summary = self.since(quantity, began_s)
            if summary is None and quantity in periods_s:
                summary = self.since(quantity, began_s - periods_s[quantity])
            if summary is not None:
                found[quantity] = summary
        return found

    def quantities(self) -> list[str]:
        """Return the names of all quantities that were read."""
        return [quantity for quantity, kept in self._kept.items() if kept]
