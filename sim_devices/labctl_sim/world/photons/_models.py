"""How one kind of pulse turns into detected photons, as tables for compiled code.

A pulse of light makes a Poissonian number N of excitations. In a cascade all but the last
excitation emit in the multiexciton band, the last one in the exciton band (Zhu 2024, Ext. Fig. 8;
with at most two excitations left it is the Auger-limited dot of Feld 2024). A detector sees each
photon with a probability; only pulses of which something is seen are ever drawn, so that the
work grows with the detected light alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from labctl_sim.world._types import FloatArray

DETECTORS = 7
"""Most detectors in one path; the three lowest bits of a click hold which one it was."""
LEAST = 4
"""Least number of entries of a cumulated law."""
_DEVIATIONS = 12.0


class Paths(NamedTuple):
    """An interferometer between the source and two detectors, see `_interfering`."""

    short: float
    """Share of the photons that take the short arm."""
    open: float
    """Share that take either arm; the others are lost."""
    transmitted: float
    """Of the second splitter."""
    delay_ps: float
    """Of the long arm beyond one period."""
    dephasing_per_ps: float
    """Infinite where nothing interferes."""
    keep_last: tuple[float, float]
    """Share of the last photons of a cascade that is detected, by port."""
    keep_others: tuple[float, float]
    """The same of the earlier ones."""


@dataclass(frozen=True)
class PulseModel:
    """Detected photons of one pulse.

    Attributes:
        counts: Probability that n excitations stand behind a pulse of which anything is
            detected, shape (K,), n from 1; sums to ``any_detected``.
        last: Probability that the last photon is detected, by each detector.
        others: The same for each earlier photon of a cascade.
        taus_ps: Decay time of the n-th excitation, shape (K,).
        independent: All photons decay on their own from the pulse on and are detected for sure.
        mean: Mean number of detected photons per pulse, by each detector.
        paths: The interferometer that they go through; None: there is none.
    """

    counts: tuple[float, ...]
    last: tuple[float, ...]
    others: tuple[float, ...]
    taus_ps: tuple[float, ...]
    independent: bool
    mean: tuple[float, ...]
    paths: Paths | None = None

    @property
    def any_detected(self) -> float:
        """Probability that at least one photon of a pulse is detected."""
        return min(math.fsum(self.counts), 1.0)


class ModelTable(NamedTuple):
    """Models as arrays; first axis: model."""

    p_any: FloatArray
    cdf: FloatArray
    """Cumulated ``counts`` over ``p_any``; shape (models, K)."""
    tau_ps: FloatArray
    """Shape (models, K)."""
    picks: FloatArray
    """Shares of the detectors, cumulated, the last is 1; shape (2 models, DETECTORS), first for
    the last photon of each model, then for the others."""
    independent: FloatArray
    seen: FloatArray
    """Probability that the photon before which k are left to come is detected: first if none was
    yet but one must be, then if one was already; shape (models, 2, K)."""
    paths: FloatArray
    """Fields of `Paths` as far as they are numbers, NaN without one; shape (models, 5)."""
    keep: FloatArray
    """Share that is kept of the photons of each port; shape (2 models, 2), as ``picks``."""


def poisson(mean: float, least: int = 0) -> FloatArray:
    """Poisson probabilities of 0, 1, … up to 12 standard deviations above the mean."""
    size = max(math.ceil(mean + _DEVIATIONS * math.sqrt(mean) + _DEVIATIONS), least + 1)
    numbers = np.arange(size)
    logs = np.array([math.lgamma(n + 1.0) for n in range(size)])
    return np.exp(numbers * math.log(max(mean, 1e-300)) - mean - logs)


def cascade(
    excitations: float,
    at_most: int | None,
    last: Sequence[float],
    others: Sequence[float],
    taus_ps: Sequence[float],
) -> PulseModel:
    """A cascade of a Poissonian number of excitations.

    Args:
        excitations: Mean number per pulse.
        at_most: More excitations than this are lost at once (Auger); None: no limit.
        last: Probability that the exciton's photon is emitted and detected, by detector.
        others: The same for each photon of the multiexciton band.
        taus_ps: Decay times of 1, 2, … excitations; the last one serves for all beyond.
    """
    raw = poisson(excitations, 2)[1:]
    if at_most is not None and len(raw) > at_most:
        raw = np.append(raw[: at_most - 1], raw[at_most - 1 :].sum())
    seen_last, seen_other = min(math.fsum(last), 1.0), min(math.fsum(others), 1.0)
    earlier = np.arange(len(raw))
    counts = raw * (1.0 - (1.0 - seen_other) ** earlier * (1.0 - seen_last))
    excited, before = float(raw.sum()), float((raw * earlier).sum())
    mean = [x * excited + m * before for x, m in zip(last, others, strict=True)]
    taus = [taus_ps[min(n, len(taus_ps) - 1)] for n in range(len(raw))]
    return PulseModel(
        tuple(counts.tolist()), tuple(last), tuple(others), tuple(taus), False, tuple(mean)
    )


def bunched(photons: float, bunching: float, shares: Sequence[float], tau_ps: float) -> PulseModel:
    """Independent photons whose mean number is ``bunching`` times larger in 1/``bunching`` pulses.

    The second factorial moment over the squared mean, g2(0), is ``bunching``; 1 is a laser.

    Args:
        photons: Mean number of photons per pulse.
        bunching: g2(0), from 1.
        shares: Probability that a photon is detected, by detector.
        tau_ps: Decay time; 0 for light that is as short as the pulse.
    """
    seen = min(math.fsum(shares), 1.0)
    counts = poisson(photons * bunching * seen, 1)[1:] / bunching
    mean = [photons * share for share in shares]
    taus = (tau_ps,) * len(counts)
    zeros = (0.0,) * len(shares)
    return PulseModel(tuple(counts.tolist()), tuple(shares), zeros, taus, True, tuple(mean))


def model_table(models: Sequence[PulseModel]) -> ModelTable:
    """Put models into arrays."""
    width = max(*(len(model.counts) for model in models), LEAST)
    shape = (len(models), width)
    cdf, tau_ps = np.ones(shape), np.zeros(shape)
    for row, model in enumerate(models):
        size = len(model.counts)
        total = math.fsum(model.counts)
        cdf[row, : size - 1] = np.cumsum(model.counts)[:-1] / total if total > 0.0 else 1.0
        tau_ps[row] = model.taus_ps[-1]
        tau_ps[row, :size] = model.taus_ps
    picks = _picks([*(model.last for model in models), *(model.others for model in models)])
    return ModelTable(
        np.array([model.any_detected for model in models]),
        cdf,
        tau_ps,
        picks,
        np.array([float(model.independent) for model in models]),
        np.array([_seen(model, width) for model in models]),
        np.array([(math.nan,) * 5 if m.paths is None else m.paths[:5] for m in models]),
        np.array(
            [
                *((1.0, 1.0) if m.paths is None else m.paths.keep_last for m in models),
                *((1.0, 1.0) if m.paths is None else m.paths.keep_others for m in models),
            ]
        ),
    )


def _seen(model: PulseModel, width: int) -> FloatArray:
    p_last, p_other = min(math.fsum(model.last), 1.0), min(math.fsum(model.others), 1.0)
    none = (1.0 - p_other) ** np.arange(width) * (1.0 - p_last)
    seen = np.ones((2, width))
    np.divide(p_other, 1.0 - none, out=seen[0], where=none < 1.0)
    seen[0, 0] = 1.0
    seen[1] = p_other
    seen[1, 0] = p_last
    return seen


def _picks(shares: Sequence[Sequence[float]]) -> FloatArray:
    picks = np.ones((len(shares), DETECTORS))
    for row, share in enumerate(shares):
        total = math.fsum(share)
        if total > 0.0:
            picks[row, : len(share)] = np.cumsum(share) / total
            picks[row, len(share) - 1 :] = 1.0
    return picks
