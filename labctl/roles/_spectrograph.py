"""Spectrograph: a grating turned to a centre wavelength, with exits."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles._base import Instrument, Limits, SettableSpec

__all__ = ["Grating", "Spectrograph"]


@dataclass(frozen=True)
class Grating:
    """A grating as the instrument lists it: grooves in 1/mm, blaze in nm (0: a mirror)."""

    lines_per_mm: float
    blaze_nm: float


class Spectrograph(Instrument):
    """Base of spectrograph drivers. Wavelengths in nm.

    A move is started and then asked for: an instrument that answers only when it has arrived is
    started by writing and asked by looking whether the answer has come. One move at a time.

    Attributes:
        ordered_grating: Number of the grating that was asked for last; None: none was.
    """

    role: ClassVar[str] = "spectrograph"
    settables = {
        "wavelength": SettableSpec("nm", Limits(0.0, 1400.0), 60.0, 0.02),
        "slit": SettableSpec("um", Limits(5.0, 3000.0), 60.0, 3.0),
    }
    readables = {"wavelength": "nm", "grating": "", "slit": "um"}
    kept = ("wavelength",)
    ordered_grating: int | None = None
    grating_timeout_s: ClassVar[float] = 60.0

    @abstractmethod
    def _write_wavelength_nm(self, nanometers: float) -> None:
        """Start the move to a centre wavelength."""

    @abstractmethod
    def _write_grating(self, number: int) -> None:
        """Start the change to a grating by its number."""

    @abstractmethod
    def _write_exit(self, exit_name: str) -> None:
        """Start moving the exit mirror to ``front`` or ``side``."""

    @abstractmethod
    def is_moving(self) -> bool:
        """Ask whether a started move still goes on.

        Raises:
            DeviceError: The move was answered by an error.
        """

    @abstractmethod
    def read_wavelength(self) -> float:
        """Return the centre wavelength, nm."""

    @abstractmethod
    def read_grating(self) -> int:
        """Return the number of the grating in use."""

    @abstractmethod
    def read_exit(self) -> str:
        """Return ``front`` or ``side``."""

    @abstractmethod
    def gratings(self) -> Mapping[int, Grating]:
        """Return the installed gratings by number."""

    def _write_slit_um(self, micrometers: float) -> None:
        """Start the entrance slit's motor; a driver whose unit has one writes this."""
        raise self._no_motor("entrance slit", f"{micrometers:g} um")

    def read_slit(self) -> float:
        """Return the width of the motorised entrance slit, um.

        Raises:
            RefusedError: It has no motor, or the set-up does not say so.
        """
        raise self._no_motor("entrance slit", "width")

    def _write_entrance(self, entrance: str) -> None:
        """Start moving the entrance mirror; a driver whose unit has one writes this."""
        raise self._no_motor("entrance mirror", entrance)

    def read_entrance(self) -> str:
        """Return ``front`` or ``side``, where light comes in.

        Raises:
            RefusedError: Its entrance mirror has no motor.
        """
        raise self._no_motor("entrance mirror", "position")

    def slit_or_none(self) -> float | None:
        """Return the width of the entrance slit, um; None without a motor."""
        return None

    def _no_motor(self, part: str, what: str) -> RefusedError:
        return RefusedError(self.name, f"{part} {what}: it has no motor", "turn it by hand")

    def start_slit(self, micrometers: float) -> None:
        """Check the limits and start the entrance slit's motor."""
        self.check("slit", micrometers)
        self._write_slit_um(micrometers)

    def slit_arrived(self) -> bool:
        """Ask whether the slit stands; ``Settable.confirm`` then reads back."""
        return not self.is_moving()

    def start_entrance(self, entrance: str) -> None:
        """Start moving the entrance mirror."""
        if entrance not in ("front", "side"):
            raise RefusedError(self.name, f"no entrance {entrance!r}", "front or side")
        self._write_entrance(entrance)

    def confirm_entrance(self, entrance: str) -> None:
        """Read back after a move of the entrance mirror."""
        found = self.read_entrance()
        if found != entrance:
            raise DeviceRefusedError(
                self.name, f"entrance {entrance}", f"the mirror is at {found}", "is it motorised?"
            )

    def grating_number(self, lines_per_mm: float) -> int:
        """Return the number of the grating with this groove density.

        Raises:
            RefusedError: There is none, or more than one; names what there is.
        """
        found = [n for n, g in self.gratings().items() if g.lines_per_mm == lines_per_mm]
        if len(found) == 1:
            return found[0]
        known = ", ".join(f"{n}: {g.lines_per_mm:g}/mm" for n, g in self.gratings().items())
        raise RefusedError(self.name, f"no single grating has {lines_per_mm:g}/mm", known)

    def start_wavelength(self, nanometers: float) -> None:
        """Check the limits and start the move."""
        self.check("wavelength", nanometers)
        self._write_wavelength_nm(nanometers)

    def wavelength_arrived(self) -> bool:
        """Ask whether the move has ended; ``Settable.confirm`` then reads back."""
        return not self.is_moving()

    def start_grating(self, number: int) -> None:
        """Check that the grating is installed and start the change."""
        if number not in self.gratings():
            known = ", ".join(map(str, self.gratings()))
            raise RefusedError(
                self.name, f"grating {number} is not installed", f"there are {known}"
            )
        # The wavelength may become another one with it.
        self.ordered_grating = number
        self._ordered.pop("wavelength", None)
        self._write_grating(number)

    def lost_settings(self) -> str:
        """Return that grating or wavelength is another one than was ordered."""
        if self.is_moving():
            return ""
        ordered = self.ordered_grating
        if ordered is not None and (found := self.read_grating()) != ordered:
            return f"grating {found} is in use, was {ordered}"
        return super().lost_settings()

    def confirm_grating(self, number: int) -> None:
        """Read back after a change; some instruments say ok to a grating they do not have."""
        found = self.read_grating()
        if found != number:
            raise DeviceRefusedError(
                self.name, f"grating {number}", f"grating {found} is in use", "check the turret"
            )

    def start_exit(self, exit_name: str) -> None:
        """Start moving the exit mirror."""
        if exit_name not in ("front", "side"):
            raise RefusedError(self.name, f"no exit {exit_name!r}", "front or side")
        self._write_exit(exit_name)

    def confirm_exit(self, exit_name: str) -> None:
        """Read back after a move of the exit mirror."""
        found = self.read_exit()
        if found != exit_name:
            raise DeviceRefusedError(
                self.name, f"exit {exit_name}", f"the mirror is at {found}", "is it motorised?"
            )
