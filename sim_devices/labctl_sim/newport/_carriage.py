"""A carriage on a screw that accelerates, travels and brakes; the world follows it."""

import math
from collections.abc import Callable

from labctl_sim.world import World

_TICK_S = 0.05


class Carriage:
    """One linear axis.

    Args:
        world: The world.
        speed_mm_s: Of the travel.
        acceleration_mm_s2: At both ends.
        step_mm: Positions are multiples of it.
        moved: Called whenever the position may have changed.
    """

    def __init__(
        self,
        world: World,
        *,
        speed_mm_s: float,
        acceleration_mm_s2: float,
        step_mm: float,
        moved: Callable[[], None],
    ) -> None:
        self._world, self._step_mm, self._moved = world, step_mm, moved
        self.speed_mm_s, self.acceleration_mm_s2 = speed_mm_s, acceleration_mm_s2
        self._from_mm = self._to_mm = 0.0
        self._began_s = world.now()
        self._cancel: Callable[[], None] | None = None
        self.stuck = False

    def position_mm(self) -> float:
        """Where it stands now."""
        distance = abs(self._to_mm - self._from_mm)
        gone = self._gone_mm(self._world.now() - self._began_s, distance)
        at_mm = self._from_mm + math.copysign(gone, self._to_mm - self._from_mm)
        return round(at_mm / self._step_mm) * self._step_mm

    @property
    def moving(self) -> bool:
        """Whether a move goes on."""
        return self._cancel is not None

    def go(self, to_mm: float) -> None:
        """Begin a move from where it stands."""
        self.stop()
        self._from_mm, self._to_mm = self.position_mm(), to_mm
        if self.stuck:
            self._to_mm = self._from_mm
        self._began_s = self._world.now()
        self._tick()

    def stop(self) -> None:
        """End a move where it is."""
        at_mm = self.position_mm()
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        self._from_mm = self._to_mm = at_mm

    def put(self, at_mm: float) -> None:
        """Call the present place another position."""
        self.stop()
        self._from_mm = self._to_mm = at_mm

    def _tick(self) -> None:
        left_s = self._began_s + self._duration_s() - self._world.now()
        self._moved()
        if left_s <= 1e-9:
            self._cancel = None
            self._from_mm = self._to_mm = self.position_mm()
        else:
            self._cancel = self._world.after(min(left_s, _TICK_S), self._tick)

    def _duration_s(self) -> float:
        distance = abs(self._to_mm - self._from_mm)
        ramp_mm = self.speed_mm_s**2 / self.acceleration_mm_s2
        if distance < ramp_mm:
            return 2.0 * math.sqrt(distance / self.acceleration_mm_s2)
        return self.speed_mm_s / self.acceleration_mm_s2 + distance / self.speed_mm_s

    def _gone_mm(self, since_s: float, distance_mm: float) -> float:
        whole_s, a = self._duration_s(), self.acceleration_mm_s2
        if since_s >= whole_s:
            return distance_mm
        ramp_s = min(self.speed_mm_s / a, 0.5 * whole_s)
        if since_s < ramp_s:
            return 0.5 * a * since_s**2
        if since_s > whole_s - ramp_s:
            return distance_mm - 0.5 * a * (whole_s - since_s) ** 2
        return 0.5 * a * ramp_s**2 + a * ramp_s * (since_s - ramp_s)
