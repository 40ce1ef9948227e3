"""Areas of lines whose distances and widths are known from another spectrum of the same dot.

What is left free is the brightness of each line, the background, and a shift and a Gaussian width
of all lines together: spectral diffusion moves a dot by a good part of its line width between two
spectra and widens their sum, and a line that is looked for beside its place, or too wide, gives
light to its neighbour.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import chi2_probability, invert_normal
from labctl.analysis._frames import CombinedFrames
from labctl.analysis._measured import Measured
from labctl.analysis._model import FIRST_SATELLITE, Axis, SpectrumModel, make_axis
from labctl.analysis._noise import NoiseModel
from labctl.analysis._peak_result import PeakFit
from labctl.analysis._response import InstrumentResponse
from labctl.optics import HC_EV_NM, vacuum_nm

__all__ = ["LineAreas", "light_of_lines", "line_areas"]

Vector = NDArray[np.float64]
Copy = tuple[float, float]

_ROUNDS = 6
_POOR = 1e-3
_NO_AREA = 1e-6
_FARTHEST_WIDTHS = 0.5
"""Largest shift in widths of the line; more is a line that is not there."""


@dataclass(frozen=True, eq=False)
class LineAreas:
    """Lines of one spectrum.

    Attributes:
        counts: Areas of ``(main line, *known.lines)``, shape (line,).
        covariance: Of the areas, shape (line, line).
        shift_mev: Of all lines against those known.
        widened_mev2: Change of their squared Gaussian FWHM; without error if it was given.
        pull: How the logarithm of the likelihood rises when one line alone moves, brightness,
            background and width following, 1/meV, shape (line,).
        information: How it falls beyond, 1/meV^2, shape (line, line).
    """

    counts: Vector
    covariance: Vector
    shift_mev: Measured
    widened_mev2: Measured
    pull: Vector
    information: Vector

    @classmethod
    def exact(cls, counts: Vector) -> "LineAreas":
        """Return areas that are known, of lines that lie where they should, shape (line,)."""
        none, nothing = np.zeros((counts.size, counts.size)), Measured(0.0, 0.0)
        return cls(counts, none, nothing, nothing, np.zeros(counts.size), none)


def line_areas(
    combined: CombinedFrames,
    wavelength_nm: Vector,
    noise: NoiseModel,
    known: PeakFit,
    response: InstrumentResponse | None,
    copies: Sequence[Copy] = (),
    widened_mev2: float | None = None,
) -> LineAreas:
    """Return the areas of all lines of a fit in another spectrum, on a sloping background.

    Args:
        combined: Counts (bias included), which pixels are usable, and extra variance.
        wavelength_nm: At the pixel centres, in air, shape (pixel,).
        noise: Noise of these counts.
        known: The fit that tells where the lines are and how wide.
        response: That of the grating.
        copies: Phonon replicas that every line has: how far below, meV, and their share of it.
        widened_mev2: Change of the squared Gaussian FWHM against that known, if it is known too;
            None leaves it free, which biases areas by noise in the second order.

    Returns:
        The areas; their errors are scaled if the fit is worse than one chance in a thousand.
    """
    inside = slice(*known.window)
    axis = make_axis(vacuum_nm(wavelength_nm[inside]), HC_EV_NM / known.energy_ev.value, response)
    counts, keep = combined.counts[inside], combined.usable[inside]
    expected = np.full(counts.size, float(np.median(counts[keep])))
    farthest = _FARTHEST_WIDTHS * known.fwhm_observed_mev.value
    bounds = np.array([farthest, farthest**2])
    size, found = 3 + len(known.lines), np.zeros(3 + len(known.lines))
    covariance, chi2, sigma = np.eye(size), 0.0, np.ones(int(keep.sum()))
    change, free = np.array([0.0, widened_mev2 or 0.0]), 2 if widened_mev2 is None else 1
    for number in range(_ROUNDS):
        sigma = np.sqrt(noise.variance(expected) * combined.variance_scale[inside])[keep]
        lines, own, wider = _profiles(axis, known, copies, found[2:], change)
        common = np.column_stack([own.sum(axis=1), wider])
        # Without areas from a round before nothing tells of place and width yet.
        design = np.column_stack([lines, common[:, :free]]) if number else lines
        rows = design[keep] / sigma[:, None]
        covariance = invert_normal(rows)
        solution = covariance @ rows.T @ (counts[keep] / sigma)
        found, expected = solution[:size], design @ solution
        if number:
            change[:free] += solution[size:]
            change = np.clip(change, -bounds, bounds)
        chi2 = float(np.sum(((counts - expected)[keep] / sigma) ** 2))
    freedom = int(keep.sum()) - size - free
    poor = chi2_probability(chi2, freedom) < _POOR and chi2 > freedom
    scale = chi2 / freedom if poor or noise.assumed else 1.0
    spread = scale * covariance
    errors = np.append(np.sqrt(np.diag(spread)[size:]), 0.0)
    shift, widened = (Measured(float(v), float(e)) for v, e in zip(change, errors[:2], strict=True))
    lines, own, wider = _profiles(axis, known, copies, found[2:], change)
    others = np.column_stack([lines, wider])[:, : size + free - 1]
    root = sigma * math.sqrt(scale)
    pull, information = _profiled(
        own[keep] / root[:, None], others[keep] / root[:, None], (counts - expected)[keep] / root
    )
    return LineAreas(found[2:], spread[2:size, 2:size], shift, widened, pull, information)


def _profiled(wanted: Vector, others: Vector, residuals: Vector) -> tuple[Vector, Vector]:
    """Return pull and information of some parameters while the others follow.

    Args:
        wanted: Derivatives of the model by these, over the noise, shape (pixel, wanted).
        others: By the others, shape (pixel, other).
        residuals: Over the noise, shape (pixel,).
    """
    followed = wanted - others @ (invert_normal(others) @ (others.T @ wanted))
    return followed.T @ residuals, followed.T @ wanted


def light_of_lines(
    wavelength_nm: Vector,
    known: PeakFit,
    response: InstrumentResponse | None,
    copies: Sequence[Copy],
    areas: LineAreas,
) -> Vector:
    """Return the counts of the lines of a fit and of their replicas, as one spectrum has them.

    Args:
        wavelength_nm: At the pixel centres, in air, shape (pixel,); any part of the spectrum.
        known: The fit that tells where the lines are and how wide.
        response: That of the grating.
        copies: Phonon replicas that every line has, as for `line_areas`.
        areas: What `line_areas` has found in the spectrum.

    Returns:
        Shape (pixel,), counts.
    """
    axis = make_axis(vacuum_nm(wavelength_nm), HC_EV_NM / known.energy_ev.value, response)
    change = np.array([areas.shift_mev.value, areas.widened_mev2.value])
    shapes, _, _ = _profiles(axis, known, copies, areas.counts, change)
    return shapes[:, 2:] @ areas.counts


def _profiles(
    axis: Axis, known: PeakFit, copies: Sequence[Copy], areas: Vector, change: Vector
) -> tuple[Vector, Vector, Vector]:
    """Return the lines, and how the spectrum changes with their places and common width.

    Args:
        axis: Of the pixels.
        known: The fit.
        copies: Replicas of every line.
        areas: Of the lines so far, shape (line,).
        change: Shift in meV and change of the squared Gaussian FWHM in meV^2.

    Returns:
        Level, slope and lines of unit area (their copies come on top), shape (pixel, 2 + line),
        the derivatives by the place of each line, shape (pixel, line), and by the squared width,
        shape (pixel, 1).
    """
    least = 1e-4 * axis.pixel_mev**2 - axis.gauss_squared_mev2
    main = float(areas[0]) if abs(areas[0]) > _NO_AREA else _NO_AREA
    offsets_mev = np.array([0.0, *(line.offset_mev.value for line in known.lines)])
    # One row for the lines themselves and one for each copy of them.
    below_mev, shares = np.array([(0.0, 1.0), *copies]).T
    parameters = np.empty(FIRST_SATELLITE + 2 * (offsets_mev.size * shares.size - 1))
    parameters[:FIRST_SATELLITE] = (
        1e3 * (known.energy_ev.value - axis.reference_ev) + change[0],
        known.lorentz_fwhm_mev.value,
        max(known.gauss_squared_mev2.value + change[1], least),
        main,
        0.0,
        0.0,
    )
    parameters[FIRST_SATELLITE::2] = (offsets_mev - below_mev[:, None]).ravel()[1:]
    ratios = (np.outer(shares, areas) / main).ravel()[1:]
    parameters[FIRST_SATELLITE + 1 :: 2] = ratios
    _, columns = SpectrumModel(axis).evaluate(parameters)
    others = columns[:, FIRST_SATELLITE + 1 :: 2] / main
    every = np.column_stack([columns[:, 3] - others @ ratios, others])
    stacked = every.reshape(-1, shares.size, offsets_mev.size)
    lines: Vector = (stacked * shares[:, None]).sum(axis=1)
    level = np.column_stack([np.ones(axis.ramp.size), axis.ramp])
    beside = columns[:, FIRST_SATELLITE::2]
    places = np.column_stack([columns[:, 0] - beside.sum(axis=1), beside])
    own: Vector = places.reshape(-1, shares.size, offsets_mev.size).sum(axis=1)
    return np.column_stack([level, lines]), own, columns[:, [2]]
