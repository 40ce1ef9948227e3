"""Losses of counting: pile-up of single-stop histograms and dead time.

Of photons after one sync a single-stop module keeps the first; the later a photon, the more often
it is lost, and a decay looks too short. P. B. Coates, J. Phys. E 1, 878 (1968) gives back the rate
that was there, whatever the shape, for a known number of syncs. Modules that register several
photons per sync lose those within a dead time instead.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError

__all__ = ["CoatesCorrection", "PileUp", "correct_pile_up", "dead_time_share", "pile_up"]

Vector = NDArray[np.float64]

_WARN = 0.05


@dataclass(frozen=True)
class PileUp:
    """How often a second photon follows after the same sync.

    Attributes:
        counts_per_sync: Registered counts over syncs.
        photons_per_sync: Poissonian mean that a single-stop histogram with these counts had.
        lost_share: Share of the photons that a single-stop histogram loses.
        warning: In words, empty if there is nothing to warn of.
    """

    counts_per_sync: float
    photons_per_sync: float
    lost_share: float
    warning: str


def pile_up(counts_per_sync: float) -> PileUp:
    """Judge a count rate over the sync rate; more than 5 % warns.

    For Poissonian light the share of syncs with a count is ``p = 1 - exp(-m)``. A single dot whose
    photons antibunch loses less.

    Raises:
        AnalysisError: If there is not between 0 and 1 count per sync.
    """
    if not 0 <= counts_per_sync < 1:
        msg = f"{counts_per_sync} counts per sync are no single-stop histogram"
        raise AnalysisError(msg)
    photons = -math.log1p(-counts_per_sync)
    lost = 1 - counts_per_sync / photons if photons > 0 else 0.0
    warning = ""
    if counts_per_sync > _WARN:
        warning = (
            f"pile-up: {100 * counts_per_sync:.1f} counts per 100 syncs, more than "
            f"{100 * _WARN:.0f}; {100 * lost:.1f} % of the photons are lost, the latest first"
        )
    return PileUp(counts_per_sync, photons, lost, warning)


@dataclass(frozen=True, eq=False)
class CoatesCorrection:
    """A histogram as it would be without pile-up.

    Attributes:
        counts: Expected photons in all syncs, shape (bin,).
        errors: Standard errors, shape (bin,).
        scale: Counts over what was measured, by which fitted counts were thinned, shape (bin,).
    """

    counts: Vector
    errors: Vector
    scale: Vector


def correct_pile_up(counts: Vector, syncs: float) -> CoatesCorrection:
    """Undo pile-up in a single-stop histogram (Coates 1968).

    Of the syncs that had no count before bin i, the share ``c_i / (S - sum_(j < i) c_j)`` counted
    in it; ``-ln(1 - share)`` is the mean number of photons.

    Args:
        counts: Shape (bin,), from the first bin that the module can register.
        syncs: Number of syncs S.

    Raises:
        AnalysisError: If there are more counts than syncs.
    """
    counts = np.asarray(counts, dtype=np.float64)
    before = np.concatenate(([0.0], np.cumsum(counts)[:-1]))
    left = syncs - before
    if np.any(counts < 0) or not float(counts.sum()) < syncs:
        msg = f"{counts.sum():.0f} counts in {syncs:.0f} syncs are no single-stop histogram"
        raise AnalysisError(msg)
    share = counts / left
    photons = -syncs * np.log1p(-share)
    # Binomial: the error of the share through the logarithm; hence sqrt(counts) for few counts.
    errors = syncs * np.sqrt(share / ((1 - share) * left))
    scale = np.where(counts > 0, photons / np.maximum(counts, 1e-300), syncs / left)
    return CoatesCorrection(photons, errors, scale)


def dead_time_share(count_rate_hz: float, dead_time_ns: float) -> float:
    """Return the share of events lost by a dead time that they do not extend.

    ``r t`` of the registered rate r: with the true rate R the module sees ``R / (1 + R t)``.

    Raises:
        AnalysisError: If the dead time leaves no room for such a rate.
    """
    lost = count_rate_hz * dead_time_ns * 1e-9
    if not 0 <= lost < 1:
        msg = f"{count_rate_hz:.3g} counts/s do not fit beside a dead time of {dead_time_ns} ns"
        raise AnalysisError(msg)
    return lost
