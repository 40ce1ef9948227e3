"""Lamp: a calibration lamp whose lines have known wavelengths."""

from abc import abstractmethod
from typing import ClassVar

from labctl.errors import RefusedError
from labctl.roles._base import Instrument, SafeAction

__all__ = ["Lamp"]


class Lamp(Instrument):
    """Base of lamp drivers; a lamp that a person switches is one too. Safe means off."""

    role: ClassVar[str] = "lamp"
    safe_actions = {"off": SafeAction("switch_off", "is_off")}

    @abstractmethod
    def switch_on(self, element: str) -> None:
        """Light the lamp: ``neon``, ``mercury``, ``argon``, or ``halogen``, which is white."""

    @abstractmethod
    def switch_off(self) -> None:
        """Put the lamp out."""

    @abstractmethod
    def lit(self) -> str:
        """Return the element that is lit, or an empty string."""

    def white_temperature_k(self) -> tuple[float, float]:
        """Return the distribution temperature of the white lamp, K, and its standard uncertainty.

        Raises:
            RefusedError: It is not known.
        """
        what = "the colour of its white light is not known"
        raise RefusedError(self.name, what, "write white_temperature of its certificate")

    def is_off(self) -> bool:
        """Ask whether no lamp is lit."""
        return self.lit() == ""
