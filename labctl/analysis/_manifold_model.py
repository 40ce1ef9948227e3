"""Counts of an exciton with everything that goes with it: trion, biexciton, phonon replicas.

All lines share one Voigt profile. The exciton has one to three lines (its fine structure); from
their shape Cho et al. (Nanoscale 2026, section 3) tell the others apart:

* a *replica* is a copy of the exciton, lower by the energy of a phonon. With the Huang-Rhys factors
  S of the modes, n quanta of a mode have S^n / n! times the zero-phonon light, and quanta of
  several modes multiply; up to two quanta are drawn;
* a *trion* is a single line without fine structure;
* a *biexciton* is the mirror image of the exciton, because each cascade XX -> X_i -> 0 has the same
  sum of energies.

Trion and biexciton have replicas with one quantum. Their binding energies count from the mean of
the exciton's lines, and of their mirror image.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._model import FIRST_SATELLITE, Axis
from labctl.analysis._voigt import voigt_with_derivatives

__all__ = ["Kind", "ManifoldModel"]

Vector = NDArray[np.float64]
Kind = Literal["exciton", "replica", "trion", "biexciton"]

_QUANTA = 2


@dataclass(frozen=True, eq=False)
class _Lines:
    """Lines against the main one: offsets in meV, areas, and derivatives (line, parameter)."""

    offsets: Vector
    areas: Vector
    offset_slopes: Vector
    area_slopes: Vector


@dataclass(frozen=True, eq=False)
class ManifoldModel:
    """Counts of one manifold on a sloping background.

    Parameters are those of `SpectrumModel` up to the background, then a pair for each kind:
    offset in meV and area against the main line for further lines of the exciton; energy in
    meV and Huang-Rhys factor for a replica; binding energy in meV and area against the whole
    exciton for trion and biexciton.

    Attributes:
        axis: Of the pixels.
        kinds: What each pair of parameters is.
    """

    axis: Axis
    kinds: tuple[Kind, ...]

    def places(self, kind: Kind) -> list[int]:
        """Return where the pairs of a kind begin in the parameters."""
        return [FIRST_SATELLITE + 2 * k for k, one in enumerate(self.kinds) if one == kind]

    def evaluate(self, parameters: Vector) -> tuple[Vector, Vector]:
        """Return expected counts (pixel,) and derivatives (pixel, parameter)."""
        axis, lines = self.axis, self._lines(parameters)
        centre, lorentz, gauss_squared, area = parameters[:4]
        x = axis.node_mev - (centre + lines.offsets)[:, None]
        profile = voigt_with_derivatives(
            x, lorentz + axis.lorentz_mev, gauss_squared + axis.gauss_squared_mev2
        )
        strength = area * lines.areas
        rows = np.empty((parameters.size - 2, axis.node_mev.size))
        rows[0] = -strength @ profile.by_x
        rows[1] = strength @ profile.by_lorentz_fwhm
        rows[2] = strength @ profile.by_gauss_fwhm_squared
        rows[3] = lines.areas @ profile.value
        moved = (lines.offset_slopes * strength[:, None])[:, FIRST_SATELLITE:]
        rows[4:] = area * lines.area_slopes[:, FIRST_SATELLITE:].T @ profile.value
        rows[4:] -= moved.T @ profile.by_x
        collected = axis.collect(rows)
        columns = np.empty((axis.ramp.size, parameters.size))
        columns[:, :4] = collected[:4].T
        columns[:, 4], columns[:, 5] = 1.0, axis.ramp
        columns[:, FIRST_SATELLITE:] = collected[4:].T
        counts = parameters[4] + parameters[5] * axis.ramp + area * collected[3]
        return counts, columns

    def exciton(self, parameters: Vector) -> tuple[Vector, Vector]:
        """Return offsets in meV and areas of the exciton's lines against the main one."""
        places = self.places("exciton")
        offsets = np.append(0.0, parameters[places])
        return offsets, np.append(1.0, parameters[[place + 1 for place in places]])

    def centre_mev(self, parameters: Vector) -> float:
        """Return the mean offset of the exciton's lines in meV."""
        return float(self.exciton(parameters)[0].mean())

    def _lines(self, parameters: Vector) -> _Lines:
        parts = [
            *self._with_replicas(self._exciton_lines(parameters), parameters, _QUANTA),
            *self._with_replicas(self._other_lines(parameters), parameters, 1),
        ]
        return _Lines(
            np.concatenate([one.offsets for one in parts]),
            np.concatenate([one.areas for one in parts]),
            np.concatenate([one.offset_slopes for one in parts]),
            np.concatenate([one.area_slopes for one in parts]),
        )

    def _exciton_lines(self, parameters: Vector) -> _Lines:
        offsets, areas = self.exciton(parameters)
        offset_slopes = np.zeros((offsets.size, parameters.size))
        area_slopes = np.zeros_like(offset_slopes)
        for row, place in enumerate(self.places("exciton"), start=1):
            offset_slopes[row, place] = area_slopes[row, place + 1] = 1.0
        return _Lines(offsets, areas, offset_slopes, area_slopes)

    def _other_lines(self, parameters: Vector) -> _Lines:
        exciton = self._exciton_lines(parameters)
        mean, mean_slope = exciton.offsets.mean(), exciton.offset_slopes.mean(axis=0)
        found = [_none(parameters.size)]
        for place in self.places("trion"):
            slope = mean_slope.copy()
            slope[place] -= 1.0
            found.append(
                _Lines(
                    np.array([mean - parameters[place]]),
                    np.array([exciton.areas.sum()]),
                    slope[None, :],
                    exciton.area_slopes.sum(axis=0)[None, :],
                )
            )
            found[-1] = _weaker(found[-1], parameters, place + 1)
        for place in self.places("biexciton"):
            slopes = 2 * mean_slope - exciton.offset_slopes
            slopes[:, place] -= 1.0
            mirrored = 2 * mean - parameters[place] - exciton.offsets
            lines = _Lines(mirrored, exciton.areas, slopes, exciton.area_slopes)
            found.append(_weaker(lines, parameters, place + 1))
        return _Lines(*(np.concatenate(parts) for parts in zip(*map(_parts, found), strict=True)))

    def _with_replicas(self, lines: _Lines, parameters: Vector, quanta: int) -> Iterator[_Lines]:
        """Yield lines and their copies; each with its derivatives by energies and factors."""
        places = self.places("replica")
        for number in range(quanta + 1):
            for chosen in combinations_with_replacement(places, number):
                yield _copy(lines, parameters, chosen)


def _none(size: int) -> _Lines:
    none, slopes = np.zeros(0), np.zeros((0, size))
    return _Lines(none, none, slopes, slopes)


def _parts(lines: _Lines) -> tuple[Vector, Vector, Vector, Vector]:
    return lines.offsets, lines.areas, lines.offset_slopes, lines.area_slopes


def _weaker(lines: _Lines, parameters: Vector, place: int) -> _Lines:
    """Return lines whose areas are multiplied by one parameter."""
    factor = float(parameters[place])
    slopes = factor * lines.area_slopes
    slopes[:, place] += lines.areas
    return _Lines(lines.offsets, factor * lines.areas, lines.offset_slopes, slopes)


def _copy(lines: _Lines, parameters: Vector, chosen: tuple[int, ...]) -> _Lines:
    """Return the copy with these phonons, each given by the place of its energy."""
    repeats = {place: chosen.count(place) for place in chosen}
    weight = math.prod(
        float(parameters[place + 1]) ** n / math.factorial(n) for place, n in repeats.items()
    )
    offset_slopes, area_slopes = lines.offset_slopes.copy(), weight * lines.area_slopes
    for place, n in repeats.items():
        offset_slopes[:, place] -= n
        others = math.prod(
            float(parameters[p + 1]) ** (m - (p == place)) / math.factorial(m)
            for p, m in repeats.items()
        )
        area_slopes[:, place + 1] += n * others * lines.areas
    lower = math.fsum(n * float(parameters[place]) for place, n in repeats.items())
    return _Lines(lines.offsets - lower, weight * lines.areas, offset_slopes, area_slopes)
