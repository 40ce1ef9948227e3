"""The turning ring of a rotation mount: what its encoder says, and where it really stands."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from labctl_sim.world import World

RING_TRUTH: Mapping[str, float | int | bool | str] = {
    "zero_offset_deg": 1.7,
    "scale_error_rel": 2e-4,
    "backlash_deg": 0.05,
    "jitter_deg": 0.003,
    "power_up_deg": 37.0,
}
"""Ring at its home against x of the laboratory; true over shown angle, less 1; how far the ring
lags behind after a turn towards smaller angles (the encoder does not see it); scatter of where it
stops (the encoder sees it); where it stands when it is switched on. All are assumed."""

_LOOK_S = 0.1
Action = Callable[[], None]


class Ring:
    """A ring that turns with constant acceleration up to a speed; the world follows it.

    Args:
        world: The world.
        name: The instrument's name.
        truth: Truths with the keys of ``RING_TRUTH``.
        speed_deg_s: Largest speed.
        acceleration_deg_s2: Acceleration.
    """

    def __init__(
        self,
        world: World,
        name: str,
        truth: Mapping[str, Any],
        *,
        speed_deg_s: float,
        acceleration_deg_s2: float,
    ) -> None:
        self._world, self._name, self._truth = world, name, truth
        self.speed_deg_s, self.acceleration_deg_s2 = speed_deg_s, acceleration_deg_s2
        self._random = world.lasting_generator(name, "stops")
        self._cancels: list[Action] = []
        self.stuck = False
        self.switch_on()

    def switch_on(self) -> None:
        """Begin at an angle that the encoder knows nothing of: it shows 0."""
        self._halt()
        self._lost_deg = float(self._truth["power_up_deg"])
        self._from_deg = self._to_deg = 0.0
        self._began_s = self._world.now()
        self._down = False
        self.homed = False
        self._tell()

    @property
    def moving(self) -> bool:
        """Whether a turn goes on."""
        return bool(self._cancels)

    def shown_deg(self) -> float:
        """What the encoder shows now."""
        if not self.moving:
            return self._to_deg
        return self._from_deg + self._way_deg(self._world.now() - self._began_s)

    def true_deg(self) -> float:
        """Where the ring stands, counted from x of the laboratory."""
        truth = self._truth
        turned_deg = (self.shown_deg() + self._lost_deg) * (1.0 + float(truth["scale_error_rel"]))
        lag_deg = float(truth["backlash_deg"]) if self._down else 0.0
        return turned_deg - float(truth["zero_offset_deg"]) + lag_deg

    def duration_s(self, to_deg: float) -> float:
        """How long a turn from here takes: a trapezoid of speed."""
        way, speed, rate = (
            abs(to_deg - self.shown_deg()),
            self.speed_deg_s,
            self.acceleration_deg_s2,
        )
        if way < speed * speed / rate:
            return 2.0 * math.sqrt(way / rate)
        return way / speed + speed / rate

    def turn_to(self, to_deg: float, done: Action, *, extra_s: float = 0.0) -> None:
        """Turn to an angle that the encoder will show, within its scatter; then ``done``."""
        self._begin(to_deg + self._scatter_deg(), extra_s, done)

    def home(self, done: Action, *, search_s: float, home_deg: float = 0.0) -> None:
        """Turn to the home switch and beyond by ``home_deg``, and count from there."""

        def found() -> None:
            self._lost_deg, self.homed = home_deg, True
            self._from_deg = self._to_deg = self._scatter_deg()
            self._tell()
            done()

        self._begin(-self._lost_deg, search_s, found)

    def stop(self) -> None:
        """Stay where it is now."""
        here_deg = self.shown_deg()
        self._halt()
        self._from_deg = self._to_deg = here_deg
        self._tell()

    def _begin(self, to_deg: float, extra_s: float, done: Action) -> None:
        self.stop()
        self._duration_s = self.duration_s(to_deg)
        self._began_s, self._to_deg = self._world.now(), to_deg
        self._down = to_deg < self._from_deg

        def arrive() -> None:
            self._halt()
            self._from_deg = to_deg
            self._tell()
            done()

        if self.stuck:
            self._to_deg = self._from_deg
            return
        self._cancels = [self._world.after(self._duration_s + extra_s, arrive)]
        self._look_later()

    def _look_later(self) -> None:
        def look() -> None:
            if self.moving:
                self._tell()
                self._look_later()

        self._cancels[1:] = [self._world.after(_LOOK_S, look)]

    def _way_deg(self, for_s: float) -> float:
        """Way since the turn began."""
        total_s, way = self._duration_s, self._to_deg - self._from_deg
        if for_s >= total_s or total_s <= 0.0:
            return way
        rate = self.acceleration_deg_s2
        # The trapezoid is as steep at its end as at its begin.
        ramp_s = min(self.speed_deg_s / rate, 0.5 * total_s)
        if for_s < ramp_s:
            done = 0.5 * rate * for_s**2
        elif for_s > total_s - ramp_s:
            done = abs(way) - 0.5 * rate * (total_s - for_s) ** 2
        else:
            done = 0.5 * rate * ramp_s**2 + rate * ramp_s * (for_s - ramp_s)
        return math.copysign(done, way)

    def _scatter_deg(self) -> float:
        return float(self._truth["jitter_deg"]) * float(self._random.standard_normal())

    def _halt(self) -> None:
        for cancel in self._cancels:
            cancel()
        self._cancels = []

    def _tell(self) -> None:
        self._world.mounts.set(self._name, self.true_deg())
