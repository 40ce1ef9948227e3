"""Czerny-Turner spectrograph: angles, blaze, polarization, line spread.

The grating turns about its ruled axis; entrance and exit arm enclose the angle gamma. With the
grating turned by psi, light comes in at alpha = psi - gamma/2 and the centre leaves at
beta0 = psi + gamma/2, order 1: d (sin alpha + sin beta) = lambda. The model is the one of
`protocols` section 3 (LightField's wavelength tables); this code is written on its own.
"""

import math
from dataclasses import dataclass

import numpy as np

from labctl_sim.world._types import FloatArray


@dataclass(frozen=True)
class Mount:
    """Geometry between grating and detector for one position of the drive."""

    groove_nm: float
    alpha_rad: float
    beta0_rad: float
    focal_length_um: float
    tilt_rad: float
    pixel_um: float
    centre_px: float

    @classmethod
    def at(
        cls,
        *,
        lines_per_mm: float,
        centre_nm: float,
        focal_length_mm: float,
        inclusion_deg: float,
        tilt_deg: float,
        pixel_um: float,
        centre_px: float,
    ) -> "Mount":
        """The mount with the drive at ``centre_nm``; ``centre_px`` is the pixel on the axis.

        Raises:
            ValueError: the grating cannot diffract this wavelength.
        """
        groove_nm = 1e6 / lines_per_mm
        half_rad = math.radians(inclusion_deg) / 2.0
        sine = centre_nm / (2.0 * groove_nm * math.cos(half_rad))
        if abs(sine) >= 1.0:
            raise ValueError(f"{lines_per_mm:g}/mm cannot diffract {centre_nm:g} nm")
        turn_rad = math.asin(sine)
        return cls(
            groove_nm=groove_nm,
            alpha_rad=turn_rad - half_rad,
            beta0_rad=turn_rad + half_rad,
            focal_length_um=focal_length_mm * 1e3,
            tilt_rad=math.radians(tilt_deg),
            pixel_um=pixel_um,
            centre_px=centre_px,
        )

    def wavelength_nm(self, pixel: FloatArray) -> FloatArray:
        """Wavelength at a pixel coordinate (whole numbers are pixel centres, from 0)."""
        along_um = (pixel - self.centre_px) * self.pixel_um
        across_um = along_um * math.cos(self.tilt_rad)
        depth_um = self.focal_length_um + along_um * math.sin(self.tilt_rad)
        beta = self.beta0_rad + np.arctan2(across_um, depth_um)
        return self.groove_nm * (math.sin(self.alpha_rad) + np.sin(beta))

    def pixel(self, wavelength_nm: float) -> float:
        """Pixel coordinate of a wavelength; not a number when it does not leave the grating."""
        sine = wavelength_nm / self.groove_nm - math.sin(self.alpha_rad)
        if abs(sine) > 1.0:
            return math.nan
        tangent = math.tan(math.asin(sine) - self.beta0_rad)
        along_um = self.focal_length_um * tangent
        along_um /= math.cos(self.tilt_rad) - math.sin(self.tilt_rad) * tangent
        return self.centre_px + along_um / self.pixel_um

    def slit_image_px(self, slit_um: float) -> float:
        """Width of the entrance slit's image: anamorphic factor cos(alpha) / cos(beta)."""
        return slit_um * math.cos(self.alpha_rad) / math.cos(self.beta0_rad) / self.pixel_um


def blaze_rel(wavelength_nm: FloatArray, blaze_nm: float) -> FloatArray:
    """Efficiency against that at the blaze: sinc^2(1 - lambda_b / lambda), first order.

    Scalar theory, for example Loewen and Popov, Diffraction Gratings and Applications (1997).
    """
    return np.sinc(1.0 - blaze_nm / wavelength_nm) ** 2


def grating_polarization_rel(angle_deg: float, ratio: float) -> float:
    """Efficiency for linear light against unpolarized light.

    ``ratio`` is s over p; ``angle_deg`` counts from the p direction (along x, across grooves).
    """
    s_share = math.sin(math.radians(angle_deg)) ** 2
    return 2.0 * (ratio * s_share + 1.0 - s_share) / (1.0 + ratio)


def behind_mirror(angle_deg: float | None, ratio: float) -> tuple[tuple[float, float | None], ...]:
    """What a mirror of this ratio (s over p) makes of light: shares, and their directions.

    The shares of unpolarized light (None) are 1 together. Linear light stays linear, and turns
    towards what passes better.
    """
    if ratio == 1.0:
        return ((1.0, angle_deg),)
    if angle_deg is None:
        halves = (0.0, 90.0)
        return tuple((0.5 * grating_polarization_rel(half, ratio), half) for half in halves)
    angle = math.radians(angle_deg)
    turned_deg = math.degrees(math.atan2(math.sqrt(ratio) * math.sin(angle), math.cos(angle)))
    return ((grating_polarization_rel(angle_deg, ratio), turned_deg),)
