"""Illuminator: light on the sample to look at it; it must be off while spectra are taken."""

import math
from abc import abstractmethod
from typing import ClassVar

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles._base import Instrument, SafeAction

__all__ = ["Illuminator"]


class Illuminator(Instrument):
    """Base of drivers of an LED or a lamp for looking at the sample. Safe means off."""

    role: ClassVar[str] = "illuminator"
    readables = {"level": ""}
    safe_actions = {"off": SafeAction("switch_off", "is_off")}
    tolerance: ClassVar[float] = 1e-3
    """Largest accepted difference of a level that is read back."""

    @abstractmethod
    def _write_level(self, level: float) -> None:
        """Set how bright it is when it is on, 0 to 1 of its largest brightness."""

    @abstractmethod
    def _write_on(self, wanted: bool) -> None:
        """Switch the light on or off."""

    @abstractmethod
    def is_on(self) -> bool:
        """Ask whether it gives light."""

    @abstractmethod
    def read_set_level(self) -> float:
        """Return how bright it is when it is on, 0 to 1."""

    def switch_on(self, level: float) -> None:
        """Light the sample, and read back.

        Args:
            level: Share of the largest brightness, above 0 up to 1.

        Raises:
            RefusedError: The level is out of range; nothing is sent.
            DeviceRefusedError: The light did not do it.
        """
        if not (math.isfinite(level) and 0.0 < level <= 1.0):
            raise RefusedError(self.name, f"level {level} is out of range", "above 0, at most 1")
        self._write_level(level)
        held = self.read_set_level()
        if not abs(held - level) <= self.tolerance:
            self.switch_off()
            what = f"holds {held:.4g}"
            raise DeviceRefusedError(self.name, f"level {level:.4g}", what, "is its limit lower?")
        self._write_on(True)
        if not self.is_on():
            what = "the light stays off"
            raise DeviceRefusedError(self.name, "switch on", what, "look at the LED and its cable")

    def switch_off(self) -> None:
        """Put the light out, and read back.

        Raises:
            DeviceRefusedError: It is still on.
        """
        self._write_on(False)
        if self.is_on():
            what = "the light is still on"
            raise DeviceRefusedError(self.name, "switch off", what, "pull its plug")

    def is_off(self) -> bool:
        """Ask whether it is dark."""
        return not self.is_on()

    def read_level(self) -> float:
        """Return how bright it is now, 0 to 1; 0 when it is off."""
        return self.read_set_level() if self.is_on() else 0.0
