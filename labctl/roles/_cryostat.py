"""Cryostat: a sample platform whose temperature can be set and read."""

from abc import abstractmethod
from typing import ClassVar

from labctl.roles._thermostat import Thermostat

__all__ = ["Cryostat"]


class Cryostat(Thermostat):
    """Base of cryostat drivers. All temperatures in K; NaN means: no valid reading.

    A driver writes the abstract methods. Its safe state is to be left as it is: warming a sample
    up is never an answer to a fault.
    """

    role: ClassVar[str] = "cryostat"
    readables = {"temperature": "K", "platform_temperature": "K", "stability": "K"}
    refusal_hint: ClassVar[str] = "is external control enabled on the cryostat's own computer?"

    @abstractmethod
    def read_platform_temperature(self) -> float:
        """Return the platform's temperature, K; NaN if that sensor gives none."""

    @abstractmethod
    def read_stability(self) -> float:
        """Return the instrument's own stability number, K; NaN if not available."""
