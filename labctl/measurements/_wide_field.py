"""The measurement ``wide_field``: dots found by their light in one picture of a wide field."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import (
    ImageNoise,
    ImageScale,
    Spot,
    find_spots,
    measure_image_noise,
    photon_transfer,
)
from labctl.errors import AnalysisError
from labctl.measurements._context import Array, Context
from labctl.measurements._counting import Counting
from labctl.measurements._dots import SURE_SIGMAS, FoundDot, report_dots
from labctl.measurements._measurement import Measurement
from labctl.measurements._paths import take_path
from labctl.measurements._pictures import (
    LIGHT_PATHS,
    PictureLight,
    image_scale,
    laser_spot_px,
    picture_settings,
    region_of,
    take_pictures,
)
from labctl.measurements._places import Places
from labctl.measurements._settings import laser_settings
from labctl.measurements._sight import sight_of
from labctl.measurements._spectrum import SATURATED
from labctl.roles import ImagingCamera, ImagingSettings, Positioner, Roi
from labctl.units import Micrometers, Seconds

__all__ = ["WideField"]

_SETUP_S, _READOUT_S = 5.0, 0.05
_DARK_FRAMES = 4

Picture = NDArray[np.float64]


class WideField(Counting, Measurement):
    """Looks at the light of all dots in a wide field at once, and finds them at 5 sigma.

    Where a dot is on the stage follows from where it shines in the picture, where the laser spot
    is (calibration ``laser_spot``) and how the picture lies on the sample (``imaging_scale``).
    The parameters of counting hold for the steps that go to the dots afterwards.

    Attributes:
        exposure_s: Exposure of one frame, s.
        frames: Number of frames, which are added.
        gain: Analog gain of the camera, a factor.
        roi: First column, number of columns, first row, number of rows; None: the whole sensor.
        image_um: Full width at half maximum of a dot's image, um on the sample: 0.5 wavelengths
            over the numerical aperture 0.8 (assumed).
        spot_um: Full width at half maximum of a dot in counts against the place of the stage, um:
            excitation spot times collection [A].
    """

    kind: ClassVar[str] = "wide_field"
    needs: ClassVar[tuple[str, ...]] = ("imaging_camera", "positioner", "shutter")
    rests_on: ClassVar[Mapping[str, str]] = {
        "imaging_scale": "imaging_camera",
        "laser_spot": "imaging_camera",
    }
    find: ClassVar[bool] = True

    exposure_s: Seconds = Field(gt=0, description="like 'exposure: 1 s'")
    frames: int = Field(4, ge=2, le=10_000)
    gain: float = Field(1.0, ge=1)
    roi: tuple[int, int, int, int] | None = None
    image_um: Micrometers = Field(0.33, gt=0)
    spot_um: Micrometers = Field(0.7, gt=0)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            exposure: str,
            frames: int = 4,
            gain: float = 1.0,
            roi: tuple[int, int, int, int] | None = None,
            image: str = "0.33 um",
            spot: str = "0.7 um",
            **counting: Any,
        ) -> None:
            """As in a recipe: ``WideField(exposure="1 s", frames=10)``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return _SETUP_S + (self.frames + _DARK_FRAMES) * (self.exposure_s + _READOUT_S)

    def run(self, context: Context) -> None:
        """Look where the stage is, take pictures, find the dots, store the point.

        Raises:
            ConfigError: The scale of the picture or the place of the laser spot is not known.
        """
        camera = context.station.only(ImagingCamera, prefer="imaging_camera")
        places = Places(context, context.station.only(Positioner, prefer="stage"))
        where = _Where(image_scale(context, camera), laser_spot_px(context, camera))
        sight = sight_of(context, places)
        here_um = (places.read_axis("x"), places.read_axis("y")) if sight is None else sight.look()
        path = take_path(context, None, LIGHT_PATHS["wide_field"], [camera.name])
        settings = ImagingSettings(self.exposure_s, self.gain, region_of(self.roi))
        light = PictureLight("wide_field")
        dark = take_pictures(context, camera, settings, _DARK_FRAMES, PictureLight("none"))
        bright = take_pictures(context, camera, settings, self.frames, light)
        psf_px = self.image_um / 2.3548 / where.scale.um_per_pixel.value
        spots = find_spots(bright.mean(axis=0), _noise(bright, dark), psf_px)
        sure = [spot for spot in spots if spot.snr >= SURE_SIGMAS]
        region = camera.region(settings)
        dots = [
            where.dot(f"D{n:03d}", spot, region, here_um, self.exposure_s)
            for n, spot in enumerate(sure, 1)
        ]
        report_dots(context, dots, self, self.spot_um, self.kind)
        context.store(
            [Array("counts", bright.sum(axis=0, dtype=np.uint32), "counts", ("y", "x"))],
            settings={
                "path": path,
                **picture_settings(context, camera, self.frames, light),
                "laser": laser_settings(context),
                "stage_um": here_um,
            },
            live_time_s=self.frames * self.exposure_s,
            quality=SATURATED if int(bright.max()) >= camera.full_scale_counts() else 0,
            brief=f"{len(dots)} dots in {bright.shape[2]} x {bright.shape[1]} pixels",
        )


class _Where:
    """From places in the picture to places of the stage."""

    def __init__(self, scale: ImageScale, laser_px: tuple[float, float]) -> None:
        self.scale, self._laser_px = scale, laser_px

    def dot(
        self, name: str, spot: Spot, corner: Roi, here_um: tuple[float, float], exposure_s: float
    ) -> FoundDot:
        """Return a spot as a dot: where the stage stands with it in the laser spot."""
        at_px = (corner.x0 + spot.x_px.value, corner.y0 + spot.y_px.value)
        way_px = np.array([laser - px for laser, px in zip(self._laser_px, at_px, strict=True)])
        x_um, y_um = self.scale.to_um(way_px)
        um = self.scale.um_per_pixel.value
        return FoundDot(
            name,
            here_um[0] + float(x_um),
            spot.x_px.error * um,
            here_um[1] + float(y_um),
            spot.y_px.error * um,
            spot.counts.value / exposure_s,
            spot.snr,
            spot.confidence,
        )


def _noise(bright: NDArray[np.uint16], dark: NDArray[np.uint16]) -> ImageNoise:
    """Return the noise of the mean of the bright frames, measured on two halves of them.

    Shot noise of spots follows from the noise of the glow around them, if there is enough of it.
    """
    halves = np.stack([bright[n::2].mean(axis=0) for n in range(2)])
    noise = measure_image_noise(halves)
    flat = [frames.reshape(len(frames), -1).astype(np.float64) for frames in (bright[:4], dark)]
    try:
        per_electron = 1.0 / photon_transfer(*flat).electrons_per_count.value
    except AnalysisError:
        per_electron = 0.0
    return ImageNoise(noise.floor_variance, per_electron, len(bright))
