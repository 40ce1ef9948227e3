"""The measurement ``autofocus``: goes where the picture of the sample is sharpest."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from labctl.errors import RefusedError
from labctl.measurements._context import Array, Context
from labctl.measurements._focus import Focus
from labctl.measurements._measurement import Again, Measurement
from labctl.measurements._pictures import PictureLight, picture_settings
from labctl.measurements._places import Places
from labctl.roles import ImagingCamera, Positioner
from labctl.units import Micrometers, Seconds

__all__ = ["Autofocus"]

_PICTURE_S = 0.5


class Autofocus(Measurement):
    """Moves z to the sharpest picture under the LED.

    The camera need not be sharp where most light of a dot is collected; see ``recenter``.

    Attributes:
        reach_um: How far the focus may be either way, um.
        exposure_s: Exposure of a picture, s.
        level: Brightness of the LED, above 0 up to 1.
    """

    kind: ClassVar[str] = "autofocus"
    needs: ClassVar[tuple[str, ...]] = ("positioner", "imaging_camera", "illuminator")

    reach_um: Micrometers = Field(4.0, gt=0)
    exposure_s: Seconds = Field(0.2, gt=0)
    level: float = Field(0.8, gt=0, le=1)

    if TYPE_CHECKING:

        def __init__(
            self, *, reach: str = "4 um", exposure: str = "200 ms", level: float = 0.8
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``reach="4 um"``."""

    def once_more(self) -> Again:
        """Return that a run which is taken up again has to find the place anew."""
        return "prepare"

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return 2.0 * (self.reach_um + 4.0) * (2.0 * self.exposure_s + _PICTURE_S)

    def run(self, context: Context) -> None:
        """Sweep, go to the sharpest place, store the point.

        Raises:
            RefusedError: The picture gets sharper towards an end of the sweep; the stage is back
                where it was.
        """
        places = Places(context, context.station.only(Positioner, prefer="stage"))
        camera = context.station.only(ImagingCamera, prefer="imaging_camera")
        focus = Focus(context, camera, places, self.exposure_s, self.level)
        path = focus.take_path()
        before_um = places.read_axis("z")
        found = focus.find(self.reach_um)
        if not found.inside:
            places.go_axis("z", before_um)
            what = f"no focus within {self.reach_um:g} um"
            raise RefusedError(self.kind, what, "begin nearer, or allow a larger 'reach'")
        places.go_axis("z", found.z_um)
        context.found("focused", {"z_um": found.z_um, "moved_um": found.z_um - before_um})
        context.store(
            [
                Array("sharpness", found.sharpness, "", ("n",)),
                Array("place", found.places_um, "um", ("n",)),
            ],
            settings={
                "path": path,
                **picture_settings(context, camera, 2, PictureLight("led", self.level)),
                "z_um": found.z_um,
                "moved_um": found.z_um - before_um,
            },
            live_time_s=2.0 * self.exposure_s * found.sharpness.size,
            brief=f"moved by {found.z_um - before_um:+.2f} um",
        )
