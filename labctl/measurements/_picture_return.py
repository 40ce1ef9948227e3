"""Moving a stage until the sample looks as it did before."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import ImageScale, ImageShift, register_images
from labctl.errors import RefusedError
from labctl.measurements._places import Places

__all__ = ["return_by_picture"]

Picture = NDArray[np.float64]

_ROUNDS = 5
_CLOSE_UM = 0.15


def return_by_picture(
    places: Places,
    scale: ImageScale,
    reference: Picture,
    look: Callable[[], Picture],
    reach_um: float,
    taken_at_um: Mapping[str, float] | None = None,
) -> tuple[float, ImageShift]:
    """Move in x and y until the picture is the reference, to within 0.15 um.

    Args:
        places: The stage.
        scale: How the picture lies on the sample.
        reference: How it looked.
        look: Takes a picture.
        reach_um: How far it may have moved, um.
        taken_at_um: Where the stage was with the reference, um by axis: axes without sensors have
            lost count, and believe what the picture says; None: it is the sample that has moved.

    Returns:
        How far the last picture was off, um, and how it compares with the reference.

    Raises:
        AnalysisError: The pictures have nothing in common, or fit at several places.
        RefusedError: The sample has moved too far, or does not follow the stage.
    """
    stage = places.stage.name
    for _ in range(_ROUNDS):
        shift = register_images(reference, look())
        x_um, y_um = scale.to_um(np.array([shift.x_px.value, shift.y_px.value])).tolist()
        off_um = math.hypot(x_um, y_um)
        if off_um > reach_um:
            what = f"the picture is {off_um:.1f} um from where it was"
            raise RefusedError(stage, what, f"allowed: {reach_um:g} um")
        if taken_at_um is not None:
            places.believe({"x": taken_at_um["x"] + x_um, "y": taken_at_um["y"] + y_um})
        if off_um < _CLOSE_UM:
            return off_um, shift
        at_um = places.read()
        places.go({"x": at_um["x"] - x_um, "y": at_um["y"] - y_um})
    what = f"the picture is not where it was after {_ROUNDS} moves"
    raise RefusedError(stage, what, "does the sample follow the stage?")
