"""How a picture lies on the sample: scale, rotation and handedness."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["ImageScale", "fit_image_scale", "fit_image_turn"]

Places = NDArray[np.float64]

_FEWEST = 4
_LARGEST_RMS_SHARE = 0.1
_LARGEST_SKEW_DEG = 20.0


@dataclass(frozen=True)
class ImageScale:
    """From the stage's x and y to the picture's columns and rows.

    Attributes:
        um_per_pixel: Distance on the sample that one pixel sees, um.
        rotation_deg: From the stage's x to the picture's columns, counter-clockwise, before the
            mirror.
        mirrored: Whether the picture is mirrored: rows then run against the turned y.
        rms_um: Scatter of the movements that it comes from, um per axis.
    """

    um_per_pixel: Measured
    rotation_deg: Measured
    mirrored: bool
    rms_um: float

    def matrix_px(self) -> Places:
        """Return pixels per um: (column, row) = matrix (x, y)."""
        angle = math.radians(self.rotation_deg.value)
        cos, sin = math.cos(angle), math.sin(angle)
        sign = -1.0 if self.mirrored else 1.0
        turn = np.array([[cos, -sin], [sign * sin, sign * cos]])
        return turn / self.um_per_pixel.value

    def to_px(self, um: Places) -> Places:
        """Return columns and rows of displacements x, y in um; shape (…, 2)."""
        return um @ self.matrix_px().T

    def to_um(self, px: Places) -> Places:
        """Return x, y in um of displacements in columns and rows; shape (…, 2)."""
        return px @ np.linalg.inv(self.matrix_px()).T

    def to_record(self) -> dict[str, Any]:
        """Return what is stored; keys carry the unit."""
        return {
            "um_per_pixel": self.um_per_pixel.value,
            "um_per_pixel_error": self.um_per_pixel.error,
            "rotation_deg": self.rotation_deg.value,
            "rotation_error_deg": self.rotation_deg.error,
            "mirrored": self.mirrored,
            "rms_um": self.rms_um,
        }

    @staticmethod
    def from_record(record: Mapping[str, Any]) -> "ImageScale":
        """Read what ``to_record`` has written."""
        return ImageScale(
            Measured(float(record["um_per_pixel"]), float(record["um_per_pixel_error"])),
            Measured(float(record["rotation_deg"]), float(record["rotation_error_deg"])),
            bool(record["mirrored"]),
            float(record["rms_um"]),
        )


def fit_image_scale(moved_um: Places, shift_px: Places) -> ImageScale:
    """Fit scale, rotation and handedness to movements of the stage and of the picture.

    With z = x + i y of the stage and w = column ± i row of the picture, w = a z + b is a linear
    least-squares problem; of the two signs the one with the smaller scatter is right. The errors
    are by the scatter.

    Args:
        moved_um: x and y of the stage, um, shape (picture, 2).
        shift_px: Columns and rows by which the picture has moved, shape (picture, 2).

    Raises:
        AnalysisError: Too few pictures, all along one line, or the two do not belong together.
    """
    spread = _checked(moved_um, shift_px)
    plain, mirrored = (_fitted(moved_um, shift_px, sign) for sign in (1.0, -1.0))
    slope, rms_px, error_px = min(plain, mirrored, key=lambda fit: fit[1])
    scale = 1.0 / abs(slope)
    if rms_px * scale > _LARGEST_RMS_SHARE * spread[1] / math.sqrt(len(moved_um)):
        message = (
            f"the picture does not follow the stage: it is {rms_px * scale:.3f} um off; has the "
            "sample drifted, or was the stage elsewhere?"
        )
        raise AnalysisError(message)
    relative = error_px / abs(slope)
    return ImageScale(
        um_per_pixel=Measured(scale, scale * relative),
        rotation_deg=Measured(math.degrees(float(np.angle(slope))), math.degrees(relative)),
        mirrored=mirrored[1] < plain[1],
        rms_um=rms_px * scale,
    )


def fit_image_turn(moved_um: Places, shift_px: Places, um_per_pixel: Measured) -> ImageScale:
    """Fit rotation and handedness alone, for a stage that does not know how far it moves.

    The sizes of its steps differ by axis and direction from what is believed, so that its
    movements are no ruler; but along x they go along x. Each axis gives a direction in the
    picture, their mean the rotation, their difference its error.

    Args:
        moved_um: x and y as the stage estimates them, um, shape (picture, 2).
        shift_px: Columns and rows by which the picture has moved, shape (picture, 2).
        um_per_pixel: The scale, known otherwise.

    Raises:
        AnalysisError: Too few pictures, all along one line, or the axes are not square.
    """
    _checked(moved_um, shift_px)
    design = np.column_stack([moved_um, np.ones(len(moved_um))])
    linear, *_ = np.linalg.lstsq(design, shift_px)
    along_x, along_y = (complex(column, row) for column, row in linear[:2])
    mirrored = (along_x.conjugate() * along_y).imag < 0.0
    if mirrored:
        along_x, along_y = along_x.conjugate(), along_y.conjugate()
    one, other = along_x / abs(along_x), -1j * along_y / abs(along_y)
    skew_deg = math.degrees(float(np.angle(other / one)))
    if abs(skew_deg) > _LARGEST_SKEW_DEG:
        message = f"the picture does not follow the stage: its axes are {skew_deg:.0f} deg askew"
        raise AnalysisError(message)
    rest = shift_px - design @ linear
    rms_px = math.sqrt(float(np.sum(rest**2)) / max(2 * len(moved_um) - 6, 1))
    lever = min(abs(along_x), abs(along_y)) * math.sqrt(float(np.sum(moved_um[:, 0] ** 2)) or 1.0)
    scatter_deg = math.degrees(rms_px / lever)
    return ImageScale(
        um_per_pixel=um_per_pixel,
        rotation_deg=Measured(
            math.degrees(float(np.angle(one + other))), math.hypot(0.5 * skew_deg, scatter_deg)
        ),
        mirrored=mirrored,
        rms_um=rms_px * um_per_pixel.value,
    )


def _checked(moved_um: Places, shift_px: Places) -> NDArray[np.float64]:
    """Return how far the movements spread along their main axes."""
    if moved_um.shape != shift_px.shape or len(moved_um) < _FEWEST:
        message = f"{len(moved_um)} movements are not enough; at least {_FEWEST} are needed"
        raise AnalysisError(message)
    spread = np.linalg.svd(moved_um - moved_um.mean(axis=0), compute_uv=False)
    if not spread[1] > 0.05 * spread[0]:
        message = "the stage has moved along one line only, which does not tell the handedness"
        raise AnalysisError(message)
    return np.asarray(spread, dtype=np.float64)


def _fitted(moved_um: Places, shift_px: Places, sign: float) -> tuple[complex, float, float]:
    """Return slope in pixels per um, scatter in pixels per axis, and the slope's error."""
    z = moved_um @ np.array([1.0, 1.0j])
    w = shift_px @ np.array([1.0, sign * 1.0j])
    zc, wc = z - z.mean(), w - w.mean()
    power = float(np.sum(np.abs(zc) ** 2))
    slope = complex(np.sum(np.conj(zc) * wc) / power)
    rest = float(np.sum(np.abs(wc - slope * zc) ** 2))
    rms = math.sqrt(rest / (2 * len(z) - 4))
    return slope, rms, rms / math.sqrt(power)
