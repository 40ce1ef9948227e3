"""Rotator: a motorised rotation mount, whatever it carries."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from labctl.errors import DeviceRefusedError
from labctl.roles._base import Instrument, Limits, Settable, SettableSpec
from labctl.units import format_quantity

__all__ = ["Rotator"]


class Rotator(Instrument):
    """Base of drivers of rotation mounts. Angles in deg.

    The angle is that of the mechanics, from its home switch; where the axis of an optic lies is
    a matter of calibration. A mount that has lost its home is homed before its next move.
    """

    role: ClassVar[str] = "rotator"
    settables = {"angle": SettableSpec("deg", Limits(0.0, 360.0), 120.0, 0.1)}
    readables = {"angle": "deg"}
    kept = ("angle",)

    def __init__(self, name: str, limits: Mapping[str, Limits] | None = None) -> None:
        """Name the instrument as the set-up does; ``limits`` narrow those of the role."""
        super().__init__(name, limits)
        self._after_home_deg: float | None = None

    @abstractmethod
    def _write_angle_deg(self, angle_deg: float) -> None:
        """Start the move to an angle, 0 (included) to 360 (excluded)."""

    @abstractmethod
    def _write_home(self) -> None:
        """Start the search for the home switch."""

    @abstractmethod
    def _write_stop(self) -> None:
        """End a move, if the mount can."""

    @abstractmethod
    def is_moving(self) -> bool:
        """Ask whether a started move still goes on.

        Raises:
            DeviceError: The move has failed.
        """

    @abstractmethod
    def is_homed(self) -> bool:
        """Ask whether the mount knows where its home is."""

    @abstractmethod
    def read_angle(self) -> float:
        """Return the angle of the mechanics, deg, 0 to 360."""

    def lost_settings(self) -> str:
        """Return that it has lost its home, if it has been moved and does not move now."""
        lost = "angle" in self._ordered and not self.is_moving() and not self.is_homed()
        return "it does not know its home any more" if lost else ""

    def start_home(self) -> None:
        """Start the search for the home switch; ``angle_arrived`` tells when it has ended."""
        self._after_home_deg = None
        self._write_home()

    def start_angle(self, angle_deg: float) -> None:
        """Check the limits and start the move, after a search for the home where that is due.

        Raises:
            RefusedError: Out of limits; nothing was sent.
        """
        self.check("angle", angle_deg)
        wanted_deg = angle_deg % 360.0
        if self.is_homed():
            self._after_home_deg = None
            self._write_angle_deg(wanted_deg)
        else:
            self._write_home()
            self._after_home_deg = wanted_deg

    def angle_arrived(self) -> bool:
        """Ask whether the move has ended; ``Settable.confirm`` then reads back.

        Raises:
            DeviceError: The move has failed.
        """
        if self.is_moving():
            return False
        wanted_deg, self._after_home_deg = self._after_home_deg, None
        if wanted_deg is None:
            return True
        if not self.is_homed():
            what, remedy = "does not find its home", "switch it off and on; does it turn freely?"
            raise DeviceRefusedError(self.name, "home", what, remedy)
        self._write_angle_deg(wanted_deg)
        return False

    def stop(self) -> None:
        """End a move where it is, if the mount can be stopped."""
        self._after_home_deg = None
        self._write_stop()

    def _settable(self, quantity: str) -> Settable:
        found = super()._settable(quantity)
        return _Circular(found.name, found.spec, found.start, found.arrived, found.read)


class _Circular(Settable):
    """An angle, whose read-back is compared modulo 360 deg."""

    def confirm(self, target: float) -> float:
        """Return the read-back as the angle nearest to ``target``, so that a sweep stays one.

        0 deg read as 359.99 deg is -0.01 deg, 360 deg read as 0.01 deg is 360.01 deg.

        Raises:
            DeviceRefusedError: It is elsewhere.
        """
        value = self.read()
        off_deg = (value - target + 180.0) % 360.0 - 180.0
        if not abs(off_deg) <= self.spec.tolerance:
            raise DeviceRefusedError(
                self.name.partition(".")[0],
                f"{self.name} = {format_quantity(target, self.spec.unit)}",
                f"is at {format_quantity(value, self.spec.unit)} after the move",
                "does it turn freely? home it, then try again",
            )
        return target + off_deg
