"""How pictures are taken: with the light that is wanted, which is out again afterwards."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import ImageScale
from labctl.errors import ConfigError, LabctlError, Problem
from labctl.measurements._context import Context
from labctl.measurements._exposure import excitation
from labctl.measurements._lit import Lit
from labctl.measurements._places import Places
from labctl.roles import Illuminator, ImagingCamera, ImagingSettings, Positioner, Roi

__all__ = [
    "LIGHT_PATHS",
    "Light",
    "PictureLight",
    "image_scale",
    "laser_spot_px",
    "lit",
    "middle_region",
    "picture_settings",
    "region_of",
    "take_pictures",
]

Light = Literal["led", "laser", "wide_field", "none"]
Frames = NDArray[np.uint16]

LIGHT_PATHS: dict[str, str] = {
    "led": "image",
    "laser": "laser_spot",
    "wide_field": "wide_field",
    "none": "image",
}
"""Light → the path that it takes by itself, if the set-up has it."""

_MARGIN_S = 10.0
_GRID_PX = 16
"""Columns and rows of a region begin at multiples of this, which all cameras take."""


@dataclass(frozen=True)
class PictureLight:
    """What lights the sample: LED at a level of 0 to 1, the laser as the path lets it, or none."""

    kind: Light
    level: float = 0.0


def take_pictures(
    context: Context,
    camera: ImagingCamera,
    settings: ImagingSettings,
    frames: int,
    light: PictureLight,
) -> Frames:
    """Take frames one after the other; counts, shape (frame, y, x), uint16.

    Raises:
        RefusedError: The settings are out of the camera's range.
        NoReplyError: A frame has not come.
    """
    camera.configure(settings)
    pictures: list[Frames] = []
    with lit(context, light):
        for number in range(1, frames + 1):
            camera.start_frame()
            try:
                context.wait_until(
                    camera.frame_ready,
                    timeout_s=camera.frame_time_s() + _MARGIN_S,
                    what=f"{camera.name} picture {number} of {frames}",
                )
            except BaseException:
                with suppress(LabctlError, OSError):
                    camera.stop()
                raise
            pictures.append(camera.take_frame())
            context.progress(f"picture {number} of {frames}", number / frames)
    return np.stack(pictures)


@contextmanager
def lit(context: Context, light: PictureLight) -> Generator[None]:
    """Light the sample for the block, and put the light out whatever happens."""
    if light.kind != "led":
        lit = None if light.kind == "none" else _lit(context, light)
        with excitation(context, light.kind != "none", None if lit is None else lambda: lit):
            yield
        return
    led = context.station.only(Illuminator, prefer="led")
    try:
        led.switch_on(light.level)
        yield
    except BaseException:
        # As with the shutter: the first failure is told, the light is tried again at the end.
        with suppress(LabctlError, OSError):
            led.switch_off()
        raise
    led.switch_off()


def _lit(context: Context, light: PictureLight) -> Lit | None:
    """Return what the laser lights; None: what is in the spot, as no stage tells more."""
    stages = [s for name in context.station if isinstance(s := context.station[name], Positioner)]
    if len(stages) != 1 or not {"x", "y"} <= set(stages[0].axes()):
        return None
    here_um = Places(context, stages[0], ("x", "y")).read()
    return Lit(np.array([[here_um["x"], here_um["y"]]]), wide=light.kind == "wide_field")


def picture_settings(
    context: Context, camera: ImagingCamera, frames: int, light: PictureLight
) -> dict[str, Any]:
    """Return what is stored beside a picture."""
    held = camera.settings
    calibrations = {
        name: context.calibrations.get(name, {}).get(camera.name)
        for name in ("imaging_scale", "laser_spot")
    }
    return {
        "imaging_camera": {
            **({} if held is None else asdict(held)),
            "frames": frames,
            "full_scale_counts": camera.full_scale_counts(),
            "pixel_pitch_um": camera.pixel_pitch_um(),
            "nominal_scale_um": camera.nominal_scale_um(),
        },
        "light": asdict(light),
        "calibration": calibrations,
    }


def image_scale(context: Context, camera: ImagingCamera) -> ImageScale:
    """Return the calibrated scale of a camera.

    Raises:
        ConfigError: It was never calibrated; says how.
    """
    return ImageScale.from_record(_calibration(context, camera, "imaging_scale"))


def laser_spot_px(context: Context, camera: ImagingCamera) -> tuple[float, float]:
    """Return column and row of the laser spot, on the whole sensor.

    Raises:
        ConfigError: It was never calibrated; says how.
    """
    record = _calibration(context, camera, "laser_spot")
    return float(record["x_px"]), float(record["y_px"])


def _calibration(context: Context, camera: ImagingCamera, name: str) -> dict[str, Any]:
    found = context.calibrations.get(name, {}).get(camera.name)
    if found is None:
        hint = f"make it with 'calibrate: {{kind: {name}, exposure: …}}'"
        raise ConfigError([Problem(f"no calibration {name} of {camera.name}", hint=hint)])
    return dict(found)


def middle_region(camera: ImagingCamera, side_px: int) -> Roi:
    """Return a square in the middle of the sensor, or what of it there is."""
    columns, rows = camera.sensor_size()
    width, height = min(side_px, columns), min(side_px, rows)
    x0, y0 = (
        (size - side) // (2 * _GRID_PX) * _GRID_PX
        for size, side in ((columns, width), (rows, height))
    )
    return Roi(x0, width, y0, height)


def region_of(roi: tuple[int, int, int, int] | None) -> Roi | None:
    """Return a region from x0, width, y0, height as recipes write it."""
    return None if roi is None else Roi(*roi)
