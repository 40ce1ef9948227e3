"""Frames of a lamp, as calibrations take them that look with spectrograph and camera."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.errors import AnalysisError
from labctl.measurements._context import Context
from labctl.measurements._dispersion import calibration_key, tune
from labctl.measurements._exposure import Exposure, expose
from labctl.measurements._measurement import Measurement
from labctl.measurements._settings import spectrograph_settings
from labctl.measurements._spectrum import Spectrum
from labctl.roles import Camera, Lamp, Spectrograph
from labctl.units import GroovesPerMm, Nanometers, Seconds

__all__ = ["Tuned", "WhiteLamp", "lamp_lit", "tuned"]


@dataclass(frozen=True)
class Tuned:
    """The spectrograph, tuned.

    Attributes:
        spectrograph: The instrument.
        centre_nm: Wavelength in the middle of the camera as read back, nm.
        standing: How it stands, as points store it.
        key: Name under which a calibration of its grating and exit is kept.
    """

    spectrograph: Spectrograph
    centre_nm: float
    standing: dict[str, Any]
    key: str


def tuned(context: Context, grating_per_mm: float, center_nm: float) -> Tuned:
    """Select a grating, 1/mm, and a wavelength in the middle of the camera, nm."""
    spectrograph = context.station.only(Spectrograph, prefer="spectrograph")
    centre_nm = tune(context, spectrograph, grating_per_mm, center_nm)
    standing = spectrograph_settings(spectrograph)
    key = calibration_key(grating_per_mm, standing["exit"])
    return Tuned(spectrograph, centre_nm, standing, key)


@contextmanager
def lamp_lit(context: Context, element: str) -> Generator[None]:
    """Switch the lamp on for the block, and off whatever happens."""
    lamp = context.station.only(Lamp, prefer="lamp")
    lamp.switch_on(element)
    try:
        yield
    finally:
        lamp.switch_off()


class WhiteLamp(Measurement):
    """Parameters of frames of a halogen lamp that stands in the place of the sample.

    Attributes:
        grating_per_mm: Groove density of the grating, 1/mm; its wavelengths should be calibrated.
        center_nm: Wavelength in the middle of the camera, nm.
        exposure_s: Exposure of one frame, s.
        frames: Number of frames of each look.
    """

    needs: ClassVar[tuple[str, ...]] = ("spectrograph", "camera", "lamp")

    grating_per_mm: GroovesPerMm = Field(gt=0, description="like 'grating: 300/mm'")
    center_nm: Nanometers = Field(ge=0, description="like 'center: 540 nm'")
    exposure_s: Seconds = Field(gt=0, description="like 'exposure: 50 ms'")
    frames: int = Field(5, ge=2)

    def look(self, context: Context, camera: Camera) -> NDArray[np.float64]:
        """Return frames without the laser, rows added up, counts, shape (frame, x).

        Raises:
            AnalysisError: The lamp saturates the camera.
        """
        settings = Spectrum(exposure=f"{self.exposure_s} s").camera_settings(camera)
        taken = expose(context, camera, Exposure(settings, self.frames, light=False))
        if int(taken.counts.max()) >= camera.full_scale_counts():
            message = f"{camera.name}: the lamp saturates it; expose shorter"
            raise AnalysisError(message)
        return taken.counts.sum(axis=1).astype(np.float64)
