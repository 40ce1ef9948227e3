"""The measurement ``image``: pictures of the sample."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.measurements._context import Array, Context
from labctl.measurements._measurement import Measurement
from labctl.measurements._paths import take_path
from labctl.measurements._pictures import (
    LIGHT_PATHS,
    Light,
    PictureLight,
    picture_settings,
    region_of,
    take_pictures,
)
from labctl.measurements._settings import laser_settings
from labctl.measurements._spectrum import SATURATED
from labctl.roles import ImagingCamera, ImagingSettings
from labctl.units import Seconds

__all__ = ["Image", "picture_arrays"]

_SETUP_S = 2.0
_READOUT_S = 0.05


class Image(Measurement):
    """Pictures of the sample under the LED, the laser spot, or a wide field of laser light.

    Attributes:
        exposure_s: Exposure of one frame, s.
        frames: Number of frames.
        light: ``led``, ``laser`` (the spot, through grey filters), ``wide_field`` (dots shine),
            or ``none``.
        level: Brightness of the LED, above 0 up to 1.
        gain: Analog gain of the camera, a factor.
        roi: First column, number of columns, first row, number of rows; None: the whole sensor.
        path: Light path; None: ``image``, ``laser_spot`` or ``wide_field`` as the light is, if the
            set-up has it.
    """

    kind: ClassVar[str] = "image"
    needs: ClassVar[tuple[str, ...]] = ("imaging_camera",)

    exposure_s: Seconds = Field(gt=0, description="like 'exposure: 50 ms'")
    frames: int = Field(1, ge=1)
    light: Light = "led"
    level: float = Field(0.5, gt=0, le=1)
    gain: float = Field(1.0, ge=1)
    roi: tuple[int, int, int, int] | None = None
    path: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            exposure: str,
            frames: int = 1,
            light: Light = "led",
            level: float = 0.5,
            gain: float = 1.0,
            roi: tuple[int, int, int, int] | None = None,
            path: str | None = None,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``exposure="50 ms"``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return _SETUP_S + self.frames * (self.exposure_s + _READOUT_S)

    def run(self, context: Context) -> None:
        """Take the path, light the sample, take the pictures, store the point."""
        camera = context.station.only(ImagingCamera, prefer="imaging_camera")
        path = take_path(context, self.path, LIGHT_PATHS[self.light], [camera.name])
        light = PictureLight(self.light, self.level if self.light == "led" else 0.0)
        settings = ImagingSettings(self.exposure_s, self.gain, region_of(self.roi))
        pictures = take_pictures(context, camera, settings, self.frames, light)
        peak = int(pictures.max())
        context.store(
            picture_arrays(pictures),
            settings={
                "path": path,
                **picture_settings(context, camera, self.frames, light),
                "laser": laser_settings(context),
            },
            live_time_s=self.frames * self.exposure_s,
            quality=SATURATED if peak >= camera.full_scale_counts() else 0,
            brief=f"{pictures.shape[2]} x {pictures.shape[1]} pixels, peak {peak} counts",
        )


def picture_arrays(pictures: NDArray[np.uint16]) -> list[Array]:
    """Return what is stored of pictures: their sum, and each of several.

    Args:
        pictures: Counts, shape (frame, y, x).
    """
    total = Array("counts", pictures.sum(axis=0, dtype=np.uint32), "counts", ("y", "x"))
    if len(pictures) == 1:
        return [total]
    return [total, Array("frames", pictures, "counts", ("frame", "y", "x"))]
