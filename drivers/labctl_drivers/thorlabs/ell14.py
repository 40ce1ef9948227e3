"""Thorlabs ELL14 rotation mount (Elliptec), alone or with others on one serial line.

Own codec: pylablib's class blocks until a move has ended, and asks the default address of the line
when it clears the error of another unit.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any, TypeVar

from pydantic import Field

from labctl.errors import DeviceRefusedError, LabctlError, RefusedError
from labctl.roles import Identity, Limits, Rotator, Settings
from labctl.transport import Request, Transport
from labctl.units import Seconds
from labctl_drivers.thorlabs import _ell14_wire as wire

__all__ = ["Ell14", "Ell14Settings"]

T = TypeVar("T")

_PAUSE_S = 0.1
"""A command that follows a move too soon can be lost, or move to 0."""


class Ell14Settings(Settings):
    """Keys of an ELL14 in the set-up file.

    Attributes:
        bus_address: Address on its line, 0 to 15; units on one line have the same ``address``.
        reply_timeout: Longest time to the answer of a question, s.
        move_timeout: Longest time that a move or the search for the home may take, s.
    """

    bus_address: Annotated[int, Field(ge=0, le=15)] = 0
    reply_timeout: Annotated[Seconds, Field(gt=0)] = 2.0
    move_timeout: Annotated[Seconds, Field(gt=0)] = 30.0


class Ell14(Rotator):
    """Driver of one unit; a move is answered when it has ended, and until then nothing else is."""

    settings_type = Ell14Settings
    bus_key = "bus_address"

    def __init__(
        self, name: str, link: Transport, settings: Ell14Settings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self._address = f"{settings.bus_address:X}"
        self._module: wire.Module | None = None
        self._move: Request[bool] | None = None
        self._homing = False
        self._homed = False

    def identity(self) -> Identity:
        """Ask which unit it is."""
        module = self._ask(wire.IDENTITY, wire.decode_identity)
        return Identity("Thorlabs", f"ELL{module.kind}", module.serial, module.firmware)

    def snapshot(self) -> dict[str, Any]:
        """Return angle, home, speed and status; asking clears the status."""
        module = self._unit()
        return {
            "serial": module.serial,
            "bus_address": self._settings.bus_address,
            "angle_deg": self.read_angle(),
            "homed": self._homed,
            "home_offset_deg": self._degrees(self._ask(wire.HOME_OFFSET, wire.decode_home_offset)),
            "velocity_percent": self._ask(wire.VELOCITY, wire.decode_velocity),
            "status": wire.status_text(self._ask(wire.STATUS, wire.decode_status)),
            "pulses_per_turn": module.pulses_per_turn,
        }

    def is_moving(self) -> bool:
        """Look whether the answer to the move has come.

        Raises:
            DeviceError: The move has failed, or was never answered.
        """
        move = self._move
        if move is None:
            return False
        try:
            if not move.ready():
                return True
        finally:
            if move.done:
                self._move = None
        self._homed = self._homed or self._homing
        self._pause()
        return False

    def is_homed(self) -> bool:
        """Whether it was homed since it was connected; the unit itself does not say."""
        return self._homed

    def read_angle(self) -> float:
        """Return the angle, deg, 0 to 360; refused while a move goes on."""
        return self._degrees(self._ask(wire.POSITION, wire.decode_position)) % 360.0

    def flush(self) -> None:
        """Give up a move's answer and clean the line; whatever fails shows at the next command."""
        self._move = None
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect, self._move, self._homed = None, None, False
        with self._link.opening():
            self._module = self._ask(wire.IDENTITY, wire.decode_identity)
            self._ask(wire.STATUS, wire.decode_status)
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._move = None
        self._link.close()

    def _write_angle_deg(self, angle_deg: float) -> None:
        pulses = round(angle_deg / 360.0 * self._unit().pulses_per_turn)
        self._start(wire.move_to(pulses), homing=False)

    def _write_home(self) -> None:
        self._start(wire.HOME, homing=True)

    def _write_stop(self) -> None:
        """Do nothing: the unit hears no command before its move, of a second at most, has ended."""

    def _start(self, command: str, *, homing: bool) -> None:
        self._pause()
        self._homing = homing
        self._move = self._link.begin(
            wire.encode(self._address, command),
            lambda data: wire.decode_moved(data, self._address),
            command=command,
            timeout_s=self._settings.move_timeout,
        )

    def _pause(self) -> None:
        self._link.wait_for(lambda: False, what="pause beside a move", timeout_s=_PAUSE_S)

    def _check_unit(self) -> None:
        # Nobody knows whether it was without power meanwhile, and so has lost its home.
        self._homed = False
        found = self._ask(wire.IDENTITY, wire.decode_identity)
        if found != self._module:
            what = f"another unit answers: {found}, was {self._module}"
            raise DeviceRefusedError(self.name, wire.IDENTITY, what, "check the cables")

    def _unit(self) -> wire.Module:
        if self._module is None:
            raise RefusedError(self.name, "it is not connected", "connect first")
        return self._module

    def _degrees(self, pulses: int) -> float:
        return pulses * 360.0 / self._unit().pulses_per_turn

    def _ask(self, command: str, decode: Callable[[bytes, str], T | None]) -> T:
        return self._link.query(
            wire.encode(self._address, command),
            lambda data: decode(data, self._address),
            command=command,
            timeout_s=self._settings.reply_timeout,
        )
