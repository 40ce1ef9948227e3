"""The commands of the ANC300's console.

Command table and texts: ANC300 manual as shown by pylablib, PyMeasure and the QCoDeS driver with
its table of answers; the text for an unknown command is assumed.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from labctl_sim.attocube._anc300_axis import AxisModule, ConsoleError

__all__ = ["Chassis", "Words"]

_MODES = ("gnd", "inp", "cap", "stp", "off", "stp+", "stp-")
_KEPT = {
    "aci": ("acin", ("on", "off")),
    "dci": ("dcin", ("on", "off")),
    "fil": ("filter", ("off", "1.6", "16", "160", "1600")),
    "tu": ("trigger", ("off", *"1234567")),
    "td": ("trigger", ("off", *"1234567")),
}
"""What is only kept: how an answer names it, and its words."""
_WORST = ConsoleError("Unknown command")


class Chassis(Protocol):
    """What the console asks of its controller."""

    offset_word: str
    verbose: bool

    def module(self, number: int) -> AxisModule:
        """Give the module in a slot; raises ConsoleError where there is none."""
        ...

    def set_output(self, number: str, *, high: bool) -> None:
        """Put a trigger output on a level; raises ConsoleError where there is none."""
        ...

    def controller_serial(self) -> str: ...
    def module_serial(self, number: int) -> str: ...
    def versions(self) -> list[str]: ...


class Words:
    """Carries commands out; answers are the lines before ``OK``."""

    def __init__(self, chassis: Chassis) -> None:
        self._chassis = chassis
        self._outputs = dict.fromkeys("123", "0")
        self._words: Mapping[str, Callable[[AxisModule, list[str]], list[str]]] = {
            "getm": self._getm,
            "setm": self._setm,
            "getf": lambda axis, _: [f"frequency = {axis.hertz} Hz"],
            "setf": lambda axis, words: _done(axis.set_hertz(_number(words))),
            "getv": lambda axis, _: [f"voltage = {axis.volts:.6f} V"],
            "setv": lambda axis, words: _done(axis.set_volts(_number(words))),
            "geta": lambda axis, _: [f"voltage = {axis.offset_v:.6f} V"],
            "seta": lambda axis, words: _done(axis.set_offset(_number(words))),
            "geto": lambda axis, _: [f"voltage = {axis.output_v():.6f} V"],
            "getc": lambda axis, _: [_capacitance(axis)],
            "stepu": lambda axis, words: _done(axis.step(1, _steps(words))),
            "stepd": lambda axis, words: _done(axis.step(-1, _steps(words))),
            "stop": lambda axis, _: _done(axis.stop()),
        }

    def answer(self, command: str) -> list[str]:
        """Carry out a command that is answered at once.

        Raises:
            ConsoleError: with the line before ``ERROR``.
        """
        word, *rest = command.split()
        if word == "ver":
            return self._chassis.versions()
        if word == "getcser":
            serial = self._chassis.controller_serial()
            return [f"controller serial number = {serial}" if self._chassis.verbose else serial]
        if word in ("getto", "setto"):
            return self._output(word, rest)
        return self._of_axis(word, rest)

    def waits_for(self, command: str) -> AxisModule | None:
        """Give the axis whose rest a command waits for, if it does."""
        word, *rest = command.split()
        return self._axis(rest)[0] if word in ("stepw", "capw") else None

    def after_waiting(self, command: str) -> list[str]:
        """Give the answer once the axis rests."""
        word, *rest = command.split()
        return [_capacitance(self._axis(rest)[0])] if word == "capw" else []

    def _axis(self, rest: list[str]) -> tuple[AxisModule, int]:
        if not rest or not rest[0].isdecimal():
            raise _WORST
        return self._chassis.module(int(rest[0])), int(rest[0])

    def _of_axis(self, word: str, rest: list[str]) -> list[str]:
        axis, number = self._axis(rest)
        if word == "getser":
            serial = self._chassis.module_serial(number)
            return [f"axis serial number = {serial}" if self._chassis.verbose else serial]
        if word in self._words:
            return self._words[word](axis, rest[1:])
        verb, what = word[:3], word[3:]
        if verb in ("get", "set") and what in _KEPT:
            return _keep(axis, verb, what, rest[1:])
        if verb in ("get", "set") and what in ("pu", "pd"):
            return _pattern(axis, verb, what[1], rest[1:])
        raise _WORST

    def _getm(self, axis: AxisModule, _: list[str]) -> list[str]:
        return [f"mode = {self._chassis.offset_word if axis.mode == 'off' else axis.mode}"]

    def _setm(self, axis: AxisModule, words: list[str]) -> list[str]:
        mode = words[0] if words else ""
        known = [self._chassis.offset_word if word == "off" else word for word in _MODES]
        if mode not in known:
            raise ConsoleError("Value out of range")
        axis.set_mode(_MODES[known.index(mode)])
        return []

    def _output(self, word: str, rest: list[str]) -> list[str]:
        if not rest or rest[0] not in self._outputs:
            raise ConsoleError("Value out of range")
        if word == "getto":
            return [f"trigger = {self._outputs[rest[0]]}"]
        if rest[1:] not in (["0"], ["1"]):
            raise ConsoleError("Value out of range")
        self._chassis.set_output(rest[0], high=rest[1] == "1")
        self._outputs[rest[0]] = rest[1]
        return []


def _keep(axis: AxisModule, verb: str, what: str, words: list[str]) -> list[str]:
    name, known = _KEPT[what]
    if verb == "get":
        return [f"{name} = {axis.settings[what]}"]
    if len(words) != 1 or words[0] not in known:
        raise ConsoleError("Value out of range")
    axis.settings[what] = words[0]
    return []


def _pattern(axis: AxisModule, verb: str, which: str, words: list[str]) -> list[str]:
    if verb == "get":
        return [str(value) for value in axis.patterns[which]]
    values = [int(word) if word.isdecimal() else -1 for word in words]
    if len(values) != 256 or not all(0 <= value <= 255 for value in values):
        raise ConsoleError("Value out of range")
    axis.patterns[which] = values
    return []


def _capacitance(axis: AxisModule) -> str:
    known = axis.capacitance_nf
    return "capacitance = ?" if known is None else f"capacitance = {known:.6f} nF"


def _number(words: list[str]) -> float:
    try:
        return float(words[0])
    except (IndexError, ValueError):
        raise ConsoleError("Value out of range") from None


def _steps(words: list[str]) -> int | None:
    if words == ["c"]:
        return None
    if len(words) != 1 or not words[0].isdecimal():
        raise ConsoleError("Value out of range")
    return int(words[0])


def _done(_: None) -> list[str]:
    return []
