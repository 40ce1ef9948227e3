"""Attenuator: sets how much of the laser's light reaches the sample."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.optics import Excitation, PowerCurve
from labctl.roles._base import Instrument, Limits, Settable, SettableSpec

__all__ = ["Attenuator"]

_REL = 0.02


class Attenuator(Instrument):
    """Base of attenuator drivers. Fluences are peak fluences on the sample, uJ/cm².

    The peak fluence is J0 = 2 E / (pi w²) of one pulse of energy E in a spot with 1/e² radius w.
    What the instrument itself sets is its transmission. How much light comes with it is believed
    from the set-up until the calibration ``power`` has measured it against a power meter. The size
    of the spot is that of the set-up until the calibration ``spot_size`` has measured it.

    The energy of a pulse does not change with the repetition rate (the laser's intensity is set
    once), so neither does the fluence of a mark; the power goes with the rate as it is at present.
    """

    role: ClassVar[str] = "attenuator"
    settables = {
        "fluence": SettableSpec("uJ/cm^2", Limits(0.0, 1e6), 600.0, 1e-4),
        "power": SettableSpec("W", Limits(0.0, 10.0), 600.0, 1e-12),
    }
    readables = {"fluence": "uJ/cm^2", "power": "W", "transmission": ""}
    calibrated_by = {"fluence": ("power", "spot_size"), "power": ("power", "spot_size")}

    def __init__(
        self, name: str, full_fluence_uj_cm2: float, limits: Mapping[str, Limits] | None = None
    ) -> None:
        """Know the fluence with the attenuator fully open, uJ/cm²."""
        super().__init__(name, limits)
        self.full_fluence_uj_cm2 = full_fluence_uj_cm2
        self._excitation: Excitation | None = None
        self._spot: Mapping[str, Any] | None = None
        self._present_hz: Callable[[], float | None] = lambda: None
        self._curve: PowerCurve | None = None

    @abstractmethod
    def _write_transmission(self, transmission: float) -> None:
        """Start the move to a transmission, 0 to 1."""

    @abstractmethod
    def read_transmission(self) -> float:
        """Return the transmission against fully open, as its own scale has it."""

    @abstractmethod
    def fluence_arrived(self) -> bool:
        """Ask whether a started move has ended."""

    def power_arrived(self) -> bool:
        """Ask whether a started move has ended."""
        return self.fluence_arrived()

    def use_excitation(
        self, excitation: Excitation, rep_rate_hz: Callable[[], float | None] = lambda: None
    ) -> None:
        """Know spot and repetition rate, so that power and fluence tell each other.

        Args:
            excitation: As the set-up says.
            rep_rate_hz: Asks for the present rate, Hz; None: that of the set-up.
        """
        self._excitation, self._present_hz = excitation, rep_rate_hz

    def use_calibration(self, name: str, result: Mapping[str, Any]) -> None:
        """Believe a measured curve of power against transmission, or size of the spot."""
        if name == "spot_size":
            self._spot = dict(result)
        else:
            self._curve = PowerCurve.from_dict(result)

    @property
    def excitation(self) -> Excitation | None:
        """What turns power into fluence, with the spot as it is known best; None: unknown."""
        if self._excitation is None or self._spot is None:
            return self._excitation
        return self._excitation.with_spot(self._spot)

    def start_transmission(self, transmission: float) -> None:
        """Start the move to a mark of its own scale, whatever light comes with it.

        Raises:
            RefusedError: Not from 0 to 1.
        """
        if not 0.0 <= transmission <= 1.0:
            raise RefusedError(self.name, f"transmission {transmission}", "it is from 0 to 1")
        self._write_transmission(transmission)

    def start_fluence(self, fluence_uj_cm2: float) -> None:
        """Check the limits and start the move.

        Raises:
            RefusedError: Out of the limits, or more or less than the laser gives.
        """
        self.check("fluence", fluence_uj_cm2)
        if self._curve is not None and self.excitation is not None:
            then = self._measured_at(self.excitation, self._curve)
            self._write_transmission(self._mark_for(fluence_uj_cm2, then, self._curve))
            return
        if fluence_uj_cm2 > self.full_fluence_uj_cm2:
            raise RefusedError(
                self.name,
                f"fluence = {fluence_uj_cm2:g} uJ/cm^2",
                f"fully open it is {self.full_fluence_uj_cm2:g} uJ/cm^2",
            )
        self._write_transmission(fluence_uj_cm2 / self.full_fluence_uj_cm2)

    def read_fluence(self) -> float:
        """Return the peak fluence on the sample, uJ/cm²."""
        transmission = self.read_transmission()
        if self._curve is None or self.excitation is None:
            return transmission * self.full_fluence_uj_cm2
        then = self._measured_at(self.excitation, self._curve)
        return then.fluence_uj_cm2(self._curve.power_w(transmission))

    def fluence_error_uj_cm2(self) -> float | None:
        """Return the standard uncertainty of the present fluence; None: it is only believed."""
        if self._curve is None or self.excitation is None:
            return None
        relative = self.excitation.fluence_error_rel(self._curve.error_rel)
        return None if relative is None else relative * self.read_fluence()

    def start_power(self, power_w: float) -> None:
        """Set the mean power on the sample, W; otherwise as ``start_fluence``."""
        self.check("power", power_w)
        self.start_fluence(self._known_excitation().fluence_uj_cm2(power_w))

    def read_power(self) -> float:
        """Return the mean power on the sample, W."""
        return self._known_excitation().power_w(self.read_fluence())

    def _known_excitation(self) -> Excitation:
        known = self.excitation
        if known is None:
            hint = "write rep_rate and spot_1e2_diameter under 'laser' in the set-up"
            raise RefusedError(self.name, "power and fluence need the laser's facts", hint)
        return replace(known, rep_rate_hz=self._present_hz() or known.rep_rate_hz)

    def _measured_at(self, excitation: Excitation, curve: PowerCurve) -> Excitation:
        """Return the excitation at the rate at which the curve was measured."""
        return replace(excitation, rep_rate_hz=curve.rep_rate_hz or excitation.rep_rate_hz)

    def _mark_for(self, fluence_uj_cm2: float, excitation: Excitation, curve: PowerCurve) -> float:
        try:
            return curve.transmission(excitation.power_w(fluence_uj_cm2))
        except ValueError as error:
            command = f"fluence = {fluence_uj_cm2:g} uJ/cm^2"
            raise RefusedError(self.name, command, str(error)) from error

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
