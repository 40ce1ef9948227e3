"""Which points of a power series show a blinking dot in one and the same state.

Each state of a dot saturates by a law of its own, ``A [1 - exp(-P / P_sat)]``. A point that fell
into one long dwell in a dim state looks steady by itself and is told by the others alone. A law has
two numbers, so that three powers are the fewest that can contradict it.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labctl.analysis import Measured
from labctl.errors import AnalysisError

__all__ = ["SAME_POWER", "BrightPoint", "StateOfSeries", "state_of_series"]

SAME_POWER = 1.05
"""Powers whose ratio is smaller count as one."""

_FEWEST = 3
_NEAR = 0.1
"""Unresolved dips and errors of the powers move a rate by this share at most (a choice)."""
_SIGMAS = 3.0
_OFF = 0.7
"""A point with less than this share of the light that is expected was in another state."""
_STEEPEST, _HALVINGS = 100.0, 50


@dataclass(frozen=True)
class BrightPoint:
    """One power.

    Attributes:
        power_w_cm2: Peak fluence times repetition rate.
        rate_hz: Photons of both detectors per second while the dot is on.
        g2_zero: Of this point; None: it had none.
    """

    power_w_cm2: float
    rate_hz: Measured
    g2_zero: Measured | None


@dataclass(frozen=True, eq=False)
class StateOfSeries:
    """Result of `state_of_series`.

    Attributes:
        points: Those in which the dot was in this state, by power.
        dim: Whether another point is brighter than the law of these: a brighter state exists.
    """

    points: tuple[BrightPoint, ...]
    dim: bool


@dataclass(frozen=True, eq=False)
class _Group:
    """All points of a series against the law through two of them.

    Attributes:
        points: By power.
        shares: Rates over what the law says.
        slack: How far each share may be from 1.
    """

    points: Sequence[BrightPoint]
    shares: list[float]
    slack: list[float]

    @property
    def dim(self) -> bool:
        """Whether a point lies above the law."""
        return any(share >= 1 + free for share, free in zip(self.shares, self.slack, strict=True))

    @property
    def near(self) -> list[BrightPoint]:
        """Points on the law."""
        shares = zip(self.points, self.shares, self.slack, strict=True)
        return [one for one, share, free in shares if abs(share - 1) < free]

    @property
    def kept(self) -> list[BrightPoint]:
        """Points on the law, and those that were in this state for most of the time."""
        shares = zip(self.points, self.shares, self.slack, strict=True)
        return [one for one, share, free in shares if min(_OFF, 1 - free) < share < 1 + free]


def state_of_series(points: Sequence[BrightPoint]) -> StateOfSeries:
    """Return the points of the brightest state if three powers show it, else of the largest group.

    Laws through any two points are compared: that of the brightest state has no point above it.

    Raises:
        AnalysisError: No three powers lie on one law.
    """
    ordered = sorted(points, key=lambda one: one.power_w_cm2)
    groups = [
        group
        for pair in itertools.combinations(ordered, 2)
        if (group := _group(ordered, pair)) is not None and _powers(group.near) >= _FEWEST
    ]
    if not groups:
        raise AnalysisError(
            f"at fewer than {_FEWEST} of {_powers(ordered)} powers the dot was in one state, "
            "which does not tell a law of saturation (longer points, or a series up and down)"
        )
    best = max(groups, key=lambda group: (not group.dim, len(group.near)))
    return StateOfSeries(tuple(best.kept), best.dim)


def _group(points: Sequence[BrightPoint], pair: Sequence[BrightPoint]) -> _Group | None:
    """Return how all points stand to the law through two of them; None without such a law."""
    low, high = pair
    if high.power_w_cm2 < SAME_POWER * low.power_w_cm2 or not low.rate_hz.value > 0:
        return None
    p_sat = _through(low.power_w_cm2, high.power_w_cm2, high.rate_hz.value / low.rate_hz.value)
    if p_sat is None:
        return None
    law = -np.expm1(-np.array([one.power_w_cm2 for one in points]) / p_sat)
    scale = low.rate_hz.value / -math.expm1(-low.power_w_cm2 / p_sat)
    shares = [one.rate_hz.value / (scale * float(e)) for one, e in zip(points, law, strict=True)]
    own = max(_relative(low), _relative(high))
    slack = [_NEAR + _SIGMAS * math.hypot(own, _relative(one)) for one in points]
    return _Group(points, shares, slack)


def _powers(ordered: Sequence[BrightPoint]) -> int:
    """Return how many different powers these points have."""
    steps = [b.power_w_cm2 > SAME_POWER * a.power_w_cm2 for a, b in itertools.pairwise(ordered)]
    return sum(steps) + 1 if ordered else 0


def _relative(one: BrightPoint) -> float:
    return one.rate_hz.error / one.rate_hz.value if one.rate_hz.value > 0 else 1.0


def _through(low: float, high: float, ratio: float) -> float | None:
    """Return the saturation power at which rates at two powers have a ratio, None if none has."""
    least, most = math.log(low / _STEEPEST), math.log(high * _STEEPEST)
    if not 1.0 < ratio < 2 * high / low:
        return None
    for _ in range(_HALVINGS):
        middle = (least + most) / 2
        found = math.expm1(-high / math.exp(middle)) / math.expm1(-low / math.exp(middle))
        least, most = (middle, most) if found < ratio else (least, middle)
    return math.exp(least)
