"""Calibrations of the imaging camera: scale against the stage, and where the laser spot is."""

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import (
    ImageScale,
    Measured,
    above_dark,
    fit_image_scale,
    fit_image_turn,
    locate_spot,
    register_images,
)
from labctl.measurements._context import Array, Context
from labctl.measurements._image import picture_arrays
from labctl.measurements._paths import take_path
from labctl.measurements._picture_calibration import PictureCalibration
from labctl.measurements._picture_return import return_by_picture
from labctl.measurements._pictures import (
    LIGHT_PATHS,
    PictureLight,
    picture_settings,
)
from labctl.measurements._places import Places
from labctl.measurements._spot_picture import SpotPicture
from labctl.roles import ImagingCamera, ImagingSettings, Positioner
from labctl.units import Micrometers

__all__ = ["CalibrateImagingScale", "CalibrateLaserSpot"]

_SETUP_S, _MOVE_S = 5.0, 3.0
_STEPS = ((0, 0), (1, 0), (-1, 0), (2, 0), (-2, 0), (0, 1), (0, -1), (0, 2), (0, -2))
"""Places in units of the step; back and forth, so that drift shows as scatter and not as scale."""


class CalibrateImagingScale(PictureCalibration):
    """Scale, rotation and handedness of the picture, by moving the stage by known amounts.

    A stage without sensors is no ruler: with one, only rotation and handedness are measured, and
    the scale is the nominal one within ``nominal_accuracy``.

    Attributes:
        nominal_accuracy: Relative uncertainty of the nominal magnification, one sigma (assumed).
        step_um: Step of the stage, um; the picture moves by up to two of them each way.
        level: Brightness of the LED.
    """

    kind: ClassVar[str] = "calibrate_imaging_scale"
    needs: ClassVar[tuple[str, ...]] = ("imaging_camera", "illuminator", "positioner")

    step_um: Micrometers = Field(3.0, gt=0)
    nominal_accuracy: float = Field(0.05, gt=0, lt=1)
    level: float = Field(0.5, gt=0, le=1)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            exposure: str,
            frames: int = 2,
            gain: float = 1.0,
            roi: tuple[int, int, int, int] | None = None,
            step: str = "3 um",
            nominal_accuracy: float = 0.05,
            level: float = 0.5,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``exposure="50 ms"``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return _SETUP_S + len(_STEPS) * (_MOVE_S + self.frames * self.exposure_s)

    def run(self, context: Context) -> None:
        """Visit the places, register each picture with the first, fit, keep the result."""
        camera = context.station.only(ImagingCamera, prefer="imaging_camera")
        stage = context.station.only(Positioner, prefer="stage")
        path = take_path(context, None, LIGHT_PATHS["led"], [camera.name])
        light = PictureLight("led", self.level)
        places = Places(context, stage)
        began_um = places.read()
        start_um = stage.read_position("x"), stage.read_position("y")
        moved_um: list[tuple[float, float]] = []
        shift_px: list[tuple[float, float]] = []
        stored = np.zeros((0, 0, 0), np.uint16)
        try:
            for x, y in _STEPS:
                at = _moved(context, stage, start_um, (x * self.step_um, y * self.step_um))
                pictures = self.pictures(context, camera, light)
                picture = pictures.mean(axis=0)
                if not stored.size:
                    stored = pictures
                found = register_images(stored.mean(axis=0), picture)
                moved_um.append(at)
                shift_px.append((found.x_px.value, found.y_px.value))
        finally:
            _moved(context, stage, start_um, (0.0, 0.0))
        moved, shifts = np.array(moved_um), np.array(shift_px)
        scale = self._scale(context, camera, stage, moved - moved[0], shifts)
        self._keep(context, camera, stage, scale)
        if not all(stage.has_readout(axis) for axis in ("x", "y")):
            # Such a stage has crept by a part of each run-up, and the dot with it.
            return_by_picture(
                places,
                scale,
                stored.mean(axis=0),
                lambda: self.pictures(context, camera, light).mean(axis=0),
                2.0 * len(_STEPS) * self.step_um,
                began_um,
            )
        settings = {"path": path, **picture_settings(context, camera, self.frames, light)}
        context.store(
            [
                *picture_arrays(stored),
                Array("stage", moved, "um", ("place", "axis")),
                Array("shift", shifts, "px", ("place", "axis")),
            ],
            settings=settings,
            live_time_s=len(_STEPS) * self.frames * self.exposure_s,
            brief=_said(scale),
        )

    def _scale(
        self,
        context: Context,
        camera: ImagingCamera,
        stage: Positioner,
        moved_um: NDArray[np.float64],
        shift_px: NDArray[np.float64],
    ) -> ImageScale:
        if all(stage.has_readout(axis) for axis in ("x", "y")):
            return fit_image_scale(moved_um, shift_px)
        text = "has no sensors: rotation and handedness are measured, the scale is the nominal one"
        context.message("warning", stage.name, text)
        nominal_um = camera.nominal_scale_um()
        nominal = Measured(nominal_um, self.nominal_accuracy * nominal_um)
        return fit_image_turn(moved_um, shift_px, nominal)

    def _keep(
        self, context: Context, camera: ImagingCamera, stage: Positioner, scale: ImageScale
    ) -> None:
        record: dict[str, Any] = {
            **scale.to_record(),
            "stage": stage.name,
            "measured": all(stage.has_readout(axis) for axis in ("x", "y")),
            "calibrated_at": context.clock.utc().isoformat(),
        }
        context.calibrated("imaging_scale", camera.name, record)


def _said(scale: ImageScale) -> str:
    um = scale.um_per_pixel
    turned = f"rotated by {scale.rotation_deg.value:.2f} deg"
    hand = ", mirrored" if scale.mirrored else ""
    return f"{um.value:.5f} +- {um.error:.5f} um per pixel, {turned}{hand}"


def _moved(
    context: Context, stage: Positioner, start_um: tuple[float, float], by_um: tuple[float, float]
) -> tuple[float, float]:
    x, y = (
        context.move(stage.settable(axis), origin + by)
        for axis, origin, by in zip(("x", "y"), start_um, by_um, strict=True)
    )
    return x, y


class CalibrateLaserSpot(SpotPicture):
    """Column and row of the laser spot, which is not where one would believe."""

    kind: ClassVar[str] = "calibrate_laser_spot"
    needs: ClassVar[tuple[str, ...]] = ("imaging_camera", "shutter")

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            exposure: str,
            frames: int = 2,
            gain: float = 1.0,
            roi: tuple[int, int, int, int] | None = None,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``exposure="50 ms"``."""

    def run(self, context: Context) -> None:
        """Take pictures with and without the laser, fit the spot, keep its place."""
        camera = context.station.only(ImagingCamera, prefer="imaging_camera")
        pictures = self.spot(context, camera)
        frames, noise = above_dark(pictures.bright, pictures.dark)
        place = locate_spot(frames.mean(axis=0), noise, self.believed_sd_px(context, camera))
        corner = camera.region(camera.settings or ImagingSettings(self.exposure_s))
        record = {
            "x_px": corner.x0 + place.x_px.value,
            "y_px": corner.y0 + place.y_px.value,
            "x_error_px": place.x_px.error,
            "y_error_px": place.y_px.error,
            "sd_px": place.sd_px.value,
            "sd_error_px": place.sd_px.error,
            "reduced_chi2": place.reduced_chi2,
            "calibrated_at": context.clock.utc().isoformat(),
        }
        context.calibrated("laser_spot", camera.name, record)
        context.store(
            pictures.arrays,
            settings=pictures.settings,
            live_time_s=self.frames * self.exposure_s,
            brief=f"laser spot at column {record['x_px']:.2f}, row {record['y_px']:.2f}",
        )
