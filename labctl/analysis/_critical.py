"""Critical values of the strongest change of intensity, from the exact probabilities."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["critical_statistics"]

Vector = NDArray[np.float64]

_FALSE_ALARMS = (0.2, 0.1, 0.05, 0.03, 0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-9)
_FEWEST_LOG2 = 3
_CRITICAL: Vector = np.array(
    [
        [1.96, 2.92, 3.87, 4.56, 6.02, 9.07, 12.10, 15.13, 18.15, 21.17, 27.23],
        [2.45, 3.47, 4.46, 5.18, 6.71, 9.88, 13.03, 16.16, 19.30, 22.43, 28.68],
        [2.84, 3.90, 4.93, 5.67, 7.25, 10.51, 13.73, 16.95, 20.15, 23.34, 29.73],
        [3.15, 4.24, 5.30, 6.06, 7.67, 10.99, 14.27, 17.53, 20.78, 24.02, 30.49],
        [3.41, 4.52, 5.59, 6.36, 8.00, 11.36, 14.68, 17.97, 21.25, 24.53, 31.05],
        [3.61, 4.73, 5.82, 6.60, 8.25, 11.65, 14.99, 18.31, 21.62, 24.91, 31.47],
        [3.77, 4.91, 6.00, 6.79, 8.46, 11.88, 15.24, 18.58, 21.90, 25.20, 31.79],
        [3.90, 5.05, 6.15, 6.94, 8.62, 12.05, 15.43, 18.78, 22.11, 25.43, 32.04],
        [4.00, 5.16, 6.27, 7.07, 8.75, 12.20, 15.59, 18.95, 22.28, 25.61, 32.23],
        [4.09, 5.25, 6.36, 7.16, 8.85, 12.31, 15.71, 19.07, 22.42, 25.75, 32.39],
        [4.16, 5.33, 6.44, 7.24, 8.94, 12.40, 15.80, 19.18, 22.53, 25.86, 32.51],
        [4.22, 5.39, 6.50, 7.31, 9.00, 12.47, 15.88, 19.26, 22.61, 25.95, 32.60],
    ]
)
"""Statistic for 8, 16, 32 ... 16384 intervals and each false alarm, solved from
``change_false_alarm``."""


def critical_statistics(false_alarm: float) -> Callable[[int], float]:
    """Return the function from the number of intervals to the critical statistic of one test.

    Between the tabulated values it is interpolated in the logarithms of both. Beyond 16384
    intervals and below 1e-9 it goes on with the last slope, above the true value.

    Raises:
        ValueError: If ``false_alarm`` is not between 0 and 0.2.
    """
    if not 0.0 < false_alarm <= _FALSE_ALARMS[0]:
        raise ValueError(f"a false alarm of {false_alarm} is not between 0 and 0.2")
    rarity: Vector = -np.log(np.array(_FALSE_ALARMS, dtype=np.float64))
    at = -math.log(false_alarm)
    above = min(max(int(np.searchsorted(rarity, at)), 1), rarity.size - 1)
    part = (at - float(rarity[above - 1])) / float(rarity[above] - rarity[above - 1])
    column = (1 - part) * _CRITICAL[:, above - 1] + part * _CRITICAL[:, above]
    values = [float(value) for value in column]

    def critical(intervals: int) -> float:
        place = max(math.log2(max(intervals, 1)) - _FEWEST_LOG2, 0.0)
        below = min(int(place), len(values) - 2)
        return values[below] + (place - below) * (values[below + 1] - values[below])

    return critical
