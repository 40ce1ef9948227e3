"""The live view of the sample: pictures with what is known of their scale and the laser's spot."""

from typing import Any, ClassVar

from pydantic import Field

from labctl.measurements._context import Context
from labctl.measurements._live import Live
from labctl.measurements._paths import take_path
from labctl.measurements._pictures import LIGHT_PATHS, Light, PictureLight, lit, region_of
from labctl.roles import ImagingCamera, ImagingSettings
from labctl.units import Seconds

__all__ = ["LivePicture"]

_MARGIN_S = 10.0


class LivePicture(Live):
    """Pictures of the sample, one after the other.

    Attributes:
        exposure_s: Exposure of one frame, s.
        light: ``led``, ``laser`` (the spot, through grey filters), ``wide_field`` or ``none``.
        level: Brightness of the LED, above 0 up to 1.
        gain: Analog gain of the camera, a factor.
        path: Light path; None: the one that belongs to the light.
    """

    kind: ClassVar[str] = "live_picture"
    needs: ClassVar[tuple[str, ...]] = ("imaging_camera",)

    exposure_s: Seconds = Field(0.05, gt=0)
    light: Light = "led"
    level: float = Field(0.5, gt=0, le=1)
    gain: float = Field(1.0, ge=1)
    roi: tuple[int, int, int, int] | None = None
    path: str | None = None

    def run(self, context: Context) -> None:
        """Show pictures until a command ends it."""
        camera = context.station.only(ImagingCamera, prefer="imaging_camera")
        take_path(context, self.path, LIGHT_PATHS[self.light], [camera.name])
        camera.configure(ImagingSettings(self.exposure_s, self.gain, region_of(self.roi)))
        facts = self._facts(context, camera)
        try:
            with lit(context, PictureLight(self.light, self.level)):
                while True:
                    self._frame(context, camera, facts)
        finally:
            camera.stop()

    def _frame(self, context: Context, camera: ImagingCamera, facts: dict[str, Any]) -> None:
        camera.start_frame()
        context.wait_until(
            camera.frame_ready,
            timeout_s=camera.frame_time_s() + _MARGIN_S,
            what=f"{camera.name} picture",
            bankable=True,
        )
        counts = camera.take_frame()
        self.show("picture", {"counts": counts}, {**facts, "peak": int(counts.max(initial=0))})

    def _facts(self, context: Context, camera: ImagingCamera) -> dict[str, Any]:
        known = {
            name: context.calibrations.get(name, {}).get(camera.name)
            for name in ("imaging_scale", "laser_spot")
        }
        return {
            "light": self.light,
            "full_scale": camera.full_scale_counts(),
            "nominal_scale_um": camera.nominal_scale_um(),
            "x0": self.roi[0] if self.roi else 0,
            "y0": self.roi[2] if self.roi else 0,
            **known,
        }
