"""Photon statistics of a cascade behind a Poissonian number of excitations per pulse.

All but the last excitation emit in the multiexciton band, the last one in the exciton band.
``at_most`` is what Auger recombination leaves: with 2 it is the Auger-limited dot, for which
``g2(0) = 2 p2 q / (p1 + p2 q)^2`` with p1 = P(N >= 1), p2 = P(N >= 2) and the yield ratio q (for
few excitations q itself: G. Nair, J. Zhao, M. G. Bawendi, Nano Lett. 11, 1136 (2011)); without a
limit every excitation emits with its own yield, and at equal yields g2(0) = 1 at every power.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._propagate import propagate, propagate_independent
from labctl.errors import AnalysisError

__all__ = [
    "CascadeDraw",
    "CascadeStatistics",
    "MonteCarloStatistics",
    "auger_g2",
    "cascade_statistics",
    "draw_cascades",
    "drawn_statistics",
    "monte_carlo",
    "yield_ratio_from_g2",
]

Vector = NDArray[np.float64]
_KEPT = 4
_SIDE_PEAKS = 5


@dataclass(frozen=True)
class CascadeStatistics:
    """Mean photon numbers of one pulse and their correlation.

    Attributes:
        exciton_photons: Photons per pulse in the exciton band.
        multiexciton_photons: Photons per pulse in the band of biexciton and beyond.
        g2_zero: ``<n (n - 1)> / <n>^2`` of all photons; nan without photons.
    """

    exciton_photons: float
    multiexciton_photons: float
    g2_zero: float

    @property
    def x_to_xx(self) -> float:
        """Ratio X:XX of the bands; infinite without multiexcitons."""
        if self.multiexciton_photons <= 0:
            return math.inf
        return self.exciton_photons / self.multiexciton_photons


def cascade_statistics(
    mean_excitations: float,
    *,
    exciton: float = 1.0,
    multiexciton: float = 1.0,
    at_most: int | None = None,
) -> CascadeStatistics:
    """Return the closed forms of a cascade.

    Args:
        mean_excitations: Mean of the Poissonian number N of excitations per pulse.
        exciton: Probability that the last excitation gives a photon that counts: yield times
            transmission; g2(0) depends on the ratio of the two alone.
        multiexciton: The same for each earlier excitation; 0 also stands for a filter that
            takes the multiexciton band away.
        at_most: Excitations beyond this number are lost at once; None keeps all.

    Raises:
        AnalysisError: A negative mean.
    """
    if not mean_excitations >= 0:
        raise AnalysisError("the mean number of excitations cannot be negative")
    numbers, weights = _numbers(mean_excitations, at_most)
    earlier = numbers - 1
    excited = -math.expm1(-mean_excitations)
    others = float(weights @ earlier)
    pairs = float(weights @ (earlier * (earlier - 1)))
    x, xx = exciton * excited, multiexciton * others
    second = 2 * exciton * xx + multiexciton**2 * pairs
    photons = x + xx
    return CascadeStatistics(x, xx, second / photons**2 if photons > 0 else math.nan)


def auger_g2(mean_excitations: Vector, yield_ratio: float) -> Vector:
    """Return g2(0) of an Auger-limited dot, shape as the mean numbers of excitations.

    Args:
        mean_excitations: Mean number of excitations per pulse, positive.
        yield_ratio: Biexciton over exciton yield, q.
    """
    p1 = -np.expm1(-mean_excitations)
    biexcitons = _at_least_two(mean_excitations) * yield_ratio
    return 2 * biexcitons / (p1 + biexcitons) ** 2


def yield_ratio_from_g2(g2_zero: Measured, mean_excitations: Measured) -> Measured:
    """Return the yield ratio q_XX / q_X of an Auger-limited dot.

    At low power g2(0) is the ratio itself; this is the inverse of ``auger_g2`` at any power.

    Args:
        g2_zero: Background-corrected g2(0); a value below 0 gives a ratio below 0.
        mean_excitations: Mean number of excitations per pulse at which it was measured.

    Raises:
        AnalysisError: No such dot has this g2(0): ``g2(0) P(N >= 1) > 1/2``.
    """
    excited = -math.expm1(-mean_excitations.value)
    if not mean_excitations.value > 0 or g2_zero.value * excited >= 0.5:
        msg = f"g2(0) = {g2_zero.value:.3g} is not that of an Auger-limited dot at this power"
        raise AnalysisError(msg)

    def ratio(values: Vector) -> float:
        g2, mean = float(values[0]), max(float(values[1]), 1e-12)
        p1 = -math.expm1(-mean)
        root = math.sqrt(max(1 - 2 * g2 * p1, 0.0))
        return g2 * p1**2 / (1 - g2 * p1 + root) / float(_at_least_two(np.array(mean)))

    return propagate_independent(ratio, (g2_zero, mean_excitations))


@dataclass(frozen=True, eq=False)
class CascadeDraw:
    """Pulses as `draw_cascades` gave them; whole numbers that can be stored.

    Attributes:
        pulses: Pulses by photons of the exciton, photons of the multiexcitons, and photons of
            both on the first of two detectors, shape (2, kept, kept + 1), int64.
        lag_pulses: Difference of pulses, shape (lag,), int64.
        pairs: Sum over pulses of (photons on the first) x (photons on the second, so many pulses
            later), shape (lag,), int64.
    """

    pulses: NDArray[np.int64]
    lag_pulses: NDArray[np.int64]
    pairs: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class MonteCarloStatistics:
    """Result of `monte_carlo`; errors are statistical.

    Attributes:
        x_to_xx: Ratio of the photons of the two bands; None if there was no photon of XX.
        g2_zero: Coincidences in the same pulse over those of uncorrelated light.
        lag_pulses: Difference of pulses, int64.
        g2: g2 at these differences; at 0 the value of ``g2_zero``.
        pulses: Pulses drawn.
    """

    x_to_xx: Measured | None
    g2_zero: Measured
    lag_pulses: NDArray[np.int64]
    g2: Vector
    pulses: int


def monte_carlo(
    mean_excitations: float, yield_xx: float, pulses: int, seed: int, *, kept: int = _KEPT
) -> MonteCarloStatistics:
    """Draw excitations and photons of a weakly confined dot, and measure them behind a splitter.

    Args:
        mean_excitations: Mean number of excitations per pulse.
        yield_xx: Yield of every excitation before the last.
        pulses: Number of pulses.
        seed: Of the random numbers.
        kept: As in `draw_cascades`.

    Raises:
        AnalysisError: So few pulses that a detector saw nothing.
    """
    return drawn_statistics(draw_cascades(mean_excitations, yield_xx, pulses, seed, kept=kept))


def draw_cascades(
    mean_excitations: float, yield_xx: float, pulses: int, seed: int, *, kept: int = _KEPT
) -> CascadeDraw:
    """Draw excitations and photons of a weakly confined dot, divided by a splitter.

    Excitations are Poissonian, the exciton's yield is 1, no photon is lost, detectors count
    every photon (Zhu 2024, Methods and Extended Data Fig. 8: 0 to 4 photons).

    Args:
        mean_excitations: Mean number of excitations per pulse.
        yield_xx: Yield of every excitation before the last.
        pulses: Number of pulses, more than 5.
        seed: Of the random numbers.
        kept: Pulses with more excitations count as having so many: the closed form is that of
            ``cascade_statistics`` with the same ``at_most``.
    """
    generator = np.random.default_rng(seed)
    excitations = np.minimum(generator.poisson(mean_excitations, pulses), kept)
    exciton = np.minimum(excitations, 1)
    multi = generator.binomial(np.maximum(excitations - 1, 0), yield_xx)
    a = generator.binomial(exciton + multi, 0.5)
    b = exciton + multi - a
    shape = (2, kept, kept + 1)
    places = np.ravel_multi_index((exciton, multi, a), shape)
    lags = np.arange(-_SIDE_PEAKS, _SIDE_PEAKS + 1)
    return CascadeDraw(
        np.bincount(places, minlength=math.prod(shape)).reshape(shape).astype(np.int64),
        lags,
        np.array([_pairs(a, b, int(lag)) for lag in lags], np.int64),
    )


def drawn_statistics(draw: CascadeDraw) -> MonteCarloStatistics:
    """Return what drawn pulses tell.

    Raises:
        AnalysisError: So few pulses that a detector saw nothing.
    """
    exciton, multi, a = (axis.ravel() for axis in np.indices(draw.pulses.shape))
    b, weights = exciton + multi - a, draw.pulses.ravel()
    pulses = int(weights.sum())
    if not (int(weights @ a) > 0 and int(weights @ b) > 0):
        raise AnalysisError(f"no photon on one of the detectors in {pulses} pulses")
    columns = np.stack([exciton, multi, a * b, a, b]).astype(np.float64)
    mean = columns @ weights / pulses
    covariance = np.cov(columns, fweights=weights) / pulses
    return MonteCarloStatistics(
        propagate(lambda v: float(v[0] / v[1]), mean, covariance) if mean[1] > 0 else None,
        _g2_zero(mean, covariance, pulses),
        draw.lag_pulses,
        draw.pairs / (pulses - np.abs(draw.lag_pulses)) / (mean[3] * mean[4]),
        pulses,
    )


def _g2_zero(mean: Vector, covariance: Vector, pulses: int) -> Measured:
    """Return g2(0) from the means of a b, a and b; no coincidence has the error of one."""
    found = propagate(lambda v: float(v[2] / (v[3] * v[4])), mean, covariance)
    one = 1 / (pulses * float(mean[3] * mean[4]))
    return Measured(found.value, max(found.error, one))


def _pairs(a: NDArray[np.int64], b: NDArray[np.int64], lag: int) -> int:
    early, late = (a, b) if lag >= 0 else (b, a)
    distance = abs(lag)
    return int(early[: len(early) - distance] @ late[distance:])


def _numbers(mean: float, at_most: int | None) -> tuple[Vector, Vector]:
    """Return numbers of excitations from 1 that are left in a pulse, and their probabilities."""
    size = int(mean + 12 * math.sqrt(mean) + 30)
    numbers = np.arange(1, size, dtype=np.float64)
    logs = np.array([math.lgamma(number + 1) for number in numbers])
    weights = np.exp(numbers * math.log(max(mean, 1e-300)) - mean - logs)
    left = numbers if at_most is None else np.minimum(numbers, at_most)
    return left, weights


def _at_least_two(mean: Vector) -> Vector:
    """Return P(N >= 2) without the cancellation of ``1 - (1 + m) exp(-m)`` at small means."""
    series = mean**2 * (0.5 - mean / 3 + mean**2 / 8 - mean**3 / 30)
    return np.where(mean < 1e-2, series, -np.expm1(-mean) - mean * np.exp(-mean))
