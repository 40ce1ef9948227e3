"""Transmission of a waveplate attenuator by the angle of its mount, and back."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["Curve", "MalusCurve", "TableCurve"]

_BESIDE_DEG = 0.2


class Curve(Protocol):
    """Transmission against angle on one branch, on which each transmission has one angle."""

    @property
    def least(self) -> float:
        """The smallest transmission on the branch."""
        ...

    @property
    def most(self) -> float:
        """The largest transmission on the branch."""
        ...

    def transmission(self, angle_deg: float) -> float:
        """Return the transmission at an angle of the mount; ValueError where it is not known."""
        ...

    def angle_deg(self, transmission: float) -> float:
        """Return the angle on the branch for a transmission from ``least`` to ``most``."""
        ...


@dataclass(frozen=True)
class MalusCurve:
    """T = Tmin + (1 - Tmin) cos²(2 (theta - theta0)), over 45 deg from theta0 on.

    Attributes:
        zero_deg: Angle of the mount with the most light, theta0.
        least: Transmission with crossed axes against the most light, Tmin.
    """

    zero_deg: float
    least: float
    most: float = 1.0

    def transmission(self, angle_deg: float) -> float:
        """Return the transmission at an angle of the mount."""
        turned = math.cos(2.0 * math.radians(angle_deg - self.zero_deg))
        return self.least + (1.0 - self.least) * turned * turned

    def angle_deg(self, transmission: float) -> float:
        """Return the angle on the branch for a transmission."""
        share = (transmission - self.least) / (1.0 - self.least)
        turned = math.sqrt(min(max(share, 0.0), 1.0))
        return self.zero_deg + 0.5 * math.degrees(math.acos(turned))


class TableCurve:
    """A measured curve, straight between its points."""

    def __init__(self, angles_deg: Sequence[float], transmissions: Sequence[float]) -> None:
        """Take angles of the mount and transmissions.

        Raises:
            ValueError: They are no curve with one angle for each transmission.
        """
        angles = np.asarray(angles_deg, dtype=np.float64)
        passed = np.asarray(transmissions, dtype=np.float64)
        if angles.ndim != 1 or angles.shape != passed.shape or len(angles) < 2:
            raise ValueError("needs as many transmissions as angles, two at least")
        if not (np.isfinite(angles).all() and np.isfinite(passed).all() and (passed >= 0.0).all()):
            raise ValueError("angles and transmissions must be numbers, transmissions from 0 on")
        order = np.argsort(passed)
        self._passed, self._angles = passed[order], angles[order]
        steps = np.diff(self._angles)
        monotonic = (steps > 0.0).all() or (steps < 0.0).all()
        if not (monotonic and (np.diff(self._passed) > 0.0).all()):
            raise ValueError("the transmission must rise or fall all the way: take one branch")
        if np.ptp(angles) >= 360.0:
            raise ValueError("the branch spans a whole turn")
        self.least, self.most = float(self._passed[0]), float(self._passed[-1])

    def transmission(self, angle_deg: float) -> float:
        """Return the transmission at an angle of the mount.

        Raises:
            ValueError: The curve does not reach there.
        """
        low, high = float(self._angles.min()), float(self._angles.max())
        middle = 0.5 * (low + high)
        near = middle + (angle_deg - middle + 180.0) % 360.0 - 180.0
        if not low - _BESIDE_DEG <= near <= high + _BESIDE_DEG:
            raise ValueError(f"the curve goes from {low:g} to {high:g} deg, not to {angle_deg:g}")
        rising = self._angles[0] < self._angles[-1]
        angles, passed = (
            (self._angles, self._passed) if rising else (self._angles[::-1], self._passed[::-1])
        )
        return float(np.interp(near, angles, passed))

    def angle_deg(self, transmission: float) -> float:
        """Return the angle on the branch for a transmission."""
        return float(np.interp(transmission, self._passed, self._angles))
