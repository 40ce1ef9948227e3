"""Keithley 2450 source-meter with its command set SCPI.

Commands and the source's status bits: 2450 reference manual, sections 6 and 8, and public drivers
(PyMeasure, QCoDeS). Readings go into a buffer; only its last entry is kept here.
"""

from typing import ClassVar

from labctl_sim.keithley._scpi import Handler, ScpiError
from labctl_sim.keithley._source_meter import OVERFLOW, SourceMeter

_LIMIT, _OUTPUT = 1 << 5, 1 << 7
_BUFFERS = {"defbuffer1", "defbuffer2"}
_TAKEN = (
    "SOURce[1]:VOLTage:RANGe[:AUTO]",
    "SOURce[1]:VOLTage:READ:BACK",
    "SOURce[1]:VOLTage:DELay[:AUTO]",
    "[SENSe[1]:]CURRent[:DC]:RANGe[:AUTO]",
    "[SENSe[1]:]VOLTage[:DC]:RANGe[:AUTO]",
    "[SENSe[1]:]VOLTage[:DC]:NPLCycles",
    "OUTPut[1]:VOLTage:SMODe",
    "SYSTem:BEEPer[:IMMediate]",
)


class K2450(SourceMeter):
    """A 2450."""

    identity_text: ClassVar[str] = "KEITHLEY INSTRUMENTS,MODEL 2450,{},1.7.12b"

    def power_up(self) -> None:
        """Take the values after ``*RST``: current is measured."""
        self._sensed = "CURR:DC"
        super().power_up()

    def words(self) -> dict[str, Handler]:
        """Give the commands of a 2450."""
        taken: dict[str, Handler] = {header: lambda _: None for header in _TAKEN}
        return {
            **taken,
            "*LANG?": lambda _: "SCPI",
            "SOURce[1]:VOLTage[:LEVel][:IMMediate][:AMPLitude]?": lambda _: f"{self.level_v:.7G}",
            "SOURce[1]:VOLTage:ILIMit[:LEVel]": self.set_limit,
            "SOURce[1]:VOLTage:ILIMit[:LEVel]?": lambda _: f"{self.limit_a:.7G}",
            "SOURce[1]:VOLTage:ILIMit[:LEVel]:TRIPped?": lambda _: str(int(self.limited)),
            "[SENSe[1]:]CURRent[:DC]:NPLCycles?": lambda _: f"{self.nplc:.7G}",
            "[SENSe[1]:]FUNCtion[:ON]": self._set_sensed,
            "[SENSe[1]:]FUNCtion[:ON]?": lambda _: f'"{self._sensed}"',
            "READ?": self._read,
        }

    def error_text(self, error: ScpiError | None) -> str:
        """Give an entry of the error queue; the event's kind and time stand in the text."""
        if error is None:
            return '0,"No error;0;0 0"'
        return f'{error.code},"{error.text};1;2026/01/01 00:00:00.000"'

    def _set_sensed(self, text: str) -> None:
        word = text.strip("\"' ").upper()[:4]
        if word not in ("VOLT", "CURR"):
            raise ScpiError(-224, "Illegal parameter value")
        self._sensed = f"{word}:DC"

    def _read(self, text: str) -> str:
        words = [word.strip("\"' ") for word in text.split(",") if word.strip()]
        if words and words[0].lower() in _BUFFERS:
            words = words[1:]
        # With the output off it measures all the same, whatever is at its terminals.
        values = {
            "READ": self._reading(),
            "SOUR": f"{self.volts():.6E}" if self.on else "0.000000E+00",
            "SOURSTAT": str((_LIMIT if self.limited else 0) | (_OUTPUT if self.on else 0)),
        }
        asked = [_element(word) for word in words] or ["READ"]
        return ",".join(values[word] for word in asked)

    def _reading(self) -> str:
        value = self.amperes() if self._sensed.startswith("CURR") else self.volts()
        return "9.9E+37" if value == OVERFLOW else f"{value:.6E}"


def _element(word: str) -> str:
    text = word.upper()
    for short, whole in (("SOURSTAT", "SOURSTATUS"), ("READ", "READING"), ("SOUR", "SOURCE")):
        if text in (short, whole):
            return short
    raise ScpiError(-224, "Illegal parameter value")
