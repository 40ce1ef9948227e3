"""How sharp a picture is."""

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["focus_measure"]


def focus_measure(frames: NDArray[np.float64], lag_px: int = 2) -> Measured:
    """Return the contrast of fine structure: mean square difference over the squared mean level.

    F = <(I(x + lag) - I(x))²> / <I>², averaged over both axes (Brenner et al., J. Histochem.
    Cytochem. 24, 100 (1976)). Each square is the product of the same difference in two frames,
    whose noise is independent, so that noise adds nothing on the average: a picture without
    structure gives 0, and a wave a sin(k x) upon the level m gives (a / m)² sin²(k lag / 2) for
    two axes.

    Args:
        frames: Light without the camera's offset, counts, shape (frame, y, x), at least two.
        lag_px: Distance of the pixels that are compared; about the width of the sharpest edge.

    Returns:
        Value and standard error (by the scatter between blocks of the picture), no unit.

    Raises:
        AnalysisError: Fewer than two frames, no light, or a picture that is too small.
    """
    if frames.ndim != 3 or len(frames) < 2:
        message = f"frames of shape {frames.shape}: at least two frames are needed"
        raise AnalysisError(message)
    if min(frames.shape[1:]) < 8 * lag_px:
        message = f"a picture of {frames.shape[1:]} pixels is too small for a lag of {lag_px}"
        raise AnalysisError(message)
    level = float(np.mean(frames))
    if not level > 0.0:
        message = "there is no light in the picture"
        raise AnalysisError(message)
    first, second = frames[0::2].mean(axis=0), frames[1::2].mean(axis=0)
    inner = tuple(length - lag_px for length in first.shape)
    energy = np.zeros(inner)
    for axis in (0, 1):
        energy += (_steps(first, axis, lag_px) * _steps(second, axis, lag_px))[
            : inner[0], : inner[1]
        ]
    energy /= 2.0 * level**2
    blocks = [float(part.mean()) for part in _blocks(energy)]
    return Measured(float(energy.mean()), float(np.std(blocks, ddof=1)) / len(blocks) ** 0.5)


def _steps(image: NDArray[np.float64], axis: int, lag_px: int) -> NDArray[np.float64]:
    if axis == 0:
        return image[lag_px:] - image[:-lag_px]
    return image[:, lag_px:] - image[:, :-lag_px]


def _blocks(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [part for row in np.array_split(values, 6) for part in np.array_split(row, 6, axis=1)]
