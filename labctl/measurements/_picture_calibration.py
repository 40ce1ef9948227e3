"""What the calibrations that look at pictures have in common."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.measurements._context import Context
from labctl.measurements._measurement import Measurement
from labctl.measurements._pictures import PictureLight, region_of, take_pictures
from labctl.roles import ImagingCamera, ImagingSettings
from labctl.units import Seconds

__all__ = ["PictureCalibration"]


class PictureCalibration(Measurement):
    """Parameters of calibration pictures.

    Attributes:
        exposure_s: Exposure of one frame, s.
        frames: Number of frames of one picture; their differences tell the noise.
        gain: Analog gain of the camera, a factor.
        roi: First column, number of columns, first row, number of rows; None: the whole sensor.
    """

    exposure_s: Seconds = Field(gt=0, description="like 'exposure: 50 ms'")
    frames: int = Field(2, ge=2)
    gain: float = Field(1.0, ge=1)
    roi: tuple[int, int, int, int] | None = None

    def pictures(
        self, context: Context, camera: ImagingCamera, light: PictureLight
    ) -> NDArray[np.uint16]:
        """Take a picture of several frames; counts, shape (frame, y, x)."""
        settings = ImagingSettings(self.exposure_s, self.gain, region_of(self.roi))
        return take_pictures(context, camera, settings, self.frames, light)
