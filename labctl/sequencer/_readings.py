"""Readings of a run: what was read when, and what it was during a point."""

import math
from collections import defaultdict, deque
from typing import Any, NamedTuple

__all__ = ["Readings", "Summary"]

_KEPT = 4096


class Summary(NamedTuple):
    """Readings of one quantity over a time: mean, sample standard deviation (None if single)."""

    mean: float
    std: float | None
    readings: int
    units: str

    def as_data(self) -> dict[str, Any]:
        """Return the form that the journal stores."""
        return {"value": self.mean, "std": self.std, "count": self.readings, "units": self.units}


class Readings:
    """The latest readings of every quantity, bounded in number."""

    def __init__(self) -> None:
        """Begin without readings."""
        self._kept: dict[str, deque[tuple[float, float]]] = defaultdict(
            lambda: deque[tuple[float, float]](maxlen=_KEPT)
        )
        self._units: dict[str, str] = {}

    def add(self, quantity: str, t_s: float, value: float, units: str) -> None:
        """Take a reading; NaN is kept out, because it is no number."""
        if value == value:
            self._kept[quantity].append((t_s, value))
            self._units[quantity] = units

    def forget(self, quantity: str) -> None:
        """Drop what was read of a quantity that is being changed."""
        self._kept.pop(quantity, None)

    def since(self, quantity: str, t_s: float) -> Summary | None:
        """Summarise the readings of a quantity from clock time ``t_s`` on."""
        values: list[float] = []
        for at_s, value in reversed(self._kept.get(quantity, ())):
            if at_s < t_s:
                break
            values.append(value)
        if not values:
            return None
        mean = math.fsum(values) / len(values)
        return Summary(mean, _std(values, mean), len(values), self._units[quantity])

    def quantities(self) -> list[str]:
        """Return the names of all quantities that were read."""
        return list(self._kept)


def _std(values: list[float], mean: float) -> float | None:
    # Two or three readings per point: numpy would take thirty times as long.
    if len(values) < 2:
        return None
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
