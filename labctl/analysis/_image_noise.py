"""Noise of pictures: what a pixel varies by without anything having changed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError

__all__ = ["ImageNoise", "measure_image_noise"]

Image = NDArray[np.float64]

_MEDIAN_CHI2 = 0.454936
"""Median of a squared standard normal number."""


@dataclass(frozen=True)
class ImageNoise:
    """Variance of the pixels of a picture that is the mean of equal frames.

    Attributes:
        floor_variance: Variance at the typical level of the background, counts².
        counts_per_electron: Shot noise of light above it: variance in counts² per count in one
            frame; 0 where it is not known.
        frames: Number of frames in the mean.
    """

    floor_variance: float
    counts_per_electron: float = 0.0
    frames: int = 1

    def variance(self, above: Image) -> Image:
        """Return the variance, counts², for light above the typical background, counts."""
        return self.floor_variance + np.maximum(above, 0.0) * self.counts_per_electron / self.frames


def measure_image_noise(frames: Image, counts_per_electron: float = 0.0) -> ImageNoise:
    """Measure the noise of the mean of frames of something that stands still.

    The median of squared differences of neighbouring frames belongs to the background, whatever
    blinks in a few pixels.

    Args:
        frames: Counts, shape (frame, y, x), at least two.
        counts_per_electron: Known conversion of the camera; 0: unknown.

    Raises:
        AnalysisError: Fewer than two frames, or no noise at all.
    """
    if frames.ndim != 3 or len(frames) < 2:
        message = f"frames of shape {frames.shape}: at least two frames are needed"
        raise AnalysisError(message)
    steps = np.diff(frames, axis=0)
    # Frames may differ in brightness as a whole, and counts are whole numbers: of a median of
    # few steps the mean of their squares within the usual range is the better estimate.
    steps -= np.median(steps, axis=(1, 2), keepdims=True)
    squares = (steps**2).ravel()
    rough = float(np.median(squares)) / _MEDIAN_CHI2 or float(np.mean(squares))
    usual = squares[squares <= 9.0 * rough]
    # Of a normal number cut at three standard deviations 0.97334 of the variance is left.
    variance = float(np.mean(usual)) / 0.97334 / 2.0
    if not variance > 0.0:
        message = "the frames are equal; is this a camera's picture?"
        raise AnalysisError(message)
    return ImageNoise(variance / len(frames), counts_per_electron, len(frames))
