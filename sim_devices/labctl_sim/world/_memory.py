"""What the world remembers: drift, spectral diffusion, dose. Switched off by ``memory: off``."""

import math
from collections.abc import Callable

import numpy as np

from labctl_sim.sample import Bleaching, Diffusion
from labctl_sim.world._drift import DriftTruth, thermal_drift_um
from labctl_sim.world._grid import GridNoise, GridWalk

_TICK_S = 10.0


def bleached(law: Bleaching | None, excitations: float) -> tuple[float, float]:
    """Brightness left and blue shift in meV after a dose: exp(-D / D0), s (1 - exp(-D / D0))."""
    if law is None:
        return 1.0, 0.0
    left = math.exp(-excitations / law.excitations)
    return left, law.blue_shift_mev * (1.0 - left)


class Memory:
    """Slow processes of the sample; all of them are 0 when the memory is off."""

    def __init__(self, source: Callable[..., np.random.Generator], *, on: bool) -> None:
        """``source(*labels)`` gives generators that depend on run seed and labels only."""
        self.on = on
        self._source = source
        self._axes = tuple(self._walk(None, "drift", axis) for axis in "xyz")
        self._diffusion: dict[str, GridWalk] = {}

    def drift_um(
        self, truth: DriftTruth, elapsed_s: float, temperature_k: float
    ) -> tuple[float, float, float]:
        """Displacement of the sample in x, y and focus: thermal, and a random walk."""
        if not self.on:
            return 0.0, 0.0, 0.0
        lateral = thermal_drift_um(truth, temperature_k, truth.drift_lateral_um_per_k)
        focus = thermal_drift_um(truth, temperature_k, truth.drift_focus_um_per_k)
        x, y, z = (truth.drift_walk_um * axis.at(elapsed_s) for axis in self._axes)
        return lateral + x, truth.drift_aspect_rel * lateral + y, focus + z

    def diffusion_mev(self, dot: str, law: Diffusion, elapsed_s: float) -> float:
        """Slow shift of a dot's line, with the law's standard deviation and correlation time."""
        if not self.on:
            return 0.0
        if dot not in self._diffusion:
            self._diffusion[dot] = self._walk(law.correlation_time_s, "diffusion", dot)
        return law.slow_sd_mev * self._diffusion[dot].at(elapsed_s)

    def _walk(self, correlation_s: float | None, *labels: str) -> GridWalk:
        noise = GridNoise(lambda block: self._source(*labels, block))
        return GridWalk(noise, _TICK_S, correlation_s)
