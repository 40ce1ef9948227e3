"""A silicon photodiode with the meter's electronics: current, zero, noise, ranges."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from labctl_sim.world import PowerSensor, World

OVER_RANGE = 9.9e37
NO_READING = 9.91e37
_NODES_NM = (350.0, 400.0, 450.0, 500.0, 600.0, 700.0, 800.0, 900.0, 960.0, 1000.0, 1050.0, 1100.0)
_NODES_A_W = (0.04, 0.1, 0.16, 0.21, 0.32, 0.41, 0.48, 0.53, 0.55, 0.52, 0.38, 0.2)
"""Responsivity of a silicon photodiode, A/W (assumed, of the usual shape)."""
_RANGES = 6
_HEADROOM = 1.1
"""A range reads so much above its end before the meter says over range (assumed)."""
_AT_NM = 405.0
"""Zero offset and noise are given as the meter shows them when it is set to this wavelength."""


def responsivity_a_w(wavelength_nm: float) -> float:
    """Photocurrent per watt."""
    return float(np.interp(wavelength_nm, _NODES_NM, _NODES_A_W))


class Photodiode:
    """What the meter measures with.

    Args:
        name: The instrument's name, for its random numbers.
        world: The world.
        truth: See ``Pm100d``.
    """

    def __init__(self, name: str, world: World, truth: Mapping[str, Any]) -> None:
        self._name, self._world, self._truth = name, world, truth
        ratio, fed_by = float(truth["power_ratio"]), str(truth["fed_by"])
        self._light = PowerSensor(world, ratio, fed_by)
        self.wavelength_nm = 633.0
        self.averages = 1
        self.range_w: float | None = None
        self._zero_a = 0.0
        self.saturated = False

    @property
    def averaging_s(self) -> float:
        """Time that one reading takes."""
        return self.averages * float(self._truth["sample_time_s"])

    def ranges_w(self) -> list[float]:
        """Ends of the ranges, the highest first."""
        return [float(self._truth["highest_power_w"]) / 10.0**step for step in range(_RANGES)]

    def choose_range(self, power_w: float) -> bool:
        """Take the smallest range that holds this power; False if none does."""
        fitting = [end for end in self.ranges_w() if end >= 0.999 * power_w]
        if fitting:
            self.range_w = min(fitting)
        return bool(fitting)

    def range_in_use_w(self) -> float:
        """End of the range in use; that which fits best if the meter chooses."""
        if self.range_w is not None:
            return self.range_w
        ends = self.ranges_w()
        present_w = abs(self._power_w())
        return min((end for end in ends if _HEADROOM * end >= present_w), default=ends[0])

    def current_a(self) -> float:
        """Photocurrent with that of darkness, without noise, A."""
        now_s, truth = self._world.now(), self._truth
        at_nm = self._world.laser.wavelength_nm
        seen_w = self._light.seen_w(now_s, float(truth["response_time_s"]))
        dark_a = float(truth["zero_offset_w"]) * responsivity_a_w(_AT_NM)
        return seen_w * responsivity_a_w(at_nm) * float(truth["calibration_rel"]) + dark_a

    def reading_w(self) -> float:
        """A power as the meter shows it, or what it says instead of a number."""
        if self.saturated:
            return OVER_RANGE
        power_w = self._power_w() + self._noise_w()
        end_w = self.ranges_w()[0] if self.range_w is None else self.range_w
        return OVER_RANGE if power_w > _HEADROOM * end_w else power_w

    def zero(self) -> None:
        """Take what there is now for darkness."""
        self._zero_a = self.current_a()

    def lose_zero(self) -> None:
        """Forget what was taken for darkness."""
        self._zero_a = 0.0

    def _power_w(self) -> float:
        return (self.current_a() - self._zero_a) / responsivity_a_w(self.wavelength_nm)

    def _noise_w(self) -> float:
        world = self._world
        since_s = world.now() - world.point_began_s
        generator = world.generator(self._name, "noise", round(since_s * 1e6))
        noise_a = float(self._truth["noise_w"]) * responsivity_a_w(_AT_NM) / self.averages**0.5
        return noise_a * float(generator.standard_normal()) / responsivity_a_w(self.wavelength_nm)
