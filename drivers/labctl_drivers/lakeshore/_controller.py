"""What the 335 and the 336 have in common: one sensor, one output, one loop."""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import Identity, Limits, Settings, TemperatureController
from labctl.transport import Transport
from labctl.units import KelvinsPerMinute, Seconds
from labctl_drivers.lakeshore import _lakeshore_wire as wire

__all__ = ["LakeShore", "LakeShoreSettings"]

T = TypeVar("T")

_RANGES = {"off": 0, "low": 1, "medium": 2, "high": 3}
_RATE_TOLERANCE = 0.051
"""The controller keeps one decimal."""


class LakeShoreSettings(Settings):
    """Keys of a Lake Shore controller in the set-up file.

    Attributes:
        input: The sensor's input.
        output: The heater's output.
        heater_range: Range of the heater while a temperature is held.
        ramp: How fast the set point changes, K/min; None: at once.
        reply_timeout: Longest time to an answer, s.
    """

    input: Literal["A", "B", "C", "D"] = "A"
    output: Literal[1, 2] = 1
    heater_range: Literal["low", "medium", "high"] = "high"
    ramp: KelvinsPerMinute | None = Field(default=None, ge=0.1, le=100)
    reply_timeout: Seconds = 2.0


class LakeShore(TemperatureController):
    """Base of the drivers; a model says its name.

    Attributes:
        model: What ``*IDN?`` says.
        inputs: Its inputs.
    """

    settings_type = LakeShoreSettings
    model: ClassVar[str]
    inputs: ClassVar[str]

    def __init__(
        self, name: str, link: Transport, settings: LakeShoreSettings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, limits)
        self._link, self._settings = link, settings
        self._unit: Identity | None = None
        self._reason = ""
        self._asked_k: float | None = None

    def identity(self) -> Identity:
        """Ask maker, model, serial number and firmware."""
        words = [word.strip() for word in self._ask("*IDN?", wire.parse_text).split(",")]
        maker, model, serial, firmware = (*words, "", "", "", "")[:4]
        return Identity(maker, model, serial, firmware)

    def snapshot(self) -> dict[str, Any]:
        """Return set point, temperature, heater and what is wrong; None without a reading."""
        kelvin = self.read_temperature()
        unit = self._unit
        return {
            "model": unit.model if unit else "",
            "serial": unit.serial if unit else "",
            "input": self._settings.input,
            "output": self._settings.output,
            "set_point_k": self.set_point_k(),
            "temperature_k": None if math.isnan(kelvin) else kelvin,
            "heater_percent": self.read_heater(),
            "heater_range": self._range(),
            "ramping": self.is_ramping(),
            "alarm": self.alarm(),
        }

    def set_point_k(self) -> float:
        """Return the set point of the output, K; while it ramps, the one it ramps to.

        The controller itself then tells only how far the ramp has come.
        """
        held_k = self._ask(f"SETP? {self._settings.output}", wire.parse_number)
        if self._asked_k is not None and self.is_ramping():
            return self._asked_k
        return held_k

    def read_temperature(self) -> float:
        """Return the temperature, K; NaN if the sensor gives none, ``alarm`` then says why."""
        channel = self._settings.input
        kelvin, status = self._both(
            f"KRDG? {channel}", wire.parse_kelvin, f"RDGST? {channel}", wire.parse_whole
        )
        self._reason = wire.reasons(int(status))
        return math.nan if status else kelvin

    def read_heater(self) -> float:
        """Return the output of the heater, percent."""
        return self._ask(f"HTR? {self._settings.output}", wire.parse_number)

    def alarm(self) -> str:
        """Return what is wrong with sensor or heater, or an empty string."""
        self.read_temperature()
        heater = self._ask(f"HTRST? {self._settings.output}", wire.parse_whole)
        troubles = {0: "", 1: "heater open", 2: "heater shorted"}
        text = troubles.get(int(heater), f"heater status {heater:g}")
        sensor = f"input {self._settings.input}: {self._reason}" if self._reason else ""
        return "; ".join(filter(None, (sensor, text)))

    def is_ramping(self) -> bool:
        """Ask whether the set point is still on its way."""
        return bool(self._ask(f"RAMPST? {self._settings.output}", wire.parse_whole))

    def switch_heater_off(self) -> None:
        """Switch the heater off; the set point stays."""
        self._order(f"RANGE {self._settings.output},0")

    def is_heater_off(self) -> bool:
        """Ask whether the heater is off."""
        return self._range() == 0

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            # The register may hold what happened before; asking for it empties it.
            self._link.query(
                b"*ESR?\n", wire.cleared, command="*ESR?", timeout_s=self._settings.reply_timeout
            )
            self._unit = self._known_unit()
            self._set_ramp()
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._link.close()

    def _write_set_point_k(self, kelvin: float) -> None:
        number = self._settings.output
        self._order(f"SETP {number},{kelvin:.4f}")
        self._asked_k = kelvin if self._settings.ramp is not None else None
        wanted = _RANGES[self._settings.heater_range]
        if self._range() != wanted:
            self._order(f"RANGE {number},{wanted}")
            if self._range() != wanted:
                raise DeviceRefusedError(
                    self.name, f"RANGE {number},{wanted}", "the heater stays off", self.alarm()
                )

    def _range(self) -> int:
        return int(self._ask(f"RANGE? {self._settings.output}", wire.parse_whole))

    def _set_ramp(self) -> None:
        number, rate = self._settings.output, self._settings.ramp
        words = f"RAMP {number},{int(rate is not None)},{rate or 0.1:.1f}"
        self._order(words)
        found = self._ask(f"RAMP? {number}", wire.parse_text).split(",")
        on, held = wire.parse_whole(found[0]), wire.parse_number(found[-1].strip())
        if on != (rate is not None) or (rate and abs(held - rate) > _RATE_TOLERANCE):
            raise DeviceRefusedError(self.name, words, f"holds {','.join(found)}", "")

    def _known_unit(self) -> Identity:
        unit = self.identity()
        if unit.model != self.model:
            what = f"{unit.model!r} answers, not {self.model}"
            raise DeviceRefusedError(self.name, "*IDN?", what, "use the driver of its own")
        if self._settings.input not in self.inputs:
            what = f"it has no input {self._settings.input}"
            raise DeviceRefusedError(self.name, "*IDN?", what, f"inputs: {', '.join(self.inputs)}")
        return unit

    def _check_unit(self) -> None:
        found = self.identity()
        if found != self._unit:
            what = f"another unit answers: {found}, was {self._unit}"
            raise DeviceRefusedError(self.name, "*IDN?", what, "check the cables")
        self._set_ramp()

    def _order(self, *commands: str) -> None:
        self._link.query(
            wire.encode(*commands),
            wire.nothing,
            command=";".join(commands),
            timeout_s=self._settings.reply_timeout,
        )

    def _ask(self, question: str, parse: Callable[[str], T]) -> T:
        return self._link.query(
            wire.encode(question),
            wire.answer(parse),
            command=question,
            timeout_s=self._settings.reply_timeout,
        )[0]

    def _both(
        self,
        first: str,
        parse_first: Callable[[str], float],
        second: str,
        parse_second: Callable[[str], float],
    ) -> tuple[float, float]:
        found = self._link.query(
            wire.encode(first, second),
            wire.answer(parse_first, parse_second),
            command=f"{first};{second}",
            timeout_s=self._settings.reply_timeout,
        )
        return found[0], found[1]
