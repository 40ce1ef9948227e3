"""The way of one axis to its target: a run-up from below, then readings that must agree."""

from dataclasses import dataclass, field
from enum import Enum, auto

__all__ = ["POLL_S", "Approach", "SensorWatch", "Verdict", "legs_to"]

POLL_S = 0.05
"""Time between two questions to an axis under way, s."""
_AGREEING = 3
_SPEED_MARGIN = 3.0


class Verdict(Enum):
    """What readings of a sensor say of a leg."""

    GOING = auto()
    THERE = auto()
    STUCK = auto()
    JUMPED = auto()


@dataclass
class SensorWatch:
    """Judges the readings of a sensor on one leg; that an axis stands still proves nothing.

    Attributes:
        target_um: End of the leg.
        tolerance_um: Within it a reading counts as on target.
        glitch_um: A difference of two readings beyond what the axis can travel.
        stall_s: So long without coming nearer by ``tolerance_um`` it counts as stuck.
        speed_um_s: Believed speed; None: unknown, jumps are then not told on the way.
        agreeing: How many readings in a row must be on target.
    """

    target_um: float
    tolerance_um: float
    glitch_um: float
    stall_s: float
    speed_um_s: float | None = None
    agreeing: int = _AGREEING
    last: tuple[float, float] | None = None
    _nearest_um: float = float("inf")
    _nearest_s: float = 0.0
    _agreed: int = 0

    def add(self, t_s: float, um: float) -> Verdict:
        """Take a reading at a time, s."""
        before, self.last = self.last, (t_s, um)
        if before is not None and self._cannot_be(t_s - before[0], um - before[1]):
            return Verdict.JUMPED
        off_um = abs(um - self.target_um)
        if off_um <= self.tolerance_um:
            self._agreed += 1
            return Verdict.THERE if self._agreed >= self.agreeing else Verdict.GOING
        self._agreed = 0
        if off_um < self._nearest_um - self.tolerance_um:
            self._nearest_um, self._nearest_s = off_um, t_s
        return Verdict.STUCK if t_s - self._nearest_s >= self.stall_s else Verdict.GOING

    def _cannot_be(self, passed_s: float, moved_um: float) -> bool:
        if self.speed_um_s is None:
            return False
        return abs(moved_um) > _SPEED_MARGIN * self.speed_um_s * passed_s + self.glitch_um


@dataclass
class Approach:
    """Where an axis is going, in legs; ``watch`` judges the present one of a closed loop."""

    legs: list[float]
    watch: SensorWatch | None = None
    asked_s: float = field(default=float("-inf"))

    @property
    def target_um(self) -> float:
        """Where it shall stand in the end, um."""
        return self.legs[-1]

    def due(self, now_s: float) -> bool:
        """Tell whether to ask the axis now; asking without end would only load its line."""
        if now_s < self.asked_s + POLL_S:
            return False
        self.asked_s = now_s
        return True


def legs_to(here_um: float, target_um: float, run_up_um: float) -> list[float]:
    """Return the places to go to one after the other, so that the target is met from below.

    An axis that stands far enough below goes straight; any other one goes below first.
    """
    start_um = target_um - run_up_um
    return [target_um] if run_up_um == 0 or here_um <= start_um else [start_um, target_um]
