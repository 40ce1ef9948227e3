"""Calibrations by a picture of the laser spot that the sample sends back."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError
from labctl.measurements._context import Array, Context
from labctl.measurements._image import picture_arrays
from labctl.measurements._paths import take_path
from labctl.measurements._picture_calibration import PictureCalibration
from labctl.measurements._pictures import LIGHT_PATHS, PictureLight, picture_settings
from labctl.roles import ImagingCamera

__all__ = ["SpotPicture", "SpotPictures"]

_SETUP_S = 5.0


class SpotPictures(NamedTuple):
    """Pictures of the spot.

    Attributes:
        bright: Counts with the laser, shape (frame, y, x).
        dark: Counts without, shape (frame, y, x).
        arrays: As they are stored.
        settings: Beside them.
    """

    bright: NDArray[np.float64]
    dark: NDArray[np.float64]
    arrays: list[Array]
    settings: dict[str, Any]


class SpotPicture(PictureCalibration):
    """Parameters of pictures of the laser spot, with the laser as the attenuator lets it."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return _SETUP_S + 2 * self.frames * self.exposure_s

    def spot(self, context: Context, camera: ImagingCamera) -> SpotPictures:
        """Take pictures with and without the laser.

        Raises:
            AnalysisError: The spot is saturated.
        """
        path = take_path(context, None, LIGHT_PATHS["laser"], [camera.name])
        dark = self.pictures(context, camera, PictureLight("none"))
        light = PictureLight("laser")
        bright = self.pictures(context, camera, light)
        if int(bright.max()) >= camera.full_scale_counts():
            message = f"{camera.name}: the laser spot is saturated; expose shorter"
            raise AnalysisError(message)
        settings = {"path": path, **picture_settings(context, camera, self.frames, light)}
        return SpotPictures(
            bright.astype(np.float64), dark.astype(np.float64), picture_arrays(bright), settings
        )

    @staticmethod
    def believed_sd_px(context: Context, camera: ImagingCamera) -> float:
        """Return about how wide the spot should be: a quarter of its diameter."""
        laser = context.table.laser
        diameter_um = None if laser is None else laser.spot_1e2_diameter_um
        return 0.25 * (diameter_um or 2.0) / camera.nominal_scale_um()
