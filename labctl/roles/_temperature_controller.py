"""Temperature controller: a sensor, a heater and the loop between them."""

from abc import abstractmethod
from typing import ClassVar

from labctl.roles._base import SafeAction
from labctl.roles._thermostat import Thermostat

__all__ = ["TemperatureController"]


class TemperatureController(Thermostat):
    """Base of drivers of temperature controllers; one channel (sensor and output) each.

    ``heater_off`` is offered as a safe action, but a set-up should name it only where warmth harms:
    a cold sample is kept as it is.
    """

    role: ClassVar[str] = "temperature_controller"
    readables = {"temperature": "K", "heater": "percent"}
    safe_actions = {"heater_off": SafeAction("switch_heater_off", "is_heater_off")}

    @abstractmethod
    def read_heater(self) -> float:
        """Return the output of the heater, percent of the range in use."""

    @abstractmethod
    def switch_heater_off(self) -> None:
        """Switch the heater off."""

    @abstractmethod
    def is_heater_off(self) -> bool:
        """Ask whether the heater is off."""

    @abstractmethod
    def is_ramping(self) -> bool:
        """Ask whether the set point is still on its way."""
