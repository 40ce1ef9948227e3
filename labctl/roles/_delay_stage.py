"""Delay stage: a retroreflector on a linear stage, which makes light come later."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from labctl.roles._base import Instrument, Limits, SettableSpec, Settings
from labctl.units import Millimeters

__all__ = ["DelaySettings", "DelayStage"]

_MM_PER_PS = 0.299792458
"""Light in vacuum."""


class DelaySettings(Settings):
    """Keys of a delay stage in the set-up file that do not depend on its maker.

    Attributes:
        zero: Position of delay zero as believed, mm; a scan of the delay tells the true one.
        passes: How often the light goes to the retroreflector and back.
        towards: Whether larger positions lengthen (1) or shorten (-1) the way.
    """

    zero: Millimeters = 0.0
    passes: int = Field(default=1, ge=1, le=8)
    towards: Literal[-1, 1] = 1


class DelayStage(Instrument):
    """Base of drivers of delay stages: delay = 2 passes (x - x0) / c, positive for later light."""

    role: ClassVar[str] = "delay_stage"
    settables = {
        "delay": SettableSpec("ps", Limits(-20000.0, 20000.0), 600.0, 0.1),
        "position": SettableSpec("mm", Limits(-1000.0, 1000.0), 600.0, 0.01),
    }
    readables = {"delay": "ps", "position": "mm"}

    def __init__(
        self, name: str, delay: DelaySettings, limits: Mapping[str, Limits] | None = None
    ) -> None:
        """Know where delay zero is believed to be."""
        super().__init__(name, limits)
        self.delay_settings = delay

    @abstractmethod
    def _write_position_mm(self, millimeters: float) -> None:
        """Start the move to a position."""

    @abstractmethod
    def is_moving(self) -> bool:
        """Ask whether a started move still goes on.

        Raises:
            DeviceError: It has ended by an error, for example at an end switch.
        """

    @abstractmethod
    def read_position(self) -> float:
        """Return the position, mm."""

    def read_delay(self) -> float:
        """Return the delay, ps, with the believed zero."""
        return (self.read_position() - self.delay_settings.zero) / self._mm_per_ps()

    def start_position(self, millimeters: float) -> None:
        """Check the limits and start the move."""
        self.check("position", millimeters)
        self._write_position_mm(millimeters)

    def start_delay(self, picoseconds: float) -> None:
        """Check the limits of delay and position, and start the move.

        Raises:
            RefusedError: Out of one of them; nothing was sent.
        """
        self.check("delay", picoseconds)
        self.start_position(self.delay_settings.zero + picoseconds * self._mm_per_ps())

    def position_arrived(self) -> bool:
        """Ask whether the move has ended; ``Settable.confirm`` then reads back."""
        return not self.is_moving()

    def delay_arrived(self) -> bool:
        """Ask whether the move has ended."""
        return not self.is_moving()

    def _mm_per_ps(self) -> float:
        settings = self.delay_settings
        return settings.towards * _MM_PER_PS / (2.0 * settings.passes)
