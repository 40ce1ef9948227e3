"""The cryostat behind both generations of control electronics, with what can be wrong with it."""

import math
from dataclasses import dataclass, field

from labctl_sim.world import World

_GRID_S = 0.1
_LEAK_WARMS_TO_K = 150.0
_STABILITY_WINDOW_S = 60.0


@dataclass
class Wobble:
    """A temperature that does not settle: a sine on top of the platform's reading."""

    began_s: float
    until_s: float
    amplitude_k: float
    period_s: float

    def at(self, now_s: float) -> float:
        """Deviation in kelvin, constant within each 0.1 s like the readings."""
        elapsed_s = math.floor((now_s - self.began_s) / _GRID_S + 1e-6) * _GRID_S
        return self.amplitude_k * math.sin(2.0 * math.pi * elapsed_s / self.period_s)

    def spread_k(self) -> float:
        """Largest minus smallest deviation within the stability window."""
        share = min(1.0, 2.0 * _STABILITY_WINDOW_S / self.period_s)
        return 2.0 * self.amplitude_k * share


@dataclass
class _Spell:
    """Something that is so until a time, for some channels."""

    until_s: float = float("-inf")
    channels: frozenset[str] = frozenset()
    values: dict[str, float | None] = field(default_factory=dict[str, float | None])


class Plant:
    """Readings and automation of one cryostat.

    Readings are in kelvin, watt and pascal; None means that the controller has no reading.

    Args:
        world: The world; its thermal model is this cryostat's.
        sample_fitted: Whether there is a thermometer at the sample.
    """

    def __init__(self, world: World, *, sample_fitted: bool) -> None:
        self._world = world
        self._fitted = {"platform", "sample"} if sample_fitted else {"platform"}
        self._dead = _Spell()
        self._nan = _Spell()
        self._stale = _Spell()
        self._wobble: Wobble | None = None
        self._leak_pa = 0.0
        self._goal = world.thermal.goal
        self._target_k: float | None = world.thermal.target_k

    @property
    def goal(self) -> str:
        """What the automation does: ``idle``, ``cooldown`` or ``warmup``."""
        return self._goal

    @property
    def tripped(self) -> bool:
        """Whether the vacuum is lost; the automation then does nothing."""
        return self._leak_pa > 0.0

    def pursue(self, goal: str, target_k: float | None) -> None:
        """Begin a goal with a set point; None for as cold as possible."""
        self._goal = goal
        self._target_k = target_k
        if not self.tripped:
            self._drive(goal, target_k)

    def set_target(self, target_k: float | None) -> None:
        """Change the set point of the goal."""
        self._target_k = target_k
        if not self.tripped:
            self._world.thermal.set_target(target_k)

    def temperature_k(self, channel: str) -> float | None:
        """Read ``platform`` or ``sample``."""
        now_s = self._world.now()
        if channel not in self._fitted or self._affected(self._dead, channel):
            return None
        if self._affected(self._nan, channel):
            return math.nan
        if self._affected(self._stale, channel):
            return self._stale.values[channel]
        thermal = self._world.thermal
        platform = channel == "platform"
        reading_k = thermal.read_platform_k() if platform else thermal.read_sample_k()
        wobble = self._wobble
        return reading_k + (wobble.at(now_s) if wobble and now_s < wobble.until_s else 0.0)

    def stability_k(self, channel: str) -> float | None:
        """Largest minus smallest platform reading of the last minute, also given for the sample."""
        if channel not in self._fitted or self._affected(self._dead, channel):
            return None
        if self._affected(self._nan, channel):
            return math.nan
        spread_k = self._world.thermal.stability_k()
        wobble = self._wobble
        if wobble is None or self._world.now() >= wobble.until_s:
            return spread_k
        return spread_k + wobble.spread_k()

    def stage_k(self, stage: int) -> float:
        """Read a stage of the cold head, 1 or 2."""
        thermal = self._world.thermal
        return thermal.stage1_k() if stage == 1 else thermal.stage2_k()

    def heater_w(self) -> float:
        """Power of the platform heater; off after a vacuum trip."""
        return 0.0 if self.tripped else self._world.thermal.heater_w()

    def pressure_pa(self) -> float:
        """Pressure of the sample chamber."""
        return self._leak_pa if self.tripped else self._world.thermal.pressure_pa()

    def lose_readings(self, channels: frozenset[str], for_s: float) -> None:
        """Have no reading on these channels for a while."""
        self._dead = _Spell(self._world.now() + for_s, channels)

    def read_nan(self, channels: frozenset[str], for_s: float) -> None:
        """Read not-a-number on these channels for a while."""
        self._nan = _Spell(self._world.now() + for_s, channels)

    def freeze(self, for_s: float) -> None:
        """Repeat the present readings for a while."""
        values = {channel: self.temperature_k(channel) for channel in self._fitted}
        self._stale = _Spell(self._world.now() + for_s, frozenset(self._fitted), values)

    def unsettle(self, amplitude_k: float, period_s: float, for_s: float) -> None:
        """Let the readings swing for a while."""
        now_s = self._world.now()
        self._wobble = Wobble(now_s, now_s + for_s, amplitude_k, period_s)

    def leak(self, pressure_pa: float) -> None:
        """Lose the vacuum: the automation stops, the cold parts warm up."""
        self._leak_pa = pressure_pa
        # The thermal model has no gas; heat from the leak is put in where a heater would be.
        self._drive("cooldown", _LEAK_WARMS_TO_K)

    def heal(self) -> None:
        """End everything that is wrong; the automation goes on where it was."""
        if self.tripped:
            self._leak_pa = 0.0
            self._drive(self._goal, self._target_k)
        self._dead, self._nan, self._stale = _Spell(), _Spell(), _Spell()
        self._wobble = None

    def _drive(self, goal: str, target_k: float | None) -> None:
        self._world.thermal.goal = goal
        self._world.thermal.set_target(target_k)

    def _affected(self, spell: _Spell, channel: str) -> bool:
        return channel in spell.channels and self._world.now() < spell.until_s
