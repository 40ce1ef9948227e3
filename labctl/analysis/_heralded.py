"""Biexciton lifetime from pairs of photons after the same pulse (Feld 2024, Fig. 4d-f).

Maximum likelihood on two histograms together: the delay of the earlier photon of each pair, and the
time between the two. The first knows the biexciton, the second the exciton. The errors of both
are taken as independent, which they are as far as timing errors are short against the exciton.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._pair_shapes import accidental_first, accidental_gap, cascade_shapes
from labctl.analysis._poisson_fit import PoissonFit, fit_poisson
from labctl.errors import AnalysisError
from labctl.photons import PulsePairsResult

__all__ = ["HeraldedBiexciton", "fit_heralded"]

Vector = NDArray[np.float64]
_FEW = 30
_CASCADES, _XX, _X, _ACCIDENTAL, _CROSSTALK = range(5)


@dataclass(frozen=True, eq=False)
class HeraldedBiexciton:
    """Result of `fit_heralded`; errors are standard errors.

    Attributes:
        biexciton_ns: Lifetime of the biexciton.
        exciton_ns: Lifetime of the exciton, after a biexciton.
        cascades: Pairs of a biexciton's and an exciton's photon.
        crosstalk_pairs: Pairs by cross-talk; None if not fitted.
        accidental_pairs: Pairs with a background click, as given or fitted.
        deviance: Of the fit.
        freedom: Bins less parameters.
        probability: Of a worse fit.
        flags: Words on what was unusual.
        model_first: Expected pairs by the delay of the earlier photon, shape (delay bin,).
        model_gap: Expected pairs by the time between the photons; bins of cross-talk without it.
    """

    biexciton_ns: Measured
    exciton_ns: Measured
    cascades: Measured
    crosstalk_pairs: Measured | None
    accidental_pairs: Measured
    deviance: float
    freedom: int
    probability: float
    flags: tuple[str, ...]
    model_first: Vector
    model_gap: Vector


def fit_heralded(
    pairs: PulsePairsResult,
    irf_a: Vector,
    irf_b: Vector,
    *,
    accidental_pairs: Measured | None = None,
    crosstalk_bins: tuple[int, int] | None = None,
    background_clicks: Vector | None = None,
) -> HeraldedBiexciton:
    """Fit biexciton and exciton lifetime.

    Args:
        pairs: Pairs after the same pulse, over one period at most.
        irf_a: Response of detector a to the pulse on the same delays, counts, not negative, no
            background; longer or shorter than the decays is an error.
        irf_b: Of detector b.
        accidental_pairs: Expected pairs of a photon and a background click at any delay, see
            ``PulsedG2Zero.background_counts``; None: fitted, mostly from the long gaps.
        crosstalk_bins: First bin and end of the gaps at which cross-talk shows; the number of
            its pairs is fitted, and these bins count as one.
        background_clicks: Background clicks by delay, any scale, shape (delay bin,); None: any
            delay alike, as darks are and afterpulses in the next period are not.

    Raises:
        AnalysisError: Too few pairs, responses of another length, or no convergence.
    """
    problem = _Problem(pairs, (irf_a, irf_b), crosstalk_bins, accidental_pairs, background_clicks)
    fit = problem.fit()
    value, covariance = problem.full(fit.parameters), problem.spread(fit.covariance)
    if accidental_pairs is not None and accidental_pairs.error > 0:
        more = accidental_pairs.error
        shift = problem.full(problem.fit(more).parameters, more) - value
        covariance = covariance + np.outer(shift, shift)
    found = [
        Measured(float(v), float(np.sqrt(max(variance, 0.0))))
        for v, variance in zip(value, np.diag(covariance), strict=True)
    ]
    unit_ns = 1e9 * pairs.delay_bin_s
    first, gap = problem.shapes(value)
    return HeraldedBiexciton(
        biexciton_ns=_tau(found[_XX], unit_ns),
        exciton_ns=_tau(found[_X], unit_ns),
        cascades=found[_CASCADES],
        crosstalk_pairs=found[_CROSSTALK] if crosstalk_bins else None,
        accidental_pairs=found[_ACCIDENTAL],
        deviance=fit.deviance,
        freedom=fit.freedom,
        probability=fit.probability,
        flags=_flags(fit, value, first.size),
        model_first=first,
        model_gap=gap,
    )


def _tau(log: Measured, unit_ns: float) -> Measured:
    value = math.exp(log.value) * unit_ns
    return Measured(value, value * log.error)


def _flags(fit: PoissonFit, value: Vector, size: int) -> tuple[str, ...]:
    wrong = (
        (bool(fit.at_bound.any()), "a parameter ended on its bound"),
        (fit.probability < 1e-3, "poor fit"),
        (value[3:].sum() > value[_CASCADES], "most pairs are accidental or cross-talk"),
        (value[_XX] > value[_X], "the biexciton came out slower than the exciton"),
        (size < 4 * math.exp(value[_X]), "the exciton's decay is cut by the end of the delays"),
    )
    return tuple(text for happened, text in wrong if happened)


class _Problem:
    """Expected pairs by cascades, log tau_XX, log tau_X (bins), accidental, cross-talk pairs."""

    def __init__(
        self,
        pairs: PulsePairsResult,
        responses: tuple[Vector, Vector],
        crosstalk_bins: tuple[int, int] | None,
        accidental: Measured | None,
        background: Vector | None,
    ) -> None:
        size = pairs.first.size
        _check(pairs, responses, crosstalk_bins)
        self._size, self._crosstalk = size, crosstalk_bins
        irf_a, irf_b = responses
        self._irf_a = irf_a / irf_a.sum()
        self._irf_b = self._irf_a if irf_a is irf_b else irf_b / irf_b.sum()
        single = pairs.single.astype(np.float64)
        self._clicks = single / max(single.sum(), 1.0)
        other = None if background is None else background / background.sum()
        self._accidental = (
            accidental_first(self._clicks, other),
            accidental_gap(self._clicks, other),
        )
        self._pairs = float(pairs.first.sum())
        first, gap = (row.astype(np.float64) for row in (pairs.first, pairs.second_after_first))
        self._counts = np.concatenate([first, self._joined(gap)])
        self._start = self._guess(first, single)
        self._start[_ACCIDENTAL] = accidental.value if accidental else 0.01 * self._pairs
        self._free = np.array([True, True, True, accidental is None, crosstalk_bins is not None])

    def full(self, free: Vector, more_accidental: float = 0.0) -> Vector:
        """Return all parameters, shape (5,)."""
        parameters = self._start.copy()
        parameters[_ACCIDENTAL] += more_accidental
        parameters[self._free] = free
        return parameters

    def spread(self, covariance: Vector) -> Vector:
        """Return the covariance of all parameters, shape (5, 5), 0 where they are given."""
        places = np.flatnonzero(self._free)
        whole = np.zeros((self._start.size, self._start.size))
        whole[np.ix_(places, places)] = covariance
        return whole

    def shapes(self, parameters: Vector) -> tuple[Vector, Vector]:
        """Return expected pairs by the earlier delay and by the gap, the latter less cross-talk."""
        cascades, tau_xx, tau_x, accidental, crosstalk = parameters.tolist()
        decays = math.exp(tau_xx), math.exp(tau_x)
        first, gap = cascade_shapes(*decays, self._irf_a, self._irf_b)
        first = cascades * first + accidental * self._accidental[0] + crosstalk * self._clicks
        return first, cascades * gap + accidental * self._accidental[1]

    def fit(self, more_accidental: float = 0.0) -> PoissonFit:
        """Return the fit of the free parameters, with so many more given accidental pairs."""

        def model(free: Vector) -> Vector:
            parameters = self.full(free, more_accidental)
            first, gap = self.shapes(parameters)
            joined = self._joined(gap)
            if self._crosstalk is not None:
                joined[self._crosstalk[0]] += parameters[_CROSSTALK]
            return np.concatenate([first, joined])

        top, root = 2 * self._pairs + 10, math.sqrt(self._pairs)
        short, long = math.log(0.05), math.log(20 * self._size)
        lower = np.array([0.0, short, short, -0.1 * top, -0.1 * top])
        upper = np.array([top, long, long, top, top])
        scale = np.array([root, 0.2, 0.2, root, root])
        limits = (one[self._free] for one in (self._start, lower, upper, scale))
        return fit_poisson(model, self._counts, *limits)

    def _joined(self, gap: Vector) -> Vector:
        """Return the gaps with the bins of cross-talk in one."""
        if self._crosstalk is None:
            return gap.copy()
        begin, end = self._crosstalk
        return np.concatenate([gap[:begin], [gap[begin:end].sum()], gap[end:]])

    def _guess(self, first: Vector, single: Vector) -> Vector:
        """Start from mean delays; that of the singles is near the exciton's."""
        place = np.arange(self._size)
        zero = float(((self._irf_a + self._irf_b) / 2) @ place)
        middle = float(np.count_nonzero(np.cumsum(first) < 0.5 * first.sum()))
        tau_xx = max((middle - zero) / math.log(2), 0.3)
        tau_x = max(float(single @ place) / max(single.sum(), 1.0) - zero, 2 * tau_xx)
        return np.array([0.8 * self._pairs, math.log(tau_xx), math.log(tau_x), 0.0, 0.0])


def _check(
    pairs: PulsePairsResult,
    responses: tuple[Vector, Vector],
    crosstalk_bins: tuple[int, int] | None,
) -> None:
    size = pairs.first.size
    if any(irf.size != size or not irf.sum() > 0 for irf in responses):
        raise AnalysisError(f"each response needs counts in the {size} bins of the decays")
    if any(irf.min() < 0 for irf in responses):
        raise AnalysisError("a response has negative counts")
    if pairs.first.sum() < _FEW:
        raise AnalysisError(f"{int(pairs.first.sum())} pairs are too few for a lifetime")
    if crosstalk_bins and not 0 <= crosstalk_bins[0] < crosstalk_bins[1] <= size:
        raise AnalysisError("the bins of cross-talk are not within the decays")
