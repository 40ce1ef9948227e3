"""Power meter: a sensor of mean optical power, and what its numbers are worth."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles._base import Instrument
from labctl.roles._limits import Limits

__all__ = ["PowerMeter", "PowerTrust"]

_WAVELENGTH_TOLERANCE_NM = 0.51
"""Some meters keep whole nanometres."""


@dataclass(frozen=True)
class PowerTrust:
    """What is believed of a meter's numbers; all of it stands in the set-up file.

    Attributes:
        accuracy_rel: Relative uncertainty (one sigma) of the sensor's calibration.
        to_sample: Power on the sample over power on the sensor.
        to_sample_rel: Relative uncertainty (one sigma) of ``to_sample``.
    """

    accuracy_rel: float = 0.05
    to_sample: float = 1.0
    to_sample_rel: float = 0.0


class PowerMeter(Instrument):
    """Base of power-meter drivers. Powers are mean powers, W.

    ``power`` is what falls on the sensor, ``sample_power`` what then falls on the sample: behind
    a pick-off the two differ by ``trust.to_sample``. A sensor tells the right power only at the
    wavelength that it is set to, and a small one only after it was zeroed in the dark.
    """

    role: ClassVar[str] = "power_meter"
    readables = {"power": "W", "sample_power": "W"}
    zero_timeout_s: ClassVar[float] = 60.0
    """Longest time that zeroing may take, s."""

    def __init__(
        self, name: str, trust: PowerTrust, limits: Mapping[str, Limits] | None = None
    ) -> None:
        """Know what the meter's numbers are worth."""
        super().__init__(name, limits)
        self.trust = trust

    @abstractmethod
    def read_power(self) -> float:
        """Return the mean power on the sensor, W.

        Raises:
            DeviceRefusedError: Over range, or no sensor; the reading is no number then.
        """

    @abstractmethod
    def read_wavelength_nm(self) -> float:
        """Return the wavelength that the sensor is corrected for, nm."""

    @abstractmethod
    def wavelengths_nm(self) -> Limits:
        """Return the wavelengths that the sensor can be corrected for, nm."""

    @abstractmethod
    def _write_wavelength_nm(self, wavelength_nm: float) -> None:
        """Set the wavelength; it is one that the sensor knows."""

    @abstractmethod
    def start_zero(self) -> None:
        """Begin to take the present reading for darkness; the light must be off."""

    @abstractmethod
    def is_zeroing(self) -> bool:
        """Ask whether zeroing goes on."""

    @abstractmethod
    def set_averages(self, count: int) -> None:
        """Let each reading be the mean of so many; reads back."""

    @abstractmethod
    def set_range_w(self, power_w: float | None) -> None:
        """Choose the smallest range that holds this power, W; None: the meter chooses."""

    def set_wavelength_nm(self, wavelength_nm: float) -> None:
        """Set the wavelength, nm, and read back.

        Raises:
            RefusedError: The sensor does not know it; nothing was sent.
            DeviceRefusedError: The meter keeps another one.
        """
        known = self.wavelengths_nm()
        if not math.isfinite(wavelength_nm) or wavelength_nm not in known:
            span = f"the sensor knows {known.low:g} to {known.high:g} nm"
            raise RefusedError(self.name, f"wavelength = {wavelength_nm:g} nm", span)
        self._write_wavelength_nm(wavelength_nm)
        found_nm = self.read_wavelength_nm()
        if not abs(found_nm - wavelength_nm) <= _WAVELENGTH_TOLERANCE_NM:
            raise DeviceRefusedError(
                self.name,
                f"wavelength = {wavelength_nm:g} nm",
                f"it is at {found_nm:g} nm afterwards",
                "can this sensor's wavelength be set?",
            )

    def read_sample_power(self) -> float:
        """Return the mean power on the sample, W, as the set-up's ``to_sample`` has it."""
        return self.read_power() * self.trust.to_sample

    def power_error_w(self, power_w: float) -> float:
        """Return the standard uncertainty of a power on the sensor, W: that of its calibration."""
        return abs(power_w) * self.trust.accuracy_rel

    def sample_power_error_w(self, sample_power_w: float) -> float:
        """Return the standard uncertainty of a power on the sample, W: sensor and pick-off."""
        trust = self.trust
        return abs(sample_power_w) * math.hypot(trust.accuracy_rel, trust.to_sample_rel)
