"""Fitting spots that overlap: Gaussians integrated over pixels, on an even background."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import normal_cdf
from labctl.analysis._image_noise import ImageNoise

__all__ = ["FittedSpot", "fit_spots", "residual_of"]

Image = NDArray[np.float64]
Vector = NDArray[np.float64]

_MOST_STEPS = 30
_STILL_PX = 1e-4
_LONGEST_STEP_PX = 1.0


@dataclass(frozen=True)
class FittedSpot:
    """A fitted spot; positions and widths in pixels, light in counts.

    Attributes:
        snr: Height over its error without the shot noise of the spot itself.
        height: Of the Gaussian, counts per pixel.
        filter_variance: What the spot's shot noise adds to the variance of a matched filter.
    """

    y: float
    x: float
    counts: float
    y_error: float
    x_error: float
    counts_error: float
    snr: float
    height: float
    filter_variance: float
    reduced_chi2: float


def residual_of(image: Image, spots: list[FittedSpot], psf_sd_px: float) -> Image:
    """Return the picture without these spots."""
    rest = image.copy()
    reach = math.ceil(6.0 * psf_sd_px)
    for spot in spots:
        rows, columns = _window(image.shape, [(spot.y, spot.x)], reach)
        shape = _shape(rows, columns, spot.y, spot.x, psf_sd_px)[0]
        rest[rows, columns] -= spot.counts * shape
    return rest


def fit_spots(
    image: Image,
    variance: Image,
    noise: ImageNoise,
    starts: list[tuple[float, float]],
    psf_sd_px: float,
    radius: int,
) -> list[FittedSpot]:
    """Fit all spots of a group together; rows and columns of ``starts`` are near their centres.

    Args:
        image: Counts above the slowly changing background, shape (y, x).
        variance: Of the background, counts², shape (y, x).
        noise: Adds the shot noise of the spots.
        starts: Rows and columns.
        psf_sd_px: Standard deviation of a spot, pixels.
        radius: Pixels further from every start do not count.
    """
    rows, columns = _window(image.shape, starts, radius)
    y, x = _pixels(rows), _pixels(columns)
    near = np.zeros((y.size, x.size), dtype=bool)
    for row, column in starts:
        near |= (y[:, None] - row) ** 2 + (x[None, :] - column) ** 2 <= radius**2
    data, floor = image[rows, columns][near], variance[rows, columns][near]
    fit = _Fit(rows, columns, near, data, floor, noise, psf_sd_px)
    return fit.run(starts)


class _Fit:
    """Gauss-Newton: positions move by steps, counts and background are linear."""

    def __init__(
        self,
        rows: slice,
        columns: slice,
        near: NDArray[np.bool_],
        data: Vector,
        floor: Vector,
        noise: ImageNoise,
        psf_sd_px: float,
    ) -> None:
        self._rows, self._columns, self._near = rows, columns, near
        self._data, self._floor, self._noise, self._sd = data, floor, noise, psf_sd_px

    def run(self, starts: list[tuple[float, float]]) -> list[FittedSpot]:
        places = np.array(starts, dtype=np.float64)
        variance = self._floor
        for _ in range(_MOST_STEPS):
            shapes = self._shapes(places)
            counts, rest = self._linear(shapes, variance)
            light = np.maximum(counts, 0.0) @ shapes[0]
            variance = self._noise.variance(light) - self._noise.floor_variance + self._floor
            step = self._step(shapes, counts, rest, variance)
            places += np.clip(step, -_LONGEST_STEP_PX, _LONGEST_STEP_PX)
            if float(np.max(np.abs(step))) < _STILL_PX:
                break
        return self._report(places, variance)

    def _shapes(self, places: Vector) -> tuple[Image, Image, Image]:
        """Return shape and its derivatives by y and x of each spot, (spot, pixel)."""
        parts = [_shape(self._rows, self._columns, y, x, self._sd) for y, x in places]
        first, second, third = (
            np.stack([part[index][self._near] for part in parts]) for index in range(3)
        )
        return first, second, third

    def _linear(
        self, shapes: tuple[Image, Image, Image], variance: Vector
    ) -> tuple[Vector, Vector]:
        design = np.vstack([shapes[0], np.ones(self._data.size)])
        weighted = design / variance
        found = np.linalg.solve(
            weighted @ design.T + 1e-12 * np.eye(len(design)), weighted @ self._data
        )
        rest: Vector = self._data - found @ design
        return np.asarray(found[:-1], dtype=np.float64), rest

    def _design(self, shapes: tuple[Image, Image, Image], counts: Vector) -> Image:
        shape, by_y, by_x = shapes
        ones = np.ones((1, self._data.size))
        return np.vstack([counts[:, None] * by_y, counts[:, None] * by_x, shape, ones])

    def _step(
        self, shapes: tuple[Image, Image, Image], counts: Vector, rest: Vector, variance: Vector
    ) -> Image:
        design = self._design(shapes, counts)
        normal = (design / variance) @ design.T
        # A spot without light has no place; it stays where it is.
        ridge = 1e-9 * np.trace(normal) / len(normal) + 1e-30
        damped = np.asarray(normal + ridge * np.eye(len(normal)), dtype=np.float64)
        step = np.linalg.solve(damped, np.asarray((design / variance) @ rest, dtype=np.float64))
        places = np.asarray(step[:-1], dtype=np.float64).reshape(3, len(counts))
        return places[:2].T

    def _report(self, places: Vector, variance: Vector) -> list[FittedSpot]:
        shapes = self._shapes(places)
        counts, rest = self._linear(shapes, variance)
        design = self._design(shapes, counts)
        covariance = np.linalg.pinv((design / variance) @ design.T)
        errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
        number = len(counts)
        shape = np.vstack([shapes[0], np.ones(self._data.size)])
        dark = np.sqrt(np.diag(np.linalg.pinv((shape / self._floor) @ shape.T)))
        freedom = max(self._data.size - len(design), 1)
        chi2 = float(np.sum(rest**2 / variance)) / freedom
        found: list[FittedSpot] = []
        for index, (y, x) in enumerate(places):
            found.append(
                FittedSpot(
                    y=float(y),
                    x=float(x),
                    counts=float(counts[index]),
                    y_error=float(errors[index]),
                    x_error=float(errors[number + index]),
                    counts_error=float(errors[2 * number + index]),
                    snr=float(counts[index] / dark[index]),
                    height=float(counts[index] / (2.0 * math.pi * self._sd**2)),
                    filter_variance=self._shot(float(counts[index])),
                    reduced_chi2=chi2,
                )
            )
        return found

    def _shot(self, counts: float) -> float:
        """Return the variance by a spot's own light of its fitted height, counts² per pixel."""
        extra = float(self._noise.variance(np.array([counts]))[0] - self._noise.floor_variance)
        return extra / (6.0 * math.pi**2 * self._sd**4)


def _window(
    shape: tuple[int, ...], places: list[tuple[float, float]], radius: int
) -> tuple[slice, slice]:
    rows, columns = (
        slice(
            max(math.floor(min(p[axis] for p in places)) - radius, 0),
            min(math.ceil(max(p[axis] for p in places)) + radius + 1, shape[axis]),
        )
        for axis in (0, 1)
    )
    return rows, columns


def _pixels(part: slice) -> Vector:
    return np.arange(part.start, part.stop, dtype=np.float64)


def _shape(
    rows: slice, columns: slice, y: float, x: float, sd: float
) -> tuple[Image, Image, Image]:
    """Return a spot of one count, integrated over pixels, and its derivatives by y and x."""
    along_y, slope_y = _profile(rows, y, sd)
    along_x, slope_x = _profile(columns, x, sd)
    return np.outer(along_y, along_x), np.outer(slope_y, along_x), np.outer(along_y, slope_x)


def _profile(part: slice, centre: float, sd: float) -> tuple[Vector, Vector]:
    edges: Vector = (_pixels(slice(part.start, part.stop + 1)) - 0.5 - centre) / sd
    density: Vector = np.exp(-0.5 * edges**2) / (math.sqrt(2.0 * math.pi) * sd)
    return np.diff(normal_cdf(edges)), -np.diff(density)
