"""One slip-stick axis beneath the sample: steps, sticks, backlash, end stops, damage, fine motion.

All numbers are assumed (physics notes, Cryostat and stage).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from labctl_sim.world._types import FloatArray
from labctl_sim.world._world import World

_WARM_K, _COLD_K = 300.0, 4.0
_SIZES_AT_V = 30.0
_FINE_AT_V = 60.0
_TICK_S = 0.05
_LONGEST_RUN = 200_000
_CREEP_FROM_S = 0.1
_CREEP_SHOWS_S = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_DAMAGED_REL = 0.3
AXES = ("x", "y", "z")


@dataclass(frozen=True)
class PiezoTruth:
    """What one axis really does."""

    step_um: float = 0.12
    """Size of a step upwards at 30 V and 300 K; in proportion to the voltage."""
    down_ratio: float = 0.93
    """Steps downwards against those upwards, 0.85 to 1.15."""
    scatter_rel: float = 0.05
    cold_factor: float = 3.5
    """So many times smaller are steps at 4 K than at 300 K."""
    backlash_um: float = 0.2
    steps_per_stick: float = 2000.0
    """On average so many steps pass until it sticks for `stick_steps` steps."""
    stick_steps: int = 20
    travel_um: float = 2500.0
    """End stops stand so far from the middle, where it begins."""
    fine_range_um: float = 4.0
    """Of the offset motion at 60 V and 300 K."""
    fine_cold_rel: float = 0.4
    creep_rel: float = 0.02
    """Of a change of the offset, per decade of time from 0.1 s on."""
    warm_limit_v: float = 35.0
    """Stepped above it at 300 K the piezo is damaged; in between linear in temperature."""
    cold_limit_v: float = 75.0


class PiezoAxis:
    """One axis; its displacement is added to the world's stage.

    Attributes:
        coarse_um: Where the slider stands, from the middle of its travel.
        damaged: Whether it was stepped with too much voltage; its steps are small from then on.
    """

    def __init__(self, world: World, name: str, axis: str, truth: PiezoTruth) -> None:
        self._world, self._name, self._axis = world, name, axis
        self.truth = truth
        self.coarse_um = 0.0
        self.damaged = False
        self._stuck: int | None = None
        self._stops_um = [-truth.travel_um, truth.travel_um]
        self._sign: int = 1
        self._slack_um = 0.0
        self._runs = 0
        self._run: _Run | None = None
        self._end: Callable[[], None] | None = None
        self._offset_v, self._fine_from_um, self._offset_s = 0.0, 0.0, -math.inf
        self._shown_um = 0.0
        self._creeping: list[Callable[[], None]] = []

    @property
    def moving(self) -> bool:
        """Whether steps go on."""
        return self._run is not None

    @property
    def offset_v(self) -> float:
        """Offset voltage on the piezo."""
        return self._offset_v

    def um(self) -> float:
        """Displacement now: slider and piezo."""
        self._follow()
        return self.coarse_um + self._fine_um()

    def at_end(self) -> int:
        """1 at the upper end stop, -1 at the lower one, else 0."""
        low, high = self._stops_um
        return int(self.coarse_um >= high) - int(self.coarse_um <= low)

    def step(
        self, steps: int | None, volts: float, hertz: float, sign: int, done: Callable[[], None]
    ) -> None:
        """Start steps; None: on and on. ``done`` is called when they end by themselves."""
        self.halt()
        self._endanger(volts)
        if sign != self._sign:
            self._sign, self._slack_um = sign, self.truth.backlash_um
        if self._stuck is not None:
            # Stuck on the way on which it is tried first; turning round frees it.
            self._stuck = sign if self._stuck in (0, sign) else None
        count = _LONGEST_RUN if steps is None else steps
        path_um = self._path_um(count, volts)
        self._run = _Run(self._world.now(), hertz, sign, self.coarse_um, self._slack_um, path_um)

        def end() -> None:
            self.halt()
            done()

        self._end = self._world.after(count / hertz, end)
        self._tick()

    def halt(self) -> None:
        """End the steps where they are now."""
        if self._end is not None:
            self._end()
        run, self._end = self._run, None
        if run is not None:
            self._follow()
            self._slack_um = max(self._slack_um - run.pushed_um(self._world.now()), 0.0)
            self._run = None

    def offset(self, volts: float) -> None:
        """Put an offset voltage on the piezo; 0 when grounded."""
        if volts == self._offset_v:
            return
        self._fine_from_um = self._fine_um()
        self._offset_v, self._offset_s = volts, self._world.now()
        self._show()
        for cancel in self._creeping:
            cancel()
        self._creeping = [self._world.after(after_s, self._show) for after_s in _CREEP_SHOWS_S]

    def jump(self, um: float) -> None:
        """Slip by so much at once."""
        self.halt()
        self.coarse_um += um
        self._show()

    def block(self, side: int) -> None:
        """Let an end stop stand where the slider is: above (1) or below it (-1)."""
        self._follow()
        self._stops_um[0 if side < 0 else 1] = self.coarse_um

    def stick(self) -> None:
        """Stick until it is stepped the other way than the next."""
        self._stuck = 0

    def heal(self) -> None:
        """End sticking and remove false end stops; damage stays."""
        self._stuck = None
        self._stops_um = [-self.truth.travel_um, self.truth.travel_um]

    def step_um(self, volts: float, sign: int) -> float:
        """Mean size of a step now, a positive number."""
        cold = 1.0 + (self.truth.cold_factor - 1.0) * self._coldness()
        size_um = self.truth.step_um * volts / _SIZES_AT_V / cold
        size_um *= self.truth.down_ratio if sign < 0 else 1.0
        return size_um * (_DAMAGED_REL if self.damaged else 1.0)

    def _path_um(self, count: int, volts: float) -> FloatArray:
        """Way after each step, without backlash."""
        if self._stuck is not None:
            return np.zeros(count)
        chance = self._world.lasting_generator(self._name, self._axis, self._runs)
        self._runs += 1
        scatter = 1.0 + self.truth.scatter_rel * chance.standard_normal(count)
        sizes_um = self.step_um(volts, self._sign) * np.maximum(scatter, 0.0)
        for first in np.flatnonzero(chance.random(count) < 1.0 / self.truth.steps_per_stick):
            sizes_um[first : first + self.truth.stick_steps] = 0.0
        return np.cumsum(sizes_um)

    def _endanger(self, volts: float) -> None:
        truth = self.truth
        limit_v = truth.warm_limit_v
        limit_v += (truth.cold_limit_v - truth.warm_limit_v) * self._coldness()
        if volts > limit_v and not self.damaged:
            self.damaged = True
            self._world.note(
                "piezo_damaged",
                device=self._name,
                axis=self._axis,
                volts=volts,
                kelvin=self._world.thermal.sample_k(),
            )

    def _coldness(self) -> float:
        share = (_WARM_K - self._world.thermal.sample_k()) / (_WARM_K - _COLD_K)
        return min(max(share, 0.0), 1.0)

    def _fine_um(self) -> float:
        truth = self.truth
        range_um = truth.fine_range_um * (1.0 - (1.0 - truth.fine_cold_rel) * self._coldness())
        there_um = range_um * self._offset_v / _FINE_AT_V
        passed_s = max(self._world.now() - self._offset_s, _CREEP_FROM_S)
        if math.isinf(passed_s):
            return there_um
        decades = math.log10(passed_s / _CREEP_FROM_S)
        return there_um + (there_um - self._fine_from_um) * truth.creep_rel * decades

    def _tick(self) -> None:
        if self._run is not None:
            self._follow()
            self._world.after(_TICK_S, self._tick_of(self._run))

    def _tick_of(self, run: "_Run") -> Callable[[], None]:
        return lambda: self._tick() if self._run is run else None

    def _follow(self) -> None:
        """Bring the slider to where its steps have led by now."""
        if self._run is not None:
            low_um, high_um = self._stops_um
            um = self._run.um(self._world.now())
            self.coarse_um = min(max(um, low_um), high_um)
        self._show()

    def _show(self) -> None:
        um = self.coarse_um + self._fine_um()
        self._world.move_stage(AXES.index(self._axis), um - self._shown_um)
        self._shown_um = um


@dataclass(frozen=True)
class _Run:
    """Steps that go on: way after each of them, of which the slack takes the first part."""

    began_s: float
    hertz: float
    sign: int
    from_um: float
    slack_um: float
    path_um: FloatArray

    def pushed_um(self, now_s: float) -> float:
        made = min(int((now_s - self.began_s) * self.hertz + 1e-6), len(self.path_um))
        return float(self.path_um[made - 1]) if made else 0.0

    def um(self, now_s: float) -> float:
        return self.from_um + self.sign * max(self.pushed_um(now_s) - self.slack_um, 0.0)
