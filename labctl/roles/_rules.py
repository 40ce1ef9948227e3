"""Rules between two instruments: a narrower limit while another one reads so and so."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from labctl.errors import LabctlError, RefusedError
from labctl.roles._limits import Limits
from labctl.units import format_quantity

__all__ = ["LimitRule"]


@dataclass(frozen=True)
class LimitRule:
    """A limit of one quantity that holds on a condition over a reading of another instrument.

    Attributes:
        quantity: The settable that is limited, and ``unit`` the unit of its number.
        unit: Unit of ``limits``.
        limits: Where the quantity may lie while the condition holds.
        reading: ``instrument.quantity`` that decides, for messages.
        reading_unit: Unit of ``above`` and ``below``.
        read: Asks for that reading.
        above: The rule holds while the reading is larger.
        below: The rule holds while it is smaller.
        why: Reason, shown with a refusal.
    """

    quantity: str
    unit: str
    limits: Limits
    reading: str
    reading_unit: str
    read: Callable[[], float]
    above: float | None = None
    below: float | None = None
    why: str = ""

    def check(self, device: str, value: float) -> None:
        """Refuse a value that the rule forbids now; asks the other instrument only if it matters.

        A reading that fails or is not a number counts as the stricter side: what cannot be known
        to be safe is not done.

        Raises:
            RefusedError: Names value, condition, reading and reason.
        """
        if value in self.limits:
            return
        found, failure = self._reading()
        if not self._holds(found):
            return
        because = f"{failure}; it counts as {self._condition()}" if failure else self._shown(found)
        span = f"{self.limits.low:g} to {format_quantity(self.limits.high, self.unit)}"
        what = f"{self.quantity} = {format_quantity(value, self.unit)} breaks a rule: {because}"
        reason = f" ({self.why})" if self.why else ""
        raise RefusedError(device, what, f"allowed {self._condition()}: {span}{reason}")

    def _reading(self) -> tuple[float, str]:
        try:
            found = self.read()
        except LabctlError as error:
            return math.nan, f"{self.reading} cannot be read ({error})"
        return found, f"{self.reading} has no valid reading" if math.isnan(found) else ""

    def _holds(self, found: float) -> bool:
        if math.isnan(found):
            return True
        return found > self.above if self.above is not None else found < (self.below or 0.0)

    def _condition(self) -> str:
        side, edge = ("above", self.above) if self.above is not None else ("below", self.below)
        return f"{side} {format_quantity(edge or 0.0, self.reading_unit)}"

    def _shown(self, found: float) -> str:
        return f"{self.reading} is {found:.4g} {self.reading_unit}"
