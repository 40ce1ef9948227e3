"""Where the laser spot is in a picture: a round Gaussian of unknown width."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import solve
from labctl.analysis._image_noise import ImageNoise
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["SpotPlace", "locate_spot"]

Image = NDArray[np.float64]
Vector = NDArray[np.float64]

_LEAST_SNR = 8.0
_REACH_SDS = 4.0


@dataclass(frozen=True)
class SpotPlace:
    """A spot that is wider than the diffraction limit.

    Attributes:
        x_px: Column of its centre.
        y_px: Row of its centre.
        sd_px: Standard deviation, pixels; a quarter of the 1/e² diameter.
        counts: All its light, counts.
        reduced_chi2: Of the fit.
    """

    x_px: Measured
    y_px: Measured
    sd_px: Measured
    counts: Measured
    reduced_chi2: float


def locate_spot(image: Image, noise: ImageNoise, sd_px: float) -> SpotPlace:
    """Fit a round Gaussian on an even background to the brightest spot.

    Args:
        image: Counts, shape (y, x), best with a dark picture subtracted.
        noise: Of the picture.
        sd_px: About how wide the spot is, standard deviation, pixels.

    Raises:
        AnalysisError: There is no spot above the noise, or it lies at the edge.
    """
    background = float(np.median(image))
    smooth = _smoothed(image - background, sd_px)
    row, column = np.unravel_index(int(np.argmax(smooth)), image.shape)
    height = float(smooth[row, column])
    noise_sd = math.sqrt(noise.floor_variance) / (2.0 * math.sqrt(math.pi) * sd_px)
    if height < _LEAST_SNR * noise_sd:
        message = (
            f"there is no spot: the brightest place is {height / noise_sd:.1f} times the noise"
        )
        raise AnalysisError(message)
    reach = math.ceil(_REACH_SDS * sd_px)
    rows = np.arange(max(int(row) - reach, 0), min(int(row) + reach + 1, image.shape[0]))
    columns = np.arange(max(int(column) - reach, 0), min(int(column) + reach + 1, image.shape[1]))
    if min(rows.size, columns.size) < 2 * reach + 1:
        message = f"the spot lies at the edge of the picture, at column {column}, row {row}"
        raise AnalysisError(message)
    data = image[np.ix_(rows, columns)]
    y, x = np.meshgrid(rows.astype(np.float64), columns.astype(np.float64), indexing="ij")
    start = np.array([float(column), float(row), sd_px, 2.0 * height, background])
    return _fitted(x, y, data, noise, background, start)


def _smoothed(image: Image, sd_px: float) -> Image:
    frequency = (
        2.0
        * math.pi
        * np.hypot(np.fft.fftfreq(image.shape[0])[:, None], np.fft.fftfreq(image.shape[1])[None, :])
    )
    return np.real(np.fft.ifft2(np.fft.fft2(image) * np.exp(-0.5 * (frequency * sd_px) ** 2)))


def _fitted(
    x: Image, y: Image, data: Image, noise: ImageNoise, background: float, start: Vector
) -> SpotPlace:
    sigma = np.sqrt(noise.variance(data - background))

    def evaluate(parameters: Vector) -> tuple[Vector, Vector]:
        column, row, sd, height, level = parameters
        dx, dy = x - column, y - row
        square = dx**2 + dy**2
        shape = np.exp(-0.5 * square / sd**2)
        slopes = [
            height * shape * dx / sd**2,
            height * shape * dy / sd**2,
            height * shape * square / sd**3,
            shape,
            np.ones_like(shape),
        ]
        residual = (height * shape + level - data) / sigma
        return residual.ravel(), np.stack([(slope / sigma).ravel() for slope in slopes], axis=1)

    size = np.array([1.0, 1.0, 1.0, max(start[3], 1.0), 1.0])
    reach = 2.0 * start[2]
    lower = np.array([start[0] - reach, start[1] - reach, 0.3, 0.0, -math.inf])
    upper = np.array([start[0] + reach, start[1] + reach, 4.0 * start[2], math.inf, math.inf])
    found = solve(evaluate, start, lower, upper, scale=size)
    chi2 = found.chi2 / (data.size - len(start))
    # Speckle and the dot's own light make it worse than noise alone; errors grow with it.
    error = np.sqrt(np.diag(found.covariance)) * math.sqrt(max(chi2, 1.0))
    column, row, sd, height, _ = (float(value) for value in found.parameters)
    light = 2.0 * math.pi * sd**2 * height
    relative = math.hypot(float(error[3]) / height, 2.0 * float(error[2]) / sd)
    return SpotPlace(
        x_px=Measured(column, float(error[0])),
        y_px=Measured(row, float(error[1])),
        sd_px=Measured(sd, float(error[2])),
        counts=Measured(light, light * relative),
        reduced_chi2=chi2,
    )
