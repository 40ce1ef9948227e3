"""Attenuator of neutral-density filters in a filter wheel."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from labctl.errors import ConfigError, Problem, RefusedError
from labctl.roles import Attenuator, Composite, Identity, Instrument, Limits, Selector, Settings
from labctl.transport import LibraryLink
from labctl.units import FluenceUjCm2, Percent

__all__ = ["NdWheel", "NdWheelSettings"]

Density = Annotated[float, Field(ge=0, lt=20)]


class NdWheelSettings(Settings):
    """Keys of a wheel with neutral-density filters in the set-up file.

    Attributes:
        wheel: The selector that carries the filters.
        densities: Optical density at the laser's wavelength, by position of the wheel; positions
            without one are never chosen.
        full_fluence: Peak fluence on the sample without any filter, uJ/cm².
        tolerance: How far a wanted fluence may be from one that there is.
    """

    wheel: Annotated[str, Field(min_length=1)]
    densities: Annotated[dict[str, Density], Field(min_length=1)]
    full_fluence: FluenceUjCm2 = Field(gt=0, description="like 'full_fluence: 10 uJ/cm^2'")
    tolerance: Percent = Field(2.0, gt=0, le=2)


class NdWheel(Attenuator, Composite):
    """Driver of the filters: it has a few fluences, and refuses all others by naming them.

    On its way the wheel passes other filters, perhaps none: keep the shutter closed.
    """

    references: ClassVar[Mapping[str, str]] = {"wheel": "selector"}
    settings_type = NdWheelSettings

    def __init__(
        self, name: str, link: LibraryLink, settings: NdWheelSettings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is believed; ``link`` has nothing to say."""
        super().__init__(name, settings.full_fluence, limits)
        self._settings = settings
        self._selector: Selector | None = None

    def part_names(self) -> Mapping[str, str]:
        """Return the wheel."""
        return {"wheel": self._settings.wheel}

    def use_parts(self, parts: Mapping[str, Instrument]) -> None:
        """Take the wheel.

        Raises:
            ConfigError: It is none, or it has not the positions that densities are given for.
        """
        wheel = self._part(parts, "wheel", Selector)
        strange = [one for one in self._settings.densities if one not in wheel.positions()]
        if strange:
            what = f"{self.name}: {wheel.name} has no position {strange[0]!r}"
            raise ConfigError([Problem(what, hint=f"positions: {', '.join(wheel.positions())}")])
        self._selector = wheel

    def identity(self) -> Identity:
        """Return what carries the filters."""
        return Identity("optics", f"neutral-density filters in {self._settings.wheel}")

    def snapshot(self) -> dict[str, Any]:
        """Return the filter in the light, and what is believed of all."""
        transmission = self.read_transmission()
        return {
            "wheel": self._settings.wheel,
            "position": self._wheel().read_position(),
            "transmission": transmission,
            "fluence_uj_cm2": transmission * self.full_fluence_uj_cm2,
            "full_fluence_uj_cm2": self.full_fluence_uj_cm2,
            "densities": dict(self._settings.densities),
        }

    def fluences_uj_cm2(self) -> dict[str, float]:
        """Return position → peak fluence on the sample, the highest first, uJ/cm²."""
        pairs = sorted(self._settings.densities.items(), key=lambda pair: pair[1])
        return {one: 10.0**-density * self.full_fluence_uj_cm2 for one, density in pairs}

    def read_transmission(self) -> float:
        """Return the transmission of the filter in the light.

        Raises:
            RefusedError: The wheel turns, or stands where no density is given for.
        """
        position = self._wheel().read_position()
        if position not in self._settings.densities:
            where = f"stands at {position!r}" if position else "stands at none of its positions"
            what = f"{self._settings.wheel} {where}, whose density is not known"
            raise RefusedError(self.name, what, "set a fluence first")
        return 10.0 ** -self._settings.densities[position]

    def fluence_arrived(self) -> bool:
        """Ask whether the wheel stands."""
        return not self._wheel().is_moving()

    def _write_transmission(self, transmission: float) -> None:
        wanted = transmission * self.full_fluence_uj_cm2
        there = self.fluences_uj_cm2()
        near = min(there, key=lambda one: _apart(there[one], wanted))
        if not _apart(there[near], wanted) <= math.log1p(0.01 * self._settings.tolerance):
            known = ", ".join(f"{one:.4g}" for one in there.values())
            what = f"fluence = {wanted:.4g} uJ/cm^2: no filter gives that"
            raise RefusedError(self.name, what, f"there are {known} uJ/cm^2")
        self._wheel().start_position(near)

    def _wheel(self) -> Selector:
        if self._selector is None:
            raise RefusedError(self.name, "it has no wheel", "connect the set-up first")
        return self._selector

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


def _apart(one: float, other: float) -> float:
    return abs(math.log(one / other)) if other > 0.0 else math.inf
