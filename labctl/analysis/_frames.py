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
_LOG_PROBABILITY = 16.0
_READ_SIGMAS = 5.0
_DARKEST = 0.1


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
    level (the line wanders).  Behind an EM register, whose output has a long tail and a median
    below its mean, it must instead have a probability below e^-16 (in any frame of the pixel)
    beside the other frames, and exceed their mean by half.  With fewer than three frames nothing
    is rejected here.

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
    light = frames - noise.bias_counts * noise.rows
    dark_variance = noise.floor_variance / noise.frames
    level = np.maximum(np.median(light, axis=0), 0.0)
    bright = level > _BRIGHT_SIGMAS * np.sqrt(dark_variance + noise.variance_per_count * level)
    scale = np.ones(frames.shape[0])
    if int(bright.sum()) >= _BRIGHT_PIXELS:
        scale = np.maximum(np.median(light[:, bright] / level[bright], axis=1), 0.0)
    if noise.em_gain > 1:
        return _above_register(light, scale, noise)
    signal = scale[:, None] * level
    sigma = np.sqrt(dark_variance + noise.variance_per_count * signal)
    return light - signal > np.maximum(_SIGMAS * sigma, 0.5 * signal)


def _above_register(light: Vector, scale: Vector, noise: NoiseModel) -> NDArray[np.bool_]:
    """Return which values an EM register does not make of the light that the other frames saw.

    n electrons leave the register as a gamma variable of shape n, in units of the gain; with n
    from a Poisson distribution of mean m its sum x has the logarithm of the moment generating
    function m t / (1 - t).  Chernoff's bound of either tail is then exp(-(sqrt(x) - sqrt(m))^2).
    For a value x beside others of sum s that were w times as bright, the most favourable m gives
    exp(-(sqrt(w x) - sqrt(s))^2 / (1 + w)): a bound on how probable that is without a cosmic ray.

    Args:
        light: Counts above the bias, shape (frame, pixel).
        scale: Brightness of each frame, about 1, shape (frame,).
        noise: Of the sum.
    """
    read_e = np.sqrt(noise.floor_variance / noise.frames) / noise.counts_per_electron
    electrons = light / noise.counts_per_electron
    weight = np.maximum(scale, _DARKEST)
    others = (weight.sum() - weight) / weight
    rest = np.maximum(electrons.sum(axis=0) - electrons, 0.0)
    rest += _READ_SIGMAS * read_e * np.sqrt(len(light) - 1)
    alone = np.maximum(electrons - _READ_SIGMAS * read_e, 0.0)
    w = others[:, None]
    distance = np.sqrt(w * alone) - np.sqrt(rest)
    rarity = _LOG_PROBABILITY + np.log(len(light))
    unlikely = (distance > 0) & (distance**2 > rarity * (1 + w))
    return unlikely & (alone > 1.5 * rest / w)
