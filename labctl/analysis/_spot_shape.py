"""How large the laser spot is on the sample, from its picture."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import solve
from labctl.analysis._image_noise import ImageNoise, measure_image_noise
from labctl.analysis._image_scale import ImageScale
from labctl.analysis._measured import Measured
from labctl.analysis._propagate import propagate
from labctl.analysis._spot_place import SpotPlace, locate_spot
from labctl.errors import AnalysisError

__all__ = ["SpotShape", "SpotSize", "above_dark", "measure_spot", "spot_size"]

Image = NDArray[np.float64]
Vector = NDArray[np.float64]

_REACH_SDS = 3.5
_PIXEL_VARIANCE = 1.0 / 12.0
"""Of light that falls evenly on one pixel, pixels²; a picture's spot is wider by that."""
_MOST_BLUR = 0.5
"""Largest share of the camera's own blur in the variance of a picture that tells a spot's size."""
_PER_SD = 4.0
"""1/e² diameter over standard deviation: exp(-2 r²/w²) is exp(-r²/2s²) with w = 2 s."""


@dataclass(frozen=True, eq=False)
class SpotShape:
    """A Gaussian spot in a picture, round or not.

    Attributes:
        place: Where it is, as `locate_spot` finds it.
        moments_px2: Its variances along columns and rows and their covariance (xx, xy, yy),
            pixels², without what the pixels themselves add; shape (3,).
        covariance: Of these, shape (3, 3).
        reduced_chi2: Of the fit; far above 1 the spot is no Gaussian.
    """

    place: SpotPlace
    moments_px2: Vector
    covariance: Vector
    reduced_chi2: float


@dataclass(frozen=True)
class SpotSize:
    """1/e² diameters of the spot on the sample, um.

    Attributes:
        x_um: Along the stage's x.
        y_um: Along the stage's y.
        diameter_um: Of the round spot with the same peak fluence: geometric mean of the diameters
            2 a, 2 b along its own axes, because ``J0 = 2 E / (pi a b)``.
    """

    x_um: Measured
    y_um: Measured
    diameter_um: Measured


def above_dark(bright: Image, dark: Image) -> tuple[Image, ImageNoise]:
    """Return frames above the mean of dark ones, and the noise of their mean away from light.

    All frames have the noise of the dark ones in common, so that their differences do not show it.

    Args:
        bright: Counts, shape (frame, y, x).
        dark: Counts of the same camera without light, shape (frame, y, x).

    Raises:
        AnalysisError: Fewer than two frames, or no noise at all.
    """
    own, other = measure_image_noise(bright), measure_image_noise(dark)
    floor = own.floor_variance + other.floor_variance
    return bright - dark.mean(axis=0), ImageNoise(floor, frames=len(bright))


def measure_spot(bright: Image, dark: Image, sd_px: float) -> SpotShape:
    """Fit a Gaussian with two axes of any direction on an even background to the brightest spot.

    The noise, with the shot noise of the light, is taken from the differences of equal frames.

    Args:
        bright: Counts of equal pictures of the spot, shape (frame, y, x).
        dark: The same without light.
        sd_px: About how wide the spot is, standard deviation, pixels.

    Raises:
        AnalysisError: There is no spot above the noise, or it lies at the edge.
    """
    frames, noise = above_dark(bright, dark)
    image = frames.mean(axis=0)
    place = locate_spot(image, noise, sd_px)
    reach = math.ceil(_REACH_SDS * place.sd_px.value)
    column, row = round(place.x_px.value), round(place.y_px.value)
    first = np.array([row - reach, column - reach])
    if first.min() < 0 or np.any(first + 2 * reach >= image.shape):
        message = (
            f"the spot reaches beyond the edge of the picture: it is at column {column}, row {row} "
            f"and needs {reach} pixels on each side; take a larger region"
        )
        raise AnalysisError(message)
    window = frames[:, row - reach : row + reach + 1, column - reach : column + reach + 1]
    away = np.arange(-reach, reach + 1, dtype=np.float64)
    centre = column - place.x_px.value, row - place.y_px.value
    return _fitted(window, away + centre[0], away + centre[1], noise, place)


def _fitted(
    frames: Image, columns: Vector, rows: Vector, noise: ImageNoise, place: SpotPlace
) -> SpotShape:
    data = frames.mean(axis=0)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    sd = place.sd_px.value
    height = place.counts.value / (2.0 * math.pi * sd**2)
    level = float(np.median(np.concatenate([data[0], data[-1], data[:, 0], data[:, -1]])))
    shape = np.exp(-0.5 * (x**2 + y**2) / sd**2)
    sigma = np.sqrt(_variance(frames, height * shape, noise))

    def evaluate(parameters: Vector) -> tuple[Vector, Vector]:
        at_x, at_y, xx, xy, yy, top, floor = parameters
        dx, dy = x - at_x, y - at_y
        size = xx * yy - xy**2
        ux, uy = (yy * dx - xy * dy) / size, (xx * dy - xy * dx) / size
        spot = np.exp(-0.5 * (ux * dx + uy * dy))
        light = top * spot
        slopes = [
            light * ux,
            light * uy,
            0.5 * light * ux**2,
            light * ux * uy,
            0.5 * light * uy**2,
            spot,
            np.ones_like(spot),
        ]
        residual = (light + floor - data) / sigma
        return residual.ravel(), np.stack([(slope / sigma).ravel() for slope in slopes], axis=1)

    # Within these bounds the moments always belong to an ellipse.
    start = np.array([0.0, 0.0, sd**2, 0.0, sd**2, height, level])
    lower = np.array([-sd, -sd, 0.4 * sd**2, -0.3 * sd**2, 0.4 * sd**2, 0.0, -math.inf])
    upper = np.array([sd, sd, 3.0 * sd**2, 0.3 * sd**2, 3.0 * sd**2, math.inf, math.inf])
    size = np.array([1.0, 1.0, sd**2, sd**2, sd**2, height, max(0.01 * height, 1.0)])
    found = solve(evaluate, start, lower, upper, scale=size)
    chi2 = found.chi2 / (data.size - len(start))
    moments = found.parameters[2:5] - np.array([_PIXEL_VARIANCE, 0.0, _PIXEL_VARIANCE])
    # What is no Gaussian (speckle, a dirty beam) makes it worse than noise alone.
    covariance = found.covariance[2:5, 2:5] * max(chi2, 1.0)
    return SpotShape(place, moments, covariance, chi2)


def _variance(frames: Image, light: Image, noise: ImageNoise) -> Image:
    """Return the variance of the mean of frames, counts², with the shot noise that they show."""
    number = len(frames)
    seen = 0.5 * np.mean(np.diff(frames, axis=0) ** 2, axis=0) / number
    above = light - light.mean()
    per_light = max(float(np.sum(seen * above) / np.sum(above**2)), 0.0)
    return noise.floor_variance + per_light * light


def spot_size(shape: SpotShape, scale: ImageScale, point_sd_um: Measured) -> SpotSize:
    """Return the size of the spot on the sample.

    The picture of a Gaussian spot through optics that make a Gaussian of a point is a Gaussian
    whose variance is the sum of both.

    Args:
        shape: Of the spot in the picture.
        scale: How the picture lies on the sample.
        point_sd_um: Standard deviation of the picture of a point, um on the sample.

    Raises:
        AnalysisError: The picture is hardly wider than that of a point.
    """
    values = np.array([*shape.moments_px2, scale.um_per_pixel.value, point_sd_um.value])
    covariance = np.zeros((5, 5))
    covariance[:3, :3] = shape.covariance
    covariance[3, 3], covariance[4, 4] = scale.um_per_pixel.error**2, point_sd_um.error**2
    turn = scale.matrix_px() * scale.um_per_pixel.value

    def own_um2(numbers: Vector) -> Vector:
        xx, xy, yy, um, point_um = numbers
        seen = um**2 * turn.T @ np.array([[xx, xy], [xy, yy]]) @ turn
        return np.asarray(seen - point_um**2 * np.eye(2), dtype=np.float64)

    least_um2 = float(np.linalg.eigvalsh(own_um2(values)).min())
    if least_um2 < (1.0 / _MOST_BLUR - 1.0) * point_sd_um.value**2:
        message = (
            "the picture of the spot is hardly wider than that of a point, so that it does not "
            f"tell how wide the spot is (a point: {point_sd_um.value:g} um)"
        )
        raise AnalysisError(message)
    x_um, y_um = (
        propagate(lambda n, k=k: _PER_SD * math.sqrt(own_um2(n)[k, k]), values, covariance)
        for k in (0, 1)
    )
    mean_um = propagate(
        lambda n: _PER_SD * float(np.linalg.det(own_um2(n))) ** 0.25, values, covariance
    )
    return SpotSize(x_um, y_um, mean_um)
