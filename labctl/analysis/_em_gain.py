"""Gain of an EM register: the same light with gain and without."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._noise import photon_transfer
from labctl.errors import AnalysisError

__all__ = ["EmGain", "em_gain_of"]

Vector = NDArray[np.float64]
Frames = tuple[Vector, Vector]

_LIT_SIGMAS = 10.0


@dataclass(frozen=True)
class EmGain:
    """What a register does.

    Attributes:
        gain: Mean multiplication.
        excess: Excess noise factor F²: variance behind the register over that of the same light
            multiplied without noise; near 2 at high gain.
        pixels: Number of lit pixels that were used.
    """

    gain: Measured
    excess: Measured
    pixels: int


def em_gain_of(
    without: Frames, behind: Frames, shorter: float, usable: NDArray[np.bool_]
) -> EmGain:
    """Return the gain from frames of a constant, uneven light.

    Args:
        without: Frames with and without light at gain 1, shape (frame, pixel), counts.
        behind: The same with gain.
        shorter: How much shorter the frames with gain were exposed.
        usable: Pixels that are not saturated, shape (pixel,).

    Raises:
        AnalysisError: No pixel is lit.
    """
    one, many = _light(without), _light(behind)
    lit = usable & (one[0] > _LIT_SIGMAS * one[1]) & (many[0] > _LIT_SIGMAS * many[1])
    if not lit.any():
        message = "no pixel is lit well with gain and without; expose longer"
        raise AnalysisError(message)
    plain, multiplied = float(one[0][lit].sum()), float(many[0][lit].sum())
    gain = shorter * multiplied / plain
    relative = math.hypot(
        float(np.sqrt(np.sum(one[1][lit] ** 2))) / plain,
        float(np.sqrt(np.sum(many[1][lit] ** 2))) / multiplied,
    )
    slopes = [photon_transfer(pair[0][:, usable], pair[1][:, usable]) for pair in (without, behind)]
    alone, noisy = (one.electrons_per_count for one in slopes)
    excess = alone.value / (noisy.value * gain)
    spread = math.hypot(alone.error / alone.value, noisy.error / noisy.value, relative)
    return EmGain(
        Measured(gain, gain * relative), Measured(excess, excess * spread), int(lit.sum())
    )


def _light(frames: Frames) -> tuple[Vector, Vector]:
    """Return the mean light of each pixel and its standard error, from the scatter of frames."""
    bright, dark = frames
    mean: Vector = bright.mean(axis=0) - dark.mean(axis=0)
    floor = float(dark.var(axis=0, ddof=1).mean())
    spread = np.maximum(bright.var(axis=0, ddof=1), floor)
    return mean, np.sqrt(spread / len(bright) + floor / len(dark))
