"""Thorlabs MFF101 and MFF102 flip mounts (APT protocol, 115200 baud).

Source: the specification of Thorlabs' APT communications protocol. The codec is ours, so that
deadlines are those of the clock; pyLabLib's class, which does not wait either, is the independent
client of the tests.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from pydantic import Field

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import Identity, Limits, Selector, Settings
from labctl.transport import Transport
from labctl.units import Seconds
from labctl_drivers.thorlabs._apt_wire import (
    Message,
    decode_message,
    encode_short,
    read_hardware,
    read_status_bits,
)
from labctl_drivers.thorlabs._positions import Positions

__all__ = ["Mff101", "Mff101Settings"]

_GET_HARDWARE, _GET_STATUS, _JOG = 0x0005, 0x0429, 0x046A
_MOVE_COMPLETED, _MOVE_STOPPED = 0x0464, 0x0466
_UNASKED = (_MOVE_COMPLETED, _MOVE_STOPPED)
_CHANNEL = 1
_AT_FIRST, _AT_SECOND = 0x01, 0x02
_MOVING = 0x2F0


class Mff101Settings(Settings):
    """Keys of a flip mount in the set-up file.

    Attributes:
        positions: Names of the two positions; the first is that to which a jog forward leads.
        reply_timeout: Longest time to an answer, s.
    """

    positions: Positions = Field(("out", "in"), max_length=2)
    reply_timeout: Seconds = Field(1.0, gt=0)


class Mff101(Selector):
    """Driver of the mount. Without power it stays where it is: it is no safety shutter."""

    settings_type = Mff101Settings
    baud_rate: ClassVar[int] = 115200
    move_timeout_s: ClassVar[float] = 5.0

    def __init__(
        self, name: str, link: Transport, settings: Mff101Settings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self._serial = 0

    def identity(self) -> Identity:
        """Ask model, serial number and firmware."""
        serial, model, firmware = read_hardware(self._ask(_GET_HARDWARE))
        return Identity("Thorlabs", model, str(serial), firmware)

    def snapshot(self) -> dict[str, Any]:
        """Return position and serial number."""
        return {
            "serial": self._serial,
            "position": self.read_position(),
            "positions": list(self._settings.positions),
        }

    def positions(self) -> tuple[str, ...]:
        """Return the names of its positions."""
        return self._settings.positions

    def is_moving(self) -> bool:
        """Ask whether it is on its way."""
        return bool(self._status() & _MOVING)

    def read_position(self) -> str:
        """Return where it stands; empty on the way."""
        first, second = self._settings.positions
        status = self._status()
        if status & _MOVING:
            return ""
        return {_AT_FIRST: first, _AT_SECOND: second}.get(status & (_AT_FIRST | _AT_SECOND), "")

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _start(self, position: str) -> None:
        direction = self._settings.positions.index(position) + 1
        command = f"jog {direction}"
        self._link.write(encode_short(_JOG, _CHANNEL, direction), command=command)

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            self._serial = self._ask_serial()
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._link.close()

    def _check_unit(self) -> None:
        if (found := self._ask_serial()) != self._serial:
            what = f"another unit answers: {found}, was {self._serial}"
            raise DeviceRefusedError(self.name, "hardware information", what, "check the cables")

    def _ask_serial(self) -> int:
        return read_hardware(self._ask(_GET_HARDWARE))[0]

    def _status(self) -> int:
        return read_status_bits(self._ask(_GET_STATUS, _CHANNEL))

    def _ask(self, number: int, channel: int = 0) -> Message:
        return self._link.query(
            encode_short(number, channel),
            lambda data: decode_message(data, number + 1, _UNASKED),
            command=f"message {number:#06x}",
            timeout_s=self._settings.reply_timeout,
        )
