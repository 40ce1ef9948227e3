"""Thorlabs K10CR1 rotation mount (APT protocol, 115200 baud): slow and fine.

Source: the specification of Thorlabs' APT communications protocol. The codec is ours, as that of
the flip mounts: deadlines are those of the clock, and the traffic reaches the flight recorder.
pyLabLib's class, which does not wait either, is the independent client of the tests.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any

from pydantic import Field

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import Identity, Limits, Rotator, Settings
from labctl.transport import Transport
from labctl.units import Seconds
from labctl_drivers.thorlabs import _k10cr1_wire as wire
from labctl_drivers.thorlabs._apt_wire import (
    Message,
    decode_message,
    encode_short,
    read_hardware,
    read_status_bits,
)

__all__ = ["K10cr1", "K10cr1Settings"]

_BEGIN_S = 0.5
_NEAR_DEG = 0.01


class K10cr1Settings(Settings):
    """Keys of a K10CR1 in the set-up file.

    Attributes:
        reply_timeout: Longest time to an answer, s.
    """

    reply_timeout: Annotated[Seconds, Field(gt=0)] = 1.0


class K10cr1(Rotator):
    """Driver of the mount; a turn of 90 deg takes ten seconds."""

    settings_type = K10cr1Settings
    baud_rate = 115200

    def __init__(
        self, name: str, link: Transport, settings: K10cr1Settings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self._serial = 0

    def identity(self) -> Identity:
        """Ask model, serial number and firmware."""
        serial, model, firmware = read_hardware(self._ask(wire.GET_HARDWARE))
        return Identity("Thorlabs", model, str(serial), firmware)

    def snapshot(self) -> dict[str, Any]:
        """Return angle, home, speed and what the unit complains of."""
        status = self._status()
        return {
            "serial": self._serial,
            "angle_deg": self.read_angle(),
            "homed": bool(status & wire.HOMED),
            "moving": bool(status & wire.MOVING),
            "speed_deg_s": wire.read_speed(self._ask(wire.GET_VELOCITY, wire.CHANNEL)),
            "fault": wire.fault_text(status),
        }

    def is_moving(self) -> bool:
        """Ask for the status bits.

        Raises:
            DeviceRefusedError: The unit complains of the motion.
        """
        status = self._status()
        if fault := wire.fault_text(status):
            remedy = "does it turn freely? home it, then try again"
            raise DeviceRefusedError(self.name, "move", f"{fault} ({status:#010x})", remedy)
        return bool(status & wire.MOVING)

    def is_homed(self) -> bool:
        """Ask for the status bits."""
        return bool(self._status() & wire.HOMED)

    def read_angle(self) -> float:
        """Return the angle, deg, 0 to 360."""
        return self._degrees() % 360.0

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            self._link.write(encode_short(wire.STOP_UPDATES), command="stop updates")
            self._serial = self._ask_serial()
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._link.close()

    def _write_angle_deg(self, angle_deg: float) -> None:
        data = wire.encode_move(wire.steps_of(angle_deg))
        self._start(data, f"move to {angle_deg:g} deg", lambda: self._is_at(angle_deg))

    def _write_home(self) -> None:
        self._start(wire.encode_home(), "home", lambda: False)

    def _write_stop(self) -> None:
        self._link.write(wire.encode_stop(), command="stop")

    def _start(self, data: bytes, command: str, is_there: Callable[[], bool]) -> None:
        """Order a move and see it begin: its status bits must not be asked for too early."""
        self._link.write(data, command=command)
        self._link.wait_for(
            lambda: bool(self._status() & wire.MOVING) or is_there(),
            what=f"begin of {command}",
            timeout_s=_BEGIN_S,
        )

    def _is_at(self, angle_deg: float) -> bool:
        return abs(self._degrees() - angle_deg) <= _NEAR_DEG

    def _degrees(self) -> float:
        return wire.angle_of(wire.read_steps(self._ask(wire.GET_POSITION, wire.CHANNEL)))

    def _check_unit(self) -> None:
        if (found := self._ask_serial()) != self._serial:
            what = f"another unit answers: {found}, was {self._serial}"
            raise DeviceRefusedError(self.name, "hardware information", what, "check the cables")

    def _ask_serial(self) -> int:
        return read_hardware(self._ask(wire.GET_HARDWARE))[0]

    def _status(self) -> int:
        return read_status_bits(self._ask(wire.GET_STATUS, wire.CHANNEL))

    def _ask(self, number: int, channel: int = 0) -> Message:
        return self._link.query(
            encode_short(number, channel),
            lambda data: decode_message(data, number + 1, wire.UNASKED),
            command=f"message {number:#06x}",
            timeout_s=self._settings.reply_timeout,
        )
