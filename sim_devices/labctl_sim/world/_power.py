"""Mean laser power on a sensor beside the path, with its inertia."""

import math
from collections.abc import Callable

from labctl_sim.world._table import Timeline
from labctl_sim.world._world import World

_LONG_AGO = 12.0
"""Older light than so many time constants has no weight left (6e-6)."""


class PowerSensor:
    """Laser power that falls on a sensor.

    Args:
        world: The world.
        power_ratio: Power on the sensor over that which the sample would get.
        fed_by: Name of the part of the excitation path that sends the light here instead of
            letting it pass; empty: a pick-off, which always does.
    """

    def __init__(self, world: World, power_ratio: float, fed_by: str = "") -> None:
        self._world, self._ratio, self._fed_by = world, power_ratio, fed_by
        self._power_w = Timeline(world.now(), self.incident_w())
        world.table.watch(lambda: self._power_w.set(world.now(), self.incident_w()))

    @property
    def now(self) -> Callable[[], float]:
        """The world's clock, s."""
        return self._world.now

    def incident_w(self) -> float:
        """Power on the sensor at this moment, W."""
        power_w = self._ratio * self._world.laser_power_w(without=self._fed_by)
        if not self._fed_by:
            return power_w
        return power_w * (1.0 - self._world.table.transmission_rel(self._fed_by))

    def seen_w(self, at_s: float, inertia_s: float) -> float:
        """What a sensor with first-order inertia shows at a time, W; exact for any light."""
        if inertia_s <= 0.0:
            return self._power_w.mean(at_s, at_s)
        began_s = at_s - _LONG_AGO * inertia_s
        pieces = self._power_w.changes(began_s, at_s)
        ends_s = [*(begin_s for begin_s, _ in pieces[1:]), at_s]
        left = pieces[0][1] * math.exp(-_LONG_AGO)
        for (begin_s, power_w), end_s in zip(pieces, ends_s, strict=True):
            left += power_w * (
                math.exp(-(at_s - end_s) / inertia_s) - math.exp(-(at_s - begin_s) / inertia_s)
            )
        return left
