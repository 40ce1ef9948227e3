"""Spectra of one dot added up, and the lines of exciton and biexciton in the sum."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import (
    CombinedFrames,
    LineAreas,
    ManifoldFit,
    Measured,
    Multiplet,
    PeakFit,
    SatellitePrior,
    find_multiplet,
    fit_manifold,
    fit_peak,
    light_of_lines,
    line_areas,
)
from labctl.errors import AnalysisError
from labctl.optics import ev_to_nm, vacuum_nm
from labctl.results._points import combined_frames
from labctl.results._source import StoredSpectrum

__all__ = [
    "SUBLEVELS",
    "WIDER_MEV",
    "Areas",
    "Manifold",
    "Manifolds",
    "areas_of",
    "compared",
    "fit_sublevels",
    "steadied",
    "sum_of",
]

Vector = NDArray[np.float64]
Copies = tuple[tuple[float, float], ...]

SUBLEVELS = ("1", "2", "3")
"""Lines of a manifold by rising energy; the papers call them H, V, O."""
_CORE_MEV = 3.2
"""How far the lines of one manifold lie from its strongest."""
_MARGIN_MEV = 1.2
"""What is fitted beyond the outer lines; more would take in phonon replicas (3.6 meV below)."""
_APART_MEV = (8.0, 45.0)
"""How far exciton and biexciton lie apart: 14 meV (30 nm) to 40 meV (7 nm) in Zhu 2024."""
_REPLICAS_MEV = 32.0
"""How far below the biexciton replicas are looked for; phonons of lead halides have less."""
WIDER_MEV = 1.6
"""Another margin; what it changes is not known better."""
_SEEN_SIGMAS = 8.0
_LEAST = 0.05


@dataclass(frozen=True, eq=False)
class Manifold:
    """One manifold in the sum of all spectra.

    Attributes:
        pixels: Where it lies.
        fit: Of these pixels.
        lines: Its lines.
        found: The fit of it and its replicas that has found the lines.
        copies: Phonon replicas of every line: how far below, meV, and their share of it.
        upper: A manifold whose replicas lie beneath this one; None: there is none, or they are
            not to be taken off.
    """

    pixels: slice
    fit: PeakFit
    lines: Multiplet
    found: ManifoldFit
    copies: Copies = ()
    upper: "Manifold | None" = None


@dataclass(frozen=True, eq=False)
class Manifolds:
    """Both manifolds; ``biexciton`` is None where there is none."""

    exciton: Manifold
    biexciton: Manifold | None

    def by_name(self) -> dict[str, Manifold]:
        """Return those that there are, by name."""
        there = {"exciton": self.exciton}
        return there if self.biexciton is None else {**there, "biexciton": self.biexciton}


@dataclass(frozen=True, eq=False)
class Areas:
    """Light of the lines of a manifold in several spectra, counts per second.

    Attributes:
        value: By rising energy, shape (spectrum, line).
        covariance: Shape (spectrum, line, line).
        shift_mev: Of all lines of a spectrum against the sum of all, shape (spectrum,).
        pull: How each spectrum wants each line to move against the others, 1/meV, shape (line,);
            the sum over the spectra.
        information: How surely, 1/meV^2, shape (line, line).
    """

    value: Vector
    covariance: Vector
    shift_mev: Vector
    pull: Vector
    information: Vector

    def together(self) -> tuple[Vector, Vector]:
        """Return the sum over the lines and its variance, shape (spectrum,)."""
        return self.value.sum(axis=1), self.covariance.sum(axis=(1, 2))

    def mean(self) -> Measured:
        """Return the mean over the spectra of the sum over the lines."""
        value, variance = self.together()
        return Measured(float(value.mean()), float(np.sqrt(variance.sum())) / value.size)


def fit_sublevels(
    spectra: Sequence[StoredSpectrum],
    margin_mev: float = _MARGIN_MEV,
    like: Manifolds | None = None,
) -> Manifolds:
    """Fit the manifolds in the sum of spectra that have one axis.

    The brightest place belongs to one of them. Where a second one shines at the distance that
    binding energies have, the one at the higher energy is the exciton.

    Args:
        spectra: At least one.
        margin_mev: What is fitted beyond the outer lines of a manifold, meV.
        like: The manifolds with another margin: their lines are not looked for again.

    Raises:
        AnalysisError: The spectra have different axes, or the sum allows no fit.
    """
    total = sum_of(spectra)
    if like is not None:
        exciton, biexciton = like.exciton, like.biexciton
        copies = exciton.copies
        upper, lower = exciton.found, None if biexciton is None else biexciton.found
    else:
        upper, lower, copies = _searched(total, margin_mev)
    first = _margined(total, upper, margin_mev, copies)
    if lower is None:
        return Manifolds(first, None)
    # Replicas of the exciton lie beneath the biexciton, each with the polarization of its line.
    above = replace(total, counts=total.counts - _light(total, first))
    return Manifolds(first, replace(_margined(above, lower, margin_mev, copies), upper=first))


def _searched(
    total: StoredSpectrum, margin_mev: float
) -> tuple[ManifoldFit, ManifoldFit | None, Copies]:
    """Return fits that look for the lines of exciton and biexciton, and the replicas of both."""
    energy_mev = 1e3 * ev_to_nm(vacuum_nm(total.wavelength_nm))
    lower = _biexciton_top(total, energy_mev)
    above_mev = -math.inf if lower is None else energy_mev[lower] + _CORE_MEV + margin_mev
    exciton = _found(total, energy_mev > above_mev)
    if lower is None:
        return exciton, None, _copies(exciton, 0.0, math.inf)
    near = energy_mev - energy_mev[lower]
    biexciton = _found(total, (near > -_REPLICAS_MEV) & (near < _CORE_MEV + margin_mev))
    # What of the exciton is hidden beneath the biexciton shows below that: the phonons are the
    # same. Near the biexciton in turn lie far replicas of the exciton.
    bound_mev = 1e3 * (exciton.centre_ev.value - biexciton.centre_ev.value)
    seen_mev = bound_mev - 2.0 * _CORE_MEV
    copies = _copies(exciton, 0.0, seen_mev) + _copies(biexciton, seen_mev, math.inf)
    return exciton, biexciton, copies


def _copies(found: ManifoldFit, from_mev: float, to_mev: float) -> Copies:
    return tuple(
        (one.below_mev.value, one.ratio.value)
        for one in found.of("replica")
        if from_mev < one.below_mev.value <= to_mev
    )


def areas_of(spectra: Sequence[StoredSpectrum], manifold: Manifold) -> Areas:
    """Return the light of the lines of a manifold in each of these spectra."""
    places = list(manifold.lines.places)
    # The dot wanders alike in all spectra, which widens their lines alike.
    frames = [_own_light(spectrum, manifold) for spectrum in spectra]
    every = list(zip(spectra, frames, strict=True))
    free = [_areas(spectrum, own, manifold).widened_mev2 for spectrum, own in every]
    weights = np.array([1.0 / one.error**2 for one in free])
    widened_mev2 = float(weights @ np.array([one.value for one in free]) / weights.sum())
    found = [_areas(spectrum, own, manifold, widened_mev2) for spectrum, own in every]
    live_s = np.array([spectrum.live_time_s for spectrum in spectra])
    return Areas(
        np.array([one.counts[places] for one in found]) / live_s[:, None],
        np.array([one.covariance[np.ix_(places, places)] for one in found])
        / live_s[:, None, None] ** 2,
        np.array([one.shift_mev.value for one in found]),
        *_apart(found, places),
    )


def _apart(found: Sequence[LineAreas], places: list[int]) -> tuple[Vector, Vector]:
    """Return how all spectra want the lines to lie against each other.

    Each spectrum has a shift of its own, of which nothing is known: what its lines say together
    tells nothing of their distances.
    """
    pull, information = np.zeros(len(places)), np.zeros((len(places), len(places)))
    for one in found:
        together = one.information.sum(axis=1)
        total = float(together.sum())
        pull += (one.pull - together * one.pull.sum() / total)[places]
        own = one.information - np.outer(together, together) / total
        information += own[np.ix_(places, places)]
    return pull, information


def steadied(manifold: Manifold, areas: Areas) -> Multiplet:
    """Return the lines as they would lie if the dot had not moved from spectrum to spectrum.

    In a sum in which each line is bright in other spectra than its neighbour, the wandering of the
    dot (spectral diffusion) moves the lines against each other, and the shift of a spectrum in
    which one line is bright is counted from where that line lies in the sum. So the distances of
    the lines are found in all spectra at once, each with a shift of its own.
    """
    share = np.maximum(areas.value, 0.0)
    share = share / share.sum(axis=0) - 1.0 / len(share)
    shifts_mev: Vector = share.T @ areas.shift_mev
    centre_mev = float(shifts_mev.mean())
    # What is found are distances: the mean of the lines stays.
    held = 1e3 * float(np.trace(areas.information))
    covariance: Vector = np.linalg.inv(areas.information + held).astype(np.float64)
    moved_mev: Vector = covariance @ areas.pull
    return manifold.lines.placed(moved_mev - moved_mev.mean() - centre_mev, covariance)


def compared(lines: Multiplet, other: Multiplet | None) -> Multiplet:
    """Return lines with what another fitted window changes as a further error."""
    if other is None or len(other.energy_ev) != len(lines.energy_ev):
        return lines
    centre_ev = lines.centre_ev.plus_systematic(lines.centre_ev.value - other.centre_ev.value)
    splitting = lines.splitting_mev
    if splitting is not None and other.splitting_mev is not None:
        splitting = splitting.plus_systematic(splitting.value - other.splitting_mev.value)
    energies = tuple(
        one.plus_systematic(one.value - another.value)
        for one, another in zip(lines.energy_ev, other.energy_ev, strict=True)
    )
    return replace(lines, energy_ev=energies, splitting_mev=splitting, centre_ev=centre_ev)


def _own_light(spectrum: StoredSpectrum, manifold: Manifold) -> CombinedFrames:
    """Return the frames of a spectrum without the light of the manifold above."""
    frames, upper = combined_frames(spectrum), manifold.upper
    if upper is None:
        return frames
    return replace(frames, counts=frames.counts - _light(spectrum, upper))


def _areas(
    spectrum: StoredSpectrum,
    frames: CombinedFrames,
    manifold: Manifold,
    widened_mev2: float | None = None,
) -> LineAreas:
    return line_areas(
        _part(frames, manifold.pixels),
        spectrum.wavelength_nm[manifold.pixels],
        spectrum.noise,
        manifold.fit,
        spectrum.response,
        manifold.copies,
        widened_mev2,
    )


def _light(spectrum: StoredSpectrum, manifold: Manifold) -> Vector:
    """Return the counts of a manifold and its replicas at all pixels of a spectrum."""
    return light_of_lines(
        spectrum.wavelength_nm,
        manifold.fit,
        spectrum.response,
        manifold.copies,
        _areas(spectrum, _own_light(spectrum, manifold), manifold),
    )


def sum_of(spectra: Sequence[StoredSpectrum]) -> StoredSpectrum:
    """Return all spectra as one.

    Raises:
        AnalysisError: They have different axes.
    """
    first = spectra[0]
    if any(not np.array_equal(one.wavelength_nm, first.wavelength_nm) for one in spectra):
        msg = "the spectra have different wavelength axes; take them with one setting"
        raise AnalysisError(msg)
    frames = [combined_frames(spectrum) for spectrum in spectra]
    usable = np.all([one.usable for one in frames], axis=0)
    counts: Vector = np.sum(np.array([one.counts for one in frames]), axis=0)
    counts = np.interp(np.arange(counts.size), np.flatnonzero(usable), counts[usable])
    noise = replace(first.noise, frames=sum(one.noise.frames for one in spectra))
    return replace(first, counts=counts, frames=None, noise=noise)


def _biexciton_top(total: StoredSpectrum, energy_mev: Vector) -> int | None:
    """Return the brightest pixel of the biexciton, None where there is none."""
    background = float(np.quantile(total.counts, 0.25))
    light = np.convolve(total.counts - background, np.ones(3) / 3.0, mode="same")
    top = int(np.argmax(light))
    apart_mev = np.abs(energy_mev - energy_mev[top])
    elsewhere = (apart_mev > _APART_MEV[0]) & (apart_mev < _APART_MEV[1])
    noise = float(np.sqrt(total.noise.variance(np.array([background]))[0] / 3.0))
    other = int(np.argmax(np.where(elsewhere, light, -np.inf)))
    if light[other] <= max(_SEEN_SIGMAS * noise, _LEAST * light[top]) or not elsewhere.any():
        return None
    return other if energy_mev[top] > energy_mev[other] else top


def _found(total: StoredSpectrum, pixels: NDArray[np.bool_]) -> ManifoldFit:
    """Return the fit of one manifold and its replicas, which looks for its lines.

    A weak line shows no maximum of its own on the shoulder of its neighbour, and without it its
    light would go to the others.
    """
    inside = np.flatnonzero(pixels)
    part = slice(int(inside[0]), int(inside[-1]) + 1)
    return fit_manifold(
        total.counts[part], total.wavelength_nm[part], total.noise, response=total.response
    )


def _margined(
    total: StoredSpectrum, found: ManifoldFit, margin_mev: float, copies: Copies
) -> Manifold:
    """Fit the lines of a manifold alone, because far from them no background is straight.

    Replicas of the upper lines reach into the lower margin: they are taken off, as a first fit
    has them.
    """
    first = _lines_alone(total, found, margin_mev)
    ratios = np.array([1.0, *(one.ratio.value for one in first.fit.lines)])
    counts = first.fit.area_counts.value * ratios
    areas = LineAreas.exact(counts)
    nm, response = total.wavelength_nm, total.response
    lines = light_of_lines(nm, first.fit, response, (), areas)
    replicas = light_of_lines(nm, first.fit, response, copies, areas) - lines
    alone = _lines_alone(replace(total, counts=total.counts - replicas), found, margin_mev)
    return replace(alone, copies=copies)


def _lines_alone(total: StoredSpectrum, found: ManifoldFit, margin_mev: float) -> Manifold:
    energy_mev = 1e3 * ev_to_nm(vacuum_nm(total.wavelength_nm))
    order = np.argsort(-found.shares)
    lines_mev = 1e3 * found.centre_ev.value + found.offsets_mev[order]
    shares = found.shares[order]
    pixels = _within(energy_mev, lines_mev.min() - margin_mev, lines_mev.max() + margin_mev)
    apart_mev = np.abs(lines_mev[1:] - lines_mev[0])
    fit = fit_peak(
        total.counts[pixels],
        total.wavelength_nm[pixels],
        total.noise,
        response=total.response,
        near_ev=1e-3 * float(lines_mev[0]),
        satellites=[
            SatellitePrior(_free(place - lines_mev[0]), _free(share / shares[0]))
            for place, share in zip(lines_mev[1:], shares[1:], strict=True)
        ],
        width_mev=0.6 * float(apart_mev.min()) if apart_mev.size else None,
    )
    lines = find_multiplet(fit, -_CORE_MEV, _CORE_MEV, reach_mev=_CORE_MEV, least=_LEAST)
    return Manifold(pixels, fit, lines, found)


def _within(energy_mev: Vector, low_mev: float, high_mev: float) -> slice:
    inside = np.flatnonzero((energy_mev > low_mev) & (energy_mev < high_mev))
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _free(value: float) -> Measured:
    """Return a starting value of which nothing is known."""
    return Measured(float(value), math.inf)


def _part(frames: CombinedFrames, pixels: slice) -> CombinedFrames:
    return replace(
        frames,
        counts=frames.counts[pixels],
        usable=frames.usable[pixels],
        variance_scale=frames.variance_scale[pixels],
    )
