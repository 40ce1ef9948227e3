"""Attenuator: sets how much of the laser's light reaches the sample."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles._base import Instrument, Limits, Settable, SettableSpec

__all__ = ["Attenuator"]

_REL = 0.02


class Attenuator(Instrument):
    """Base of attenuator drivers. Fluences are peak fluences on the sample, uJ/cm².

    The peak fluence is J0 = 2 E / (pi w²) of one pulse of energy E in a spot with 1/e² radius w.
    What the instrument itself sets is its transmission; how much light comes with it fully open
    is known from the set-up.
    """

    role: ClassVar[str] = "attenuator"
    settables = {"fluence": SettableSpec("uJ/cm^2", Limits(0.0, 1e6), 600.0, 1e-4)}
    readables = {"fluence": "uJ/cm^2", "transmission": ""}

    def __init__(
        self, name: str, full_fluence_uj_cm2: float, limits: Mapping[str, Limits] | None = None
    ) -> None:
        """Know the fluence with the attenuator fully open, uJ/cm²."""
        super().__init__(name, limits)
        self.full_fluence_uj_cm2 = full_fluence_uj_cm2

    @abstractmethod
    def _write_transmission(self, transmission: float) -> None:
        """Start the move to a transmission, 0 to 1."""

    @abstractmethod
    def read_transmission(self) -> float:
        """Return the transmission against fully open."""

    @abstractmethod
    def fluence_arrived(self) -> bool:
        """Ask whether a started move has ended."""

    def start_fluence(self, fluence_uj_cm2: float) -> None:
        """Check the limits and start the move.

        Raises:
            RefusedError: Out of the limits, or more than the laser gives.
        """
        self.check("fluence", fluence_uj_cm2)
        if fluence_uj_cm2 > self.full_fluence_uj_cm2:
            raise RefusedError(
                self.name,
                f"fluence = {fluence_uj_cm2:g} uJ/cm^2",
                f"fully open it is {self.full_fluence_uj_cm2:g} uJ/cm^2",
            )
        self._write_transmission(fluence_uj_cm2 / self.full_fluence_uj_cm2)

    def read_fluence(self) -> float:
        """Return the peak fluence on the sample, uJ/cm²."""
        return self.read_transmission() * self.full_fluence_uj_cm2

    def _settable(self, quantity: str) -> Settable:
        found = super()._settable(quantity)
        return _Relative(found.name, found.spec, found.start, found.arrived, found.read)


class _Relative(Settable):
    """A quantity over several decades, whose read-back is compared as a ratio."""

    def confirm(self, target: float) -> float:
        """Return the read-back; refuses more than 2 % off."""
        value = self.read()
        if not abs(value - target) <= max(_REL * abs(target), self.spec.tolerance):
            raise DeviceRefusedError(
                self.name.partition(".")[0],
                f"{self.name} = {target:g} {self.spec.unit}",
                f"is at {value:g} {self.spec.unit} after the move",
                "look at the attenuator",
            )
        return value
