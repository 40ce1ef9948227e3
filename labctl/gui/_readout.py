"""What is read off a spectrum at a glance: the highest peak and its width; no fit."""

import numpy as np
from numpy.typing import NDArray

from labctl.optics import air_nm_to_ev, ev_to_air_nm, width_nm_to_mev

__all__ = ["describe_peak", "half_maximum_width"]


def describe_peak(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    unit: str,
    between: tuple[float, float] | None = None,
) -> str:
    """Return the highest peak in words.

    Args:
        x: Wavelength in nm or photon energy in eV, rising or falling.
        y: Counts or rate.
        unit: ``nm`` or ``eV``, the unit of ``x``.
        between: Only what lies between these two places counts; their distance is told, too.
    """
    if between is not None:
        inside = (x >= between[0]) & (x <= between[1])
        x, y = x[inside], y[inside]
    if len(x) < 3:
        return "no data between the cursors" if between is not None else ""
    top = int(np.argmax(y))
    at = float(x[top])
    nm, ev = (at, air_nm_to_ev(at)) if unit == "nm" else (ev_to_air_nm(at), at)
    text = f"peak {nm:.3f} nm = {ev:.5f} eV, {y[top]:.5g}"
    width = half_maximum_width(x, y)
    if width is not None:
        # dE / E = d lambda / lambda, for widths that are small against the wavelength.
        wide_nm = width if unit == "nm" else width * nm / ev
        mev = width_nm_to_mev(wide_nm, nm)
        text += f", FWHM {wide_nm:.3f} nm = {mev:.2f} meV"
    if between is not None:
        text += f"; cursors {between[0]:.4f} to {between[1]:.4f} {unit}"
        text += f", {abs(between[1] - between[0]):.4g} {unit} apart"
    return text


def half_maximum_width(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Return the full width at half maximum over the median, in the unit of ``x``.

    None if the peak is not inside, or no more than noise.
    """
    floor = float(np.median(y))
    top = int(np.argmax(y))
    height = float(y[top]) - floor
    spread = 1.4826 * float(np.median(np.abs(y - floor)))
    if height <= 5.0 * spread or height <= 0.0:
        return None
    half = floor + height / 2
    below = np.flatnonzero(y < half)
    left, right = below[below < top], below[below > top]
    if not len(left) or not len(right):
        return None
    first = _crossing(x, y, int(left[-1]), int(left[-1]) + 1, half)
    last = _crossing(x, y, int(right[0]), int(right[0]) - 1, half)
    return abs(last - first)


def _crossing(
    x: NDArray[np.float64], y: NDArray[np.float64], low: int, high: int, level: float
) -> float:
    share = (level - y[low]) / (y[high] - y[low])
    return float(x[low] + share * (x[high] - x[low]))
