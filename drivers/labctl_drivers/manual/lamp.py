"""Calibration lamp that a person switches."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from pydantic import Field

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles import Identity, Lamp, Limits, Settings
from labctl.transport import LibraryLink
from labctl.units import Kelvin
from labctl_drivers.manual._hand import recorded

__all__ = ["Hand", "ManualLamp", "ManualLampSettings"]


class Hand(Protocol):
    """Somebody, or a simulated hand, that switches lamps at once."""

    def turn_on(self, lamp: str) -> None:
        """Light a lamp."""
        ...

    def turn_off(self) -> None:
        """Put all lamps out."""
        ...

    def state(self) -> str | None:
        """Return the lamp that is lit; empty or None if none is."""
        ...


class ManualLampSettings(Settings):
    """Keys of a manual lamp in the set-up file.

    Attributes:
        elements: The lamps that lie in the drawer.
        white_temperature: Distribution temperature of the halogen lamp by its certificate, K.
        white_uncertainty: Standard uncertainty of that, K.
    """

    elements: tuple[str, ...] = ("neon", "mercury", "argon", "halogen")
    white_temperature: Kelvin | None = Field(default=None, gt=0)
    white_uncertainty: Kelvin = Field(default=25.0, ge=0)


class ManualLamp(Lamp):
    """Driver of a lamp without any wire: tells the person what to do, believes what they say."""

    interface = "hand"
    settings_type = ManualLampSettings

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: ManualLampSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """The library of ``link`` is a ``Hand``, or None where a real person has to do it."""
        super().__init__(name, limits)
        self._hand = cast("Hand | None", recorded(link))
        self._settings = settings
        self._told = ""

    def identity(self) -> Identity:
        """Return that a person does it."""
        return Identity("by hand", ", ".join(self._settings.elements))

    def snapshot(self) -> dict[str, Any]:
        """Return which lamp is lit."""
        return {"lit": self.lit()}

    def switch_on(self, element: str) -> None:
        """Light the lamp of this element.

        Raises:
            RefusedError: There is none, or the person has not yet said that it is lit.
            DeviceRefusedError: It is not lit although it was switched on.
        """
        if element not in self._settings.elements:
            known = ", ".join(self._settings.elements)
            raise RefusedError(self.name, f"there is no {element} lamp", f"there are {known}")
        if self._hand is None:
            self._require(element, f"light the {element} lamp by hand")
            return
        self._hand.turn_on(element)
        self._verify(element)

    def switch_off(self) -> None:
        """Put the lamp out.

        Raises:
            RefusedError: The person has not yet said that it is out.
            DeviceRefusedError: It is still lit.
        """
        if self._hand is None:
            self._require("", "put the lamp out by hand")
            return
        self._hand.turn_off()
        self._verify("")

    def lit(self) -> str:
        """Return the element that is lit, as far as anybody has said; empty if none is."""
        return self._told if self._hand is None else self._hand.state() or ""

    def white_temperature_k(self) -> tuple[float, float]:
        """Return what the certificate says, K, and its standard uncertainty.

        Raises:
            RefusedError: The set-up does not tell.
        """
        kelvin = self._settings.white_temperature
        if kelvin is None:
            return super().white_temperature_k()
        return kelvin, self._settings.white_uncertainty

    def confirm(self, element: str) -> None:
        """Take the person's word for what is lit now; empty: none is."""
        if element and element not in self._settings.elements:
            known = ", ".join(self._settings.elements)
            raise RefusedError(self.name, f"there is no {element} lamp", f"there are {known}")
        self._told = element

    def _open(self) -> None:
        self._told = ""

    def _close(self) -> None:
        return None

    def _require(self, element: str, order: str) -> None:
        if self._told != element:
            raise RefusedError(self.name, order, f"then confirm it: confirm({element!r})")

    def _verify(self, element: str) -> None:
        lit = self.lit()
        if lit != element:
            what = f"{lit or 'nothing'} is lit"
            raise DeviceRefusedError(self.name, element or "off", what, "look at the lamp")
