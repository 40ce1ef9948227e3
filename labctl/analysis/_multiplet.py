"""The lines of one manifold (the bright triplet of a dot) in a fitted spectrum."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._peak_result import PeakFit
from labctl.errors import AnalysisError

__all__ = ["Multiplet", "find_multiplet"]

Vector = NDArray[np.float64]

_MOST = 3


@dataclass(frozen=True)
class Multiplet:
    """One to three lines of a manifold, by rising energy.

    Attributes:
        energy_ev: Their energies.
        places: Their indices among ``(main line, *lines)`` of the fit.
        splitting_mev: Mean distance of neighbours; ``((E2 - E1) + (E3 - E2)) / 2`` of a triplet
            (Zhu 2024, Fig. 5). None of a single line.
        centre_ev: Mean of the energies.
    """

    energy_ev: tuple[Measured, ...]
    places: tuple[int, ...]
    splitting_mev: Measured | None
    centre_ev: Measured

    def placed(self, by_mev: Vector, covariance_mev2: Vector) -> "Multiplet":
        """Return the lines moved against each other, as all spectra together have them.

        Args:
            by_mev: How far each line moves, shape (line,).
            covariance_mev2: Of the places of the lines about their mean, shape (line, line).
        """
        inner = np.maximum(np.diag(covariance_mev2), 0.0)
        energies = tuple(
            Measured(e.value + 1e-3 * float(d), math.hypot(self.centre_ev.error, 1e-3 * s))
            for e, d, s in zip(self.energy_ev, by_mev, np.sqrt(inner).tolist(), strict=True)
        )
        splitting = self.splitting_mev
        if splitting is not None:
            share = np.zeros(len(by_mev))
            share[[0, -1]] = np.array([-1.0, 1.0]) / (len(by_mev) - 1)
            error = math.sqrt(max(float(share @ covariance_mev2 @ share), 0.0))
            splitting = Measured(splitting.value + float(share @ by_mev), error)
        centre = Measured(self.centre_ev.value + 1e-3 * float(by_mev.mean()), self.centre_ev.error)
        return Multiplet(energies, self.places, splitting, centre)


def find_multiplet(
    fit: PeakFit, from_mev: float, to_mev: float, *, reach_mev: float, least: float
) -> Multiplet:
    """Find the manifold in a window of energies: its strongest lines that lie together.

    Args:
        fit: Of a spectrum that shows the lines.
        from_mev: Lower end of the window, counted from the main line of the fit.
        to_mev: Its upper end.
        reach_mev: Largest distance of the outer lines.
        least: Smallest area of a line over that of the strongest of the window.

    Raises:
        AnalysisError: There is no line in the window.
    """
    offset_mev = np.array([0.0, *(line.offset_mev.value for line in fit.lines)])
    ratio = np.array([1.0, *(line.ratio.value for line in fit.lines)])
    inside = np.flatnonzero((offset_mev >= from_mev) & (offset_mev <= to_mev))
    by_strength = sorted(map(int, inside), key=lambda place: -ratio[place])
    chosen: list[int] = []
    for place in by_strength:
        strong = ratio[place] >= least * ratio[by_strength[0]]
        near = all(abs(offset_mev[place] - offset_mev[k]) <= reach_mev for k in chosen)
        if strong and near and len(chosen) < _MOST:
            chosen.append(place)
    if not chosen:
        msg = f"no line between {from_mev:g} and {to_mev:g} meV from the main line"
        raise AnalysisError(msg)
    return _multiplet(fit, offset_mev, sorted(chosen, key=lambda place: offset_mev[place]))


def _multiplet(fit: PeakFit, offset_mev: Vector, places: list[int]) -> Multiplet:
    energies = [fit.energy_ev, *(line.energy_ev for line in fit.lines)]
    share = np.zeros(offset_mev.size)
    share[places] = 1.0 / len(places)
    centre_ev = fit.energy_ev.value + 1e-3 * float(share @ offset_mev)
    centre_error_ev = math.hypot(fit.energy_ev.error, 1e-3 * _error_mev(fit, share))
    return Multiplet(
        tuple(energies[place] for place in places),
        tuple(places),
        _splitting_mev(fit, offset_mev, places),
        Measured(centre_ev, centre_error_ev),
    )


def _splitting_mev(fit: PeakFit, offset_mev: Vector, places: list[int]) -> Measured | None:
    if len(places) < 2:
        return None
    share = np.zeros(offset_mev.size)
    share[places[-1]] = 1.0 / (len(places) - 1)
    share[places[0]] = -share[places[-1]]
    return Measured(float(share @ offset_mev), _error_mev(fit, share))


def _error_mev(fit: PeakFit, share: Vector) -> float:
    """Return the error of a weighted sum of offsets; that of the main line is 0 and exact."""
    return math.sqrt(float(share[1:] @ fit.offsets_covariance_mev2 @ share[1:]))
