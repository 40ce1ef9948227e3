"""Where a stage without sensors really is: told by the picture of the sample under the LED."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import ImageScale, register_images
from labctl.errors import AnalysisError, RefusedError
from labctl.measurements._context import Context
from labctl.measurements._paths import take_path
from labctl.measurements._pictures import (
    LIGHT_PATHS,
    PictureLight,
    image_scale,
    middle_region,
    take_pictures,
)
from labctl.measurements._places import Places
from labctl.roles import Illuminator, ImagingCamera, ImagingSettings, Roi

__all__ = ["Sight", "sight_of"]

Picture = NDArray[np.float64]

_EXPOSURE_S, _LEVEL = 0.1, 0.8
_SIDE_PX, _BINNED = 384, 2
_NEAR_SHARE, _HOP_SHARE = 0.15, 0.25
"""Of the side of a picture: farther away a view of its own is kept, and no farther is gone at once.
Both together leave more than half of a view in sight."""
_CLOSE_UM = 0.06
_ROUNDS = 6
_TRIED = 4
_VIEWS = "sight_views"
_VIEW = "sight_{}"
_PLACE = "sight_{}_{}_um"
_AXES = ("x", "y")


@dataclass(frozen=True)
class _View:
    """How the sample looked from a place of the stage, um."""

    place_um: tuple[float, float]
    picture: Picture


@dataclass(frozen=True)
class Sight:
    """Compares how the sample looks with how it looked from known places of this run.

    The first look tells where the places are counted from: where the stage believed it was. Views
    are kept as new parts of the sample come into the field, each placed by one before, so that
    errors of steps do not add up.

    Attributes:
        context: The context of the measurement.
        camera: The imaging camera.
        places: The stage.
        scale: How the picture lies on the sample.
    """

    context: Context
    camera: ImagingCamera
    places: Places
    scale: ImageScale

    def look(self) -> tuple[float, float]:
        """Tell where the stage is, x and y in um, and let it believe that.

        Raises:
            AnalysisError: The sample looks like nothing that was seen before.
        """
        believed_um = self._believed_um()
        picture = self._picture()
        views = self._views()
        if not views:
            self._keep(_View(believed_um, picture))
            return believed_um
        place_um = self._placed(picture, believed_um, views)
        self.places.believe(dict(zip(_AXES, place_um, strict=True)))
        apart_um = min(math.dist(view.place_um, place_um) for view in views)
        if apart_um > _NEAR_SHARE * self._side_um():
            self._keep(_View(place_um, picture))
        return place_um

    def go(self, x_um: float, y_um: float) -> None:
        """Go to a place, look, and go on until it is met to within 0.06 um.

        A far way is made in parts, each short enough that something that was seen is in sight.

        Raises:
            AnalysisError: The sample looks like nothing that was seen before.
            RefusedError: The stage does not get there.
        """
        here_um = self.look()
        parts = math.ceil(math.dist(here_um, (x_um, y_um)) / (_HOP_SHARE * self._side_um()))
        for n in range(1, parts):
            part = n / parts
            self.places.go(
                {
                    "x": here_um[0] + part * (x_um - here_um[0]),
                    "y": here_um[1] + part * (y_um - here_um[1]),
                }
            )
            self.look()
        self._arrive(x_um, y_um)

    def _arrive(self, x_um: float, y_um: float) -> None:
        off_um = math.inf
        for _ in range(_ROUNDS):
            for axis, um in zip(_AXES, (x_um, y_um), strict=True):
                if self.places.range_um(axis) and not self.places.has_room(axis, um):
                    self.places.step_to(axis, um)
                else:
                    self.places.go_axis(axis, um)
            off_um = math.dist(self.look(), (x_um, y_um))
            if off_um < _CLOSE_UM:
                return
        what = f"is {off_um:.2f} um off after {_ROUNDS} moves to ({x_um:.2f}, {y_um:.2f}) um"
        raise RefusedError(self.places.stage.name, what, "does it stick, or slip?")

    def _placed(
        self, picture: Picture, believed_um: tuple[float, float], views: list[_View]
    ) -> tuple[float, float]:
        nearest = sorted(views, key=lambda view: math.dist(view.place_um, believed_um))
        for number, view in enumerate(nearest[:_TRIED], 1):
            try:
                shift = register_images(view.picture, picture)
            except AnalysisError:
                if number == len(nearest[:_TRIED]):
                    raise
                continue
            shift_px = _BINNED * np.array([shift.x_px.value, shift.y_px.value])
            x_um, y_um = self.scale.to_um(shift_px)
            return view.place_um[0] + float(x_um), view.place_um[1] + float(y_um)
        message = "nothing of the sample has been seen yet"
        raise AnalysisError(message)

    def _believed_um(self) -> tuple[float, float]:
        return self.places.read_axis("x"), self.places.read_axis("y")

    def _side_um(self) -> float:
        region = self._region()
        return min(region.width, region.height) * self.scale.um_per_pixel.value

    def _picture(self) -> Picture:
        take_path(self.context, None, LIGHT_PATHS["led"], [self.camera.name])
        settings = ImagingSettings(_EXPOSURE_S, roi=self._region())
        light = PictureLight("led", _LEVEL)
        picture = take_pictures(self.context, self.camera, settings, 1, light)[0]
        return _binned(picture.astype(np.float64))

    def _region(self) -> Roi:
        return middle_region(self.camera, _SIDE_PX)

    def _views(self) -> list[_View]:
        number = int(self.context.remembered(_VIEWS) or 0)
        return [view for n in range(number) if (view := self._view(n)) is not None]

    def _view(self, number: int) -> _View | None:
        picture = self.context.kept(_VIEW.format(number))
        x_um, y_um = (self.context.remembered(_PLACE.format(number, axis)) for axis in _AXES)
        if picture is None or x_um is None or y_um is None:
            return None
        return _View((x_um, y_um), picture)

    def _keep(self, view: _View) -> None:
        number = int(self.context.remembered(_VIEWS) or 0)
        self.context.keep(_VIEW.format(number), view.picture)
        for axis, um in zip(_AXES, view.place_um, strict=True):
            self.context.remember(_PLACE.format(number, axis), um)
        self.context.remember(_VIEWS, number + 1.0)


def sight_of(context: Context, places: Places) -> Sight | None:
    """Return what looks where an open-loop stage is; None where sensors tell, or nothing can.

    Without imaging camera, LED or scale of the picture, the user is warned once.
    """
    if not {"x", "y"} <= set(places.axes):
        return None
    if all(places.stage.has_readout(axis) for axis in _AXES):
        return None
    station = context.station
    cameras = [name for name in station if isinstance(station[name], ImagingCamera)]
    lights = [name for name in station if isinstance(station[name], Illuminator)]
    if not cameras or not lights:
        text = "has no sensors, and no camera with an LED sees the sample: its steps are trusted"
        context.warn_once(places.stage.name, text)
        return None
    camera = station.only(ImagingCamera, prefer="imaging_camera")
    if camera.name not in context.calibrations.get("imaging_scale", {}):
        hint = "make it with 'calibrate: {kind: imaging_scale, …}'"
        text = f"without the calibration imaging_scale the steps of the stage are trusted; {hint}"
        context.warn_once(camera.name, text)
        return None
    return Sight(context, camera, places, image_scale(context, camera))


def _binned(picture: Picture) -> Picture:
    """Return means of squares of pixels: coarser, with less noise, and faster to compare."""
    rows, columns = (length // _BINNED for length in picture.shape)
    cut = picture[: rows * _BINNED, : columns * _BINNED]
    return cut.reshape(rows, _BINNED, columns, _BINNED).mean(axis=(1, 3))
