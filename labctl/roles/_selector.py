"""Selector: a part of the light path with named positions (flip mirror, filter wheel, slide)."""

from abc import abstractmethod
from typing import ClassVar

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles._base import Instrument

__all__ = ["Selector"]


class Selector(Instrument):
    """Base of selector drivers.

    A driver's settings hold the names of its positions in a field ``positions``, so that the
    light paths of a set-up can be checked without any connection.
    """

    role: ClassVar[str] = "selector"
    move_timeout_s: ClassVar[float] = 10.0
    """Longest time that a move may take, s."""

    @abstractmethod
    def positions(self) -> tuple[str, ...]:
        """Return the names of its positions."""

    @abstractmethod
    def _start(self, position: str) -> None:
        """Start the move to a position that there is."""

    @abstractmethod
    def is_moving(self) -> bool:
        """Ask whether a started move still goes on."""

    @abstractmethod
    def read_position(self) -> str:
        """Return the name of the present position; empty if it is none of them."""

    def start_position(self, name: str) -> None:
        """Start the move to a position.

        Raises:
            RefusedError: There is no such position; nothing is sent.
        """
        if name not in self.positions():
            known = ", ".join(self.positions())
            raise RefusedError(self.name, f"has no position {name!r}", f"positions: {known}")
        self._start(name)

    def confirm_position(self, name: str) -> None:
        """Read back after a move.

        Raises:
            DeviceRefusedError: It stands elsewhere.
        """
        found = self.read_position()
        if found != name:
            where = f"stands at {found!r}" if found else "stands at none of its positions"
            raise DeviceRefusedError(self.name, f"position {name}", where, "look at it")
