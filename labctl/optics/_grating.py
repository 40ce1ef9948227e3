"""Wavelength of each detector pixel behind a Czerny-Turner spectrograph.

The grating equation with full inclusion angle gamma, focal length f and detector tilt
delta (WinSpec 2.6 manual, page 257; it reproduces the tables that LightField stores):

    psi    = asin(m lc / (2 d cos(gamma / 2)))
    xi     = atan(x cos(delta) / (f + x sin(delta))),    x = (i - i0) p
    lambda = (d / m) [sin(psi - gamma / 2) + sin(psi + gamma / 2 + xi)]

Nominal values from a data sheet are wrong by up to 1 nm; see `fit_dispersion`.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PARAMETERS", "CalibrationEvidence", "GratingCalibration"]

PARAMETERS = ("focal_length_mm", "inclusion_angle_deg", "detector_tilt_deg", "centre_pixel")
"""Names of the four parameters that a calibration determines, in the order of covariances."""


@dataclass(frozen=True)
class CalibrationEvidence:
    """What a calibration rests on.

    Attributes:
        calibrated_at: Date and time, ISO 8601 with offset; empty for nominal values.
        source: What was recorded (``"neon lamp"``) or where the values come from.
        grating: Name of the grating in the set-up.
        exit_port: ``"front"`` or ``"side"``; a calibration belongs to one of them.
        pixels: Positions of the lines used, in pixels of the full sensor.
        wavelengths_nm: Their reference wavelengths.
        residuals_nm: Reference minus fitted wavelength of each line.
        covariance: Of the four `PARAMETERS`, in their units; empty if unknown.
    """

    calibrated_at: str = ""
    source: str = "nominal"
    grating: str = ""
    exit_port: str = "front"
    pixels: tuple[float, ...] = ()
    wavelengths_nm: tuple[float, ...] = ()
    residuals_nm: tuple[float, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()

    @property
    def lines(self) -> int:
        """Number of lines that determine the calibration."""
        return len(self.wavelengths_nm)

    @property
    def rms_nm(self) -> float:
        """Root mean square of the residuals in nm; 0 without lines."""
        if not self.residuals_nm:
            return 0.0
        return math.sqrt(sum(r * r for r in self.residuals_nm) / len(self.residuals_nm))


@dataclass(frozen=True)
class GratingCalibration:
    """Dispersion of one grating and exit port.

    Attributes:
        lines_per_mm: Groove density in 1/mm.
        order: Diffraction order.
        focal_length_mm: Focal length f.
        inclusion_angle_deg: Full inclusion angle gamma.
        detector_tilt_deg: Detector tilt delta.
        centre_pixel: Pixel i0 (0-based, full sensor) at which the centre wavelength falls.
        pixel_pitch_um: Pitch of the sensor's pixels.
        evidence: Date, lines and residuals that the values rest on.
    """

    lines_per_mm: float
    focal_length_mm: float
    inclusion_angle_deg: float
    centre_pixel: float
    pixel_pitch_um: float
    detector_tilt_deg: float = 0.0
    order: int = 1
    evidence: CalibrationEvidence = field(default_factory=CalibrationEvidence)

    def __post_init__(self) -> None:
        """Refuse values with which the grating equation has no meaning.

        Raises:
            ValueError: Names the first field that is not positive and finite.
        """
        for name in ("lines_per_mm", "focal_length_mm", "pixel_pitch_um", "order"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                msg = f"{name} must be positive and finite, not {value}"
                raise ValueError(msg)

    def wavelength_nm(
        self, pixels: NDArray[np.float64], centre_nm: float | NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the wavelength in nm at each pixel.

        Args:
            pixels: Pixel coordinates of the full sensor, 0-based, any shape.
            centre_nm: Centre wavelength of the spectrograph, broadcast against ``pixels``.

        Raises:
            ValueError: If the grating cannot turn to ``centre_nm``.
        """
        self._turn_rad(centre_nm)
        parameters = tuple(getattr(self, name) for name in PARAMETERS)
        return grating_equation(
            pixels, centre_nm, parameters, self.groove_nm / self.order, self.pixel_pitch_um
        )

    def pixel(self, wavelength_nm: NDArray[np.float64], centre_nm: float) -> NDArray[np.float64]:
        """Return the pixel coordinate (full sensor, 0-based) at which a wavelength falls.

        Exact inverse of `wavelength_nm`; NaN where the wavelength is not diffracted.
        """
        half, tilt = self._half_rad, math.radians(self.detector_tilt_deg)
        psi = self._turn_rad(centre_nm)
        sine = wavelength_nm * self.order / self.groove_nm - np.sin(psi - half)
        within = np.abs(sine) <= 1
        xi = np.arcsin(np.where(within, sine, 0.0)) - psi - half
        x_mm = self.focal_length_mm * np.tan(xi) / (np.cos(tilt) - np.tan(xi) * np.sin(tilt))
        pixel = self.centre_pixel + 1e3 * x_mm / self.pixel_pitch_um
        return np.where(within, pixel, np.nan)

    def dispersion_nm_per_pixel(self, pixel: float, centre_nm: float) -> float:
        """Return the local dispersion in nm per pixel (central difference of one pixel)."""
        low, high = self.wavelength_nm(np.array([pixel - 0.5, pixel + 0.5]), centre_nm)
        return float(high - low)

    def wavelength_error_nm(
        self, pixels: NDArray[np.float64], centre_nm: float
    ) -> NDArray[np.float64] | None:
        """Return the standard error of the wavelength at each pixel in nm.

        It follows from the covariance in the evidence; None for nominal values.
        """
        modes = self.wavelength_modes_nm(pixels, centre_nm)
        return None if modes is None else np.linalg.norm(modes, axis=0)

    def wavelength_modes_nm(
        self, pixels: NDArray[np.float64], centre_nm: float
    ) -> NDArray[np.float64] | None:
        """Return by how much independent errors of one sigma move each pixel, in nm.

        Errors of pixels go together: that of a distance is the root of the sum over the squared
        differences of the modes. None for nominal values, which have no covariance.

        Args:
            pixels: Pixel coordinates of the full sensor, 0-based, shape (pixel,).
            centre_nm: Centre wavelength of the spectrograph.

        Returns:
            Shape (mode, pixel), one mode for each fitted parameter.
        """
        if not self.evidence.covariance:
            return None
        variances, directions = np.linalg.eigh(np.array(self.evidence.covariance))
        base = [getattr(self, name) for name in PARAMETERS]
        columns: list[NDArray[np.float64]] = []
        for k in range(len(base)):
            # Complex-step derivative; see `grating_equation`.
            shifted = (value + (1e-30j if j == k else 0.0) for j, value in enumerate(base))
            groove_nm = self.groove_nm / self.order
            model = grating_equation(
                pixels, centre_nm, tuple(shifted), groove_nm, self.pixel_pitch_um
            )
            columns.append(np.imag(model) / 1e-30)
        by_mode = directions.T @ np.stack(columns)
        return np.sqrt(np.maximum(variances, 0.0))[:, None] * by_mode

    def region_nm(
        self, x0: int, width: int, centre_nm: float, binning: int = 1
    ) -> NDArray[np.float64]:
        """Return the wavelength of each super-pixel of a region of interest, in nm.

        A super-pixel has the mean wavelength of its ``binning`` columns.

        Args:
            x0: First column of the region on the full sensor.
            width: Width in columns of the sensor; the rest of ``width / binning`` is cut.
            centre_nm: Centre wavelength.
            binning: Columns per super-pixel.
        """
        columns = np.arange(x0, x0 + width - width % binning, dtype=np.float64)
        return self.wavelength_nm(columns, centre_nm).reshape(-1, binning).mean(axis=1)

    @property
    def groove_nm(self) -> float:
        """Distance d between grooves in nm."""
        return 1e6 / self.lines_per_mm

    @property
    def _half_rad(self) -> float:
        return math.radians(self.inclusion_angle_deg) / 2

    def _turn_rad(self, centre_nm: float | NDArray[np.float64]) -> NDArray[np.float64]:
        sine = self.order * np.asarray(centre_nm) / (2 * self.groove_nm * math.cos(self._half_rad))
        if not np.all(np.abs(sine) <= 1):
            msg = f"a grating of {self.lines_per_mm}/mm cannot turn to {centre_nm} nm"
            raise ValueError(msg)
        return np.arcsin(sine)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a calibration file; `from_dict` reads them back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "GratingCalibration":
        """Build a calibration from the values of a calibration file.

        Raises:
            TypeError: If a key is unknown or missing.
            ValueError: If a value is impossible.
        """
        plain = dict(values)
        evidence = dict(plain.pop("evidence", {}))
        for name in ("pixels", "wavelengths_nm", "residuals_nm"):
            evidence[name] = tuple(evidence.get(name, ()))
        evidence["covariance"] = tuple(tuple(row) for row in evidence.get("covariance", ()))
        return cls(**plain, evidence=CalibrationEvidence(**evidence))


def grating_equation(
    pixels: NDArray[Any],
    centre_nm: float | NDArray[np.float64],
    parameters: tuple[Any, ...],
    groove_per_order_nm: float,
    pixel_pitch_um: float,
) -> NDArray[Any]:
    """Evaluate the grating equation; accepts complex parameters for exact derivatives.

    Args:
        pixels: Pixel coordinates of the full sensor.
        centre_nm: Centre wavelength in nm, scalar or one per pixel.
        parameters: Values of `PARAMETERS`, real or complex.
        groove_per_order_nm: d / m in nm.
        pixel_pitch_um: Pixel pitch.
    """
    focal_mm, inclusion_deg, tilt_deg, centre_pixel = parameters
    half, tilt = inclusion_deg * (math.pi / 360), tilt_deg * (math.pi / 180)
    psi = np.arcsin(np.asarray(centre_nm) / (2 * groove_per_order_nm * np.cos(half)))
    x_mm = (np.asarray(pixels) - centre_pixel) * (pixel_pitch_um * 1e-3)
    xi = np.arctan(x_mm * np.cos(tilt) / (focal_mm + x_mm * np.sin(tilt)))
    return groove_per_order_nm * (np.sin(psi - half) + np.sin(psi + half + xi))
