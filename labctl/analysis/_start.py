"""Where the line is and how wide, before any fit: robust against spikes and slopes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError

__all__ = ["Start", "find_start", "matched_signal", "median3"]

Vector = NDArray[np.float64]

_MEDIAN_DIFFERENCE = 0.6745 * 2**0.5
_LEAST_HEIGHT = 3.5


@dataclass(frozen=True)
class Start:
    """Rough line.

    Attributes:
        pixel: Index of the maximum.
        fwhm_pixels: Width at half maximum.
        height: Above the background.
        background: Level.
        noise: Standard deviation of the background.
    """

    pixel: int
    fwhm_pixels: float
    height: float
    background: float
    noise: float


def median3(values: Vector) -> Vector:
    """Return the running median of three, which takes out single spikes."""
    padded = np.pad(values, 1, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 3), axis=1)


def find_start(counts: Vector, usable: NDArray[np.bool_], noise_floor: float) -> Start:
    """Find the strongest line.

    The background is the lower part of the spectrum; the line is the highest place after a
    median of three and a mean of three, so that a cosmic ray does not win.

    Args:
        counts: Shape (pixel,), counts.
        usable: Pixels that may be used.
        noise_floor: Smallest standard deviation to believe, counts.

    Raises:
        AnalysisError: If nothing stands 3.5 standard deviations of a pixel above the background.
    """
    filled = np.interp(np.arange(counts.size), np.flatnonzero(usable), counts[usable])
    smooth = np.convolve(np.pad(median3(filled), 1, mode="edge"), np.ones(3) / 3, mode="valid")
    background = float(np.quantile(filled, 0.25))
    # Of differences of neighbours, which lines and slopes hardly change.
    scatter = float(np.median(np.abs(np.diff(filled)))) / _MEDIAN_DIFFERENCE
    noise = max(scatter, noise_floor)
    pixel = int(np.argmax(smooth))
    height = float(smooth[pixel]) - background
    if not height > _LEAST_HEIGHT * noise:
        msg = f"no line: the highest place is {height:.3g} counts above a noise of {noise:.3g}"
        raise AnalysisError(msg)
    above = smooth > background + height / 2
    left = pixel - int(np.argmin(above[pixel::-1])) if not above[: pixel + 1].all() else 0
    right = pixel + int(np.argmin(above[pixel:])) if not above[pixel:].all() else counts.size - 1
    return Start(pixel, float(max(right - left - 1, 1)), height, background, noise)


def matched_signal(residuals: Vector, sigma: Vector, kernel: Vector) -> Vector:
    """Return at each pixel the significance of a further line of the shape ``kernel``.

    Args:
        residuals: Counts minus model, shape (pixel,).
        sigma: Standard deviation of each pixel.
        kernel: Line per pixel, odd length, centred.
    """
    weighted = np.convolve(residuals / sigma**2, kernel[::-1], mode="same")
    information = np.convolve(1 / sigma**2, kernel[::-1] ** 2, mode="same")
    return weighted / np.sqrt(information)
