"""The calibration ``spot_size``: how large the laser spot on the sample is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from labctl.analysis import Measured, SpotSize, measure_spot, spot_size
from labctl.measurements._context import Context
from labctl.measurements._pictures import image_scale
from labctl.measurements._spot_picture import SpotPicture
from labctl.roles import Attenuator, ImagingCamera
from labctl.units import Micrometers

__all__ = ["CalibrateSpotSize"]

_NO_GAUSSIAN = 3.0


class CalibrateSpotSize(SpotPicture):
    """1/e² diameters of the spot, from the picture of what the sample sends back of it.

    The sample is taken for a mirror in focus, and the spot for a Gaussian that may have two axes.
    The picture's own blur is taken out in quadrature. A length in the picture is as good as the
    calibration ``imaging_scale``. The fluence of every attenuator rests on the result.

    Attributes:
        point_sd_um: Standard deviation of the picture of a point, um on the sample (assumed): about
            0.21 wavelengths / NA (Zhang, Zerubia, Olivo-Marin, Appl. Opt. 46, 1819 (2007)), more
            with aberrations and out of focus.
        point_sd_uncertainty_um: Its standard uncertainty, um (assumed).
    """

    kind: ClassVar[str] = "calibrate_spot_size"
    needs: ClassVar[tuple[str, ...]] = ("attenuator", "imaging_camera", "shutter")
    rests_on: ClassVar[Mapping[str, str]] = {"imaging_scale": "imaging_camera"}

    frames: int = Field(10, ge=2)
    point_sd_um: Micrometers = Field(0.14, gt=0)
    point_sd_uncertainty_um: Micrometers = Field(0.04, ge=0)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            exposure: str,
            frames: int = 10,
            gain: float = 1.0,
            roi: tuple[int, int, int, int] | None = None,
            point_sd: str = "0.14 um",
            point_sd_uncertainty: str = "0.04 um",
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``exposure="5 ms"``."""

    def run(self, context: Context) -> None:
        """Take pictures of the spot, fit it, keep its size for the attenuator.

        Raises:
            ConfigError: The scale of the picture was never calibrated; says how.
            AnalysisError: There is no spot, it is saturated, lies at the edge of the picture, or is
                hardly wider than the picture of a point.
        """
        camera = context.station.only(ImagingCamera, prefer="imaging_camera")
        attenuator = context.station.only(Attenuator, prefer="attenuator")
        scale = image_scale(context, camera)
        pictures = self.spot(context, camera)
        shape = measure_spot(pictures.bright, pictures.dark, self.believed_sd_px(context, camera))
        point_um = Measured(self.point_sd_um, self.point_sd_uncertainty_um)
        size = spot_size(shape, scale, point_um)
        if shape.reduced_chi2 > _NO_GAUSSIAN:
            text = f"the spot is no Gaussian: chi-square {shape.reduced_chi2:.1f} per pixel"
            context.message("warning", camera.name, f"{text}; is it in focus, and the beam clean?")
        record: dict[str, Any] = {
            **_record(size),
            "point_sd_um": point_um.value,
            "point_sd_error_um": point_um.error,
            "um_per_pixel": scale.um_per_pixel.value,
            "um_per_pixel_error": scale.um_per_pixel.error,
            "reduced_chi2": shape.reduced_chi2,
            "camera": camera.name,
            "calibrated_at": context.clock.utc().isoformat(),
        }
        context.calibrated("spot_size", attenuator.name, record)
        context.store(
            pictures.arrays,
            settings=pictures.settings,
            live_time_s=self.frames * self.exposure_s,
            brief=f"1/e² diameters {_said(size.x_um)} along x, {_said(size.y_um)} along y",
        )


def _record(size: SpotSize) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, one in (("", size.diameter_um), ("_x", size.x_um), ("_y", size.y_um)):
        found[f"spot_1e2_diameter{name}_um"] = one.value
        found[f"spot_1e2_diameter{name}_error_um"] = one.error
    return found


def _said(size: Measured) -> str:
    return f"{size.value:.3f} +- {size.error:.3f} um"
