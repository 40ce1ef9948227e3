"""Thorlabs DC2200 LED driver (USBTMC), one channel in the mode of constant brightness.

Facts: DC2200 manual 1.8 (SCPI commands) and the vendor's Python examples. Brightness is in
percent of the current limit that is set at the instrument.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Literal, TypeVar

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import Identity, Illuminator, Limits, Settings
from labctl.transport import GarbledBytesError, Transport
from labctl.units import Seconds
from labctl_drivers.thorlabs._pm100d_wire import (
    decode_error,
    decode_fields,
    decode_number,
    encode,
)

__all__ = ["Dc2200", "Dc2200Settings"]

T = TypeVar("T")
_CONSTANT_BRIGHTNESS = "CB"


class Dc2200Settings(Settings):
    """Keys of a DC2200 in the set-up file.

    Attributes:
        terminal: The LED's terminal.
        reply_timeout: Longest time to an answer, s.
    """

    terminal: Literal[1, 2] = 1
    reply_timeout: Seconds = 2.0


class Dc2200(Illuminator):
    """Driver of one channel. Every order is followed by a question for errors."""

    settings_type: ClassVar[type[Settings]] = Dc2200Settings

    def __init__(
        self, name: str, link: Transport, settings: Dc2200Settings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self._unit: tuple[str, ...] = ()

    def identity(self) -> Identity:
        """Ask which unit it is."""
        maker, model, serial, firmware = self._ask_unit()
        return Identity(maker, model, serial, firmware)

    def snapshot(self) -> dict[str, Any]:
        """Return how bright it is, and the current that full brightness means."""
        return {
            "on": self.is_on(),
            "set_level": self.read_set_level(),
            "current_limit_a": self._ask(f"{self._source}:CURRENT:LIMIT?", decode_number),
        }

    def is_on(self) -> bool:
        """Ask whether the channel is on."""
        return self._ask(f"{self._output}:STATE?", decode_switch)

    def read_set_level(self) -> float:
        """Return the brightness that is set, 0 to 1."""
        return 0.01 * self._ask(f"{self._source}:CBRIGHTNESS:BRIGHTNESS?", decode_number)

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    @property
    def _source(self) -> str:
        return f"SOURCE{self._settings.terminal}"

    @property
    def _output(self) -> str:
        return f"OUTPUT{self._settings.terminal}"

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            self._order("*CLS")
            self._unit = self._ask_unit()
            self._prepare()
        self._link.after_reconnect = self._restore

    def _close(self) -> None:
        self._link.close()

    def _prepare(self) -> None:
        # The mode can be changed in the dark only.
        self._order(f"{self._output}:STATE OFF")
        self._order(f"{self._source}:MODE {_CONSTANT_BRIGHTNESS}")
        mode = self._ask(f"{self._source}:MODE?", decode_fields)[0]
        if mode != _CONSTANT_BRIGHTNESS:
            what = f"stays in mode {mode}"
            raise DeviceRefusedError(self.name, "mode CB", what, "choose it at the instrument")

    def _restore(self) -> None:
        found = self._ask_unit()
        if found != self._unit:
            what = f"another unit answers: {', '.join(found)}"
            raise DeviceRefusedError(self.name, "*IDN?", what, "check the cables")
        self._prepare()

    def _write_level(self, level: float) -> None:
        self._order(f"{self._source}:CBRIGHTNESS:BRIGHTNESS {100.0 * level:.4f}")

    def _write_on(self, wanted: bool) -> None:
        self._order(f"{self._output}:STATE {'ON' if wanted else 'OFF'}")

    def _ask_unit(self) -> tuple[str, ...]:
        return self._ask("*IDN?", decode_unit)

    def _order(self, command: str) -> None:
        """Send an order and the question for errors as one message."""
        self._ask(f"{command};:SYST:ERR?", decode_error)

    def _ask(self, command: str, decode: Callable[[bytes], T | None]) -> T:
        return self._link.query(
            encode(command), decode, command=command, timeout_s=self._settings.reply_timeout
        )


def decode_switch(data: bytes) -> bool | None:
    """Decode 0 or 1.

    Raises:
        GarbledBytesError: It is neither.
    """
    value = decode_number(data)
    if value not in (None, 0.0, 1.0):
        raise GarbledBytesError("neither 0 nor 1")
    return None if value is None else value == 1.0


def decode_unit(data: bytes) -> tuple[str, ...] | None:
    """Decode maker, model, serial number and firmware.

    Raises:
        GarbledBytesError: Not four fields, or those of another instrument.
    """
    fields = decode_fields(data)
    if fields is not None and (len(fields) != 4 or "DC2200" not in fields[1]):
        raise GarbledBytesError("not a DC2200")
    return fields
