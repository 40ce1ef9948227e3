"""Shutter: lets light pass or not."""

from abc import abstractmethod
from typing import ClassVar

from labctl.errors import DeviceRefusedError
from labctl.roles._base import Instrument, SafeAction

__all__ = ["Shutter"]


class Shutter(Instrument):
    """Base of shutter drivers. Safe means closed.

    Attributes:
        ordered_open: Whether the last order was to open.
    """

    role: ClassVar[str] = "shutter"
    readables = {"open": ""}
    safe_actions = {"close": SafeAction("shut", "is_shut")}
    ordered_open: bool = False

    @abstractmethod
    def _write_open(self, wanted: bool) -> None:
        """Send the command; must be right whatever the state before (mind toggles)."""

    @abstractmethod
    def is_open(self) -> bool:
        """Ask the instrument whether light passes."""

    def set_open(self, wanted: bool) -> None:
        """Open or close, and read back.

        Raises:
            DeviceRefusedError: The shutter did not do it.
        """
        # Remembered before it is sent: after a failure half-way it may be open.
        self.ordered_open = wanted or self.ordered_open
        self._write_open(wanted)
        if self.is_open() != wanted:
            word = "open" if wanted else "close"
            raise DeviceRefusedError(
                self.name, word, "the shutter did not move", "is its interlock closed?"
            )
        self.ordered_open = wanted

    def read_open(self) -> float:
        """Return 1.0 if open, else 0.0."""
        return float(self.is_open())

    def shut(self) -> None:
        """Close."""
        self.set_open(False)

    def is_shut(self) -> bool:
        """Ask whether it is closed."""
        return not self.is_open()
