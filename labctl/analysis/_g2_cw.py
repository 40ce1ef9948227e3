"""g2(tau) under continuous excitation: antibunching and bunching behind the timing response.

``g2(tau) = 1 - A exp(-|tau| / tau_a) + B exp(-|tau| / tau_b)``, averaged over each bin and
convolved with the response of the pair: the distribution of (timing error of b - timing error of
a). A is 1 + B for one emitter without background.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._poisson_fit import PoissonFit, fit_poisson
from labctl.analysis._propagate import propagate
from labctl.errors import AnalysisError
from labctl.photons import WindowedG2Result

__all__ = ["CwG2", "fit_cw_g2", "gaussian_pair_response", "pair_response", "two_sided_decay"]

Vector = NDArray[np.float64]
_FWHM_PER_SD = 2 * math.sqrt(2 * math.log(2))
_REACH_SD = 6.0
_NARROW = 0.6


@dataclass(frozen=True, eq=False)
class CwG2:
    """Result of `fit_cw_g2`; errors are standard errors.

    Attributes:
        g2_zero: ``1 - A + B``: at lag 0, without the timing response and the background.
        depth: A, without the background.
        antibunching_ns: tau_a.
        bunching: B, without the background; None without this term.
        bunching_ns: tau_b.
        scale: Pairs per bin at lags beyond all decays over those of uncorrelated light.
        deviance: Of the fit.
        freedom: Bins less parameters.
        probability: Of a worse fit.
        flags: Words on what was unusual.
        model_counts: Expected counts, shape (bin,).
    """

    g2_zero: Measured
    depth: Measured
    antibunching_ns: Measured
    bunching: Measured | None
    bunching_ns: Measured | None
    scale: Measured
    deviance: float
    freedom: int
    probability: float
    flags: tuple[str, ...]
    model_counts: Vector


def pair_response(response_a: Vector, response_b: Vector) -> Vector:
    """Return the response of pairs from those of two detectors, centred on no difference.

    Bins that are not narrow against the response make it too wide, by a sixth of a squared bin.

    Args:
        response_a: Counts by delay, in the bins of the correlation, shape (n,).
        response_b: The same for b, on the same axis.

    Returns:
        Shares by (delay of b - delay of a), shape (2 n - 1,), place n - 1 is 0.
    """
    turned: Vector = response_a[::-1] / response_a.sum()
    upright: Vector = response_b / response_b.sum()
    return np.convolve(upright, turned, "full")


def gaussian_pair_response(fwhm_s: float, bin_s: float) -> Vector:
    """Return the response of pairs of a Gaussian timing error, with exactly its variance.

    The models average over bins already, so that the response is sampled, not averaged.

    Args:
        fwhm_s: Of the difference of both detectors: sqrt(2) times that of one of two equal ones.
        bin_s: Width of a bin.
    """
    sd = fwhm_s / _FWHM_PER_SD / bin_s
    if sd < _NARROW:
        return np.array([sd**2 / 2, 1 - sd**2, sd**2 / 2])
    half = math.ceil(_REACH_SD * sd)
    place: Vector = np.arange(-half, half + 1, dtype=np.float64)
    shares = np.exp(-0.5 * (place / sd) ** 2)
    return shares / shares.sum()


def two_sided_decay(begin_bins: Vector, tau_bins: float) -> Vector:
    """Return means of ``exp(-|t| / tau)`` over bins of unit width, shape as their beginnings."""

    def integral(at: Vector) -> Vector:
        return np.sign(at) * tau_bins * -np.expm1(-np.abs(at) / tau_bins)

    return integral(begin_bins + 1) - integral(begin_bins)


def fit_cw_g2(
    pairs: WindowedG2Result,
    tick_s: float,
    *,
    response: Vector | None = None,
    with_bunching: bool = False,
    signal_share: Measured | None = None,
    zero_s: float = 0.0,
) -> CwG2:
    """Fit the lag histogram by maximum likelihood of its Poissonian counts.

    Args:
        pairs: Coincidences by lag.
        tick_s: What a tick is, in s.
        response: Of pairs, shares in the bins of the histogram, odd length, centred; None: sharp.
        with_bunching: Whether there is the term of B.
        signal_share: Product over both sides of emitter clicks over all clicks, rho; the depth
            without background is ``A / rho``. None: no background.
        zero_s: Lag of photons that were emitted together (delay of cable b less that of a).

    Raises:
        AnalysisError: Too few counts, or no convergence.
    """
    kernel = np.ones(1) if response is None else response / response.sum()
    if kernel.size % 2 == 0:
        raise AnalysisError("the response of pairs has an odd number of bins, with 0 in the middle")
    bin_s = pairs.bin_ticks * tick_s
    problem = _Problem(pairs, kernel, zero_s / bin_s, with_bunching)
    fit = problem.fit()
    unit_ns = 1e9 * bin_s
    rho = signal_share or Measured(1.0, 0.0)
    size = fit.parameters.size
    values = np.append(fit.parameters, rho.value)
    covariance = np.zeros((size + 1, size + 1))
    covariance[:size, :size], covariance[size, size] = fit.covariance, rho.error**2
    g2_zero = propagate(
        lambda v: 1 + (-v[1] + (v[3] if size > 3 else 0.0)) / v[-1], values, covariance
    )
    return CwG2(
        g2_zero=g2_zero,
        depth=propagate(lambda v: v[1] / v[-1], values, covariance),
        antibunching_ns=_tau(fit, 2, unit_ns),
        bunching=propagate(lambda v: v[3] / v[-1], values, covariance) if with_bunching else None,
        bunching_ns=_tau(fit, 4, unit_ns) if with_bunching else None,
        scale=fit.parameter(0),
        deviance=fit.deviance,
        freedom=fit.freedom,
        probability=fit.probability,
        flags=_flags(fit),
        model_counts=fit.model,
    )


def _tau(fit: PoissonFit, place: int, unit: float) -> Measured:
    """Return a time from its fitted logarithm."""
    log = fit.parameter(place)
    value = math.exp(log.value) * unit
    return Measured(value, value * log.error)


def _flags(fit: PoissonFit) -> tuple[str, ...]:
    wrong = (
        (bool(fit.at_bound.any()), "a parameter ended on its bound"),
        (fit.probability < 1e-3, "poor fit"),
        (fit.parameter(1).value < 3 * fit.parameter(1).error, "antibunching not significant"),
    )
    return tuple(text for happened, text in wrong if happened)


class _Problem:
    """Expected counts by scale, A, log tau_a and, with bunching, B, log tau_b; times in bins."""

    def __init__(
        self, pairs: WindowedG2Result, kernel: Vector, zero_bins: float, bunching: bool
    ) -> None:
        self._counts = pairs.counts.astype(np.float64)
        self._flat = pairs.expected
        if not self._flat.min(initial=0.0) >= 0 or not self._flat.sum() > 0:
            raise AnalysisError("no pairs are expected of these photons")
        self._kernel, self._half = kernel, kernel.size // 2
        first = float(pairs.lag_ticks[0]) / pairs.bin_ticks - zero_bins
        size = self._counts.size
        self._begins = first + np.arange(-self._half, size + self._half, dtype=np.float64)
        self._bunching = bunching

    def model(self, parameters: Vector) -> Vector:
        """Return expected counts, shape (bin,)."""
        shape = 1 - parameters[1] * two_sided_decay(self._begins, math.exp(parameters[2]))
        if self._bunching:
            shape += parameters[3] * two_sided_decay(self._begins, math.exp(parameters[4]))
        return parameters[0] * self._flat * np.convolve(shape, self._kernel, "valid")

    def fit(self) -> PoissonFit:
        """Start from several times, as the likelihood of an exponential may have side minima."""
        size = self._counts.size
        low, high = math.log(0.05), math.log(10.0 * size)
        starts = [
            np.array([self._scale(), 0.5, math.log(tau), 0.1, math.log(slow)])
            for tau in np.geomspace(1.0, size / 8, 4)
            for slow in ([8 * tau] if self._bunching else [1.0])
        ]
        lower = np.array([1e-6, -10.0, low, -10.0, low])
        upper = np.array([1e6, 10.0, high, 10.0, high])
        scale = np.array([0.1, 0.1, 0.3, 0.1, 0.3])
        part = slice(None if self._bunching else 3)
        fits = [
            fit_poisson(self.model, self._counts, s[part], lower[part], upper[part], scale[part])
            for s in starts
        ]
        return _ordered(min(fits, key=lambda one: one.deviance))

    def _scale(self) -> float:
        return float(self._counts.sum() / self._flat.sum())


def _ordered(fit: PoissonFit) -> PoissonFit:
    """Name the negative term A and the positive one B, whichever way the search found them."""
    if fit.parameters.size == 3 or fit.parameters[1] >= 0 or fit.parameters[3] >= 0:
        return fit
    turn = np.zeros((5, 5))
    turn[[0, 1, 2, 3, 4], [0, 3, 4, 1, 2]] = [1.0, -1.0, 1.0, -1.0, 1.0]
    return PoissonFit(
        turn @ fit.parameters,
        turn @ fit.covariance @ turn.T,
        fit.model,
        fit.deviance,
        fit.freedom,
        fit.probability,
        fit.at_bound[[0, 3, 4, 1, 2]],
    )
