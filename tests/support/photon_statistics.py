"""Statistics of simulated photon streams."""

import numpy as np
from numpy.typing import NDArray


def pulses(events: NDArray[np.int64], detector: int, period_ps: int = 100_000) -> NDArray[np.int64]:
    """Number of the pulse of each event of one detector."""
    return (events[(events & 7) == detector] >> 3) // period_ps


def g2_zero(events: NDArray[np.int64], total: int) -> tuple[float, float]:
    """g2(0) of two detectors from pulses with counts in both, and its standard deviation."""
    first = np.bincount(pulses(events, 0), minlength=total)
    second = np.bincount(pulses(events, 1), minlength=total)
    same = float((first * second).sum())
    apart = np.mean([(first[:-k] * second[k:]).sum() for k in range(1, 21)])
    return same / float(apart), max(same, 1.0) ** 0.5 / float(apart)
