"""A value with its standard error."""

import math
from dataclasses import dataclass

__all__ = ["Measured"]


@dataclass(frozen=True)
class Measured:
    """A determined quantity; the unit stands in the name of the field that holds it.

    Attributes:
        value: Best estimate.
        error: Standard error, one sigma; where the sides differ, the root of the mean square.
        down: Standard error towards smaller values, where the two sides differ; else None.
        up: Towards larger values.
    """

    value: float
    error: float
    down: float | None = None
    up: float | None = None

    def pull(self, truth: float) -> float:
        """Return ``(value - truth) / error`` with the error of the side where ``truth`` lies."""
        side = self.up if truth > self.value else self.down
        return (self.value - truth) / (self.error if side is None else side)

    def covers(self, truth: float, sigmas: float) -> bool:
        """Return whether ``truth`` lies within this many standard errors."""
        return abs(self.pull(truth)) <= sigmas

    def scaled(self, factor: float) -> "Measured":
        """Return the quantity in another unit."""
        sides = (self.down, self.up) if factor > 0 else (self.up, self.down)
        down, up = (None if side is None else side * abs(factor) for side in sides)
        return Measured(self.value * factor, self.error * abs(factor), down, up)

    def plus_systematic(self, error: float) -> "Measured":
        """Return the same value with an independent error added in quadrature."""
        sides = (self.down, self.up)
        down, up = (None if side is None else math.hypot(side, error) for side in sides)
        return Measured(self.value, math.hypot(self.error, error), down, up)
