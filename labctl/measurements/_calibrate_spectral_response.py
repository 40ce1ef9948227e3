"""The calibration ``spectral_response``: efficiency of a grating and camera against wavelength."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from labctl.analysis import measure_efficiency
from labctl.measurements._context import Array, Context
from labctl.measurements._dispersion import dispersion
from labctl.measurements._lamp_frames import WhiteLamp, lamp_lit, tuned
from labctl.measurements._paths import take_path
from labctl.measurements._settings import point_settings
from labctl.roles import Camera, Lamp

__all__ = ["CalibrateSpectralResponse"]

_SETUP_S = 5.0


class CalibrateSpectralResponse(WhiteLamp):
    """White light of known colour through the path that the light of dots takes.

    A halogen lamp of known distribution temperature (``white_temperature`` of the lamp in the
    set-up) stands in the place of the sample. What the path, grating and camera make of it is kept
    by grating and exit, for spectra that lie within its range.

    Attributes:
        path: Light path; None: ``camera``, if the set-up has it.
    """

    kind: ClassVar[str] = "calibrate_spectral_response"

    frames: int = Field(20, ge=2)
    path: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            grating: str,
            center: str,
            exposure: str,
            frames: int = 20,
            path: str | None = None,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``center="540 nm"``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return _SETUP_S + 2 * self.frames * self.exposure_s

    def run(self, context: Context) -> None:
        """Take the lamp and the dark, keep the efficiency.

        Raises:
            RefusedError: Nobody knows the colour of the lamp; nothing was moved.
            AnalysisError: The lamp is too weak, or saturates the camera.
        """
        camera = context.station.only(Camera, prefer="camera")
        kelvin, error_k = context.station.only(Lamp, prefer="lamp").white_temperature_k()
        path = take_path(context, self.path, "camera", [camera.name])
        at = tuned(context, self.grating_per_mm, self.center_nm)
        calibration = dispersion(context, at.spectrograph, camera)
        dark = self.look(context, camera)
        with lamp_lit(context, "halogen"):
            bright = self.look(context, camera)
        axis_nm = calibration.region_nm(0, dark.shape[1], at.centre_nm)
        light = bright.sum(axis=0) - dark.sum(axis=0)
        variance = self.frames * (bright.var(axis=0, ddof=1) + dark.var(axis=0, ddof=1))
        # The scatter of a few frames at one pixel is itself uncertain; neighbours have the same.
        smooth = np.convolve(variance, np.ones(25) / 25.0, mode="same")
        found = measure_efficiency(light, np.maximum(smooth, 1.0), axis_nm, kelvin, error_k)
        stamp = context.clock.utc().isoformat()
        record = {**found.to_record(), "lamp_temperature_k": kelvin, "calibrated_at": stamp}
        context.calibrated("spectral_response", at.key, record)
        context.store(
            [
                Array("counts", light, "counts", ("x",)),
                Array("wavelength", axis_nm, "nm", ("x",)),
                Array("efficiency", found.relative(axis_nm), "", ("x",)),
            ],
            settings={
                "path": path,
                **point_settings(context, at.standing, camera, calibration, self.frames),
            },
            live_time_s=self.frames * self.exposure_s,
            brief=f"{found.from_nm:.0f} to {found.to_nm:.0f} nm, "
            f"unknown by {100 * found.error_per_nm:.3f} % per nm",
        )
