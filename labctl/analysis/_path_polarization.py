"""What a light path does to polarization, from unpolarized light behind a turned analyser.

Behind an analyser at the angle t unpolarized light gives ``1 + d1 cos 2t + d2 sin 2t``, where
(d1, d2) is the diattenuation of the path: (s - p) / (s + p) of a grating or a mirror.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._polarization import Polarization, with_stokes
from labctl.analysis._propagate import gradient_of
from labctl.errors import AnalysisError

__all__ = ["PathPolarization"]

Vector = NDArray[np.float64]

_MOST = 0.95


@dataclass(frozen=True)
class PathPolarization:
    """Diattenuation of a path, at the wavelengths at which it was measured.

    Attributes:
        d1: Along 0 deg against 90 deg.
        d2: Along 45 deg against 135 deg.
        from_nm: Beginning of the range in which it was measured, nm.
        to_nm: Its end, nm.
    """

    d1: Measured
    d2: Measured
    from_nm: float
    to_nm: float

    @staticmethod
    def of_unpolarized(
        light: Polarization, lamp_degree: float, from_nm: float, to_nm: float
    ) -> "PathPolarization":
        """Return it from the law of light that was unpolarized within ``lamp_degree`` (1 sigma).

        Raises:
            AnalysisError: Hardly any light passes across the better direction.
        """
        if math.hypot(light.s1.value, light.s2.value) > _MOST:
            message = "the light behind the analyser is polarized; is that lamp unpolarized?"
            raise AnalysisError(message)
        d1, d2 = (one.plus_systematic(lamp_degree) for one in (light.s1, light.s2))
        return PathPolarization(d1, d2, from_nm, to_nm)

    def holds(self, wavelength_nm: float) -> bool:
        """Return whether it was measured at a wavelength, nm."""
        return self.from_nm <= wavelength_nm <= self.to_nm

    def gain(self, angle_deg: Vector) -> Vector:
        """Return what passes of unpolarized light at angles of the analyser, mean 1."""
        twice = 2.0 * np.radians(angle_deg)
        return 1.0 + self.d1.value * np.cos(twice) + self.d2.value * np.sin(twice)

    def divided_out(self, light: Polarization) -> Polarization:
        """Return the law of light from which ``gain`` was divided, with the path's error.

        Exact where the path favours a direction *behind* a turning analyser (a grating).
        """
        extra = np.array([self.d1.error, self.d2.error]) ** 2
        parts = np.array([light.s1.value, light.s2.value])
        spread = np.diag(np.array([light.s1.error, light.s2.error]) ** 2 + extra)
        return with_stokes(light, parts, spread)

    def undone(self, light: Polarization) -> Polarization:
        """Return the polarization before what stands in *front* of the analyser.

        Exact for one diattenuator D along d: ``I' = I (1 + D q)``, ``q' = (q + D) / (1 + D q)``
        along d and ``u' = u sqrt(1 - D²) / (1 + D q)`` across it (Chipman, Lam and Young,
        Polarized Light and Optical Systems (2018), section 6), turned round here.
        """
        measured = (light.s1, light.s2, self.d1, self.d2)
        values = np.array([one.value for one in measured])
        errors = np.array([one.error for one in measured])
        steps = np.maximum(1e-2 * errors, 1e-9)
        rows = [gradient_of(lambda v, k=k: float(_before(v)[k]), values, steps) for k in (0, 1)]
        jacobian = np.array(rows)
        found = _before(values)
        passed = 1.0 + float(values[2:] @ found)
        before = with_stokes(light, found, jacobian @ np.diag(errors**2) @ jacobian.T)
        return replace(before, intensity=light.intensity.scaled(1.0 / passed))

    def to_record(self) -> dict[str, Any]:
        """Return what a calibration file keeps."""
        return {
            "d1": self.d1.value,
            "d1_error": self.d1.error,
            "d2": self.d2.value,
            "d2_error": self.d2.error,
            "from_nm": self.from_nm,
            "to_nm": self.to_nm,
        }

    @staticmethod
    def from_record(record: Mapping[str, Any]) -> "PathPolarization":
        """Read what ``to_record`` has written."""
        d1, d2 = (Measured(float(record[n]), float(record[f"{n}_error"])) for n in ("d1", "d2"))
        return PathPolarization(d1, d2, float(record["from_nm"]), float(record["to_nm"]))


def _before(values: Vector) -> Vector:
    """Return s1, s2 before a diattenuator from s1, s2 behind it and its d1, d2."""
    behind, own = values[:2], values[2:]
    strength = float(np.hypot(own[0], own[1]))
    along = own / strength if strength > 0.0 else np.array([1.0, 0.0])
    q = float(behind @ along)
    across = behind - q * along
    left = 1.0 - strength * q
    before = ((q - strength) * along + math.sqrt(1.0 - strength**2) * across) / left
    return np.asarray(before, dtype=np.float64)
