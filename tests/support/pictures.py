"""Pictures whose truth is known: spots, and structure that moves by any fraction of a pixel."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float64]

PSF_PX = 1.6
COUNTS_PER_ELECTRON = 0.5


def spot(shape: tuple[int, int], x: float, y: float, counts: float, sd: float = PSF_PX) -> Image:
    """A Gaussian integrated over pixels, by the error function of the standard library."""
    along = [
        np.diff(
            [0.5 * math.erf((edge - 0.5 - at) / (sd * math.sqrt(2.0))) for edge in range(n + 1)]
        )
        for n, at in ((shape[0], y), (shape[1], x))
    ]
    return counts * np.outer(along[0], along[1])


def dotted(
    seed: int,
    spots: Iterable[tuple[float, float, float]],
    shape: tuple[int, int] = (192, 240),
    frames: int = 5,
) -> Image:
    """Frames of spots (x, y, electrons) on an uneven background, with all noise of a camera."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    mean = 30.0 * np.exp(-((y - 90.0) ** 2 + (x - 130.0) ** 2) / (2.0 * 150.0**2))
    for column, row, electrons in spots:
        mean = mean + spot(shape, column, row, electrons)
    electrons = rng.poisson(mean, (frames, *shape)) + 9.0 * rng.standard_normal((frames, *shape))
    return np.rint(electrons * COUNTS_PER_ELECTRON + 50.0)


def structure(seed: int, shape: tuple[int, int], shift: tuple[float, float], noise: int) -> Image:
    """Waves and marks, moved by ``shift`` (x, y) exactly, under a light that does not move."""
    rng = np.random.default_rng(seed)
    wave, phase = 0.2 * rng.normal(size=(120, 2)), rng.uniform(0.0, 2.0 * math.pi, 120)
    height = 10.0 * rng.normal(size=120) * np.exp(1j * phase)
    rows, columns = (np.arange(n) - by for n, by in zip(shape, reversed(shift), strict=True))
    picture = np.real(
        np.exp(1j * np.outer(rows, wave[:, 0]))
        * height
        @ np.exp(1j * np.outer(wave[:, 1], columns))
    )
    marks = rng.uniform(-100.0, max(shape) + 100.0, (shape[0] * shape[1] // 600, 2))
    depth = 80.0 * rng.normal(size=len(marks))
    along = [
        np.exp(-0.5 * ((at[:, None] - marks[None, :, axis]) / 2.0) ** 2)
        for axis, at in enumerate((rows, columns))
    ]
    picture += (along[0] * depth) @ along[1].T
    light = [np.exp(-0.5 * ((np.arange(n) / n - 0.55) / 0.6) ** 2) for n in shape]
    bright = (500.0 + picture) * np.outer(light[0], light[1])
    return bright + 20.0 * np.random.default_rng(noise).standard_normal(shape)
