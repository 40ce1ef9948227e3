"""Bringing the sample back by its picture: the sharpest focus first, then the place of before."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import ImageScale, focus_measure
from labctl.errors import RefusedError
from labctl.measurements._context import Context
from labctl.measurements._paths import take_path
from labctl.measurements._picture_return import return_by_picture
from labctl.measurements._pictures import LIGHT_PATHS, PictureLight, image_scale, take_pictures
from labctl.measurements._recenter_identity import RECENTER
from labctl.measurements._recenter_stage import Places
from labctl.roles import Illuminator, ImagingCamera, ImagingSettings, Roi

__all__ = ["Eye", "Matched", "eye_of"]

_REFERENCE = "recenter_reference"
_FOCUS = "recenter_focus_um"
_SIDE_PX, _GRID_PX = 256, 16
_FRAMES = 2
_LAYER_UM = 1.1
"""More than the usual run-up: a sweep upwards then needs no steps back."""
_FINE_LAYERS = 7
_DULL = 1e-12


@dataclass(frozen=True)
class Matched:
    """What the picture has told.

    Attributes:
        moved_um: How far the stage was moved for it, um by axis.
        rest_um: How far the last picture was off in x and y, um.
        correlation: Of the last picture with the reference; 1 without noise.
        rival: Largest correlation at another place.
    """

    moved_um: dict[str, float]
    rest_um: float
    correlation: float
    rival: float


@dataclass(frozen=True)
class Eye:
    """Looks at the sample under its LED, in a square around the middle of the sensor.

    Attributes:
        context: The context of the measurement.
        camera: The imaging camera.
        places: The stage.
        scale: How the picture lies on the sample.
        exposure_s: Exposure of a frame, s.
        level: Brightness of the LED.
    """

    context: Context
    camera: ImagingCamera
    places: Places
    scale: ImageScale
    exposure_s: float
    level: float

    @property
    def knows_the_place(self) -> bool:
        """Whether there is a picture of an earlier time in this run to compare with."""
        return self.context.kept(_REFERENCE) is not None

    def keep_the_place(self) -> None:
        """Keep how the sample looks now, with the dot in the light, for later times.

        Where the counts are highest the picture is not quite sharp; the difference is kept, too.
        """
        self._take_path()
        dot_um = self.places.read_axis("z")
        sharpest_um = self._sharpest(self.places.scan_places("z", _FINE_LAYERS))
        self.context.remember(_FOCUS, dot_um - sharpest_um)
        self.places.go_axis("z", dot_um)
        self.context.keep(_REFERENCE, self._frames().mean(axis=0))

    def bring_back(self, focus_um: float, reach_um: float) -> Matched:
        """Focus, then move until the picture is that of before.

        Args:
            focus_um: How far the sample may be out of focus either way, um.
            reach_um: How far it may have moved in x and y, um.

        Raises:
            AnalysisError: The pictures have nothing in common, or fit at several places.
            RefusedError: The sample has moved too far, or does not follow the stage.
        """
        self._take_path()
        before_um = self.places.read()
        self._focus(focus_um)
        reference = self.context.kept(_REFERENCE)
        if reference is None:
            raise RefusedError(RECENTER, "there is no picture to compare with")
        rest_um, shift = return_by_picture(
            self.places, self.scale, reference, lambda: self._frames().mean(axis=0), reach_um
        )
        moved_um = {axis: um - before_um[axis] for axis, um in self.places.read().items()}
        return Matched(moved_um, rest_um, shift.correlation, shift.rival)

    def _focus(self, reach_um: float) -> None:
        middle_um = self.places.read_axis("z")
        layers = math.ceil(reach_um / _LAYER_UM)
        coarse_um = [middle_um + _LAYER_UM * k for k in range(-layers, layers + 1)]
        self.places.step_to("z", self._sharpest(coarse_um))
        sharpest_um = self._sharpest(self.places.scan_places("z", _FINE_LAYERS))
        self.places.go_axis("z", sharpest_um + (self.context.remembered(_FOCUS) or 0.0))

    def _sharpest(self, z_um: Iterable[float]) -> float:
        """Return where the picture is sharpest among even places, um: a parabola through three.

        The camera's offset is left in; it is small beside the light, and the same everywhere.
        """
        at_um = np.array(list(z_um))
        sharpness = np.array([self._sharpness(float(um)) for um in at_um])
        top = min(max(int(np.argmax(sharpness)), 1), at_um.size - 2)
        below, there, above = (float(value) for value in np.log(sharpness[top - 1 : top + 2]))
        bend = below - 2.0 * there + above
        if bend >= 0.0:
            return float(at_um[int(np.argmax(sharpness))])
        share = min(max(0.5 * (below - above) / bend, -1.0), 1.0)
        return float(at_um[top] + share * (at_um[top] - at_um[top - 1]))

    def _sharpness(self, z_um: float) -> float:
        self.places.go_axis("z", z_um)
        return max(focus_measure(self._frames()).value, _DULL)

    def _frames(self) -> NDArray[np.float64]:
        settings = ImagingSettings(self.exposure_s, roi=self._region())
        light = PictureLight("led", self.level)
        pictures = take_pictures(self.context, self.camera, settings, _FRAMES, light)
        return pictures.astype(np.float64)

    def _region(self) -> Roi:
        columns, rows = self.camera.sensor_size()
        width, height = min(_SIDE_PX, columns), min(_SIDE_PX, rows)
        x0, y0 = (
            (size - side) // (2 * _GRID_PX) * _GRID_PX
            for size, side in ((columns, width), (rows, height))
        )
        return Roi(x0, width, y0, height)

    def _take_path(self) -> None:
        take_path(self.context, None, LIGHT_PATHS["led"], [self.camera.name])


def eye_of(context: Context, places: Places, exposure_s: float, level: float) -> Eye | None:
    """Return what looks at the sample; None without camera, LED, or scale of the picture."""
    station = context.station
    cameras = [one for name in station if isinstance(one := station[name], ImagingCamera)]
    lights = [name for name in station if isinstance(station[name], Illuminator)]
    if not cameras or not lights or not {"x", "y", "z"} <= set(places.axes):
        return None
    camera = station.only(ImagingCamera, prefer="imaging_camera")
    if camera.name not in context.calibrations.get("imaging_scale", {}):
        hint = "make it with 'calibrate: {kind: imaging_scale, …}'"
        text = f"without the calibration imaging_scale the dot is found by counts alone; {hint}"
        context.warn_once(camera.name, text)
        return None
    return Eye(context, camera, places, image_scale(context, camera), exposure_s, level)
