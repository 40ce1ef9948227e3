"""Relative efficiency of grating and camera against wavelength, from light of known colour."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import chi2_probability, invert_normal
from labctl.errors import AnalysisError

__all__ = ["SpectralEfficiency", "measure_efficiency"]

Vector = NDArray[np.float64]

ORDERS = 5
"""Powers of the polynomial in the logarithm, besides the constant."""
_LIT_REL = 0.1
_POOR = 1e-3
_UNIT_NM = 100.0
_HC_K_NM_K = 1.438776877e7
"""Second radiation constant, nm K (CODATA 2018)."""


@dataclass(frozen=True)
class SpectralEfficiency:
    """Photo-electrons per photon against wavelength, 1 at ``center_nm``.

    ``ln e = sum of c_k ((lambda - center) / 100 nm)^k``, k from 1.

    Attributes:
        center_nm: Where it is 1, nm.
        from_nm: Beginning of the range in which it was measured, nm.
        to_nm: Its end, nm.
        error_per_nm: Standard error of the relative change per nm.
        coefficients: c_1, c_2 and so on.
    """

    center_nm: float
    from_nm: float
    to_nm: float
    error_per_nm: float
    coefficients: tuple[float, ...]

    def relative(self, wavelength_nm: Vector) -> Vector:
        """Return the efficiency, shape as ``wavelength_nm``; beyond its ends it is held."""
        inside = np.clip(wavelength_nm, self.from_nm, self.to_nm)
        powers = _powers(inside - self.center_nm)
        return np.exp(powers @ np.array(self.coefficients))

    def holds(self, wavelength_nm: float) -> bool:
        """Return whether it was measured at a wavelength, nm."""
        return self.from_nm <= wavelength_nm <= self.to_nm

    def to_record(self) -> dict[str, Any]:
        """Return what a calibration file keeps."""
        return {**asdict(self), "coefficients": list(self.coefficients)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "SpectralEfficiency":
        """Return what a calibration file has kept."""
        return cls(
            center_nm=float(record["center_nm"]),
            from_nm=float(record["from_nm"]),
            to_nm=float(record["to_nm"]),
            error_per_nm=float(record["error_per_nm"]),
            coefficients=tuple(float(one) for one in record["coefficients"]),
        )


def measure_efficiency(
    light: Vector,
    variance: Vector,
    wavelength_nm: Vector,
    temperature_k: float,
    temperature_error_k: float,
) -> SpectralEfficiency:
    """Return the efficiency from the spectrum of a lamp that has the colour of a black body.

    Photons per wavelength of a black body (Planck) go as
    ``lambda^-4 / (exp(c2 / (lambda T)) - 1)``; a wrong temperature tilts the result by
    ``c2 dT / (lambda T)^2`` per wavelength.

    Args:
        light: Counts of the lamp, dark frames taken off, shape (pixel,).
        variance: Of these, shape (pixel,).
        wavelength_nm: At the pixel centres, shape (pixel,).
        temperature_k: Distribution temperature of the lamp, K.
        temperature_error_k: Its standard uncertainty, K.

    Raises:
        AnalysisError: The lamp is too weak.
    """
    width_nm = np.abs(np.gradient(wavelength_nm))
    density = light / width_nm / _planck(wavelength_nm, temperature_k)
    keep = (light > _LIT_REL * light.max()) & (light > 5.0 * np.sqrt(variance))
    if int(keep.sum()) < 10 * ORDERS:
        message = "the lamp lights too few pixels for a spectral response; expose longer"
        raise AnalysisError(message)
    nm, level = wavelength_nm[keep], np.log(density[keep])
    center_nm = float(np.median(nm))
    design = np.column_stack([np.ones(nm.size), _powers(nm - center_nm)])
    rows = design * (light[keep] / np.sqrt(variance[keep]))[:, None]
    covariance = invert_normal(rows)
    found = covariance @ rows.T @ (level * light[keep] / np.sqrt(variance[keep]))
    chi2 = float(np.sum((level - design @ found) ** 2 * light[keep] ** 2 / variance[keep]))
    freedom = nm.size - found.size
    poor = chi2_probability(chi2, freedom) < _POOR and chi2 > freedom
    # The mean slope from one end to the other: the powers alone are tied to each other.
    ends = (design[-1] - design[0])[1:] / abs(float(nm[-1] - nm[0]))
    own = float(ends @ covariance[1:, 1:] @ ends) * (chi2 / freedom if poor else 1.0)
    tilt = _HC_K_NM_K * temperature_error_k / (center_nm * temperature_k) ** 2
    coefficients = tuple(float(one) for one in found[1:])
    error = math.hypot(math.sqrt(own), tilt)
    return SpectralEfficiency(center_nm, float(nm.min()), float(nm.max()), error, coefficients)


def _powers(away_nm: Vector) -> Vector:
    return (away_nm / _UNIT_NM)[:, None] ** np.arange(1, ORDERS + 1)


def _planck(wavelength_nm: Vector, temperature_k: float) -> Vector:
    """Return photons per wavelength of a black body, any unit."""
    light: Vector = wavelength_nm**-4.0 / np.expm1(_HC_K_NM_K / (wavelength_nm * temperature_k))
    return light / light.max()
