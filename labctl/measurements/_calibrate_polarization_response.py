"""The calibration ``polarization_response``: which polarization the light path passes better."""

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import PathPolarization, fit_polarization
from labctl.errors import AnalysisError, RefusedError
from labctl.measurements._calibrate_analyser import analyser_of
from labctl.measurements._context import Array, Context
from labctl.measurements._dispersion import dispersion
from labctl.measurements._lamp_frames import WhiteLamp, lamp_lit, tuned
from labctl.measurements._paths import take_path
from labctl.measurements._settings import point_settings
from labctl.roles import Camera

__all__ = ["CalibratePolarizationResponse"]

_SETUP_S, _MOVE_S = 5.0, 1.0
_STEADY_REL = 0.001
"""How steady the lamp is from one exposure to the next (assumed); the fit scales its errors if it
is less steady."""

Vector = NDArray[np.float64]


class CalibratePolarizationResponse(WhiteLamp):
    """White, unpolarized light behind the turned analyser, on the path that light of dots takes.

    A halogen lamp behind a diffuser stands in the place of the sample. What changes with the angle
    of the analyser is the path: a grating behind an analyser that turns, mirrors in front of one
    whose output is fixed. It is kept by grating and exit, for spectra whose middle lies within its
    range.

    Attributes:
        angles: Number of angles, evenly over a full turn.
        lamp_degree: Degree of linear polarization that the lamp may have, one sigma (assumed).
        path: Light path; None: ``polarization``, if the set-up has it.
    """

    kind: ClassVar[str] = "calibrate_polarization_response"
    needs: ClassVar[tuple[str, ...]] = ("spectrograph", "camera", "lamp", "rotator")

    frames: int = Field(4, ge=2)
    angles: int = Field(16, ge=8, le=360)
    lamp_degree: float = Field(0.002, ge=0, lt=1)
    path: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            grating: str,
            center: str,
            exposure: str,
            frames: int = 4,
            angles: int = 16,
            lamp_degree: float = 0.002,
            path: str | None = None,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``center="532 nm"``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        each_s = _MOVE_S + self.frames * self.exposure_s
        return _SETUP_S + self.angles * each_s + self.frames * self.exposure_s

    def run(self, context: Context) -> None:
        """Take the lamp at each angle, and the dark; keep what the path favours.

        Raises:
            RefusedError: The analyser stands outside the light.
            AnalysisError: The lamp is too weak, saturates the camera, or is polarized.
        """
        camera = context.station.only(Camera, prefer="camera")
        analyser, rotator = analyser_of(context)
        path = take_path(context, self.path, "polarization", [camera.name])
        if not analyser.in_path():
            raise RefusedError(analyser.name, "it stands outside the light", "name its path")
        at = tuned(context, self.grating_per_mm, self.center_nm)
        calibration = dispersion(context, at.spectrograph, camera)
        dark = self.look(context, camera).sum(axis=1)
        found: list[tuple[float, Vector]] = []
        with lamp_lit(context, "halogen"):
            for place in np.linspace(0.0, 360.0, self.angles, endpoint=False):
                shown_deg = context.move(rotator.settable("angle"), float(place))
                found.append((shown_deg, self.look(context, camera).sum(axis=1)))
        angle_deg = np.array([angle for angle, _ in found])
        light, variance = _above(np.array([frames for _, frames in found]), dark)
        axis_nm = calibration.region_nm(0, camera.sensor_size()[0], at.centre_nm)
        law = fit_polarization(angle_deg, light, np.diag(variance))
        bounds_nm = float(axis_nm.min()), float(axis_nm.max())
        known = PathPolarization.of_unpolarized(law, self.lamp_degree, *bounds_nm)
        record = {
            **known.to_record(),
            "analyser": analyser.name,
            "remedy": analyser.remedy,
            "lamp_degree": self.lamp_degree,
            "reduced_chi2": law.reduced_chi2,
            "calibrated_at": context.clock.utc().isoformat(),
        }
        context.calibrated("polarization_response", at.key, record)
        context.store(
            [
                Array("angle", angle_deg, "deg", ("angle",)),
                Array("light", light, "counts", ("angle",)),
                Array("light_error", np.sqrt(variance), "counts", ("angle",)),
            ],
            settings={
                "path": path,
                **point_settings(context, at.standing, camera, calibration, self.frames),
            },
            live_time_s=self.frames * self.exposure_s * self.angles,
            brief=f"the path makes unpolarized light {law.degree.value:.4f} +- "
            f"{math.hypot(law.degree.error, self.lamp_degree):.4f} polarized",
        )


def _above(frames: Vector, dark: Vector) -> tuple[Vector, Vector]:
    """Return light by angle above the dark, and its variance.

    Args:
        frames: Shape (angle, frame), counts.
        dark: Shape (frame,), counts.

    Raises:
        AnalysisError: There is hardly more light than in the dark.
    """
    light = frames.mean(axis=1) - dark.mean()
    # The scatter of a few frames is itself uncertain; all angles have about the same.
    noise = float(frames.var(axis=1, ddof=1).mean() + dark.var(ddof=1)) / frames.shape[1]
    if not light.mean() > 100.0 * math.sqrt(noise):
        message = "there is hardly any light of the lamp; does it stand before the analyser?"
        raise AnalysisError(message)
    return light, noise + (_STEADY_REL * light) ** 2
