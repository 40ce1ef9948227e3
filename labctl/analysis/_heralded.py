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
_NONE = Measured(0.0, 0.0)
_FEW = 30


@dataclass(frozen=True, eq=False)
class HeraldedBiexciton:
    """Result of `fit_heralded`; errors are standard errors.

    Attributes:
        biexciton_ns: Lifetime of the biexciton.
        exciton_ns: Lifetime of the exciton, after a biexciton.
        cascades: Pairs of a biexciton's and an exciton's photon.
        crosstalk_pairs: Pairs by cross-talk; None if not fitted.
        accidental_pairs: Pairs with a background click, as given.
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
    accidental_pairs: Measured = _NONE,
    crosstalk_bins: tuple[int, int] | None = None,
) -> HeraldedBiexciton:
    """Fit biexciton and exciton lifetime.

    Args:
        pairs: Pairs after the same pulse, over one period at most.
        irf_a: Response of detector a to the pulse on the same delays, counts, not negative, no
            background; longer or shorter than the decays is an error.
        irf_b: Of detector b.
        accidental_pairs: Expected pairs with a background click at any delay: a photon and a
            dark, see ``PulsedG2Zero.background_counts``.
        crosstalk_bins: First bin and end of the gaps at which cross-talk shows; the number of
            its pairs is fitted, and these bins count as one.

    Raises:
        AnalysisError: Too few pairs, responses of another length, or no convergence.
    """
    problem = _Problem(pairs, (irf_a, irf_b), crosstalk_bins)
    fit = problem.fit(accidental_pairs.value)
    covariance = fit.covariance
    if accidental_pairs.error > 0:
        more = problem.fit(accidental_pairs.value + accidental_pairs.error)
        shift = more.parameters - fit.parameters
        covariance = covariance + np.outer(shift, shift)
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    value = fit.parameters
    unit_ns = 1e9 * pairs.delay_bin_s
    first, gap = problem.shapes(value, accidental_pairs.value)
    taus = [Measured(math.exp(v) * unit_ns, math.exp(v) * unit_ns * e)
            for v, e in zip(value[1:3].tolist(), errors[1:3].tolist(), strict=True)]  # fmt: skip
    crosstalk = Measured(float(value[3]), float(errors[3])) if value.size > 3 else None
    return HeraldedBiexciton(
        biexciton_ns=taus[0],
        exciton_ns=taus[1],
        cascades=Measured(float(value[0]), float(errors[0])),
        crosstalk_pairs=crosstalk,
        accidental_pairs=accidental_pairs,
        deviance=fit.deviance,
        freedom=fit.freedom,
        probability=fit.probability,
        flags=_flags(fit, value, accidental_pairs.value, first.size),
        model_first=first,
        model_gap=gap,
    )


def _flags(fit: PoissonFit, value: Vector, accidental: float, size: int) -> tuple[str, ...]:
    false_pairs = accidental + (float(value[3]) if value.size > 3 else 0.0)
    wrong = (
        (bool(fit.at_bound.any()), "a parameter ended on its bound"),
        (fit.probability < 1e-3, "poor fit"),
        (false_pairs > value[0], "most pairs are accidental or cross-talk"),
        (value[1] > value[2], "the biexciton came out slower than the exciton"),
        (size < 4 * math.exp(value[2]), "the exciton's decay is cut by the end of the delays"),
    )
    return tuple(text for happened, text in wrong if happened)


class _Problem:
    """Expected pairs by cascades, log tau_XX, log tau_X (bins) and, if any, cross-talk pairs."""

    def __init__(
        self,
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
        self._size, self._crosstalk = size, crosstalk_bins
        self._irf_a, self._irf_b = (irf / irf.sum() for irf in responses)
        single = pairs.single.astype(np.float64)
        self._clicks = single / max(single.sum(), 1.0)
        self._accidental = accidental_first(self._clicks), accidental_gap(self._clicks)
        self._pairs = float(pairs.first.sum())
        first, gap = (row.astype(np.float64) for row in (pairs.first, pairs.second_after_first))
        self._counts = np.concatenate([first, self._joined(gap)])
        self._start = self._guess(first, single)

    def shapes(self, parameters: Vector, accidental: float) -> tuple[Vector, Vector]:
        """Return expected pairs by the earlier delay and by the gap, the latter less cross-talk."""
        tau_xx, tau_x = np.exp(parameters[1:3]).tolist()
        first, gap = cascade_shapes(tau_xx, tau_x, self._irf_a, self._irf_b)
        first = parameters[0] * first + accidental * self._accidental[0]
        if self._crosstalk is not None:
            first = first + parameters[3] * self._clicks
        return first, parameters[0] * gap + accidental * self._accidental[1]

    def fit(self, accidental: float) -> PoissonFit:
        """Return the fit with so many accidental pairs."""

        def model(parameters: Vector) -> Vector:
            first, gap = self.shapes(parameters, accidental)
            joined = self._joined(gap)
            if self._crosstalk is not None:
                joined[self._crosstalk[0]] += parameters[3]
            return np.concatenate([first, joined])

        top, part = 2 * self._pairs + 10, slice(None if self._crosstalk else 3)
        lower = np.array([0.0, math.log(0.05), math.log(0.05), -0.1 * top])[part]
        upper = np.array([top, *[math.log(20 * self._size)] * 2, top])[part]
        scale = np.array([math.sqrt(self._pairs), 0.2, 0.2, math.sqrt(self._pairs)])[part]
        return fit_poisson(model, self._counts, self._start[part], lower, upper, scale)

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
        return np.array([0.8 * self._pairs, math.log(tau_xx), math.log(tau_x), 0.0])
