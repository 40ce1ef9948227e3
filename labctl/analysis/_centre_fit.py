"""Where a dot is along one axis: a Gaussian through counts at few places."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._poisson_fit import fit_poisson
from labctl.errors import AnalysisError

__all__ = ["CentreFit", "fit_centre"]

Vector = NDArray[np.float64]

_FEWEST = 4
_SEEN_SIGMAS = 5.0
_NARROWEST, _WIDEST = 0.4, 4.0
_LOWEST_DARK = 0.5


@dataclass(frozen=True)
class CentreFit:
    """A maximum along one axis.

    Attributes:
        place_um: Where it is, um.
        sd_um: Standard deviation of the profile, um.
        height: Counts at the maximum, above those in the dark.
        probability: Of a worse fit, if the counts are Poissonian and the profile a Gaussian.
        inside: Whether the maximum lies between the places that were visited.
    """

    place_um: Measured
    sd_um: Measured
    height: Measured
    probability: float
    inside: bool


def fit_centre(places_um: Vector, counts: Vector, dark: float, sd_um: float) -> CentreFit:
    """Fit ``dark + height exp(-(x - place)² / 2 sd²)`` to counts, by the Poisson likelihood.

    The maximum may lie up to half the visited span outside.

    Args:
        places_um: Places along the axis, um, shape (n,), at least 4.
        counts: Counts at each, shape (n,).
        dark: Counts without light that are expected at each, taken as exact.
        sd_um: About how wide the profile is; it may be 0.4 to 4 times as wide.

    Raises:
        AnalysisError: Too few places, or nothing stands out of the dark counts by 5 sigma.
    """
    if places_um.shape != counts.shape or places_um.size < _FEWEST:
        message = f"{places_um.size} places are not enough; at least {_FEWEST} are needed"
        raise AnalysisError(message)
    excess = counts - dark
    if not excess.max() > _SEEN_SIGMAS * math.sqrt(max(dark, 1.0)):
        message = f"at most {counts.max():.0f} counts, {dark:.1f} are dark: nothing shines there"
        raise AnalysisError(message)
    low, high = float(places_um.min()), float(places_um.max())
    reach = 0.5 * (high - low)

    def model(parameters: Vector) -> Vector:
        place, width, height = parameters
        return max(dark, _LOWEST_DARK) + height * np.exp(-0.5 * ((places_um - place) / width) ** 2)

    top = float(excess.max())
    start = np.array([float(places_um[int(np.argmax(excess))]), sd_um, top])
    fit = fit_poisson(
        model,
        counts,
        start,
        np.array([low - reach, _NARROWEST * sd_um, 0.0]),
        np.array([high + reach, _WIDEST * sd_um, 1e3 * top]),
        np.array([sd_um, sd_um, top]),
    )
    place = fit.parameter(0)
    return CentreFit(
        place, fit.parameter(1), fit.parameter(2), fit.probability, low <= place.value <= high
    )
