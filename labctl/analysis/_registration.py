"""How far a picture has moved against another one: phase correlation of their spectra."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["ImageShift", "register_images"]

Image = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

_SMALLEST_PX = 32
_LOWEST_CYCLES = 4.0
"""Slower changes over the picture belong to the illumination, which does not move."""
_SMOOTH_PX = 1.5
_CANDIDATES = 4
_APART_SHARE = 0.06
"""Nearer places are the flank of the same peak; share of the smaller side of the picture."""
_LEAST_CORRELATION = 0.3
_LARGEST_RIVAL = 0.8
_MOST_STEPS = 20
_STILL_PX = 1e-6
_HANN_BANDWIDTH = 1.5
"""Neighbouring Fourier components of a picture under a Hann window are not independent."""


@dataclass(frozen=True)
class ImageShift:
    """Movement of what is in a picture.

    Attributes:
        x_px: Movement towards larger columns, pixels.
        y_px: Movement towards larger rows, pixels.
        correlation: Correlation coefficient of the fine structure of the two where they overlap;
            1 without noise.
        rival: The largest such number at another movement; of one that is not mistaken it is far
            smaller.
        overlap: Share of the picture that both have in common.
    """

    x_px: Measured
    y_px: Measured
    correlation: float
    rival: float
    overlap: float


def register_images(reference: Image, image: Image) -> ImageShift:
    """Find the movement d with ``image(r) = reference(r - d)``.

    Phase correlation (Kuglin and Hines 1975) gives candidates to a whole pixel, of which the one
    with the best correlation coefficient counts. In the part that both have in common the phases
    of the cross spectrum are then fitted by a plane, weighted by the signal at each frequency
    (Hoge, IEEE Trans. Med. Imaging 22, 299 (2003)): the rest and, from the scatter of the phases,
    its error.

    Args:
        reference: Counts, shape (y, x).
        image: Counts, same shape.

    Raises:
        AnalysisError: Shapes differ, a picture is too small or has no structure, nothing in one
            is found in the other, or it fits at several places.
    """
    if reference.shape != image.shape or reference.ndim != 2:
        message = f"pictures of shapes {reference.shape} and {image.shape} cannot be compared"
        raise AnalysisError(message)
    _check_size(reference.shape)
    rivals = _candidates(reference, image)
    correlation, row, column = rivals[0]
    rival = rivals[1][0] if len(rivals) > 1 else 0.0
    if not correlation >= _LEAST_CORRELATION:
        message = (
            f"the pictures have nothing in common: at best they correlate by {correlation:.2f}, "
            f"{_LEAST_CORRELATION:g} is needed"
        )
        raise AnalysisError(message)
    if rival > _LARGEST_RIVAL * correlation:
        message = f"the pictures fit at several places, by {correlation:.2f} and {rival:.2f}"
        raise AnalysisError(message)
    first, second = _common(reference, image, row, column)
    y_px, x_px = _fraction(first, second)
    return ImageShift(
        x_px=Measured(column + x_px.value, x_px.error),
        y_px=Measured(row + y_px.value, y_px.error),
        correlation=correlation,
        rival=rival,
        overlap=first.size / reference.size,
    )


def _check_size(shape: tuple[int, ...]) -> None:
    if min(shape) < _SMALLEST_PX:
        message = f"a picture of {shape} pixels is too small; {_SMALLEST_PX} are needed each way"
        raise AnalysisError(message)


def _cycles(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the frequency of each Fourier component in cycles per picture, shape (y, x)."""
    rows, columns = (np.fft.fftfreq(length) * length for length in shape)
    return np.hypot(rows[:, None], columns[None, :])


def _spectrum(image: Image) -> Spectrum:
    window = np.outer(*(np.hanning(length + 2)[1:-1] for length in image.shape))
    level = float(np.average(image, weights=window))
    spectrum: Spectrum = np.fft.fft2((image - level) * window)
    spectrum[_cycles(image.shape) < _LOWEST_CYCLES] = 0.0
    if not float(np.abs(spectrum).max()) > 1e-9 * abs(level) * math.sqrt(image.size):
        message = "a picture has no structure"
        raise AnalysisError(message)
    return spectrum


def _noise_power(magnitude: NDArray[np.float64]) -> float:
    """Return the typical magnitude of the cross spectrum at the highest frequencies."""
    rows, columns = (np.abs(np.fft.fftfreq(length)) > 0.4 for length in magnitude.shape)
    highest = float(np.median(magnitude[np.ix_(rows, columns)]))
    return highest + 1e-12 * float(magnitude.max())


def _candidates(reference: Image, image: Image) -> list[tuple[float, int, int]]:
    """Return correlation coefficient, rows and columns of the best movements, apart."""
    cross: Spectrum = _spectrum(image) * np.conj(_spectrum(reference))
    magnitude = np.abs(cross)
    # Where only noise is left, magnitudes are not brought up to those of the picture. Few strong
    # waves are seen better as they are.
    whitened = cross / (magnitude + 3.0 * _noise_power(magnitude))
    fine = _fine(reference), _fine(image)
    found: list[tuple[float, int, int]] = []
    for row, column in {*_peaks(whitened), *_peaks(cross)}:
        first, second = _common(*fine, row, column)
        if min(first.shape) >= _SMALLEST_PX:
            found.append((float(np.corrcoef(first.ravel(), second.ravel())[0, 1]), row, column))
    apart = _apart(image.shape)
    best: list[tuple[float, int, int]] = []
    for one in sorted(found, reverse=True):
        if all(max(abs(one[1] - b[1]), abs(one[2] - b[2])) > apart for b in best):
            best.append(one)
    return best


def _apart(shape: tuple[int, ...]) -> int:
    return math.ceil(_APART_SHARE * min(shape))


def _peaks(cross: Spectrum) -> list[tuple[int, int]]:
    """Return rows and columns of the highest places of the correlation, apart."""
    surface = np.real(np.fft.ifft2(cross))
    apart = _apart(surface.shape)
    found: list[tuple[int, int]] = []
    for _ in range(_CANDIDATES):
        top = np.unravel_index(int(np.argmax(surface)), surface.shape)
        near: list[NDArray[np.int64]] = []
        signed: list[int] = []
        for at, length in zip(top, surface.shape, strict=True):
            around = np.arange(int(at) - apart, int(at) + apart + 1, dtype=np.int64)
            near.append(around % length)
            signed.append((int(at) + length // 2) % length - length // 2)
        surface[np.ix_(near[0], near[1])] = -math.inf
        found.append((signed[0], signed[1]))
    return found


def _fine(image: Image) -> Image:
    """Return the fine structure: without the illumination, and with most of the noise taken out."""
    spectrum: Spectrum = np.fft.fft2(image - image.mean())
    frequency = (
        2.0
        * math.pi
        * np.hypot(np.fft.fftfreq(image.shape[0])[:, None], np.fft.fftfreq(image.shape[1])[None, :])
    )
    spectrum *= np.exp(-0.5 * (frequency * _SMOOTH_PX) ** 2)
    spectrum[_cycles(image.shape) < _LOWEST_CYCLES] = 0.0
    return np.real(np.fft.ifft2(spectrum))


def _common(reference: Image, image: Image, row: int, column: int) -> tuple[Image, Image]:
    """Return the part of both that shows the same, aligned to a whole pixel."""
    parts: list[tuple[slice, slice]] = []
    for shift, length in zip((row, column), reference.shape, strict=True):
        moved = slice(max(shift, 0), length + min(shift, 0))
        parts.append((slice(moved.start - shift, moved.stop - shift), moved))
    (rows, moved_rows), (columns, moved_columns) = parts
    return reference[rows, columns], image[moved_rows, moved_columns]


def _fraction(reference: Image, image: Image) -> tuple[Measured, Measured]:
    """Fit the rest of the movement to the phases; y, x in pixels."""
    cross: Spectrum = _spectrum(image) * np.conj(_spectrum(reference))
    magnitude = np.abs(cross)
    floor = _noise_power(magnitude)
    grid_y, grid_x = np.meshgrid(
        *(2.0 * math.pi * np.fft.fftfreq(length) for length in cross.shape), indexing="ij"
    )
    # Each frequency stands there twice, with opposite sign; near Nyquist's, pixels begin to show.
    half = (grid_x > 0.0) | ((grid_x == 0.0) & (grid_y > 0.0))
    used = half & (np.hypot(grid_x, grid_y) < 0.5 * math.pi) & (magnitude > 4.0 * floor)
    if int(used.sum()) < 10:
        message = "the pictures have too little structure in common for a fraction of a pixel"
        raise AnalysisError(message)
    slopes = np.asarray(-np.stack([grid_y[used], grid_x[used]], axis=1), dtype=np.float64)
    found, errors = _plane(slopes, cross[used], magnitude[used] / floor)
    return Measured(float(found[0]), float(errors[0])), Measured(float(found[1]), float(errors[1]))


def _plane(
    slopes: Image, cross: Spectrum, weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the two coefficients of the plane through the phases of ``cross``, and their errors.

    The variance of a phase is the noise over the power of the signal, so ``weight`` is the
    inverse. The errors are by the scatter of the phases about the plane.
    """
    found = np.zeros(2)
    residual = np.angle(cross)
    for _ in range(_MOST_STEPS):
        # Phases that the noise of their frequency has turned round do not pull.
        trusted = weight * np.clip(np.cos(residual), 0.0, None)
        normal = slopes.T @ (trusted[:, None] * slopes)
        step = np.linalg.solve(normal, slopes.T @ (trusted * residual))
        found += step
        residual = np.angle(cross * np.exp(-1j * (slopes @ found)))
        if float(np.max(np.abs(step))) < _STILL_PX:
            break
    inverse = np.linalg.inv(slopes.T @ (weight[:, None] * slopes))
    scatter = slopes.T @ (((weight * residual) ** 2)[:, None] * slopes)
    return found, _HANN_BANDWIDTH * np.sqrt(np.diag(inverse @ scatter @ inverse))
