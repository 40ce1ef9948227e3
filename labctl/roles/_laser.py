"""Laser: the excitation's source, what is to be set on it, and whether it emits."""

from abc import abstractmethod
from typing import ClassVar

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles._base import Instrument, SafeAction, SettableSpec
from labctl.roles._limits import Limits

__all__ = ["INTENSITY", "Laser"]

INTENSITY = SettableSpec("%", Limits(0.0, 100.0), 10.0, 0.06)
"""Intensity as lasers count it: percent of full scale, in steps of 0.1; not percent of power."""


class Laser(Instrument):
    """Base of laser drivers. Safe means that no light comes out.

    A driver whose hardware has them adds ``intensity`` (percent of the instrument's own full
    scale) and ``rep_rate`` (Hz) to its ``settables`` and ``readables``. Intensity is not power:
    the curve between them is not straight, and pulses change their shape with it, so it is set
    once and the light is attenuated behind.

    Attributes:
        reference_percent: The intensity at which the fluence of the set-up holds, percent; None:
            the set-up does not say.
    """

    role: ClassVar[str] = "laser"
    readables = {"emitting": ""}
    safe_actions = {"off": SafeAction("switch_off", "is_off")}
    emission_timeout_s: ClassVar[float] = 10.0
    """Longest time from the order until light comes out, s."""
    reference_percent: float | None = None

    @abstractmethod
    def interlock(self) -> str:
        """Return why it is not allowed to emit; empty if it is."""

    def alarm(self) -> str:
        """Return why it is not allowed to emit, for an interlock of the set-up to watch."""
        return self.interlock()

    @abstractmethod
    def _write_emission(self, wanted: bool) -> None:
        """Send the command."""

    @abstractmethod
    def is_emitting(self) -> bool:
        """Ask the instrument whether light comes out."""

    @abstractmethod
    def rep_rate_hz(self) -> float | None:
        """Return the repetition rate, Hz; None for continuous light or an unknown trigger."""

    def intensity_percent(self) -> float | None:
        """Return the intensity, percent of full scale; None if it has no such knob."""
        return self.read("intensity") if "intensity" in self.readables else None

    def wavelength_nm(self) -> float | None:
        """Return the wavelength that the instrument itself tells, nm; None if it does not."""
        return None

    def set_emission(self, wanted: bool) -> None:
        """Let light out or not, and read back.

        Raises:
            DeviceRefusedError: The interlock is open or the key is not turned, or the instrument
                did not do it.
        """
        word = f"emission {'on' if wanted else 'off'}"
        if wanted and (why := self.interlock()):
            remedy = "close the interlock, turn the key, reset it on the front panel"
            raise DeviceRefusedError(self.name, word, why, remedy)
        self._write_emission(wanted)
        if self.is_emitting() != wanted:
            state = "is off" if wanted else "still emits"
            raise DeviceRefusedError(
                self.name, word, f"the laser {state} afterwards", "look at its front panel"
            )

    def read_emitting(self) -> float:
        """Return 1.0 while light comes out, else 0.0."""
        return float(self.is_emitting())

    def switch_off(self) -> None:
        """Let no light out."""
        self.set_emission(False)

    def is_off(self) -> bool:
        """Ask whether no light comes out."""
        return not self.is_emitting()

    def start_intensity(self, percent: float) -> None:
        """Check the limits and set the intensity, percent of full scale."""
        self.check("intensity", percent)
        self._write_intensity(percent)

    def intensity_arrived(self) -> bool:
        """Return True: it is set at once."""
        return True

    def start_rep_rate(self, rep_rate_hz: float) -> None:
        """Check the limits and set the repetition rate, Hz.

        Raises:
            RefusedError: Out of the limits, or not one of those that the laser has.
        """
        self.check("rep_rate", rep_rate_hz)
        self._write_rep_rate(rep_rate_hz)

    def rep_rate_arrived(self) -> bool:
        """Return True: it is set at once."""
        return True

    def _write_intensity(self, percent: float) -> None:
        raise RefusedError(self.name, f"intensity = {percent:g} %", "it has no such knob")

    def _write_rep_rate(self, rep_rate_hz: float) -> None:
        raise RefusedError(self.name, f"rep_rate = {rep_rate_hz:g} Hz", "it has no such knob")
