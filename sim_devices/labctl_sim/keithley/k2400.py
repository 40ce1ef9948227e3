"""Keithley 2400 source-meter: SCPI over GPIB or RS-232.

Commands, elements of a reading and bits of the status word: Series 2400 user's manual, sections 17
and 18, and public drivers (PyMeasure, QCoDeS). What other set commands change is not modelled;
they are taken without a word, as from a unit on which nothing else was asked for.
"""

from typing import ClassVar

from labctl_sim.keithley._scpi import Handler, ScpiError
from labctl_sim.keithley._source_meter import NO_VALUE, SourceMeter

_ELEMENTS = {
    **{"VOLT": "VOLT", "VOLTAGE": "VOLT", "CURR": "CURR", "CURRENT": "CURR"},
    **{"RES": "RES", "RESISTANCE": "RES", "TIME": "TIME", "STAT": "STAT", "STATUS": "STAT"},
}
_ORDER = ("VOLT", "CURR", "RES", "TIME", "STAT")
_OVER, _COMPLIANCE, _VOLTS_SENSED, _AMPERES_SENSED = 1 << 0, 1 << 3, 1 << 11, 1 << 12
_V_SOURCE = 1 << 14
_TAKEN = (
    "SOURce[1]:CLEar:AUTO",
    "SOURce[1]:DELay[:AUTO]",
    "SOURce[1]:VOLTage:MODE",
    "SOURce[1]:VOLTage:RANGe[:AUTO]",
    "[SENSe[1]:]CURRent[:DC]:RANGe[:AUTO]",
    "[SENSe[1]:]VOLTage[:DC]:RANGe[:AUTO]",
    "[SENSe[1]:]RESistance:MODE",
    "OUTPut[1]:SMODe",
    "SYSTem:AZERo[:STATe]",
    "SYSTem:BEEPer[:IMMediate]",
    "TRIGger:COUNt",
)


class K2400(SourceMeter):
    """A 2400."""

    identity_text: ClassVar[str] = (
        "KEITHLEY INSTRUMENTS INC.,MODEL 2400,{},C32   Oct  4 2010 14:20:11/A02  /S/K"
    )

    def power_up(self) -> None:
        """Take the values after ``*RST``: all elements, current alone is measured."""
        self._elements = _ORDER
        self._sensed = {"CURR"}
        self._concurrent = True
        super().power_up()

    def words(self) -> dict[str, Handler]:
        """Give the commands of a 2400."""
        taken: dict[str, Handler] = {header: lambda _: None for header in _TAKEN}
        return {
            **taken,
            "SOURce[1]:VOLTage[:LEVel][:IMMediate][:AMPLitude]?": lambda _: _number(self.level_v),
            "[SENSe[1]:]CURRent[:DC]:PROTection[:LEVel]": self.set_limit,
            "[SENSe[1]:]CURRent[:DC]:PROTection[:LEVel]?": lambda _: _number(self.limit_a),
            "[SENSe[1]:]CURRent[:DC]:PROTection:TRIPped?": lambda _: str(int(self.limited)),
            "[SENSe[1]:]CURRent[:DC]:NPLCycles?": lambda _: _number(self.nplc),
            "[SENSe[1]:]FUNCtion:CONCurrent": self._set_concurrent,
            "[SENSe[1]:]FUNCtion[:ON]": self._set_sensed,
            "[SENSe[1]:]FUNCtion[:ON]:ALL": lambda _: self._set_sensed("VOLT,CURR,RES"),
            "[SENSe[1]:]FUNCtion[:ON]?": lambda _: ",".join(f'"{w}:DC"' for w in self._functions()),
            "FORMat:ELEMents[:SENSe[1]]": self._set_elements,
            "FORMat:ELEMents[:SENSe[1]]?": lambda _: ",".join(self._elements),
            "READ?": lambda _: self._read(),
            "MEASure:CURRent[:DC]?": lambda _: self._measure("CURR"),
            "MEASure:VOLTage[:DC]?": lambda _: self._measure("VOLT"),
        }

    def error_text(self, error: ScpiError | None) -> str:
        """Give an entry of the error queue."""
        return '+0,"No error"' if error is None else f'{error.code:+d},"{error.text}"'

    def _functions(self) -> list[str]:
        return [word for word in ("VOLT", "CURR", "RES") if word in self._sensed]

    def _set_concurrent(self, text: str) -> None:
        self._concurrent = text.upper() in ("1", "ON")

    def _set_sensed(self, text: str) -> None:
        words = [word.strip("\"' ").upper()[:4].rstrip(":") for word in text.split(",")]
        known = {"VOLT", "CURR", "RES", "RESI"}
        if not set(words) <= known:
            raise ScpiError(-224, "Illegal parameter value")
        new = {"RES" if word == "RESI" else word for word in words}
        self._sensed = self._sensed | new if self._concurrent else new

    def _set_elements(self, text: str) -> None:
        words = [word.strip().upper() for word in text.split(",")]
        if not set(words) <= set(_ELEMENTS):
            raise ScpiError(-224, "Illegal parameter value")
        chosen = {_ELEMENTS[word] for word in words}
        # Whatever the order of the list, they come in the order of the manual.
        self._elements = tuple(word for word in _ORDER if word in chosen)

    def _measure(self, word: str) -> str:
        """Configure and read: this switches the output on."""
        self._sensed = {word}
        self.set_output("1")
        return self._read()

    def _read(self) -> str:
        if not self.on:
            raise ScpiError(803, "Not permitted with OUTPUT off")
        volts = self.volts() if "VOLT" in self._sensed else self.level_v
        amperes = self.amperes() if "CURR" in self._sensed else NO_VALUE
        both = {"VOLT", "CURR"} <= self._sensed and amperes != 0.0
        values = {
            "VOLT": _number(volts),
            "CURR": _number(amperes),
            "RES": _number(volts / amperes if both and "RES" in self._sensed else NO_VALUE),
            "TIME": _number(self.world.now()),
            "STAT": _number(float(self._status())),
        }
        return ",".join(values[word] for word in self._elements)

    def _status(self) -> int:
        bits = _V_SOURCE
        bits |= _OVER if self.over() else 0
        bits |= _COMPLIANCE if self.limited else 0
        bits |= _VOLTS_SENSED if "VOLT" in self._sensed else 0
        return bits | (_AMPERES_SENSED if "CURR" in self._sensed else 0)


def _number(value: float) -> str:
    return f"{value:+.6E}"
