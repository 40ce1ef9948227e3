"""Laser with knobs and a key (such as PicoQuant's PDL 800-B and 800-D), worked by a person."""

import math
from collections.abc import Mapping
from typing import Any, Protocol, cast

from pydantic import Field

from labctl.errors import RefusedError
from labctl.roles import INTENSITY, Identity, Laser, Limits, SettableSpec, Settings
from labctl.transport import LibraryLink
from labctl.units import Hertz, Nanometers, Percent
from labctl_drivers.manual._hand import recorded

__all__ = ["Hand", "ManualLaser", "ManualLaserSettings"]

_REL = 1e-3


class Hand(Protocol):
    """Somebody, or a simulated hand, that works the laser at once."""

    def switch(self, on: bool) -> None:
        """Turn the emission on or off."""
        ...

    def set_intensity(self, percent: float) -> None:
        """Turn the knob to a mark, percent of full scale."""
        ...

    def set_rep_rate(self, rep_rate_hz: float) -> None:
        """Turn the switch to a repetition rate, Hz."""
        ...

    def lit(self) -> bool:
        """Look whether the emission lamp burns."""
        ...

    def intensity(self) -> float:
        """Read the knob, percent."""
        ...

    def rep_rate(self) -> float:
        """Read the switch, Hz."""
        ...


class ManualLaserSettings(Settings):
    """Keys of a manual laser in the set-up file: how a person has left it.

    Attributes:
        intensity: Mark of the knob, percent of full scale.
        rep_rate: Repetition rate on the switch.
        wavelength: Of the head that is plugged in; none: that of the set-up.
        emitting: Whether it is left on all the time, so that nobody need be asked.
    """

    intensity: Percent = Field(gt=0, le=100, description="like 'intensity: 60 %'")
    rep_rate: Hertz = Field(gt=0, description="like 'rep_rate: 10 MHz'")
    wavelength: Nanometers | None = Field(None, gt=0)
    emitting: bool = False


class ManualLaser(Laser):
    """Driver of a laser without any wire: tells the person what to do, believes what they say."""

    interface = "hand"
    settings_type = ManualLaserSettings
    settables = {
        "intensity": INTENSITY,
        "rep_rate": SettableSpec("Hz", Limits(1.0, 1e9), 600.0, 1e5),
    }
    readables = {**Laser.readables, "intensity": "%", "rep_rate": "Hz"}

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: ManualLaserSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """The library of ``link`` is a ``Hand``, or None where a real person has to do it."""
        super().__init__(name, limits)
        self._hand = cast("Hand | None", recorded(link))
        self._settings = settings
        self.reference_percent = settings.intensity
        self._forget()

    def identity(self) -> Identity:
        """Return that a person works it."""
        return Identity("by hand", "laser")

    def snapshot(self) -> dict[str, Any]:
        """Return how it stands, as far as anybody has said."""
        return {
            "emitting": self.is_emitting(),
            "intensity_percent": self.read_intensity(),
            "rep_rate_hz": self.read_rep_rate(),
            "wavelength_nm": self.wavelength_nm(),
        }

    def interlock(self) -> str:
        """Return nothing: the person sees the key."""
        return ""

    def is_emitting(self) -> bool:
        """Return whether it emits, as far as anybody has said."""
        return self._lit if self._hand is None else self._hand.lit()

    def rep_rate_hz(self) -> float | None:
        """Return the repetition rate on the switch, Hz."""
        return self.read_rep_rate()

    def wavelength_nm(self) -> float | None:
        """Return the wavelength of the head, nm."""
        return self._settings.wavelength

    def read_intensity(self) -> float:
        """Return the mark of the knob, percent."""
        return self._percent if self._hand is None else self._hand.intensity()

    def read_rep_rate(self) -> float:
        """Return the repetition rate on the switch, Hz."""
        return self._rate_hz if self._hand is None else self._hand.rep_rate()

    def confirm(
        self,
        *,
        emitting: bool | None = None,
        intensity_percent: float | None = None,
        rep_rate_hz: float | None = None,
    ) -> None:
        """Take the person's word for how it stands now; what is not named stays.

        Raises:
            RefusedError: Intensity or repetition rate is out of the limits.
        """
        if intensity_percent is not None:
            self.check("intensity", intensity_percent)
            self._percent = intensity_percent
        if rep_rate_hz is not None:
            self.check("rep_rate", rep_rate_hz)
            self._rate_hz = rep_rate_hz
        if emitting is not None:
            self._lit = emitting

    def _write_emission(self, wanted: bool) -> None:
        if self._hand is not None:
            self._hand.switch(wanted)
        elif self._lit != wanted:
            order = f"switch the laser {'on' if wanted else 'off'} by hand"
            raise RefusedError(self.name, order, f"then confirm it: confirm(emitting={wanted})")

    def _write_intensity(self, percent: float) -> None:
        if self._hand is not None:
            self._hand.set_intensity(percent)
        elif not math.isclose(self._percent, percent, rel_tol=_REL):
            order = f"turn the intensity to {percent:g} % by hand"
            said = f"then confirm it: confirm(intensity_percent={percent!r})"
            raise RefusedError(self.name, order, said)

    def _write_rep_rate(self, rep_rate_hz: float) -> None:
        if self._hand is not None:
            self._hand.set_rep_rate(rep_rate_hz)
        elif not math.isclose(self._rate_hz, rep_rate_hz, rel_tol=_REL):
            order = f"turn the repetition rate to {rep_rate_hz:g} Hz by hand"
            said = f"then confirm it: confirm(rep_rate_hz={rep_rate_hz!r})"
            raise RefusedError(self.name, order, said)

    def _forget(self) -> None:
        self._lit = self._settings.emitting
        self._percent, self._rate_hz = self._settings.intensity, self._settings.rep_rate

    def _open(self) -> None:
        self._forget()

    def _close(self) -> None:
        return None
