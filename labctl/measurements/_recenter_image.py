"""Bringing the sample back by its picture: the sharpest focus first, then the place of before."""

from dataclasses import dataclass

from labctl.analysis import ImageScale
from labctl.errors import RefusedError
from labctl.measurements._context import Context
from labctl.measurements._focus import Focus
from labctl.measurements._picture_return import return_by_picture
from labctl.measurements._pictures import image_scale
from labctl.measurements._places import Places
from labctl.measurements._recenter_identity import RECENTER
from labctl.roles import Illuminator, ImagingCamera

__all__ = ["Eye", "Matched", "eye_of"]

_REFERENCE = "recenter_reference"
_FOCUS = "recenter_focus_um"


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
    """Compares how the sample looks with how it looked before.

    Attributes:
        context: The context of the measurement.
        focus: What takes the pictures.
        scale: How the picture lies on the sample.
    """

    context: Context
    focus: Focus
    scale: ImageScale

    @property
    def knows_the_place(self) -> bool:
        """Whether there is a picture of an earlier time in this run to compare with."""
        return self.context.kept(_REFERENCE) is not None

    def keep_the_place(self) -> None:
        """Keep how the sample looks now, with the dot in the light, for later times.

        Where the counts are highest the picture is not quite sharp; the difference is kept, too.
        """
        self.focus.take_path()
        places = self.focus.places
        dot_um = places.read_axis("z")
        self.context.remember(_FOCUS, dot_um - self.focus.near().z_um)
        places.go_axis("z", dot_um)
        self.context.keep(_REFERENCE, self.focus.picture())

    def bring_back(self, focus_um: float, reach_um: float) -> Matched:
        """Focus, then move until the picture is that of before.

        Args:
            focus_um: How far the sample may be out of focus either way, um.
            reach_um: How far it may have moved in x and y, um.

        Raises:
            AnalysisError: The pictures have nothing in common, or fit at several places.
            RefusedError: The sample has moved too far, or does not follow the stage.
        """
        reference = self.context.kept(_REFERENCE)
        if reference is None:
            raise RefusedError(RECENTER, "there is no picture to compare with")
        self.focus.take_path()
        places = self.focus.places
        before_um = places.read()
        sharpest = self.focus.find(focus_um)
        if not sharpest.inside:
            what = f"no focus within {focus_um:g} um of where it should be"
            raise RefusedError(RECENTER, what, "look for it by hand, or allow a larger 'focus'")
        places.go_axis("z", sharpest.z_um + (self.context.remembered(_FOCUS) or 0.0))
        rest_um, shift = return_by_picture(
            places, self.scale, reference, self.focus.picture, reach_um
        )
        moved_um = {axis: um - before_um[axis] for axis, um in places.read().items()}
        return Matched(moved_um, rest_um, shift.correlation, shift.rival)


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
    focus = Focus(context, camera, places, exposure_s, level)
    return Eye(context, focus, image_scale(context, camera))
