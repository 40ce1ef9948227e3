"""Thorlabs FW102C and FW212C filter wheels (serial over USB, 115200 baud).

Source: FW102C manual. The codec is ours: pyLabLib's class returns from a move only when it has
ended.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import Identity, Limits, Selector, Settings
from labctl.transport import Request, Transport
from labctl.units import Seconds
from labctl_drivers.thorlabs._fw102c_wire import decode_number, decode_order, decode_text, encode
from labctl_drivers.thorlabs._positions import Positions

__all__ = ["Fw102c", "Fw102cSettings"]

T = TypeVar("T")


class Fw102cSettings(Settings):
    """Keys of a filter wheel in the set-up file.

    Attributes:
        positions: What stands in position 1, 2 and so on; as many as the wheel has.
        speed: ``fast`` or ``slow``.
        reply_timeout: Longest time to an answer, s.
    """

    positions: Positions
    speed: Literal["fast", "slow"] = "fast"
    reply_timeout: Seconds = Field(1.0, gt=0)


class Fw102c(Selector):
    """Driver of the wheel.

    It takes the shorter way, whatever stands on it: move it in the dark. Its own lamps, which
    find the position, are off while it stands.
    """

    settings_type = Fw102cSettings
    baud_rate: ClassVar[int] = 115200
    move_timeout_s: ClassVar[float] = 15.0

    def __init__(
        self, name: str, link: Transport, settings: Fw102cSettings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self._model = ""
        self._move: Request[str] | None = None

    def identity(self) -> Identity:
        """Ask model and version."""
        return Identity("Thorlabs", self._text("*idn?"))

    def snapshot(self) -> dict[str, Any]:
        """Return position and settings."""
        return {
            "model": self._model,
            "position": self.read_position(),
            "positions": list(self._settings.positions),
            "speed": self._settings.speed,
        }

    def positions(self) -> tuple[str, ...]:
        """Return the names of its positions."""
        return self._settings.positions

    def is_moving(self) -> bool:
        """Ask whether the wheel still turns: the prompt comes when it stands."""
        if self._move is None:
            return False
        try:
            if not self._move.ready():
                return True
        except BaseException:
            self._move = None
            raise
        self._move = None
        return False

    def read_position(self) -> str:
        """Return where it stands; empty while it turns."""
        if self.is_moving():
            return ""
        number = self._number("pos?")
        known = self._settings.positions
        return known[number - 1] if 1 <= number <= len(known) else ""

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        self._move = None
        with suppress(LabctlError):
            self._link.flush()

    def _start(self, position: str) -> None:
        command = f"pos={self._settings.positions.index(position) + 1}"
        self._move = self._link.begin(
            encode(command),
            lambda data: decode_order(data, command),
            command=command,
            timeout_s=self.move_timeout_s,
        )

    def _open(self) -> None:
        self._link.after_reconnect, self._move = None, None
        with self._link.opening():
            self._model = self._text("*idn?")
            self._prepare()
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._move = None
        self._link.close()

    def _check_unit(self) -> None:
        if (found := self._text("*idn?")) != self._model:
            what = f"another unit answers: {found}, was {self._model}"
            raise DeviceRefusedError(self.name, "*idn?", what, "check the cables")
        self._prepare()

    def _prepare(self) -> None:
        count, named = self._number("pcount?"), len(self._settings.positions)
        if count != named:
            what = f"the wheel has {count} positions, the set-up names {named}"
            raise DeviceRefusedError(self.name, "pcount?", what, "name them all, like 'empty 6'")
        self._set("speed", int(self._settings.speed == "fast"))
        # Its lamps would be seen by a single-photon detector.
        self._set("sensors", 0)

    def _set(self, key: str, value: int) -> None:
        self._ask(f"{key}={value}", decode_order)
        found = self._number(f"{key}?")
        if found != value:
            what = f"is {found} afterwards"
            raise DeviceRefusedError(self.name, f"{key}={value}", what, "see its manual")

    def _text(self, command: str) -> str:
        return self._ask(command, decode_text)

    def _number(self, command: str) -> int:
        return self._ask(command, decode_number)

    def _ask(self, command: str, decode: Callable[[bytes, str], T | None]) -> T:
        return self._link.query(
            encode(command),
            lambda data: decode(data, command),
            command=command,
            timeout_s=self._settings.reply_timeout,
        )
