"""What analysers share: the direction of polarization that passes, by the angle of a mount."""

from collections.abc import Mapping
from typing import Any, ClassVar

from labctl.roles import Identity, Limits, Rotator
from labctl.transport import LibraryLink
from labctl.units import Degrees
from labctl_drivers.optics._mounted import OnSlide, OnSlideSettings

__all__ = ["Axis", "AxisSettings"]


class AxisSettings(OnSlideSettings):
    """Keys of an analyser in the set-up file.

    Attributes:
        rotator: The mount that turns it.
        slide: Selector that moves it in and out of the light; empty: it always stands in it.
        slide_position: Position of the selector in which it stands in the light.
        zero: Angle of the mount at which light of 0 deg passes, deg.
    """

    zero: Degrees = 0.0


class Axis(Rotator, OnSlide[AxisSettings]):
    """A direction of polarization as a rotator: its angle is optical, that of the mount differs.

    Where it lies is believed from the set-up until the calibration ``analyser`` has measured it.

    Attributes:
        optical_per_mechanical: How far the direction turns with the mount.
        what: What it consists of.
        remedy: What keeps the gratings from seeing the direction turn; ``none``: nothing.
    """

    optical_per_mechanical: ClassVar[float] = 1.0
    what: ClassVar[str]
    settings_type = AxisSettings
    calibrated_by = {"angle": ("analyser",)}
    remedy: str = "none"

    def __init__(
        self, name: str, link: LibraryLink, settings: AxisSettings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is believed; ``link`` has nothing to say."""
        super().__init__(name, limits)
        self.settings = settings
        self._zero_deg = settings.zero
        self._angle_error_deg: float | None = None
        self._extinction: float | None = None

    def identity(self) -> Identity:
        """Return what turns it."""
        return Identity("optics", f"{self.what} on {self.settings.rotator}")

    def snapshot(self) -> dict[str, Any]:
        """Return both angles, whether it stands in the light, and the remedy."""
        mechanical_deg = self.mount().read_angle()
        return {
            "angle_deg": self._optical_deg(mechanical_deg),
            "mechanical_angle_deg": mechanical_deg,
            "zero_deg": self._zero_deg,
            "angle_error_deg": self._angle_error_deg,
            "extinction": self._extinction,
            "optical_per_mechanical": self.optical_per_mechanical,
            "rotator": self.settings.rotator,
            "in_path": self.in_path(),
            "polarization_remedy": self.remedy,
        }

    def use_calibration(self, name: str, result: Mapping[str, Any]) -> None:
        """Believe a measured zero of the mount and extinction from now on."""
        del name
        self._zero_deg = float(result["zero_deg"])
        self._angle_error_deg = float(result["angle_error_deg"])
        self._extinction = float(result["extinction"])

    def mount_zero_deg(self) -> float:
        """Return the angle of the mount at which light of 0 deg passes, deg."""
        return self._zero_deg

    def angle_error_deg(self) -> float | None:
        """Return the standard uncertainty of its directions, deg; None: only believed."""
        return self._angle_error_deg

    def extinction(self) -> float | None:
        """Return the transmission across over that along its direction; None: not measured."""
        return self._extinction

    def in_path(self) -> bool:
        """Ask whether it stands in the light."""
        return self.stands_in_light()

    def is_moving(self) -> bool:
        """Ask whether the mount still turns."""
        return not self.mount().angle_arrived()

    def is_homed(self) -> bool:
        """Ask whether the mount knows its home."""
        return self.mount().is_homed()

    def read_angle(self) -> float:
        """Return the direction of polarization that passes, deg, 0 to 360."""
        return self._optical_deg(self.mount().read_angle())

    def _optical_deg(self, mechanical_deg: float) -> float:
        turned_deg = mechanical_deg - self._zero_deg
        return (turned_deg * self.optical_per_mechanical) % 360.0

    def _write_angle_deg(self, angle_deg: float) -> None:
        turned_deg = angle_deg / self.optical_per_mechanical
        self.mount().start_angle((self._zero_deg + turned_deg) % 360.0)

    def _write_home(self) -> None:
        self.mount().start_home()

    def _write_stop(self) -> None:
        self.mount().stop()
