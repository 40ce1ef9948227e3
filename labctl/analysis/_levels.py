"""Intensity levels shared by the segments between change points."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._change_points import ChangePoints
from labctl.analysis._dwells import DwellSequence
from labctl.analysis._measured import Measured

__all__ = ["IntensityLevels", "group_levels"]

Vector = NDArray[np.float64]

_MOST_SEEDS = 2000
_ROUNDS = 500
_NOTABLE = 0.01


@dataclass(frozen=True, eq=False)
class IntensityLevels:
    """Segments of a stream sorted into levels.

    Attributes:
        rate_hz: Intensity of each level by rising intensity, background included, 1/s.
        share: Share of the time in each level.
        level: Level of each segment, (segment,), int64.
        bic: Bayesian information criterion for 1, 2, ... levels; the smallest was chosen.
        points: The changes that the segments lie between.
    """

    rate_hz: tuple[Measured, ...]
    share: tuple[float, ...]
    level: NDArray[np.int64]
    bic: tuple[float, ...]
    points: ChangePoints

    @property
    def span_hz(self) -> tuple[float, float]:
        """Return the lowest level, and the highest that holds a hundredth of the photons.

        A burst of afterpulses may come out as a very bright level of its own.
        """
        photons = np.bincount(self.level, self.points.counts)
        bright = np.flatnonzero(photons >= _NOTABLE * photons.sum())
        return self.rate_hz[0].value, self.rate_hz[int(bright[-1])].value

    def on(self, threshold_hz: float | None = None) -> NDArray[np.bool_]:
        """Return whether the level of each segment is above an intensity, (segment,).

        Args:
            threshold_hz: By default the middle of `span_hz`.
        """
        rates = np.array([rate.value for rate in self.rate_hz])
        middle = sum(self.span_hz) / 2 if rates.size > 1 else 0.0
        return rates[self.level] > (middle if threshold_hz is None else threshold_hz)

    def dwells(self, threshold_hz: float | None = None) -> DwellSequence:
        """Return the dwells of ON and OFF segments."""
        return DwellSequence.of(self.on(threshold_hz), self.points.duration_s)


def group_levels(points: ChangePoints, *, most: int = 6) -> IntensityLevels:
    """Sort segments into levels by expectation-maximisation (Watkins and Yang 2005, section 2.4).

    The counts of a segment are Poissonian with the rate of its level. Levels are begun by merging
    neighbours in intensity that differ least in likelihood. Their number is that with the smallest
    Bayesian information criterion, ``-2 ln L + (2 G - 1) ln(segments)``; what wanders instead of
    switching therefore comes out as several levels.

    Args:
        points: Segments.
        most: Largest number of levels that is tried.
    """
    counts, time_s = points.counts.astype(np.float64), points.duration_s
    starts = _merged(counts, time_s, min(most, counts.size))
    fits = [_expectation_maximisation(counts, time_s, start) for start in starts]
    penalties = [(2 * start.size - 1) * np.log(counts.size) for start in starts]
    bic = [-2 * fit[0] + penalty for fit, penalty in zip(fits, penalties, strict=True)]
    rates, chances = fits[int(np.argmin(bic))][1:]
    order = np.argsort(rates)
    member = np.argmax(chances[:, order], axis=1)
    # A level that is nobody's likeliest one is none.
    level = np.unique(member, return_inverse=True)[1]
    photons = np.bincount(level, counts)
    lasting_s = np.bincount(level, time_s)
    rate_hz = tuple(
        Measured(float(n / t), float(np.sqrt(max(n, 1.0)) / t))
        for n, t in zip(photons, lasting_s, strict=True)
    )
    share = tuple(float(t) for t in lasting_s / lasting_s.sum())
    return IntensityLevels(rate_hz, share, level.astype(np.int64), tuple(bic), points)


def _log_likelihood(counts: Vector, time_s: Vector) -> Vector:
    rate_hz = counts / time_s
    return counts * np.log(np.maximum(rate_hz, 1e-300)) - counts


def _merged(counts: Vector, time_s: Vector, most: int) -> list[Vector]:
    """Return rates of 1, 2, ... levels by merging neighbours in intensity."""
    order = np.argsort(counts / time_s)
    ends = np.linspace(0, counts.size, min(counts.size, _MOST_SEEDS) + 1)[:-1].astype(np.int64)
    counts = np.add.reduceat(counts[order], ends)
    time_s = np.add.reduceat(time_s[order], ends)
    found: list[Vector] = []
    while True:
        if counts.size <= most:
            found.append(counts / time_s)
        if counts.size == 1:
            return found[::-1]
        apart = _log_likelihood(counts, time_s)
        together = _log_likelihood(counts[:-1] + counts[1:], time_s[:-1] + time_s[1:])
        least = int(np.argmin(apart[:-1] + apart[1:] - together))
        counts[least] += counts[least + 1]
        time_s[least] += time_s[least + 1]
        counts, time_s = np.delete(counts, least + 1), np.delete(time_s, least + 1)


def _expectation_maximisation(
    counts: Vector, time_s: Vector, rates_hz: Vector
) -> tuple[float, Vector, Vector]:
    """Return log-likelihood, rates and the chance of each segment to be in each level."""
    weights, before = np.full(rates_hz.size, 1 / rates_hz.size), -np.inf
    likelihood, chances = -np.inf, np.ones((counts.size, rates_hz.size))
    scale = counts * np.log(np.maximum(time_s, 1e-300)) - _log_factorial(counts)
    for _ in range(_ROUNDS):
        rates_hz = np.maximum(rates_hz, 1e-9 / time_s.sum())
        terms = counts[:, None] * np.log(rates_hz) - time_s[:, None] * rates_hz + np.log(weights)
        largest = terms.max(axis=1, keepdims=True)
        chances = np.exp(terms - largest)
        total = chances.sum(axis=1, keepdims=True)
        likelihood = float(np.sum(largest + np.log(total)) + scale.sum())
        chances /= total
        if likelihood - before < 1e-6:
            break
        before = likelihood
        weights = np.maximum(chances.mean(axis=0), 1e-12)
        rates_hz = (counts @ chances) / np.maximum(time_s @ chances, 1e-300)
    return likelihood, rates_hz, chances


def _log_factorial(counts: Vector) -> Vector:
    # Stirling's series: a constant of all numbers of levels, so that its error cancels.
    return counts * np.log(np.maximum(counts, 1.0)) - counts + 0.5 * np.log(2 * np.pi * counts + 1)
