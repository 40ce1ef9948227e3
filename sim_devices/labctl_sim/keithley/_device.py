"""What hangs at the terminals: electrodes with a leak, which make the field at the dot."""

import math
from collections.abc import Mapping
from typing import Any

from labctl_sim.world import World

_VOLTS_PER_KV_CM_UM = 0.1
_BISECTIONS = 60
DEVICE_DEFAULTS: Mapping[str, float] = {
    "gap_um": 5.14,
    "leakage_gohm": 20.0,
    "breakdown_v": 95.0,
    "knee_v": 2.0,
    "current_noise_na": 0.01,
    "voltage_noise_v": 0.0005,
}
"""All assumed. The gap differs from the 5 um of the mask, as lift-off leaves it."""


class Electrodes:
    """Two electrodes beside the dot.

    Args:
        world: The world, whose field follows.
        truth: Keys of ``DEVICE_DEFAULTS``.
    """

    def __init__(self, world: World, truth: Mapping[str, Any]) -> None:
        self._world = world
        self._gap_um = float(truth["gap_um"])
        self._leakage_ohm = 1e9 * float(truth["leakage_gohm"])
        self._breakdown_v, self._knee_v = float(truth["breakdown_v"]), float(truth["knee_v"])
        self.short_ohm: float | None = None
        self.volts = 0.0

    def current_a(self, volts: float) -> float:
        """Current at a voltage: V / R + 1 nA exp((V - V_breakdown) / V_knee), odd in V."""
        size = abs(volts)
        exponent = min((size - self._breakdown_v) / self._knee_v, 100.0)
        leak_a = size / self._leakage_ohm + 1e-9 * math.exp(exponent)
        if self.short_ohm is not None:
            leak_a += size / self.short_ohm
        return math.copysign(leak_a if size else 0.0, volts)

    def apply(self, volts: float, limit_a: float) -> bool:
        """Put a voltage on, or as much of it as the limit of current allows.

        Returns:
            Whether the limit is reached.
        """
        limited = abs(self.current_a(volts)) > limit_a
        self.volts = self._most_v(volts, limit_a) if limited else volts
        self._world.table.field_kv_cm = self.volts / (_VOLTS_PER_KV_CM_UM * self._gap_um)
        return limited

    def _most_v(self, volts: float, limit_a: float) -> float:
        low, high = 0.0, abs(volts)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.current_a(middle) <= limit_a else (low, middle)
        return math.copysign(low, volts)
