"""Focusing by the contrast of the picture under the LED."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import focus_measure
from labctl.measurements._context import Context
from labctl.measurements._paths import take_path
from labctl.measurements._pictures import LIGHT_PATHS, PictureLight, middle_region, take_pictures
from labctl.measurements._places import Places
from labctl.roles import ImagingCamera, ImagingSettings, Roi

__all__ = ["Focus", "Sharpest"]

Vector = NDArray[np.float64]

_SIDE_PX = 256
_FRAMES = 2
_LAYER_UM = 1.1
"""More than the usual run-up: a sweep upwards then needs no steps back."""
_FINE_LAYERS = 7
_ROUNDS = 4
_DULL = 1e-12


@dataclass(frozen=True, eq=False)
class Sharpest:
    """Where a picture is sharpest.

    Attributes:
        z_um: The place, um.
        places_um: Where pictures were taken, um, shape (n,), evenly spaced.
        sharpness: Of each picture, shape (n,); see ``focus_measure``.
    """

    z_um: float
    places_um: Vector
    sharpness: Vector

    @property
    def inside(self) -> bool:
        """Whether it lies between places that were visited, not at one end."""
        return 0 < int(np.argmax(self.sharpness)) < self.sharpness.size - 1


@dataclass(frozen=True)
class Focus:
    """Looks at the sample under its LED, in a square in the middle of the sensor.

    Attributes:
        context: The context of the measurement.
        camera: The imaging camera.
        places: The stage.
        exposure_s: Exposure of a frame, s.
        level: Brightness of the LED.
    """

    context: Context
    camera: ImagingCamera
    places: Places
    exposure_s: float
    level: float

    def take_path(self) -> dict[str, object]:
        """Let the camera see the sample; returns the path as it stands."""
        return take_path(self.context, None, LIGHT_PATHS["led"], [self.camera.name])

    def find(self, reach_um: float) -> Sharpest:
        """Sweep upwards by coarse steps, then look around the sharpest place by fine motion.

        Args:
            reach_um: How far the focus may be either way, um.
        """
        middle_um = self.places.read_axis("z")
        layers = math.ceil(reach_um / _LAYER_UM)
        found = self._sweep(middle_um + _LAYER_UM * np.arange(-layers, layers + 1.0))
        if not found.inside:
            return found
        for _ in range(_ROUNDS):
            # After long ways back an axis without read-out is not quite where it should be.
            self.places.step_to("z", found.z_um)
            found = self.near()
            if found.inside:
                break
        return found

    def near(self) -> Sharpest:
        """Look around where the stage stands, over the fine range of z."""
        return self._sweep(self.places.scan_places("z", _FINE_LAYERS))

    def picture(self) -> Vector:
        """Return a picture, counts, shape (y, x)."""
        mean: Vector = self._frames().mean(axis=0)
        return mean

    def _sweep(self, z_um: Vector) -> Sharpest:
        """Find the sharpest of even places, by a parabola through the three highest.

        The camera's offset is left in; it is small beside the light, and the same everywhere.
        """
        sharpness = np.array([self._sharpness(float(um)) for um in z_um])
        top = min(max(int(np.argmax(sharpness)), 1), z_um.size - 2)
        below, there, above = (float(value) for value in np.log(sharpness[top - 1 : top + 2]))
        bend = below - 2.0 * there + above
        if bend >= 0.0:
            return Sharpest(float(z_um[int(np.argmax(sharpness))]), z_um, sharpness)
        share = min(max(0.5 * (below - above) / bend, -1.0), 1.0)
        return Sharpest(float(z_um[top] + share * (z_um[1] - z_um[0])), z_um, sharpness)

    def _sharpness(self, z_um: float) -> float:
        self.places.go_axis("z", z_um)
        return max(focus_measure(self._frames()).value, _DULL)

    def _frames(self) -> Vector:
        settings = ImagingSettings(self.exposure_s, roi=self._region())
        light = PictureLight("led", self.level)
        pictures = take_pictures(self.context, self.camera, settings, _FRAMES, light)
        return pictures.astype(np.float64)

    def _region(self) -> Roi:
        return middle_region(self.camera, _SIDE_PX)
