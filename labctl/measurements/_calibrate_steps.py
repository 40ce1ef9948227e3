"""The calibration ``step_sizes``: how far coarse steps lead, by the picture of the sample."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import ImageScale, StepSize, measure_step_size, register_images
from labctl.errors import AnalysisError, RefusedError
from labctl.measurements._context import Array, Context
from labctl.measurements._image import picture_arrays
from labctl.measurements._paths import take_path
from labctl.measurements._picture_calibration import PictureCalibration
from labctl.measurements._picture_return import return_by_picture
from labctl.measurements._pictures import (
    LIGHT_PATHS,
    PictureLight,
    image_scale,
    picture_settings,
)
from labctl.measurements._places import Places
from labctl.roles import Cryostat, ImagingCamera, Positioner
from labctl.units import Micrometers

__all__ = ["STEP_SIZES", "CalibrateStepSizes"]

STEP_SIZES = "step_sizes"
"""Name of the calibration."""
_AXES = ("x", "y")
_SETUP_S, _WAY_S, _WAIT_S = 10.0, 0.5, 30.0
_ASKEW = 0.3
"""More of a way than this across its axis is not the axis that was moved."""

Vector = NDArray[np.float64]


class CalibrateStepSizes(PictureCalibration):
    """Size of a coarse step of x and y, upwards and downwards, at the step voltage in use.

    Each axis makes ways of equally many steps upwards, then as many downwards; a run-up before
    the first of a direction takes the backlash up. How far each way has led, pictures before and
    after it tell, by the calibration ``imaging_scale``. A way on which the axis sticks is left
    out. The focus has no such ruler: the steps of z stay as believed.

    Attributes:
        ways: Number of ways in each direction.
        way_um: About how long a way is, um; more than the axis loses on turning round.
        level: Brightness of the LED.
    """

    kind: ClassVar[str] = "calibrate_step_sizes"
    needs: ClassVar[tuple[str, ...]] = ("imaging_camera", "illuminator", "positioner")

    ways: int = Field(10, ge=6, le=1000)
    way_um: Micrometers = Field(2.0, gt=0)
    level: float = Field(0.8, gt=0, le=1)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            exposure: str,
            frames: int = 2,
            gain: float = 1.0,
            roi: tuple[int, int, int, int] | None = None,
            ways: int = 10,
            way: str = "2 um",
            level: float = 0.8,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``way="2 um"``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        pictures = 2 * len(_AXES) * (self.ways + 1)
        return _SETUP_S + pictures * (_WAY_S + self.frames * self.exposure_s)

    def run(self, context: Context) -> None:
        """Make the ways, look after each, keep the sizes, go back.

        Raises:
            ConfigError: The scale of the picture is not known.
            RefusedError: The believed step sizes were never given, which tell how many to make.
            AnalysisError: The picture does not follow the steps.
        """
        camera = context.station.only(ImagingCamera, prefer="imaging_camera")
        stage = context.station.only(Positioner, prefer="stage")
        light = PictureLight("led", self.level)
        path = take_path(context, None, LIGHT_PATHS["led"], [camera.name])
        walk = _Walk(context, stage, Places(context, stage), image_scale(context, camera))

        def look() -> Vector:
            return self.pictures(context, camera, light).mean(axis=0)

        start_um, first = walk.places.read(), self.pictures(context, camera, light)
        steps = {axis: walk.steps_for(axis, self.way_um) for axis in _AXES}
        ways_um = np.array(
            [
                [self._ways_um(walk, axis, sign * steps[axis], look) for sign in (1, -1)]
                for axis in _AXES
            ]
        )
        sizes = {
            axis: [
                measure_step_size(sign * along[:, _AXES.index(axis)], steps[axis])
                for sign, along in zip((1, -1), ways_um[_AXES.index(axis)], strict=True)
            ]
            for axis in _AXES
        }
        record = walk.record(sizes)
        context.calibrated(STEP_SIZES, stage.name, record)
        reach_um = 2.0 * self.ways * self.way_um
        places, scale = walk.places, walk.scale
        return_by_picture(places, scale, first.mean(axis=0), look, reach_um, start_um)
        context.store(
            [*picture_arrays(first), Array("way", ways_um, "um", ("axis", "sign", "way", "xy"))],
            settings={
                "path": path,
                **picture_settings(context, camera, self.frames, light),
                STEP_SIZES: {**record, "steps": steps},
            },
            live_time_s=ways_um.shape[2] * 4 * self.frames * self.exposure_s,
            brief=_said(sizes),
        )

    def _ways_um(self, walk: "_Walk", axis: str, steps: int, look: Any) -> list[Vector]:
        """Make the ways in one direction; returns x and y of each, um."""
        walk.step(axis, steps)
        before, found = look(), list[Vector]()
        for _ in range(self.ways):
            walk.step(axis, steps)
            after = look()
            found.append(walk.moved_um(before, after))
            before = after
        _check_straight(axis, np.array(found))
        return found


def _check_straight(axis: str, ways_um: Vector) -> None:
    along, across = np.abs(np.median(ways_um, axis=0))[:: 1 if axis == "x" else -1]
    if across > _ASKEW * along:
        message = (
            f"steps of {axis} move the picture by {along:.2f} um along and {across:.2f} um across "
            "that axis; make the calibration imaging_scale anew"
        )
        raise AnalysisError(message)


@dataclass(frozen=True)
class _Walk:
    """Steps of the stage, and what the picture says of them."""

    context: Context
    stage: Positioner
    places: Places
    scale: ImageScale

    def steps_for(self, axis: str, way_um: float) -> int:
        facts = self.stage.facts(axis)
        if facts.step_up_um is None or facts.step_down_um is None:
            what = f"how many steps of {axis} make {way_um:g} um is not known"
            hint = f"write step_up and step_down of axis {axis} in the set-up, about right"
            raise RefusedError(self.stage.name, what, hint)
        return math.ceil(way_um / min(facts.step_up_um, facts.step_down_um))

    def step(self, axis: str, steps: int) -> None:
        self.stage.start_steps(axis, steps)
        self.context.wait_until(
            lambda: not self.stage.is_moving(axis),
            timeout_s=_WAIT_S + abs(steps) / self.stage.step_frequency_hz(axis),
            what=f"{self.stage.name} {steps} steps of {axis}",
        )

    def moved_um(self, before: Vector, after: Vector) -> Vector:
        shift = register_images(before, after)
        return self.scale.to_um(np.array([shift.x_px.value, shift.y_px.value]))

    def record(self, sizes: dict[str, list[StepSize]]) -> dict[str, Any]:
        """Return what is kept; errors hold that of the scale, which all sizes share."""
        scale_rel = self.scale.um_per_pixel.error / self.scale.um_per_pixel.value
        axes: dict[str, dict[str, float]] = {}
        for axis, both in sizes.items():
            axes[axis] = {"at_v": self.stage.step_voltage_v(axis)}
            for direction, size in zip(("up", "down"), both, strict=True):
                um = size.um
                axes[axis] |= {
                    f"{direction}_um": um.value,
                    f"{direction}_error_um": math.hypot(um.error, scale_rel * um.value),
                    f"{direction}_statistical_error_um": um.error,
                    f"{direction}_stuck_ways": size.left_out,
                }
        return {
            "axes": axes,
            "scale_error_rel": scale_rel,
            "temperature_k": _temperature_k(self.context),
            "calibrated_at": self.context.clock.utc().isoformat(),
        }


def _temperature_k(context: Context) -> float | None:
    names = (name for name in context.station if isinstance(context.station[name], Cryostat))
    found = next(names, None)
    return None if found is None else context.station.get(found, Cryostat).read_temperature()


def _said(sizes: dict[str, list[StepSize]]) -> str:
    parts = (
        f"{axis} {up.um.value * 1e3:.2f} up, {down.um.value * 1e3:.2f} down"
        for axis, (up, down) in sizes.items()
    )
    return f"steps in nm: {'; '.join(parts)}"
