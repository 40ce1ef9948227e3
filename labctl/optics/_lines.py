"""Narrow lines in a recorded spectrum: where they are and how well that is known."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.optics._fit import minimise

__all__ = ["FoundLine", "find_lines"]

Vector = NDArray[np.float64]

_FWHM_PER_SD = 2.3548200450309493
_HALF_WINDOW = 5


@dataclass(frozen=True)
class FoundLine:
    """One line found in a spectrum.

    Attributes:
        pixel: Centre, 0-based index of the spectrum, sub-pixel.
        pixel_error: Standard error of the centre in pixels, from the scatter about the Gaussian.
            What the shape of the line does to its centre is not in it.
        height: Above the background, in counts.
        fwhm_pixels: Of a Gaussian fitted around the maximum.
        snr: Height over the noise of the background.
    """

    pixel: float
    pixel_error: float
    height: float
    fwhm_pixels: float
    snr: float


def find_lines(
    counts: Vector, *, saturation_counts: float = np.inf, minimum_snr: float = 8.0
) -> tuple[FoundLine, ...]:
    """Find isolated narrow lines and fit a Gaussian to each, in order of position.

    Lines at the edge, saturated lines and lines much wider than the median (unresolved
    blends) are left out.

    Args:
        counts: Spectrum, shape (n,).
        saturation_counts: A line that reaches this is not used.
        minimum_snr: Height over the noise of the background that a line must have.
    """
    background = _running_median(counts, 51)
    signal = counts - background
    noise = max(1.4826 * float(np.median(np.abs(signal - np.median(signal)))), 1e-12)
    maxima = _maxima(signal, minimum_snr * noise)
    fitted = [
        _fit(signal, k, noise) for k in maxima if not _saturated(counts, k, saturation_counts)
    ]
    good = [line for line in fitted if line is not None]
    if not good:
        return ()
    typical = float(np.median([line.fwhm_pixels for line in good]))
    return tuple(line for line in good if 0.5 * typical < line.fwhm_pixels < 1.5 * typical)


def _running_median(values: Vector, width: int) -> Vector:
    half = width // 2
    padded = np.pad(values, half, mode="reflect" if values.size > half else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    # A low quantile, because lines are positive and may be dense.
    return np.quantile(windows, 0.35, axis=1)


def _maxima(signal: Vector, threshold: float) -> list[int]:
    """Return maxima that stand out and have no higher neighbour within the fit window."""
    found: list[int] = []
    for k in range(_HALF_WINDOW, signal.size - _HALF_WINDOW):
        window = signal[k - 3 : k + 4]
        if signal[k] > threshold and signal[k] == window.max() and signal[k] > signal[k - 1]:
            found.append(k)
    return found


def _saturated(counts: Vector, k: int, limit: float) -> bool:
    return bool(np.any(counts[k - 2 : k + 3] >= limit))


def _fit(signal: Vector, k: int, noise: float) -> FoundLine | None:
    x = np.arange(k - _HALF_WINDOW, k + _HALF_WINDOW + 1, dtype=np.float64)
    y = signal[k - _HALF_WINDOW : k + _HALF_WINDOW + 1]
    # Shot noise of an unknown gain; the scale cancels because the errors are rescaled.
    sigma = np.sqrt(noise**2 + np.abs(y) * noise)

    def residuals(p: NDArray[Any]) -> NDArray[Any]:
        return (p[0] * np.exp(-(((x - p[1]) / p[2]) ** 2) / 2) + p[3] - y) / sigma

    start = np.array([signal[k], float(k), 1.2, 0.0])
    scale = np.array([abs(signal[k]), 1.0, 1.0, noise])
    found, left, jacobian = minimise(residuals, start, scale)
    centre, width = float(found[1]), abs(float(found[2]))
    if not (abs(centre - k) < 1.5 and 0.2 < width < _HALF_WINDOW and found[0] > 0):
        return None
    scatter = max(float(left @ left) / (x.size - 4), 1e-12)
    covariance = np.linalg.pinv(jacobian.T @ jacobian) * scatter
    error, height = float(np.sqrt(covariance[1, 1])), float(found[0])
    return FoundLine(centre, error, height, width * _FWHM_PER_SD, height / noise)
