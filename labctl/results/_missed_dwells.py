"""How much time dwells take that are too short to be seen."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import DwellSequence

__all__ = ["missed_error_s"]

_SURE = 2.0
"""Dwells of so many resolutions are seen for sure."""
_STEEPEST = 0.9
"""Power laws with an exponent near 2 or above have no end of time in short dwells; what is longer
than the law says is not looked at."""


def missed_error_s(
    dwells: DwellSequence, exponential_s: Mapping[bool, float], resolution_s: float
) -> float:
    """Return the standard error of the time in a state, s, because short dwells are missed.

    If even the shortest that were seen are longer than what is seen for sure, the law has ended
    there and nothing is missed. Otherwise shorter ones take any time from nothing to what the law
    of the longer ones says down to zero, all equally likely, one third of whose square is the mean.

    Args:
        dwells: Of a stream.
        exponential_s: Mean dwell by state, True ON, where dwells are exponential for sure; others
            follow a power law.
        resolution_s: Shorter dwells can be missed.
    """
    most = [
        _most_s(dwells.duration_s[dwells.on == on], exponential_s.get(on), _SURE * resolution_s)
        for on in (True, False)
    ]
    return math.hypot(*most) / math.sqrt(3)


def _most_s(seen_s: NDArray[np.float64], mean_s: float | None, sure_s: float) -> float:
    """Return the most time that missed dwells of a state can have lasted."""
    short_s, long_s = seen_s[seen_s < sure_s], seen_s[seen_s >= sure_s]
    if short_s.size == 0:
        return 0.0
    if mean_s is not None:
        share = sure_s / mean_s
        time_s = long_s.size * mean_s * (math.expm1(share) - share)
    else:
        # Exponent less 1 by maximum likelihood (B. M. Hill, Ann. Stat. 3, 1163 (1975)).
        logs = max(float(np.log(long_s / sure_s).sum()), 1e-9)
        slope = min(long_s.size / logs, _STEEPEST)
        time_s = long_s.size * sure_s * slope / (1 - slope)
    return max(time_s - float(short_s.sum()), 0.0)
