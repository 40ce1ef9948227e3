"""Power and fluence with their uncertainties, and a measured curve of an attenuator."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from labctl.optics._fluence import mean_power_w

__all__ = ["Excitation", "PowerCurve"]

_BEYOND = 1e-9


@dataclass(frozen=True)
class Excitation:
    """What turns a mean power on the sample into a peak fluence: ``J0 = 2 P / (pi w² f)``.

    Attributes:
        rep_rate_hz: Pulses per second.
        spot_1e2_diameter_um: 2 w, um.
        spot_error_rel: Relative standard uncertainty of the diameter; None: not known.
    """

    rep_rate_hz: float
    spot_1e2_diameter_um: float
    spot_error_rel: float | None = None

    def with_spot(self, measured: Mapping[str, Any]) -> "Excitation":
        """Return the same with the spot of a calibration's result."""
        diameter_um = float(measured["spot_1e2_diameter_um"])
        error_rel = float(measured["spot_1e2_diameter_error_um"]) / diameter_um
        return replace(self, spot_1e2_diameter_um=diameter_um, spot_error_rel=error_rel)

    def power_w(self, fluence_uj_cm2: float) -> float:
        """Return the mean power of a peak fluence, W."""
        return mean_power_w(fluence_uj_cm2, self.spot_1e2_diameter_um, self.rep_rate_hz)

    def fluence_uj_cm2(self, power_w: float) -> float:
        """Return the peak fluence of a mean power, uJ/cm²."""
        return power_w / self.power_w(1.0)

    def fluence_error_rel(self, power_error_rel: float) -> float | None:
        """Return the relative uncertainty of a fluence: the diameter enters twice."""
        if self.spot_error_rel is None:
            return None
        return math.hypot(power_error_rel, 2.0 * self.spot_error_rel)


@dataclass(frozen=True)
class PowerCurve:
    """Mean power on the sample against the marks of an attenuator's scale, as measured.

    Between the marks the logarithms are joined by straight lines: grey filters have optical
    densities that are proportional to one another.

    Attributes:
        transmissions: Marks, rising, above 0.
        powers_w: Power on the sample at each, rising, W.
        error_rel: Relative standard uncertainty common to all powers: that of meter and pick-off.
        rep_rate_hz: Pulses per second when it was measured; None: not known. At another rate the
            power is another one at each mark, and the energy of a pulse is the same.
    """

    transmissions: tuple[float, ...]
    powers_w: tuple[float, ...]
    error_rel: float
    rep_rate_hz: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no curve with one mark for each power."""
        if len(self.transmissions) < 2 or len(self.transmissions) != len(self.powers_w):
            raise ValueError("needs a power for each of at least two transmissions")
        for name, values in (("transmissions", self.transmissions), ("powers", self.powers_w)):
            if not (values[0] > 0 and np.all(np.diff(values) > 0)):
                raise ValueError(f"the {name} do not rise from mark to mark")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "PowerCurve":
        """Return the curve from a calibration's result."""
        marks: Sequence[float] = data["transmissions"]
        powers_w: Sequence[float] = data["powers_w"]
        rate_hz = data.get("rep_rate_hz")
        return cls(
            tuple(marks),
            tuple(powers_w),
            float(data["error_rel"]),
            None if rate_hz is None else float(rate_hz),
        )

    def power_w(self, transmission: float) -> float:
        """Return the power at a mark, W; beyond the ends in proportion to the mark."""
        if transmission <= 0.0:
            return 0.0
        inside = min(max(transmission, self.transmissions[0]), self.transmissions[-1])
        found = np.interp(math.log(inside), np.log(self.transmissions), np.log(self.powers_w))
        return math.exp(float(found)) * transmission / inside

    def transmission(self, power_w: float) -> float:
        """Return the mark for a power.

        Raises:
            ValueError: There is no such mark; says what can be reached.
        """
        if power_w == 0.0:
            return 0.0
        most_w = self.power_w(1.0)
        if power_w > most_w * (1.0 + _BEYOND):
            raise ValueError(f"fully open it is {most_w:.4g} W on the sample, not {power_w:.4g} W")
        inside = min(max(power_w, self.powers_w[0]), self.powers_w[-1])
        found = np.interp(math.log(inside), np.log(self.powers_w), np.log(self.transmissions))
        return min(math.exp(float(found)) * power_w / inside, 1.0)
