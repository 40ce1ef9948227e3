"""The calibration ``em_gain``: what the multiplying register of an EMCCD really does."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import EmGain, em_gain_of
from labctl.errors import AnalysisError
from labctl.measurements._calibrate import Element, LampExposure
from labctl.measurements._context import Array, Context
from labctl.measurements._dispersion import nominal_dispersion
from labctl.measurements._exposure import Exposure, expose
from labctl.measurements._lamp_frames import lamp_lit, tuned
from labctl.measurements._paths import take_path
from labctl.measurements._settings import detector_key, point_settings
from labctl.roles import Camera, CameraSettings
from labctl.units import Seconds

__all__ = ["CalibrateEmGain"]

_SATURATED = 0.9
_COSMIC_SIGMAS = 5.0
_NORMAL = 1.4826
"""Standard deviation over median deviation of normal noise."""

Vector = NDArray[np.float64]


class CalibrateEmGain(LampExposure):
    """True gain of the register, its excess noise, dark rate and bias, from frames of a lamp.

    The light of the lamp with gain over that without, on the same port, is the gain: the law of
    the noise behind a register need not be known. Registers age, so that the true gain falls short
    of the one that is set; what exceeds 1 is taken to be in proportion. Frames with gain are
    shorter by the gain, so that both are equally bright.

    Attributes:
        em_gain: The gain that is set.
        dark_s: Exposure of the long dark frames, s.
    """

    kind: ClassVar[str] = "calibrate_em_gain"

    em_gain: int = Field(100, ge=2, le=1000)
    dark_s: Seconds = Field(10.0, gt=0)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            grating: str,
            center: str,
            exposure: str,
            lamp: Element = "neon",
            frames: int = 5,
            adc: str | None = None,
            analog_gain: int = 2,
            em_gain: int = 100,
            dark: str = "10 s",
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``exposure="1 s"``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        return (
            super().estimate_s()
            + self.frames * (2.0 * self.exposure_s / self.em_gain)
            + (self.frames * self.dark_s)
        )

    def run(self, context: Context) -> None:
        """Take the lamp with and without gain, and long dark frames; keep the gain."""
        camera = context.station.only(Camera, prefer="camera")
        take_path(context, None, "camera", [camera.name])
        at = tuned(context, self.grating_per_mm, self.center_nm)
        plain = replace(self.settings(camera), quality="electron_multiplied")
        plain = replace(plain, adc_mhz=self.adc_mhz or camera.quietest_mhz("electron_multiplied"))
        gained = replace(plain, em_gain=self.em_gain, exposure_s=self.exposure_s / self.em_gain)
        without = self._pair(context, camera, plain)
        behind = self._pair(context, camera, gained)
        # Without gain, behind which a cosmic ray is too much light for the guard.
        long = self._frames(context, camera, replace(plain, exposure_s=self.dark_s))
        found = em_gain_of(without, behind, float(self.em_gain), _usable(camera, without, behind))
        result = self._result(context, camera, found, without[1], long)
        context.calibrated("em_gain", detector_key(camera), result)
        nominal = nominal_dispersion(at.spectrograph, camera)
        context.store(
            [
                Array("counts", behind[0].sum(axis=0).astype(np.uint32), "counts", ("x",)),
                Array("plain", without[0].sum(axis=0).astype(np.uint32), "counts", ("x",)),
            ],
            settings=point_settings(context, at.standing, camera, nominal, self.frames),
            live_time_s=self.frames * (gained.exposure_s + self.exposure_s),
            brief=f"set to {self.em_gain} it is {found.gain.value:.2f} ± {found.gain.error:.2f},"
            f" noise factor {found.excess.value:.2f}",
        )

    def _pair(
        self, context: Context, camera: Camera, settings: CameraSettings
    ) -> tuple[Vector, Vector]:
        """Return frames with and without the lamp, shape (frame, pixel)."""
        dark = self._frames(context, camera, settings)
        with lamp_lit(context, self.lamp):
            bright = self._frames(context, camera, settings)
        return bright, dark

    def _frames(self, context: Context, camera: Camera, settings: CameraSettings) -> Vector:
        taken = expose(context, camera, Exposure(settings, self.frames, light=False))
        return taken.counts.sum(axis=1).astype(np.float64)

    def _result(
        self, context: Context, camera: Camera, found: EmGain, dark: Vector, long: Vector
    ) -> dict[str, Any]:
        """Return what is kept; the dark rate in electrons needs the conversion of the port."""
        detector = context.calibrations.get("detector", {}).get(detector_key(camera))
        rows = camera.sensor_size()[1]
        result: dict[str, Any] = {
            "gain": found.gain.value,
            "gain_error": found.gain.error,
            "set_gain": self.em_gain,
            "ratio": (found.gain.value - 1.0) / (self.em_gain - 1.0),
            "ratio_error": found.gain.error / (self.em_gain - 1.0),
            "excess": found.excess.value,
            "excess_error": found.excess.error,
            "pixels": found.pixels,
            "bias_counts": float(np.median(dark)),
            "calibrated_at": context.clock.utc().isoformat(),
        }
        if detector is not None:
            per_electron = 1.0 / float(detector["electrons_per_count"]["value"])
            span_s = self.dark_s - self.exposure_s
            (level, error), (zero, zero_error) = _level(long), _level(dark)
            scale = 1.0 / (per_electron * span_s * rows)
            result["dark_electrons_s"] = (level - zero) * scale
            result["dark_error_electrons_s"] = math.hypot(error, zero_error) * scale
        return result


def _level(frames: Vector) -> tuple[float, float]:
    """Return the mean of dark frames, shape (frame, pixel), and its standard error, in counts.

    What cosmic rays have hit is left out, pixel by pixel in each frame. In long frames they hit so
    many columns that they would raise even the median over columns by several standard errors.
    """
    away = frames - np.median(frames, axis=0)
    spread = _NORMAL * float(np.median(np.abs(away)))
    kept = frames[np.abs(away) <= _COSMIC_SIGMAS * spread]
    return float(kept.mean()), float(kept.std()) / math.sqrt(kept.size)


def _usable(camera: Camera, *pairs: tuple[Vector, Vector]) -> NDArray[np.bool_]:
    """Return the pixels that saturate nowhere.

    Raises:
        AnalysisError: All do.
    """
    full = _SATURATED * camera.full_scale_counts()
    usable = np.all([pair[0].max(axis=0) < full for pair in pairs], axis=0)
    if not usable.any():
        message = f"{camera.name}: the lamp saturates everything; expose shorter"
        raise AnalysisError(message)
    return usable
