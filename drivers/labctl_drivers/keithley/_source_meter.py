"""What Keithley's source-meters have in common: a bias with read-back over SCPI."""

import math
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, NamedTuple, TypeVar

from pydantic import Field

from labctl.errors import DeviceRefusedError, LabctlError
from labctl.roles import BiasSettings, Identity, Limits, SourceMeter
from labctl.transport import Transport
from labctl.units import Seconds
from labctl_drivers.keithley import _scpi_wire as wire

__all__ = ["Bias", "KeithleySettings", "KeithleySourceMeter"]

T = TypeVar("T")


class Bias(NamedTuple):
    """A reading: volts and amperes, NaN for none, and whether the limit of current is reached."""

    volts: float
    amperes: float
    limited: bool


class KeithleySettings(BiasSettings):
    """Keys of a Keithley source-meter in the set-up file.

    Attributes:
        nplc: Duration of a reading in periods of the power line.
        reply_timeout: Longest time to an answer, s.
    """

    nplc: float = Field(default=1.0, ge=0.01, le=10.0)
    reply_timeout: Seconds = 3.0


class KeithleySourceMeter(SourceMeter):
    """Base of the drivers; a model says its words.

    Attributes:
        models: What ``*IDN?`` says of the models that this driver knows, as a pattern.
        limit_word: Command of the limit of current.
    """

    settings_type = KeithleySettings
    models: ClassVar[str]
    limit_word: ClassVar[str]

    def __init__(
        self, name: str, link: Transport, settings: KeithleySettings, limits: Mapping[str, Limits]
    ) -> None:
        """Remember what is needed; nothing is sent."""
        super().__init__(name, settings, link.clock, limits)
        self._link, self._settings = link, settings
        self._unit: Identity | None = None
        self._wanted_on = False

    @abstractmethod
    def _set_up(self) -> tuple[str, ...]:
        """Return the commands that make it a source of voltage that measures current."""

    @abstractmethod
    def _measure(self) -> Bias:
        """Take a reading; the output is on."""

    def identity(self) -> Identity:
        """Ask maker, model, serial number and firmware."""
        words = [word.strip() for word in self._ask("*IDN?", wire.parse_text).split(",")]
        maker, model, serial, firmware = (*words, "", "", "", "")[:4]
        return Identity(maker, model, serial, firmware)

    def snapshot(self) -> dict[str, Any]:
        """Return bias, current and limits; None where there is no reading."""
        on = self.output_on()
        bias = self._measure() if on else Bias(0.0, math.nan, False)
        unit, gap_um = self._unit, self.bias.gap
        return {
            "model": unit.model if unit else "",
            "serial": unit.serial if unit else "",
            "output_on": on,
            "level_v": self.level_v(),
            "voltage_v": _number(bias.volts),
            "current_na": _number(1e9 * bias.amperes),
            "in_compliance": bias.limited,
            "compliance_na": 1e9 * self.compliance_a(),
            "gap_um": gap_um,
            "gap_accuracy": self.bias.gap_accuracy,
        }

    def level_v(self) -> float:
        """Return the programmed voltage, V."""
        return self._number(":SOUR:VOLT?")

    def compliance_a(self) -> float:
        """Return the limit of current, A."""
        return self._number(f"{self.limit_word}?")

    def output_on(self) -> bool:
        """Ask whether the output is on."""
        return self._ask(":OUTP?", wire.parse_flag)

    def in_compliance(self) -> bool:
        """Ask whether the limit of current is reached now."""
        return self._ask(f"{self.limit_word}:TRIP?", wire.parse_flag)

    def read_voltage(self) -> float:
        """Return the voltage at the output, V; 0 while it is off, NaN without a reading."""
        return self._measure().volts if self.output_on() else 0.0

    def read_current(self) -> float:
        """Return the current, A; NaN while the output is off, or without a reading."""
        return self._measure().amperes if self.output_on() else math.nan

    def flush(self) -> None:
        """Bring a connection in doubt back; whatever fails shows at the next question."""
        with suppress(LabctlError):
            self._link.flush()

    def _open(self) -> None:
        self._link.after_reconnect = None
        with self._link.opening():
            # Errors that somebody left in the queue are not ours.
            self._order("*CLS")
            self._unit = self._known_unit()
            # What somebody left on it is not what a run has set.
            self.shut_off()
            self._prepare()
        self._link.after_reconnect = self._check_unit

    def _close(self) -> None:
        self._end_ramp()
        self._link.close()

    def _write_level(self, volts: float) -> None:
        self._order(f":SOUR:VOLT {volts:.6g}")

    def _write_output(self, on: bool) -> None:
        self._wanted_on = on
        self._order(f":OUTP {int(on)}")

    def _write_compliance(self, amperes: float) -> None:
        self._order(f"{self.limit_word} {amperes:.6g}")

    def _prepare(self) -> None:
        self._order(*self._set_up())
        self.set_compliance_a(self.bias.compliance)

    def _known_unit(self) -> Identity:
        unit = self.identity()
        if re.fullmatch(self.models, unit.model, re.IGNORECASE) is None:
            raise DeviceRefusedError(
                self.name, "*IDN?", f"{unit.model!r} is no such model", "use the driver of its own"
            )
        return unit

    def _check_unit(self) -> None:
        self._order("*CLS")
        found = self.identity()
        if found != self._unit:
            what = f"another unit answers: {found}, was {self._unit}"
            raise DeviceRefusedError(self.name, "*IDN?", what, "check the cables")
        lost, self._wanted_on = self._wanted_on and not self.output_on(), self.output_on()
        if not self._wanted_on:
            self._prepare()
        if lost:
            # Said once; what comes next finds the output off, and safe.
            what = "its output has gone off meanwhile"
            raise DeviceRefusedError(self.name, ":OUTP?", what, "check its power")

    def _number(self, question: str) -> float:
        return self._ask(question, wire.parse_numbers(1))[0]

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
        )


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
