"""Laws of dwell times by maximum likelihood: exponential, and power laws with an end."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._maximum import maximise
from labctl.analysis._measured import Measured

__all__ = ["DwellData", "DwellLaw", "LawFit", "fit_law"]

Vector = NDArray[np.float64]

_PIECES = 6
_UNIT_NODES, _UNIT_WEIGHTS = np.polynomial.legendre.leggauss(16)
_NODES: Vector = (np.arange(_PIECES)[:, None] + (_UNIT_NODES + 1) / 2).ravel() / _PIECES
_WEIGHTS: Vector = np.tile(_UNIT_WEIGHTS / 2, _PIECES) / _PIECES
_EFOLDS = 40.0


class DwellLaw(StrEnum):
    """Density of dwell times t."""

    EXPONENTIAL = "exponential"
    """exp(-t / time): a telegraph."""
    POWER = "power law"
    """t^-exponent without an end; exponents above 1 only."""
    CUT_POWER = "power law with exponential cutoff"
    """t^-exponent exp(-t / time)."""
    ENDED_POWER = "power law with sharp end"
    """t^-exponent up to a longest time."""


@dataclass(frozen=True)
class LawFit:
    """A law with its parameters.

    Attributes:
        law: Which.
        exponent: Of the power law; None for the exponential law.
        time_s: Mean of the exponential law, cutoff or longest time of the power laws, s; infinite
            for the power law without an end.
        log_likelihood: At the maximum.
        aic: Akaike's criterion, ``2 parameters - 2 log_likelihood``.
    """

    law: DwellLaw
    exponent: Measured | None
    time_s: Measured
    log_likelihood: float
    aic: float


@dataclass(frozen=True, eq=False)
class DwellData:
    """Dwells that are long enough to be seen without fail, in units of the shortest.

    A dwell of T bins that begins anywhere in a bin covers the middle of m bins with probability
    ``1 - |T - m|``: so many bins it is seen as when each bin goes to the state that lasts longer
    in it. With change points dwells are as long as they are.

    Attributes:
        complete: Both ends seen, (dwell,).
        unfinished: At least so long, (dwell,).
        bin_width: Of time bins, in the same unit; 0 for change points.
    """

    complete: Vector
    unfinished: Vector
    bin_width: float

    @property
    def longest(self) -> float:
        """Return the longest time seen."""
        return float(max(self.complete.max(), self.unfinished.max(initial=0.0)))

    @cached_property
    def _bins(self) -> tuple[Vector, NDArray[np.int64]]:
        times, counts = np.unique(self.complete, return_counts=True)
        return times, counts.astype(np.int64)

    def log_likelihood(self, exponent: float, cutoff: float, end: float = inf) -> float:
        """Return that of ``t^-exponent exp(-t / cutoff)`` up to ``end``, given that t >= 1."""

        def tail(begin: float) -> float:
            return self._tail(begin, exponent, cutoff, end)

        lasting = [float(t) for t in self.unfinished if t >= 1.0]
        value = -(self.complete.size + len(lasting)) * log(tail(1.0))
        value += sum(log(tail(t)) for t in lasting)
        if self.bin_width == 0.0:
            return value - float(np.sum(exponent * np.log(self.complete) + self.complete / cutoff))
        times, counts = self._bins
        density = np.zeros(times.size)
        for side in (-1, 1):
            distance = (_UNIT_NODES + 1) / 2
            at = times[:, None] + side * self.bin_width * distance
            shape = at**-exponent * np.exp(-at / cutoff) * (at < end)
            density += shape @ ((1 - distance) * _UNIT_WEIGHTS / 2)
        return value + float(counts @ np.log(np.maximum(density * self.bin_width, 1e-300)))

    def _tail(self, begin: float, exponent: float, cutoff: float, end: float) -> float:
        """Return the integral over all dwells that are seen to last at least ``begin``."""
        # In bins the shortest that counts is seen with a chance that rises over one bin.
        area = _integral(begin, end, exponent, cutoff)
        if self.bin_width > 0.0:
            distance = (_UNIT_NODES + 1) / 2
            at = begin - self.bin_width * distance
            shape = at**-exponent * np.exp(-at / cutoff)
            area += float(shape @ ((1 - distance) * _UNIT_WEIGHTS / 2)) * self.bin_width
        return max(area, 1e-300)


def _integral(begin: float, end: float, exponent: float, cutoff: float) -> float:
    last = min(end, begin + _EFOLDS * cutoff)
    if last <= begin:
        return 0.0
    if last == inf:
        return begin ** (1 - exponent) / (exponent - 1)
    span = log(last / begin)
    at = begin * np.exp(span * _NODES)
    return float((at ** (1 - exponent) * np.exp(-at / cutoff)) @ _WEIGHTS) * span


def fit_law(data: DwellData, law: DwellLaw, unit_s: float) -> LawFit:
    """Fit one law; ``unit_s`` is the unit of the data."""
    if law is DwellLaw.ENDED_POWER:
        return _fit_ended(data, unit_s)
    if law is DwellLaw.POWER:
        return _fit_power(data)
    powers = law is DwellLaw.CUT_POWER

    def likelihood(parameters: Vector) -> float:
        return data.log_likelihood(
            float(parameters[-1]) if powers else 0.0, float(np.exp(np.clip(parameters[0], -9, 40)))
        )

    mean = log(float(data.complete.mean()))
    starts = [[mean, 0.3], [log(data.longest), 1.3]] if powers else [[mean]]
    step = np.array([0.3, 0.3])[: len(starts[0])] / np.sqrt(data.complete.size)
    fits = [maximise(likelihood, np.array(start), step, 30 * step) for start in starts]
    place, covariance, maximum = max(fits, key=lambda fit: fit[2])
    error = np.sqrt(np.diag(covariance))
    time_s = float(np.exp(np.clip(place[0], -9, 40))) * unit_s
    return LawFit(
        law,
        Measured(float(place[1]), float(error[1])) if powers else None,
        Measured(time_s, time_s * float(error[0])),
        maximum,
        2 * place.size - 2 * maximum,
    )


def _fit_power(data: DwellData) -> LawFit:
    """Fit the exponent of a law without an end."""

    def likelihood(place: Vector) -> float:
        return data.log_likelihood(1 + float(np.exp(np.clip(place[0], -9, 5))), inf)

    step = np.array([0.3 / np.sqrt(data.complete.size)])
    place, covariance, maximum = maximise(likelihood, np.array([-0.5]), step, 30 * step)
    above = float(np.exp(np.clip(place[0], -9, 5)))
    return LawFit(
        DwellLaw.POWER,
        Measured(1 + above, above * float(np.sqrt(covariance[0, 0]))),
        Measured(inf, inf),
        maximum,
        2 - 2 * maximum,
    )


def _fit_ended(data: DwellData, unit_s: float) -> LawFit:
    """Fit exponent and longest time.

    The longest time of a sample of n is too short by about ``1 / (n density)`` on average, with
    an error as large; the likelihood is that of the time corrected by as much.
    """
    size, seen = data.complete.size, data.longest
    step = np.array([0.3 / np.sqrt(size)])
    place, covariance, end = np.array([1.3]), np.zeros((1, 1)), seen + data.bin_width / 2
    beyond, maximum = 0.0, -inf
    for _ in range(3):
        place, covariance, maximum = maximise(_fixed_end(data, end), place, step, 30 * step)
        exponent = float(place[0])
        density = seen**-exponent / _integral(1.0, end, exponent, inf)
        beyond = 1 / (size * density)
        end = seen + beyond
    # The middle of a bin's triangle is uncertain by 1/sqrt(6) of its width.
    error = float(np.hypot(beyond, data.bin_width / np.sqrt(6)))
    return LawFit(
        DwellLaw.ENDED_POWER,
        Measured(float(place[0]), float(np.sqrt(covariance[0, 0]))),
        Measured(end * unit_s, error * unit_s),
        maximum,
        4 - 2 * maximum,
    )


def _fixed_end(data: DwellData, end: float) -> Callable[[Vector], float]:
    return lambda place: data.log_likelihood(float(place[0]), inf, end)
