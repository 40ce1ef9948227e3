"""The calibration ``analyser``: where its direction lies, and how well it extinguishes."""

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import AnalyserAxis, between_axes_deg, fit_analyser_axis
from labctl.errors import AnalysisError, ConfigError, Problem, RefusedError
from labctl.measurements._context import Array, Context
from labctl.measurements._dispersion import nominal_dispersion, tune
from labctl.measurements._exposure import Exposure, expose
from labctl.measurements._measurement import Measurement
from labctl.measurements._optical_table import LaserFacts
from labctl.measurements._paths import take_path
from labctl.measurements._settings import detector_key, point_settings, spectrograph_settings
from labctl.measurements._spectrum import Spectrum
from labctl.roles import Camera, PolarizationAnalyser, Rotator, Spectrograph
from labctl.units import GroovesPerMm, Seconds

__all__ = ["CalibrateAnalyser", "analyser_of"]

_COARSE_DEG = (0.0, 22.5, 45.0, 67.5, 90.0, 112.5, 135.0, 157.5)
_NULL_DEG = (-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0)
_RUN_UP_DEG = 5.0
_MOVE_S = 1.0
_REACH_PIXELS = 15
_STEADY_REL = 0.005
"""How steady the laser is from one exposure to the next (assumed); the fit scales its errors if it
is less steady."""

Vector = NDArray[np.float64]


class _Seen(NamedTuple):
    """Light at one angle: counts per second, and their variance."""

    angle_deg: float
    light: float
    variance: float


class CalibrateAnalyser(Measurement):
    """Zero and extinction of the analyser, from scattered laser light of known polarization.

    The set-up says how the laser's light is polarized when the sample sends it back, and how well
    that is known. The crossed direction is looked for from below and from above: by half of what
    these differ (the slack of the mount) directions are uncertain. The extinction is that at the
    laser's wavelength; behind an analyser without fixed output it has the ratio of the grating's
    efficiencies in it.

    Attributes:
        grating_per_mm: Groove density of the grating, 1/mm.
        exposure_s: Exposure of a frame while the analyser lets the light pass, s.
        null_exposure_s: Exposure of a frame near the crossed direction, s.
        frames: Frames at each angle.
        path: Light path; None: ``analyser_zero``.
    """

    kind: ClassVar[str] = "calibrate_analyser"
    needs: ClassVar[tuple[str, ...]] = ("spectrograph", "camera", "shutter", "rotator")

    grating_per_mm: GroovesPerMm = Field(gt=0, description="like 'grating: 1800/mm'")
    exposure_s: Seconds = Field(gt=0, description="like 'exposure: 20 ms'")
    null_exposure_s: Seconds = Field(1.0, gt=0)
    frames: int = Field(3, ge=3)
    path: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            grating: str,
            exposure: str,
            null_exposure: str = "1 s",
            frames: int = 3,
            path: str | None = None,
        ) -> None:
            """Quantities are written with their unit, as in a recipe: ``exposure="20 ms"``."""

    def estimate_s(self) -> float:
        """Return the expected lab time in s."""
        coarse, null = len(_COARSE_DEG), 2 * len(_NULL_DEG)
        lit_s = self.frames * ((coarse + 1) * self.exposure_s + (null + 1) * self.null_exposure_s)
        return _MOVE_S * (coarse + null) + lit_s

    def run(self, context: Context) -> None:
        """Find the crossed direction from both sides, fit, keep zero and extinction.

        Raises:
            ConfigError: The set-up does not say how the laser is polarized.
            AnalysisError: There is no laser light, or too much.
        """
        laser, reference_deg = _reference(context)
        analyser, rotator = analyser_of(context)
        spectrograph = context.station.only(Spectrograph, prefer="spectrograph")
        camera = context.station.only(Camera, prefer="camera")
        path = take_path(context, self.path, "analyser_zero", [camera.name])
        if not analyser.in_path():
            raise RefusedError(analyser.name, "it stands outside the light", "name its path")
        tune(context, spectrograph, self.grating_per_mm, laser.wavelength_nm)
        standing = spectrograph_settings(spectrograph)
        look = _Look(context, camera, rotator, self.frames)
        coarse = look.at(_COARSE_DEG, self.exposure_s)
        crossed_deg = _axis(coarse).direction_deg.value + 90.0
        up = look.at(_about(crossed_deg, +1.0), self.null_exposure_s)[1:]
        down = look.at(_about(crossed_deg, -1.0), self.null_exposure_s)[1:]
        both = _axis([*coarse, *up, *down])
        sides = _axis([*coarse, *up]).direction_deg, _axis([*coarse, *down]).direction_deg
        lag_deg = between_axes_deg(*sides).value
        off_deg = (both.direction_deg.value - reference_deg + 90.0) % 180.0 - 90.0
        error_deg = laser.polarization_uncertainty_deg
        zero_deg = analyser.mount_zero_deg() + off_deg / analyser.optical_per_mechanical
        result: dict[str, Any] = {
            "zero_deg": zero_deg % 360.0,
            "angle_error_deg": math.hypot(both.direction_deg.error, lag_deg / 2.0, error_deg),
            "extinction": max(both.extinction.value, 0.0),
            "extinction_error": both.extinction.error,
            "reference_deg": reference_deg,
            "reference_error_deg": error_deg,
            "fit_error_deg": both.direction_deg.error,
            "lag_deg": lag_deg,
            "reduced_chi2": both.reduced_chi2,
            "wavelength_nm": laser.wavelength_nm,
            "remedy": analyser.remedy,
            "calibrated_at": context.clock.utc().isoformat(),
        }
        context.calibrated("analyser", analyser.name, result)
        nominal = nominal_dispersion(spectrograph, camera)
        context.store(
            look.arrays(),
            settings={
                "path": path,
                **point_settings(context, standing, camera, nominal, self.frames),
            },
            live_time_s=look.lit_s,
            brief=f"zero of the mount {zero_deg:.3f} deg (off by {off_deg:.2f} deg of direction)"
            f" +- {result['angle_error_deg']:.2f} deg, extinction {both.extinction.value:.2e}",
        )


class _Look:
    """Takes the laser's light at angles of the analyser."""

    def __init__(self, context: Context, camera: Camera, rotator: Rotator, frames: int) -> None:
        self._context, self._camera, self._rotator = context, camera, rotator
        self._frames = frames
        self._window: slice | None = None
        self._seen: list[_Seen] = []
        self.lit_s = 0.0

    def at(self, angles_deg: tuple[float, ...], exposure_s: float) -> list[_Seen]:
        """Return the light at angles in this order; all of it is remembered.

        Raises:
            AnalysisError: There is no light, or it saturates the camera.
        """
        settings = Spectrum(exposure=f"{exposure_s} s").camera_settings(self._camera)
        dark = _rows(expose(self._context, self._camera, Exposure(settings, self._frames, False)))
        taken: list[tuple[float, Vector]] = []
        for angle_deg in angles_deg:
            target_deg = angle_deg % 360.0
            shown_deg = self._context.move(self._rotator.settable("angle"), target_deg)
            frames = expose(self._context, self._camera, Exposure(settings, self._frames))
            if int(frames.counts.max()) >= self._camera.full_scale_counts():
                message = f"{self._camera.name}: the laser saturates it; expose shorter"
                raise AnalysisError(message)
            taken.append((shown_deg, _rows(frames)))
        self.lit_s += self._frames * exposure_s * len(taken)
        if self._window is None:
            self._window = _line(np.array([frames for _, frames in taken]), dark)
        found = [self._one(angle_deg, frames, dark, exposure_s) for angle_deg, frames in taken]
        self._seen += found
        return found

    def arrays(self) -> list[Array]:
        """Return what was seen, as it is stored."""
        angle_deg, light, variance = np.array(self._seen).T
        return [
            Array("angle", angle_deg, "deg", ("angle",)),
            Array("light", light, "counts/s", ("angle",)),
            Array("light_error", np.sqrt(variance), "counts/s", ("angle",)),
        ]

    def _one(self, angle_deg: float, frames: Vector, dark: Vector, exposure_s: float) -> _Seen:
        window = self._window or slice(None)
        # The median, because a cosmic ray may hit one of the frames.
        level = float(np.median(frames[:, window].sum(axis=1)))
        counts = level - float(dark[:, window].sum(axis=1).mean())
        per_count = self._electrons_per_count()
        floor = float(dark.var(axis=0, ddof=1).mean()) * (window.stop - window.start)
        spread = 0.5 * math.pi * (floor + max(counts, 0.0) / per_count) + floor
        variance = spread / len(frames) + (_STEADY_REL * counts) ** 2
        return _Seen(angle_deg, counts / exposure_s, variance / exposure_s**2)

    def _electrons_per_count(self) -> float:
        """Return the conversion if it is known; else 1, which overstates the noise."""
        known = self._context.calibrations.get("detector", {}).get(detector_key(self._camera))
        return 1.0 if known is None else float(known["electrons_per_count"]["value"])


def _rows(taken: Any) -> Vector:
    return taken.counts.sum(axis=1).astype(np.float64)


def _line(frames: Vector, dark: Vector) -> slice:
    """Return the columns about the laser line.

    Raises:
        AnalysisError: No line stands out of the noise.
    """
    light = np.median(frames, axis=1).sum(axis=0) - len(frames) * dark.mean(axis=0)
    top = int(np.argmax(light))
    noise = math.sqrt(len(frames) * float(dark.var(axis=0, ddof=1).mean()))
    if not light[top] > 20.0 * noise:
        message = "no laser light comes through the analyser; is the scatterer in its place?"
        raise AnalysisError(message)
    return slice(max(top - _REACH_PIXELS, 0), min(top + _REACH_PIXELS + 1, light.size))


def _axis(seen: list[_Seen]) -> AnalyserAxis:
    angle_deg, light, variance = np.array(seen).T
    return fit_analyser_axis(angle_deg, light, variance)


def _about(crossed_deg: float, direction: float) -> tuple[float, ...]:
    """Return angles about the crossed one in one sense, after a run-up that takes the slack."""
    # Directions repeat after 180 deg; there the mount does not pass its zero.
    centre_deg = 45.0 + (crossed_deg - 45.0) % 180.0
    run_up_deg = _NULL_DEG[0] - _RUN_UP_DEG
    return tuple(centre_deg + direction * place for place in (run_up_deg, *_NULL_DEG))


def _reference(context: Context) -> tuple[LaserFacts, float]:
    laser = context.table.laser
    if laser is None or laser.polarization_deg is None:
        what = "the direction of the laser's polarization is not known"
        hint = "write 'laser: {polarization: 45 deg, polarization_uncertainty: 0.5 deg}'"
        raise ConfigError([Problem(what, hint=hint)])
    return laser, laser.polarization_deg


def analyser_of(context: Context) -> tuple[PolarizationAnalyser, Rotator]:
    """Return the analyser, seen as what it does and as what turns."""
    rotator = context.station.only(Rotator, prefer="analyser")
    if not isinstance(rotator, PolarizationAnalyser):
        what = f"{rotator.name} is no analyser"
        raise ConfigError([Problem(what, hint="name the one to use 'analyser'")])
    return rotator, rotator
