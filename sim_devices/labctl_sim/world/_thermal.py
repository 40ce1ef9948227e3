"""The cryostat as the sample feels it: two masses, a cooler, a heater under control."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, repeat

import numpy as np

from labctl_sim.world._cryogenics import PlantState, PlantTruth, step
from labctl_sim.world._drift import DriftTruth
from labctl_sim.world._grid import GridNoise

_TICK_S = 0.1
_STEP_S = 0.5
_STABILITY_S = 60.0
_KEPT_STEPS = 7200
GOALS = ("idle", "cooldown", "warmup")


@dataclass(frozen=True)
class ThermalTruth(PlantTruth, DriftTruth):
    """The cryostat as it really is; all numbers are assumptions (physics notes, Cryostat)."""

    start_temperature_k: float = 4.0
    noise_at_4k_k: float = 0.005
    """Standard deviation of a thermometer's readings; linear in temperature."""
    noise_at_90k_k: float = 0.020


class Thermal:
    """Temperatures of platform and sample, integrated lazily on a fixed grid of 0.5 s.

    Sensor noise stands on a grid of 0.1 s of absolute time, so polling changes nothing.
    Readings and true values always belong to the present of the world's clock, except for
    `sample_at`, which looks back at most one hour.
    """

    def __init__(
        self,
        truth: ThermalTruth,
        now: Callable[[], float],
        generator: Callable[[str, int], np.random.Generator],
    ) -> None:
        """``generator(sensor, block)`` seeds the noise of a sensor."""
        self.truth = truth
        self._now = now
        self._began_s = now()
        self._platform_noise = GridNoise(lambda block: generator("platform", block))
        self._sample_noise = GridNoise(lambda block: generator("sample", block))
        cold = truth.start_temperature_k < 250.0
        self._state = PlantState.at_rest(truth, truth.start_temperature_k, cooler_on=cold)
        self._target_k = truth.start_temperature_k if cold else None
        self.extra_k = 0.0
        """By so much something beside the sample keeps it warmer, e.g. sensors of a stage."""
        self._goal = "cooldown" if cold else "idle"
        self._steps = 0
        self._moving = True
        first = (self._state.platform_k, self._state.sample_k)
        self._history: deque[tuple[float, float]] = deque([first], maxlen=_KEPT_STEPS)

    @property
    def goal(self) -> str:
        """What the automation is doing: "idle", "cooldown" or "warmup"."""
        return self._goal

    @goal.setter
    def goal(self, value: str) -> None:
        """Begin a cool-down or warm-up; "idle" leaves the cooler as it is and stops regulating.

        Raises:
            ValueError: no such goal.
        """
        if value not in GOALS:
            raise ValueError(f"goal {value!r} is none of {', '.join(GOALS)}")
        self._advance()
        self._goal = value
        self._moving = True
        if value != "idle":
            self._state.cooler_on = value == "cooldown"

    def set_target(self, kelvin: float | None) -> None:
        """New set point of the platform; None: no heater, as cold as possible."""
        self._advance()
        self._target_k = kelvin
        self._moving = True
        self._state.ramp_k = self._state.platform_k

    @property
    def target_k(self) -> float | None:
        """The set point."""
        return self._target_k

    def platform_k(self) -> float:
        """True temperature of the platform."""
        return self._interpolated(self._now())[0]

    def sample_k(self) -> float:
        """True temperature of the sample."""
        return self._interpolated(self._now())[1]

    def sample_at(self, at_s: float) -> float:
        """True temperature of the sample at a time of the last hour."""
        return self._interpolated(at_s)[1]

    def read_platform_k(self) -> float:
        """Reading of the platform sensor at the last tick of 0.1 s."""
        return self._reading(0, self._platform_noise)

    def read_sample_k(self) -> float:
        """Reading of the sample sensor at the last tick of 0.1 s."""
        return self._reading(1, self._sample_noise)

    def stability_k(self) -> float:
        """Largest minus smallest platform reading of the trailing 60 s."""
        self._advance()
        last = self._tick()
        first = max(0, last - int(_STABILITY_S / _TICK_S))
        kept = int(_STABILITY_S / _STEP_S) + 3
        platform_k = [entry[0] for entry in islice(reversed(self._history), kept)][::-1]
        steps = self._steps - np.arange(len(platform_k))[::-1]
        true_k = np.interp(np.arange(first, last + 1) * _TICK_S, steps * _STEP_S, platform_k)
        noise = self._platform_noise.between(first, last)
        return float(np.ptp(true_k + noise * self.noise_rms_k(platform_k[-1])))

    def noise_rms_k(self, temperature_k: float) -> float:
        """Sensor noise, linear through its values at 4 and 90 K."""
        low, high = self.truth.noise_at_4k_k, self.truth.noise_at_90k_k
        return max(low + (high - low) * (temperature_k - 4.0) / 86.0, 0.0)

    def heater_w(self) -> float:
        """Power of the platform heater."""
        self._advance()
        return self._state.heater_w

    def pressure_pa(self) -> float:
        """Pressure of the sample chamber."""
        self._advance()
        return 10.0**self._state.log_pressure_pa

    def stage1_k(self) -> float:
        """First stage of the cold head."""
        self._advance()
        return self._state.stage1_k

    def stage2_k(self) -> float:
        """Second stage of the cold head."""
        self._advance()
        return self._state.stage2_k

    def _tick(self) -> int:
        return int((self._now() - self._began_s) / _TICK_S + 1e-6)

    def _reading(self, which: int, noise: GridNoise) -> float:
        tick = self._tick()
        true_k = self._interpolated(self._began_s + tick * _TICK_S)[which]
        return true_k + noise.at(tick) * self.noise_rms_k(true_k)

    def _advance(self) -> None:
        wanted = int((self._now() - self._began_s) / _STEP_S + 1e-9) + 1
        regulated = self._goal != "idle"
        target_k = self.truth.room_temperature_k if self._goal == "warmup" else self._target_k
        while self._moving and self._steps < wanted:
            self._moving = step(self._state, self.truth, target_k if regulated else None, _STEP_S)
            self._history.append((self._state.platform_k, self._state.sample_k))
            self._steps += 1
        if self._steps < wanted:
            at_rest = (self._state.platform_k, self._state.sample_k)
            self._history.extend(repeat(at_rest, min(wanted - self._steps, _KEPT_STEPS)))
            self._steps = wanted

    def _interpolated(self, at_s: float) -> tuple[float, float]:
        self._advance()
        position = (at_s - self._began_s) / _STEP_S - (self._steps - len(self._history) + 1)
        index = min(max(int(position), 0), len(self._history) - 2)
        share = min(max(position - index, 0.0), 1.0)
        before, after = self._history[index], self._history[index + 1]
        return (
            before[0] + share * (after[0] - before[0]),
            before[1] + share * (after[1] - before[1]) + self.extra_k,
        )
