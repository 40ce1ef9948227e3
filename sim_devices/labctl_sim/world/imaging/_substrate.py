"""What the sample looks like under white light: texture, dust, scratches, alignment marks.

Everything is a sum of plane waves and round Gaussian marks in the sample's own coordinates, whose
image after any movement and any blur is known in closed form: nothing is ever interpolated. Both
factorize along rows and columns, so that a picture is two matrix products.
"""

import hashlib
import math

import numpy as np

from labctl_sim.world._types import FloatArray
from labctl_sim.world.imaging._truth import ImagingTruth

_HALF_UM = 80.0
_WAVES = 160
_TEXTURE_REL = 0.05
_DUST = 900
_SCRATCHES = 6
_CROSS_STEP_UM = 40.0
_CROSS_ARM_UM = 3.0
_REACH_SDS = 6.0


class Substrate:
    """The structure of one sample; the same for every run of it."""

    def __init__(self, sample: str) -> None:
        """Draw the structure of the sample of this name."""
        seed = int.from_bytes(hashlib.sha256(f"substrate {sample}".encode()).digest()[:8], "big")
        rng = np.random.Generator(np.random.PCG64(seed))
        wavelength_um = np.exp(rng.uniform(math.log(1.2), math.log(15.0), _WAVES))
        direction = rng.uniform(0.0, 2.0 * math.pi, _WAVES)
        wave = 2.0 * math.pi / wavelength_um * np.exp(1j * direction)
        self._wave_um = np.stack([wave.real, wave.imag], axis=1)
        height = _TEXTURE_REL * math.sqrt(2.0 / _WAVES)
        self._height = height * np.exp(1j * rng.uniform(0.0, 2.0 * math.pi, _WAVES))
        marks = np.concatenate([_dust(rng), _scratches(rng), _crosses()])
        self._place_um, self._sd_um, self._depth = marks[:, :2], marks[:, 2], marks[:, 3]

    def reflectance(
        self,
        truth: ImagingTruth,
        origin_um: tuple[float, float],
        blur_px: float,
        columns: FloatArray,
        rows: FloatArray,
    ) -> FloatArray:
        """Reflectance, 0.5 on the average; shape (rows, columns).

        Args:
            truth: The optics.
            origin_um: Where the sample's origin is against the optical axis.
            blur_px: Standard deviation of a point's image.
            columns: Of the picture, pixels.
            rows: Of the picture, pixels.
        """
        column, row = truth.pixels(*origin_um)
        picture = self._texture(truth, columns - column, rows - row, blur_px)
        picture += self._marks(truth, columns - column, rows - row, blur_px)
        return np.maximum(0.5 * (1.0 + picture), 0.01)

    def _texture(
        self, truth: ImagingTruth, columns: FloatArray, rows: FloatArray, blur_px: float
    ) -> FloatArray:
        # k r with r = M^-1 p is (M^-T k) p, so that a wave on the sample is one in the picture.
        wave = np.linalg.solve(np.array(truth.matrix()).T, self._wave_um.T)
        height = self._height * np.exp(-0.5 * (wave**2).sum(axis=0) * blur_px**2)
        along_rows = np.exp(1j * np.outer(rows, wave[1])) * height
        return np.real(along_rows @ np.exp(1j * np.outer(wave[0], columns)))

    def _marks(
        self, truth: ImagingTruth, columns: FloatArray, rows: FloatArray, blur_px: float
    ) -> FloatArray:
        at = self._place_um @ np.array(truth.matrix()).T
        own = self._sd_um / truth.um_per_pixel
        sd = np.hypot(own, blur_px)
        seen = np.ones(len(at), dtype=np.bool_)
        for axis, pixels in enumerate((columns, rows)):
            seen &= (at[:, axis] > pixels[0] - _REACH_SDS * sd) & (
                at[:, axis] < pixels[-1] + _REACH_SDS * sd
            )
        along = [
            np.exp(-0.5 * ((pixels[:, None] - at[None, seen, axis]) / sd[seen]) ** 2)
            for axis, pixels in enumerate((columns, rows))
        ]
        depth = (self._depth * (own / sd) ** 2)[seen]
        return (along[1] * depth) @ along[0].T


def _dust(rng: np.random.Generator) -> FloatArray:
    """Columns x, y, standard deviation, all um, and depth."""
    place = rng.uniform(-_HALF_UM, _HALF_UM, (_DUST, 2))
    sd = rng.uniform(0.12, 0.5, _DUST)
    depth = rng.choice([-1.0, 1.0], _DUST, p=[0.7, 0.3]) * rng.uniform(0.1, 0.6, _DUST)
    return np.column_stack([place, sd, depth])


def _scratches(rng: np.random.Generator) -> FloatArray:
    lines: list[FloatArray] = []
    for _ in range(_SCRATCHES):
        length_um = rng.uniform(20.0, 70.0)
        along = np.arange(0.0, length_um, 0.3)[:, None]
        angle = rng.uniform(0.0, math.pi)
        start = rng.uniform(-_HALF_UM, 0.5 * _HALF_UM, 2)
        place = start + along * np.array([math.cos(angle), math.sin(angle)])
        shape = np.broadcast_to([0.2, -0.25], (len(place), 2))
        lines.append(np.column_stack([place, shape]))
    return np.concatenate(lines)


def _crosses() -> FloatArray:
    """Lithographic marks, between which nobody can tell by themselves."""
    arm = np.arange(-_CROSS_ARM_UM, _CROSS_ARM_UM + 0.1, 0.3)
    zero = np.zeros_like(arm)
    cross = np.concatenate([np.column_stack([arm, zero]), np.column_stack([zero, arm])])
    steps = np.arange(-_HALF_UM, _HALF_UM + 1.0, _CROSS_STEP_UM)
    places = np.concatenate([cross + np.array([x, y]) for x in steps for y in steps])
    return np.column_stack([places, np.broadcast_to([0.25, 0.35], (len(places), 2))])
