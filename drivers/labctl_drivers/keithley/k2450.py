"""Keithley 2450 source-meter (LAN, USB, GPIB), with its command set SCPI.

Words and bits: 2450 reference manual, sections 6 and 8.
"""

import math
from typing import ClassVar

from labctl_drivers.keithley import _scpi_wire as wire
from labctl_drivers.keithley._source_meter import Bias, KeithleySettings, KeithleySourceMeter

__all__ = ["K2450", "K2450Settings"]

_LIMIT = 1 << 5
"""Bit of the source's status."""


class K2450Settings(KeithleySettings):
    """Keys of a 2450 in the set-up file."""


class K2450(KeithleySourceMeter):
    """Driver of the 2450."""

    settings_type = K2450Settings
    models: ClassVar[str] = "MODEL 2450"
    limit_word: ClassVar[str] = ":SOUR:VOLT:ILIM"

    def _set_up(self) -> tuple[str, ...]:
        return (
            ":SOUR:FUNC VOLT",
            ":SOUR:VOLT:RANG:AUTO 1",
            ":SOUR:VOLT:READ:BACK 1",
            ':SENS:FUNC "CURR"',
            ":SENS:CURR:RANG:AUTO 1",
            f":SENS:CURR:NPLC {self._settings.nplc:g}",
        )

    def _measure(self) -> Bias:
        question = ':READ? "defbuffer1", SOUR, READ, SOURSTAT'
        volts, amperes, status = self._ask(question, wire.parse_numbers(3))
        return Bias(volts, amperes, not math.isnan(status) and bool(int(status) & _LIMIT))
