"""The range of a set point."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """The closed range in which a set point may lie, in the unit of its quantity."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        """Whether the value lies in the range."""
        return self.low <= value <= self.high
