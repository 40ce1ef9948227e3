"""Quantities that are read for the books all along, at periods of their own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from labctl.clock import Cancel
from labctl.errors import LabctlError

if TYPE_CHECKING:
    from labctl.sequencer._session import Session

__all__ = ["Monitors"]


class Monitors:
    """Reads the monitored quantities of a session.

    Attributes:
        periods_s: Periods by ``instrument.quantity``, s.
    """

    def __init__(self, session: "Session") -> None:
        """Nothing is monitored yet."""
        self._session = session
        self.periods_s: Mapping[str, float] = {}
        self._cancels: list[Cancel] = []
        self._failing: set[str] = set()

    def begin(self, periods_s: Mapping[str, float]) -> None:
        """Read each quantity every so many seconds while the engine waits."""
        self.periods_s = dict(periods_s)
        for quantity, period_s in periods_s.items():
            read = self._session.clock.call_every
            self._cancels.append(read(period_s, lambda quantity=quantity: self.read(quantity)))

    def end(self) -> None:
        """Read nothing more."""
        for cancel in self._cancels:
            cancel()

    def read(self, quantity: str) -> None:
        """Read a quantity for the books; a reading that fails is told once, the run goes on."""
        session = self._session
        if session.links.is_silent(quantity.partition(".")[0]):
            return
        try:
            value = session.station.read(quantity)
        except LabctlError as error:
            if quantity not in self._failing:
                self._failing.add(quantity)
                device = quantity.partition(".")[0]
                session.book.message("warning", device, f"monitor {quantity}: {error}")
            return
        self._failing.discard(quantity)
        session.book.reading(quantity, value, session.station.unit(quantity))
