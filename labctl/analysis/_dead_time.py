"""Count rates of light from those of a detector that is blind for a while after each click."""

import math

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError

__all__ = ["dead_time_corrected", "pulses_blocked"]

Vector = NDArray[np.float64]


def dead_time_corrected(
    rate_hz: Vector,
    dead_time_s: float,
    *,
    rep_rate_hz: float | None = None,
    lifetime_s: float = 0.0,
) -> Vector:
    """Return the rate without dead time (not prolonged by what arrives meanwhile).

    Steady light: ``r / (1 - r t_d)``. Light in pulses: after a click the detector misses not a
    time but pulses, so with a dead time below the period and a short decay nothing is lost.
    Photons beyond the first of one pulse are not regained.

    Args:
        rate_hz: Clicks per second of one detector, any shape.
        dead_time_s: Dead time in s.
        rep_rate_hz: Of the laser; None: steady light.
        lifetime_s: Decay time of the light after a pulse.

    Raises:
        AnalysisError: A rate that the detector cannot have.
    """
    if rep_rate_hz is None:
        lost = rate_hz * dead_time_s
    else:
        lost = rate_hz / rep_rate_hz * pulses_blocked(dead_time_s, 1 / rep_rate_hz, lifetime_s)
    if not np.all((lost >= 0) & (lost < 1)):
        raise AnalysisError(f"a detector with {1e9 * dead_time_s:g} ns dead time has no such rate")
    return rate_hz / (1 - lost)


def pulses_blocked(dead_time_s: float, period_s: float, lifetime_s: float) -> float:
    """Return how many later pulses' photons one click hides, on average.

    The difference of two exponential delays is distributed as ``exp(-|d| / tau) / 2 tau``; the
    photon of the k-th pulse is missed where it is later than ``k period - dead time``.
    """
    reach = math.ceil((dead_time_s + 40 * lifetime_s) / period_s)
    blocked = 0.0
    for pulse in range(1, reach + 1):
        gap_s = pulse * period_s - dead_time_s
        tail = 0.5 * math.exp(-abs(gap_s) / lifetime_s) if lifetime_s > 0 else 0.0
        blocked += tail if gap_s > 0 else 1 - tail
    return blocked
