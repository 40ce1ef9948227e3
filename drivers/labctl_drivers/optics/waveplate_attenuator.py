"""Attenuator of a half-wave plate on a rotation mount in front of a fixed polarizer."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from labctl.errors import RefusedError
from labctl.roles import Attenuator, Identity, Instrument, Limits, Shutter
from labctl.transport import LibraryLink
from labctl.units import Degrees, FluenceUjCm2
from labctl_drivers.optics._curves import Curve, MalusCurve, TableCurve
from labctl_drivers.optics._mounted import Mounted, MountedSettings

__all__ = ["WaveplateAttenuator", "WaveplateAttenuatorSettings"]


class WaveplateAttenuatorSettings(MountedSettings):
    """Keys of a waveplate attenuator in the set-up file.

    Attributes:
        rotator: The mount that turns the half-wave plate.
        full_fluence: Peak fluence on the sample with the most light, uJ/cm².
        zero: Angle of the mount with the most light, deg.
        extinction: Least light against the most.
        light: The excitation's shutter, which must be closed while the mount searches its home.
    """

    full_fluence: FluenceUjCm2 = Field(gt=0, description="like 'full_fluence: 10 uJ/cm^2'")
    zero: Degrees = 0.0
    extinction: Annotated[float, Field(gt=0, lt=1)] = 1e-3
    light: str = Field("shutter", min_length=1)


class WaveplateAttenuator(Attenuator, Mounted[WaveplateAttenuatorSettings]):
    """Driver of the attenuator: calculates angles, and lets the mount turn.

    Behind the polarizer the direction of polarization stays, so the way in which the sample is
    excited does not change with the power. While the mount searches for its home the light goes
    through its maximum: no move that begins with the search is started with the shutter open.
    """

    references: ClassVar[Mapping[str, str]] = {"rotator": "rotator", "light": "shutter"}

    settings_type = WaveplateAttenuatorSettings

    def __init__(
        self,
        name: str,
        link: LibraryLink,
        settings: WaveplateAttenuatorSettings,
        limits: Mapping[str, Limits],
    ) -> None:
        """Remember what is believed; ``link`` has nothing to say."""
        super().__init__(name, settings.full_fluence, limits)
        self.settings = settings
        self._turning: Curve = MalusCurve(settings.zero, settings.extinction)
        self._light: Shutter | None = None

    def use_parts(self, parts: Mapping[str, Instrument]) -> None:
        """Take the mount, and the shutter of the light that goes through."""
        super().use_parts(parts)
        self._light = self._part(parts, "light", Shutter)

    def identity(self) -> Identity:
        """Return what turns it."""
        return Identity("optics", f"half-wave plate on {self.settings.rotator} and polarizer")

    def snapshot(self) -> dict[str, Any]:
        """Return angle, transmission and what the latter is calculated from."""
        angle_deg = self.mount().read_angle()
        return {
            "rotator": self.settings.rotator,
            "angle_deg": angle_deg,
            "transmission": self._transmission_at(angle_deg),
            "fluence_uj_cm2": self._transmission_at(angle_deg) * self.full_fluence_uj_cm2,
            "full_fluence_uj_cm2": self.full_fluence_uj_cm2,
            "curve": "measured" if isinstance(self._turning, TableCurve) else "believed",
            "zero_deg": self.settings.zero,
            "extinction": self._turning.least,
        }

    def use_curve(self, angles_deg: Sequence[float], transmissions: Sequence[float]) -> None:
        """Believe a measured curve from now on.

        Args:
            angles_deg: Angles of the mount, deg, on one branch of at most 45 deg or so.
            transmissions: Against the most light, at these angles.

        Raises:
            RefusedError: It is no curve with one angle for each transmission.
        """
        try:
            self._turning = TableCurve(angles_deg, transmissions)
        except ValueError as error:
            raise RefusedError(self.name, "measured curve", str(error)) from error

    def limits(self, quantity: str) -> Limits:
        """Return the range of a settable; fluences only as far as plate and polarizer go."""
        asked = super().limits(quantity)
        low, high = (
            share * self.full_fluence_uj_cm2 for share in (self._turning.least, self._turning.most)
        )
        return Limits(max(asked.low, low), min(asked.high, high))

    def read_transmission(self) -> float:
        """Return the transmission at the present angle against the most light.

        Raises:
            RefusedError: A measured curve does not reach there.
        """
        return self._transmission_at(self.mount().read_angle())

    def fluence_arrived(self) -> bool:
        """Ask whether the mount has arrived."""
        return self.mount().angle_arrived()

    def _write_transmission(self, transmission: float) -> None:
        self._refuse_search_in_light()
        self.mount().start_angle(self._turning.angle_deg(transmission) % 360.0)

    def _refuse_search_in_light(self) -> None:
        """Refuse to let the mount search its home while light would pass its maximum.

        Raises:
            RefusedError: It has to search, and the shutter is open.
        """
        if self.mount().is_homed() or self._light is None or self._light.is_shut():
            return
        what = f"{self.settings.rotator} has to search its home, and light passes the maximum then"
        raise RefusedError(self.name, what, f"close {self._light.name} first")

    def _transmission_at(self, angle_deg: float) -> float:
        try:
            return self._turning.transmission(angle_deg)
        except ValueError as error:
            remedy = "set a fluence first"
            raise RefusedError(self.name, f"transmission: {error}", remedy) from error
