"""What regulates a temperature, be it a whole cryostat or a controller of its own."""

from abc import abstractmethod
from typing import ClassVar

from labctl.errors import DeviceRefusedError
from labctl.roles._base import Instrument, Limits, SettableSpec
from labctl.roles._settle import SettleRule

__all__ = ["Thermostat"]


class Thermostat(Instrument):
    """Common base of roles with a set point. Temperatures in K; NaN means: no valid reading."""

    settables = {
        "temperature": SettableSpec("K", Limits(2.0, 350.0), 3600.0, 0.006, settles=True),
    }
    readables = {"temperature": "K"}
    settle_rule: ClassVar[SettleRule] = SettleRule(0.05, 0.05, 60.0, 1800.0)
    """Used where a recipe gives no rule of its own."""
    refusal_hint: ClassVar[str] = "is it under remote control?"

    @abstractmethod
    def _write_set_point_k(self, kelvin: float) -> None:
        """Send the set point; returns when the instrument has accepted it."""

    @abstractmethod
    def set_point_k(self) -> float:
        """Return the set point that the instrument holds, K."""

    @abstractmethod
    def read_temperature(self) -> float:
        """Return the temperature nearest the sample, K; NaN if that sensor gives none."""

    @abstractmethod
    def alarm(self) -> str:
        """Return what is wrong in the instrument's words, or an empty string."""

    def start_temperature(self, kelvin: float) -> None:
        """Set the set point and read it back; the temperature follows in minutes.

        Raises:
            RefusedError: Out of limits; nothing was sent.
            DeviceRefusedError: The instrument holds another set point than it was given.
        """
        self.check("temperature", kelvin)
        self._write_set_point_k(kelvin)
        held_k = self.set_point_k()
        if abs(held_k - kelvin) > self.settables["temperature"].tolerance:
            raise DeviceRefusedError(
                self.name, f"set point {kelvin:g} K", f"holds {held_k:g} K", self.refusal_hint
            )

    def lost_settings(self) -> str:
        """Return that it holds another set point than it was given, if it does."""
        wanted_k = self._ordered.get("temperature")
        if wanted_k is None:
            return ""
        held_k = self.set_point_k()
        if abs(held_k - wanted_k) <= self.settables["temperature"].tolerance:
            return ""
        return f"the set point is {held_k:g} K, was {wanted_k:g} K"

    def temperature_arrived(self) -> bool:
        """Return False: only the settle rule, which sees a series of readings, can tell."""
        return False
