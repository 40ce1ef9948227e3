"""Dots on a map: spots that stand out of the noise, with names that later steps use."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import hypot, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import ImageNoise, Spot, find_spots
from labctl.errors import AnalysisError
from labctl.measurements._context import Context
from labctl.measurements._counting import Counting

__all__ = [
    "DOTS",
    "SURE_SIGMAS",
    "FoundDot",
    "dots_on_map",
    "report_dots",
    "spot_sd_px",
    "stored_dots",
]

Vector = NDArray[np.float64]

DOTS = "dots"
"""Name under which found dots are journalled."""
SURE_SIGMAS = 5.0
"""A spot that stands out of the noise by so much is a dot."""
_PIXEL_VARIANCE = 1.0 / 12.0


@dataclass(frozen=True)
class FoundDot:
    """A dot that was found on a map, or in a picture.

    Attributes:
        name: ``D001`` and so on, the brightest first.
        x_um: Position of the stage with the dot in the spot, um, and its standard error.
        x_error_um: Standard error of ``x_um``, um.
        y_um: The same along y, um.
        y_error_um: Standard error of ``y_um``, um.
        brightness_hz: Counts per second: on a map those with the dot in the middle of the spot, in
            a picture those of all its pixels.
        snr: Height over noise.
        confidence: Probability that noise alone makes no such spot anywhere in map or picture.
    """

    name: str
    x_um: float
    x_error_um: float
    y_um: float
    y_error_um: float
    brightness_hz: float
    snr: float
    confidence: float

    def as_setting(self) -> dict[str, str | float]:
        """Return what a point that is measured on this dot stores of it."""
        return asdict(self)


def report_dots(
    context: Context, dots: Sequence[FoundDot], counting: Counting, spot_um: float, by: str
) -> None:
    """Journal what was found, for the steps that go there.

    Args:
        context: The context of the measurement.
        dots: The dots.
        counting: How their light is counted when they are gone to.
        spot_um: Full width of a dot in such counts against the place of the stage, um.
        by: Kind of the measurement; by a map brightness is counted as later, too.
    """
    names = set(Counting.model_fields)
    data = {
        DOTS: [asdict(dot) for dot in dots],
        "counting": counting.model_dump(mode="json", by_alias=True, include=names),
        "spot_um": spot_um,
        "comparable": by == "map",
    }
    context.found(DOTS, data)
    context.message("info", by, f"{len(dots)} {'dot' if len(dots) == 1 else 'dots'} found")


def spot_sd_px(fwhm_um: float, step_um: float) -> float:
    """Return the standard deviation of a dot's spot for the finder, pixels.

    The finder integrates over pixels and a map takes samples: a Gaussian that is narrower by the
    variance of a pixel, 1/12, gives the same picture, up to terms of fourth order.

    Raises:
        AnalysisError: The steps are so wide that dots fall between them.
    """
    variance = (fwhm_um / 2.3548 / step_um) ** 2 - _PIXEL_VARIANCE
    if variance < _PIXEL_VARIANCE:
        message = f"dots of {fwhm_um:g} um fall between steps of {step_um:g} um"
        raise AnalysisError(message)
    return sqrt(variance)


def dots_on_map(
    rate_hz: Vector,
    x_um: Vector,
    y_um: Vector,
    *,
    live_s: float,
    fwhm_um: float,
    apart_um: float = 0.0,
) -> list[FoundDot]:
    """Find the dots of a map at 5 sigma of its shot noise, the brightest first.

    Args:
        rate_hz: Counts per second, shape (y, x).
        x_um: Position of the columns, um, evenly spaced.
        y_um: Position of the rows, um.
        live_s: Time of counting in each pixel, s.
        fwhm_um: Full width at half maximum of a dot on the map, um.
        apart_um: A spot nearer than this to a brighter one counts as a piece of it, um.

    Raises:
        AnalysisError: The map is too small or too coarse.
    """
    counts = rate_hz * live_s
    step_um = float(x_um[1] - x_um[0])
    # Counts have the variance of their mean; the median is what most pixels show, no dot.
    noise = ImageNoise(max(float(np.median(counts)), 1.0), 1.0)
    spots = find_spots(counts, noise, spot_sd_px(fwhm_um, step_um))
    sure = _whole([spot for spot in spots if spot.snr >= SURE_SIGMAS], apart_um / step_um)
    area = 2.0 * pi * (fwhm_um / 2.3548 / step_um) ** 2
    return [
        _dot(f"D{n:03d}", spot, x_um, y_um, step_um, spot.counts.value / area / live_s)
        for n, spot in enumerate(sure, 1)
    ]


def _whole(spots: Sequence[Spot], apart_px: float) -> list[Spot]:
    """Return spots, the brightest first, without those that are too near to one before."""
    kept: list[Spot] = []
    for spot in spots:
        x_px, y_px = spot.x_px.value, spot.y_px.value
        if all(hypot(k.x_px.value - x_px, k.y_px.value - y_px) >= apart_px for k in kept):
            kept.append(spot)
    return kept


def _dot(
    name: str, spot: Spot, x_um: Vector, y_um: Vector, step_um: float, brightness_hz: float
) -> FoundDot:
    return FoundDot(
        name,
        _along(x_um, spot.x_px.value),
        spot.x_px.error * step_um,
        _along(y_um, spot.y_px.value),
        spot.y_px.error * step_um,
        brightness_hz,
        spot.snr,
        spot.confidence,
    )


def _along(places_um: Vector, pixel: float) -> float:
    return float(np.interp(pixel, np.arange(len(places_um)), places_um))


def stored_dots(found: Mapping[str, Any]) -> list[FoundDot]:
    """Return the dots of a record of what was found."""
    dots: Sequence[Mapping[str, Any]] = found[DOTS]
    return [FoundDot(**dot) for dot in dots]
