"""Keithley 2400, 2401 and 2410 source-meters (GPIB, RS-232).

Words and bits: Series 2400 user's manual, sections 17 and 18. On RS-232 the terminator must be set
to LF or CR LF on the panel.
"""

import math
from typing import ClassVar

from labctl_drivers.keithley import _scpi_wire as wire
from labctl_drivers.keithley._source_meter import Bias, KeithleySettings, KeithleySourceMeter

__all__ = ["K2400", "K2400Settings"]

_OVERFLOW, _COMPLIANCE = 1 << 0, 1 << 3
"""Bits of the status word."""


class K2400Settings(KeithleySettings):
    """Keys of a 2400 in the set-up file."""


class K2400(KeithleySourceMeter):
    """Driver of the 2400, 2401 and 2410."""

    settings_type = K2400Settings
    models: ClassVar[str] = r"MODEL 24(00|01|10)\S*"
    limit_word: ClassVar[str] = ":SENS:CURR:PROT"

    def _set_up(self) -> tuple[str, ...]:
        return (
            ":SOUR:CLE:AUTO 0",
            ":SOUR:FUNC VOLT",
            ":SOUR:VOLT:MODE FIX",
            ":SOUR:VOLT:RANG:AUTO 1",
            ":SENS:FUNC:CONC 1",
            ":SENS:FUNC 'VOLT','CURR'",
            ":SENS:CURR:RANG:AUTO 1",
            f":SENS:CURR:NPLC {self._settings.nplc:g}",
            ":FORM:ELEM VOLT,CURR,STAT",
        )

    def _measure(self) -> Bias:
        volts, amperes, status = self._ask(":READ?", wire.parse_numbers(3))
        bits = 0 if math.isnan(status) else int(status)
        over = bool(bits & _OVERFLOW)
        return Bias(volts, math.nan if over else amperes, bool(bits & _COMPLIANCE))
