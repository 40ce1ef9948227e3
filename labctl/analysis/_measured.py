"""A value with its standard error."""

import math
from dataclasses import dataclass

__all__ = ["Measured"]


@dataclass(frozen=True)
class Measured:
    """A determined quantity; the unit stands in the name of the field that holds it.

    Attributes:
        value: Best estimate.
        error: Standard error, one sigma.
    """

    value: float
    error: float

    def pull(self, truth: float) -> float:
        """Return ``(value - truth) / error``."""
        return (self.value - truth) / self.error

    def covers(self, truth: float, sigmas: float) -> bool:
        """Return whether ``truth`` lies within this many standard errors."""
        return abs(self.pull(truth)) <= sigmas

    def scaled(self, factor: float) -> "Measured":
        """Return the quantity in another unit."""
        return Measured(self.value * factor, self.error * abs(factor))

    def plus_systematic(self, error: float) -> "Measured":
        """Return the same value with an independent error added in quadrature."""
        return Measured(self.value, math.hypot(self.error, error))
