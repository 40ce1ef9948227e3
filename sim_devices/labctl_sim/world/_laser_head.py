"""The excitation laser's head: what its driver makes it emit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from labctl_sim.world._world import World

LASER_DEFAULTS: Mapping[str, float | bool] = {
    "on_at_start": False,
    "threshold_rel": 0.22,
    "curve_exponent": 1.35,
}
"""Truths of every laser; the curve of power against intensity is assumed."""
_BELOW_REL = 1e-4


class LaserHead:
    """Emission, intensity and repetition rate of the world's laser.

    Args:
        name: The instrument's name.
        world: The world; its laser is off from now on, unless ``on_at_start``.
        truth: ``LASER_DEFAULTS``: light begins at the threshold and grows as a power of what is
            above it, P ~ ((x - x_th) / (1 - x_th))^n.
        reference: The intensity (1 is full scale) at which the world's fluence holds.
    """

    def __init__(
        self, name: str, world: World, truth: Mapping[str, Any], reference: float = 1.0
    ) -> None:
        self._name, self._world = name, world
        self._threshold = float(truth["threshold_rel"])
        self._exponent = float(truth["curve_exponent"])
        self._reference = reference
        self.intensity = reference
        world.table.laser_on = bool(truth["on_at_start"])

    @property
    def on(self) -> bool:
        """Whether it emits."""
        return self._world.table.laser_on

    @property
    def rep_rate_hz(self) -> float:
        """Pulses per second."""
        return self._world.laser.rep_rate_hz

    def emit(self, on: bool) -> None:
        """Let light out or not."""
        if on != self._world.table.laser_on:
            self._world.table.laser_on = on

    def set_intensity(self, intensity: float) -> None:
        """Change the intensity; 1 is full scale."""
        self.intensity = intensity
        self._world.table.attenuate(
            self._name, self._power(intensity) / self._power(self._reference)
        )

    def set_rep_rate(self, rep_rate_hz: float) -> None:
        """Change the repetition rate; the energy of a pulse stays."""
        if rep_rate_hz != self.rep_rate_hz:
            self._world.laser = replace(self._world.laser, rep_rate_hz=rep_rate_hz)

    def _power(self, intensity: float) -> float:
        above = (intensity - self._threshold) / (1.0 - self._threshold)
        return max(above, 0.0) ** self._exponent + _BELOW_REL * intensity
