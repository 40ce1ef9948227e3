"""Attenuator (a neutral-density wheel or a knob of the laser) that a person turns."""

import math
from collections.abc import Mapping
from typing import Any, Protocol, cast

from pydantic import Field, model_validator

from labctl.errors import RefusedError
from labctl.roles import Attenuator, Identity, Limits, Settings
from labctl.transport import LibraryLink
from labctl.units import FluenceUjCm2
from labctl_drivers.manual._hand import recorded

__all__ = ["Hand", "ManualAttenuator", "ManualAttenuatorSettings"]

_REL = 1e-6


class Hand(Protocol):
    """Somebody, or a simulated hand, that turns the wheel at once."""

    def turn_to(self, transmission: float) -> None:
        """Turn to the mark of this transmission, 0 to 1."""
        ...

    def mark(self) -> float:
        """Return the transmission that the scale shows."""
        ...


class ManualAttenuatorSettings(Settings):
    """Keys of a manual attenuator in the set-up file.

    Attributes:
        full_fluence: Peak fluence on the sample with the attenuator fully open, uJ/cm².
        stands_at: Peak fluence at which it was left, uJ/cm²; None: fully open.
    """

    full_fluence: FluenceUjCm2 = Field(gt=0, description="like 'full_fluence: 10 uJ/cm^2'")
    stands_at: FluenceUjCm2 | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _below_full(self) -> "ManualAttenuatorSettings":
        if self.stands_at is not None and self.stands_at > self.full_fluence:
            message = "stands_at is more than full_fluence"
            raise ValueError(message)
        return self

    @property
    def transmission(self) -> float:
        """Return the transmission at which it was left."""
        return 1.0 if self.stands_at is None else self.stands_at / self.full_fluence


class ManualAttenuator(Attenuator):
    """Driver of an attenuator without any wire: believes what its scale says."""

    interface = "hand"
    settings_type = ManualAttenuatorSettings

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: ManualAttenuatorSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """The library of ``link`` is a ``Hand``, or None where a real person has to do it."""
        super().__init__(name, settings.full_fluence, limits)
        self._hand = cast("Hand | None", recorded(link))
        self._left_at = self._told = settings.transmission

    def identity(self) -> Identity:
        """Return that a person does it."""
        return Identity("by hand", "attenuator")

    def snapshot(self) -> dict[str, Any]:
        """Return where it stands."""
        return {
            "transmission": self.read_transmission(),
            "fluence_uj_cm2": self.read_fluence(),
            "full_fluence_uj_cm2": self.full_fluence_uj_cm2,
        }

    def read_transmission(self) -> float:
        """Return what the scale shows, as far as anybody has said."""
        return self._told if self._hand is None else self._hand.mark()

    def fluence_arrived(self) -> bool:
        """Return True: the person has done it before saying so."""
        return True

    def confirm(self, transmission: float) -> None:
        """Take the person's word for what the scale shows now, 0 to 1."""
        if not 0.0 <= transmission <= 1.0:
            raise RefusedError(self.name, f"transmission {transmission}", "it is from 0 to 1")
        self._told = transmission

    def _write_transmission(self, transmission: float) -> None:
        if self._hand is not None:
            self._hand.turn_to(transmission)
        elif not math.isclose(self._told, transmission, rel_tol=_REL):
            density = f" (OD {-math.log10(transmission):.3f})" if transmission > 0.0 else ""
            raise RefusedError(
                self.name,
                f"turn it by hand to transmission {transmission:.4g}{density}",
                f"then confirm it: confirm({transmission!r})",
            )

    def _open(self) -> None:
        self._told = self._left_at

    def _close(self) -> None:
        return None
