"""Frames of the calibration lamp, as calibrations of the light path take them."""

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError
from labctl.measurements._context import Context
from labctl.measurements._exposure import Exposure, expose
from labctl.measurements._spectrum import Spectrum
from labctl.roles import Camera

__all__ = ["lamp_frames"]


def lamp_frames(
    context: Context, camera: Camera, exposure_s: float, frames: int
) -> NDArray[np.float64]:
    """Return frames without the laser, rows added up, counts, shape (frame, x).

    Raises:
        AnalysisError: The lamp saturates the camera.
    """
    settings = Spectrum(exposure=f"{exposure_s} s").camera_settings(camera)
    taken = expose(context, camera, Exposure(settings, frames, light=False))
    if int(taken.counts.max()) >= camera.full_scale_counts():
        message = f"{camera.name}: the lamp saturates it; expose shorter"
        raise AnalysisError(message)
    return taken.counts.sum(axis=1).astype(np.float64)
