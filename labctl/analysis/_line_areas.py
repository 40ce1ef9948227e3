"""Areas of lines whose distances and widths are known from another spectrum of the same dot.

What is left free is the brightness of each line, the background, and a shift and a Gaussian width
of all lines together: spectral diffusion moves a dot by a good part of its line width between two
spectra and widens their sum, and a line that is looked for beside its place, or too wide, gives
light to its neighbour.
"""

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

__all__ = ["LineAreas", "line_areas"]

Vector = NDArray[np.float64]

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
    """

    counts: Vector
    covariance: Vector
    shift_mev: Measured


def line_areas(
    combined: CombinedFrames,
    wavelength_nm: Vector,
    noise: NoiseModel,
    known: PeakFit,
    response: InstrumentResponse | None,
) -> LineAreas:
    """Return the areas of all lines of a fit in another spectrum, on a sloping background.

    Args:
        combined: Counts (bias included), which pixels are usable, and extra variance.
        wavelength_nm: At the pixel centres, in air, shape (pixel,).
        noise: Noise of these counts.
        known: The fit that tells where the lines are and how wide.
        response: That of the grating.

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
    covariance, change, chi2 = np.eye(size), np.zeros(2), 0.0
    for number in range(_ROUNDS):
        sigma = np.sqrt(noise.variance(expected) * combined.variance_scale[inside])[keep]
        lines, common = _profiles(axis, known, found[2:], change)
        # Without areas from a round before nothing tells of place and width yet.
        design = np.column_stack([lines, common]) if number else lines
        rows = design[keep] / sigma[:, None]
        covariance = invert_normal(rows)
        solution = covariance @ rows.T @ (counts[keep] / sigma)
        found, expected = solution[:size], design @ solution
        if number:
            change = np.clip(change + solution[size:], -bounds, bounds)
        chi2 = float(np.sum(((counts - expected)[keep] / sigma) ** 2))
    freedom = int(keep.sum()) - size - change.size
    poor = chi2_probability(chi2, freedom) < _POOR and chi2 > freedom
    scale = chi2 / freedom if poor or noise.assumed else 1.0
    spread = scale * covariance
    shift = Measured(float(change[0]), float(np.sqrt(spread[size, size])))
    return LineAreas(found[2:], spread[2:size, 2:size], shift)


def _profiles(axis: Axis, known: PeakFit, areas: Vector, change: Vector) -> tuple[Vector, Vector]:
    """Return the lines, and how the spectrum changes with their common place and width.

    Args:
        axis: Of the pixels.
        known: The fit.
        areas: Of the lines so far, shape (line,).
        change: Shift in meV and change of the squared Gaussian FWHM in meV^2.

    Returns:
        Level, slope and lines of unit area, shape (pixel, 2 + line), and the derivatives by shift
        and squared width, shape (pixel, 2).
    """
    least = 1e-4 * axis.pixel_mev**2 - axis.gauss_squared_mev2
    main = float(areas[0]) if abs(areas[0]) > _NO_AREA else _NO_AREA
    parameters = np.empty(FIRST_SATELLITE + 2 * len(known.lines))
    parameters[:FIRST_SATELLITE] = (
        1e3 * (known.energy_ev.value - axis.reference_ev) + change[0],
        known.lorentz_fwhm_mev.value,
        max(known.gauss_squared_mev2.value + change[1], least),
        main,
        0.0,
        0.0,
    )
    parameters[FIRST_SATELLITE::2] = [line.offset_mev.value for line in known.lines]
    parameters[FIRST_SATELLITE + 1 :: 2] = areas[1:] / main
    _, columns = SpectrumModel(axis).evaluate(parameters)
    others = columns[:, FIRST_SATELLITE + 1 :: 2] / main
    first = columns[:, 3] - others @ (areas[1:] / main)
    level = np.column_stack([np.ones(axis.ramp.size), axis.ramp])
    return np.column_stack([level, first, others]), columns[:, [0, 2]]
