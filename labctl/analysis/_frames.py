"""Frames of one point made into one spectrum, without cosmic rays and saturated pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._noise import NoiseModel
from labctl.errors import AnalysisError

__all__ = ["CombinedFrames", "combine_frames"]

Vector = NDArray[np.float64]

_SIGMAS = 7.0
_BRIGHT_SIGMAS = 5.0
_BRIGHT_PIXELS = 5


@dataclass(frozen=True, eq=False)
class CombinedFrames:
    """Sum of frames.

    Attributes:
        counts: Sum, shape (pixel,), counts; where frames were rejected the mean of the
            good ones times the number of frames.
        usable: False where no frame is good, or any is saturated, shape (pixel,).
        variance_scale: Factor on the variance because frames are missing, shape (pixel,).
        cosmic_rays: Number of rejected (frame, pixel) values.
        saturated_pixels: Number of pixels saturated in at least one frame.
    """

    counts: Vector
    usable: NDArray[np.bool_]
    variance_scale: Vector
    cosmic_rays: int
    saturated_pixels: int


def combine_frames(frames: Vector, noise: NoiseModel) -> CombinedFrames:
    """Sum frames; reject values far above what the other frames of the pixel allow.

    A value is a cosmic ray if it exceeds the median of the pixel, scaled to the brightness of
    its frame (the dot blinks), by 7 standard deviations of one frame *and* by half of that
    level (the line wanders).  With fewer than three frames nothing is rejected here.

    Args:
        frames: Shape (frame, pixel), counts.
        noise: Of the sum; ``noise.frames`` must be the number of frames.

    Raises:
        AnalysisError: If the shape does not agree with the noise model.
    """
    if frames.ndim != 2 or frames.shape[0] != noise.frames:
        msg = f"frames of shape {frames.shape} are not {noise.frames} spectra"
        raise AnalysisError(msg)
    count = frames.shape[0]
    saturated = np.any(frames >= noise.full_scale_counts * noise.rows, axis=0)
    good = ~_cosmic(frames, noise) if count >= 3 else np.ones(frames.shape, dtype=bool)
    left = good.sum(axis=0)
    kept = np.maximum(left, 1)
    counts = np.where(good, frames, 0.0).sum(axis=0) * count / kept
    return CombinedFrames(
        counts=counts,
        usable=(left > 0) & ~saturated,
        variance_scale=count / kept,
        cosmic_rays=int((~good).sum()),
        saturated_pixels=int(saturated.sum()),
    )


def _cosmic(frames: Vector, noise: NoiseModel) -> NDArray[np.bool_]:
    bias = noise.bias_counts * noise.rows
    dark_variance = noise.floor_variance / noise.frames
    level = np.maximum(np.median(frames, axis=0) - bias, 0.0)
    bright = level > _BRIGHT_SIGMAS * np.sqrt(dark_variance + noise.variance_per_count * level)
    scale = np.ones(frames.shape[0])
    if int(bright.sum()) >= _BRIGHT_PIXELS:
        scale = np.median((frames[:, bright] - bias) / level[bright], axis=1)
    signal = np.maximum(scale, 0.0)[:, None] * level
    sigma = np.sqrt(dark_variance + noise.variance_per_count * signal)
    return frames - bias - signal > np.maximum(_SIGMAS * sigma, 0.5 * signal)
