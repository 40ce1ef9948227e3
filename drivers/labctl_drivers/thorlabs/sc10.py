"""Thorlabs SC10 shutter controller (serial, 9600 baud), in manual mode."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import Identity, Limits, Settings, Shutter
from labctl.transport import Transport
from labctl.units import Seconds
from labctl_drivers.thorlabs._sc10_wire import (
    MANUAL_MODE,
    Command,
    decode_flag,
    decode_nothing,
    decode_value,
    encode,
)

__all__ = ["Sc10", "Sc10Settings"]

T = TypeVar("T")


class Sc10Settings(Settings):
    """Keys of an SC10 in the set-up file.

    Attributes:
        reply_timeout: Longest time to an answer, s.
        travel_time: Longest time that the blade may take to move, s.
    """

    reply_timeout: Seconds = 2.0
    travel_time: Seconds = 0.5


class Sc10(Shutter):
    """Driver of the SC10.

    Its only command for the shutter changes the state to the other one, so the state is always
    asked first, and the true position afterwards.
    """

    settings_type = Sc10Settings

    def __init__(
        self, name: str, link: Transport, settings: Sc10Settings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self._model = ""

    def identity(self) -> Identity:
        """Ask model and version."""
        return Identity("Thorlabs", self._value(Command.IDENTITY))

    def snapshot(self) -> dict[str, Any]:
        """Return position, interlock and mode."""
        return {
            "model": self._model,
            "open": self.is_open(),
            "enabled": self._flag(Command.ENABLED),
            "interlock_tripped": self._flag(Command.INTERLOCK),
            "mode": self._value(Command.MODE),
        }

    def is_open(self) -> bool:
        """Ask for the blade's true position."""
        return not self._flag(Command.CLOSED)

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            self._model = self._value(Command.IDENTITY)
            self._enter_manual_mode()
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._link.close()

    def _write_open(self, wanted: bool) -> None:
        if wanted and self._flag(Command.INTERLOCK):
            raise DeviceRefusedError(
                self.name, "open", "the interlock has tripped", "close the interlock circuit"
            )
        if self._flag(Command.ENABLED) != wanted:
            self._ask(Command.TOGGLE, decode_nothing)
        # The answer comes before the blade has moved; the role then asks once more and judges.
        self._link.wait_for(
            lambda: self.is_open() == wanted, what="blade", timeout_s=self._settings.travel_time
        )

    def _check_unit(self) -> None:
        found = self._value(Command.IDENTITY)
        if found != self._model:
            what = f"another unit answers: {found}, was {self._model}"
            raise DeviceRefusedError(self.name, str(Command.IDENTITY), what, "check the cables")
        self._enter_manual_mode()

    def _enter_manual_mode(self) -> None:
        wanted = str(MANUAL_MODE)
        if self._value(Command.MODE) != wanted:
            self._ask(Command.SET_MANUAL_MODE, decode_nothing)
        mode = self._value(Command.MODE)
        if mode != wanted:
            what = f"stays in mode {mode}"
            raise DeviceRefusedError(
                self.name, str(Command.SET_MANUAL_MODE), what, "set it by hand"
            )

    def _value(self, command: Command) -> str:
        return self._ask(command, decode_value)

    def _flag(self, command: Command) -> bool:
        return self._ask(command, decode_flag)

    def _ask(self, command: Command, decode: Callable[[bytes, Command], T | None]) -> T:
        return self._link.query(
            encode(command),
            lambda data: decode(data, command),
            command=command,
            timeout_s=self._settings.reply_timeout,
        )
