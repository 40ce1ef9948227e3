"""How the sample moves with temperature and time."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class DriftTruth:
    """Movement of the sample against the objective; all numbers are assumed."""

    drift_lateral_um_per_k: float = 0.15
    """Along x, well above the freezing temperature."""
    drift_aspect_rel: float = 0.4
    """Thermal movement along y against that along x."""
    drift_focus_um_per_k: float = 0.3
    drift_freezing_k: float = 22.0
    """About where thermal movement sets in: full above 30 K, almost none below 15 K."""
    drift_freezing_width_k: float = 2.5
    drift_walk_um: float = 0.03
    """Random walk in x, y and focus: standard deviation after one hour; grows as sqrt(t)."""


def thermal_drift_um(truth: DriftTruth, temperature_k: float, um_per_k: float) -> float:
    """Movement against absolute zero for a slope of ``um_per_k`` far above freezing.

    Integral of a logistic slope about T_f: k w ln(1 + exp((T - T_f) / w)) (assumed law).
    """
    width_k = truth.drift_freezing_width_k
    x = (temperature_k - truth.drift_freezing_k) / width_k
    return um_per_k * width_k * float(np.logaddexp(0.0, x))
