"""Rows of the table: the pulls of one quantity against the bounds of the requirement."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Row", "rows"]

_HIGHEST_MEAN = 0.4
_SPREAD = (0.75, 1.3)
_COVERED_68 = (0.54, 0.82)
_COVERED_95 = (0.88, 1.0)
_SIGMAS_68, _SIGMAS_95 = 1.0, 1.959964


@dataclass(frozen=True)
class Row:
    """Pulls of one quantity, and what the requirement says of them.

    Attributes:
        name: Of the quantity.
        pulls: ``(fit - truth) / error``, one per seed; NaN where nothing was determined.
    """

    name: str
    pulls: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean of the pulls."""
        return float(np.mean(self.pulls))

    @property
    def sd(self) -> float:
        """Standard deviation of the pulls."""
        return float(np.std(self.pulls, ddof=1))

    def covered(self, sigmas: float) -> float:
        """Return the share of the seeds whose truth lies within this many standard errors."""
        return float(np.mean(np.abs(self.pulls) <= sigmas))

    @property
    def outside(self) -> tuple[str, ...]:
        """Return the names of what is outside its bounds; empty if all is well."""
        checks = {
            "mean": abs(self.mean) < _HIGHEST_MEAN,
            "sd": _within(self.sd, _SPREAD),
            "68 %": _within(self.covered(_SIGMAS_68), _COVERED_68),
            "95 %": _within(self.covered(_SIGMAS_95), _COVERED_95),
        }
        return tuple(name for name, good in checks.items() if not good)

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        shares = (self.covered(_SIGMAS_68), self.covered(_SIGMAS_95))
        verdict = f"OUTSIDE: {', '.join(self.outside)}" if self.outside else "within"
        numbers = (f"{self.mean:+.2f}", f"{self.sd:.3f}", *(f"{100 * s:.0f}" for s in shares))
        return (self.name, *numbers, verdict)


def rows(found: Sequence[Mapping[str, float]]) -> list[Row]:
    """Return one row per quantity from the pulls of all seeds."""
    names = dict.fromkeys(name for one in found for name in one)
    return [Row(name, tuple(one.get(name, math.nan) for one in found)) for name in names]


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]
