"""Critical values of the strongest change of intensity, from the exact probabilities."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["critical_statistics"]

_FALSE_ALARMS = (0.3, 0.2, 0.1, 0.05, 0.03, 0.01, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9)
_FEWEST_LOG2 = 3
_CRITICAL: NDArray[np.float64] = np.array(
    [
        [1.375, 1.956, 2.921, 3.867, 4.556, 6.024, 9.071, 12.101, 15.126, 18.149, 21.174, 24.2, 27.229],
        [1.83, 2.45, 3.47, 4.462, 5.183, 6.715, 9.884, 13.029, 16.165, 19.296, 22.425, 25.555, 28.684],
        [2.195, 2.842, 3.902, 4.929, 5.674, 7.252, 10.509, 13.735, 16.945, 20.147, 23.345, 26.54, 29.733],
        [2.488, 3.155, 4.244, 5.296, 6.058, 7.67, 10.989, 14.27, 17.53, 20.779, 24.021, 27.258, 30.492],
        [2.723, 3.406, 4.516, 5.587, 6.36, 7.997, 11.36, 14.679, 17.973, 21.254, 24.526, 27.791, 31.052],
        [2.913, 3.607, 4.733, 5.817, 6.6, 8.254, 11.649, 14.994, 18.313, 21.617, 24.909, 28.193, 31.472],
        [3.066, 3.769, 4.907, 6.001, 6.79, 8.457, 11.875, 15.24, 18.577, 21.896, 25.203, 28.501, 31.793],
        [3.19, 3.899, 5.047, 6.149, 6.943, 8.619, 12.054, 15.433, 18.783, 22.113, 25.431, 28.739, 32.04],
        [3.29, 4.005, 5.16, 6.267, 7.065, 8.748, 12.195, 15.586, 18.945, 22.284, 25.61, 28.925, 32.234],
        [3.372, 4.091, 5.251, 6.363, 7.164, 8.852, 12.308, 15.707, 19.073, 22.419, 25.75, 29.072, 32.386],
        [3.438, 4.161, 5.326, 6.44, 7.243, 8.936, 12.399, 15.803, 19.175, 22.526, 25.862, 29.188, 32.506],
        [3.493, 4.218, 5.386, 6.503, 7.307, 9.003, 12.471, 15.88, 19.256, 22.611, 25.951, 29.28, 32.602],
    ]
)
"""Statistic for 8, 16, 32 ... 16384 intervals and each false alarm, solved from
``change_false_alarm``."""


def critical_statistics(false_alarm: float) -> Callable[[int], float]:
    """Return the function from the number of intervals to the critical statistic of one test.

    Between the tabulated values it is interpolated in the logarithms of both. Beyond 16384
    intervals it goes on with the last slope, above the true value, which grows ever more slowly.

    Raises:
        ValueError: If ``false_alarm`` is not between 0 and 0.3.
    """
    if not 0.0 < false_alarm <= _FALSE_ALARMS[0]:
        raise ValueError(f"a false alarm of {false_alarm} is not between 0 and 0.3")
    rarity = -np.log(_FALSE_ALARMS)
    at = -math.log(false_alarm)
    if at > rarity[-1]:
        slope = (_CRITICAL[:, -1] - _CRITICAL[:, -2]) / (rarity[-1] - rarity[-2])
        column = _CRITICAL[:, -1] + slope * (at - rarity[-1])
    else:
        column = np.array([np.interp(at, rarity, row) for row in _CRITICAL])
    values = [float(value) for value in column]

    def critical(intervals: int) -> float:
        place = max(math.log2(max(intervals, 1)) - _FEWEST_LOG2, 0.0)
        below = min(int(place), len(values) - 2)
        return values[below] + (place - below) * (values[below + 1] - values[below])

    return critical
