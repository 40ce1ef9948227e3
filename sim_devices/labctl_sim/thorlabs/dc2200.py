"""Thorlabs DC2200 LED driver: SCPI lines.

Commands: DC2200 manual 1.8, and what the vendor's examples and other public drivers send. The mode
cannot be changed while the LED is on (error -221), which is assumed.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.wire import Send, Session
from labctl_sim.world import World

_MODES = ("CC", "CB", "PWM", "PULS", "IMOD", "EMOD", "TTL")
_LONG = (
    ("SOURCE", "SOUR"),
    ("CBRIGHTNESS", "CBR"),
    ("BRIGHTNESS", "BRIG"),
    ("CCURENT", "CCUR"),
    ("CCURRENT", "CCUR"),
    ("CURRENT", "CURR"),
    ("LIMIT", "LIM"),
    ("OUTPUT", "OUTP"),
    ("STATE", "STAT"),
    ("SYSTEM", "SYST"),
    ("ERROR", "ERR"),
    (":LEVEL", ""),
    (":AMPLITUDE", ""),
)
_UNDEFINED = '-113,"Undefined header"'
_BAD_VALUE = '-222,"Data out of range"'
_CONFLICT = '-221,"Settings conflict"'
_NO_ERROR = '+0,"No error"'


class Dc2200:
    """The instrument with an LED at one terminal.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; ``terminal`` is used.
        truth: What differs from ``truth_defaults``. ``led_exponent`` is how the light goes with
            the current (efficiency droops), so that half the brightness is not half the light.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "led_exponent": 0.88,
        "current_limit_ratio": 1.2,
        "serial": "M00435922",
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self._terminal = int(settings.get("terminal") or 1)
        self._broken = False
        self.reset()

    def reset(self) -> None:
        """Switch it off and on."""
        self._mode, self._percent, self._current_a, self._on = "CC", 0.0, 0.0, False
        self._errors: deque[str] = deque()
        self._shine()

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_led_open(self) -> None:
        """Pull the LED's plug: the output switches itself off until cleared."""
        self._broken = True
        self._switch(False)

    def clear_faults(self) -> None:
        """Plug it in; the light stays off."""
        self._broken = False

    def answer(self, line: str) -> str | None:
        """Do the commands of a line; the answers of its questions come on one line."""
        answers = [self._do(part.strip()) for part in line.split(";") if part.strip()]
        given = [text for text in answers if text is not None]
        return ";".join(given) if given else None

    def _do(self, command: str) -> str | None:
        head, _, argument = command.partition(" ")
        name = _canonical(head)
        if name == "*CLS":
            self._errors.clear()
        elif name == "*IDN?":
            return f"Thorlabs,DC2200,{self.truth['serial']},1.6.0"
        elif name == "SYST:ERR?":
            return self._errors.popleft() if self._errors else _NO_ERROR
        elif (found := re.fullmatch(r"(SOUR|OUTP)([12]?):(.+)", name)) is None:
            self._errors.append(_UNDEFINED)
        elif int(found[2] or 1) != self._terminal:
            self._errors.append(_CONFLICT)
        else:
            return self._channel(found[3], argument.strip())
        return None

    def _channel(self, name: str, argument: str) -> str | None:
        known: Mapping[str, Callable[[], str]] = {
            "MODE?": lambda: self._mode,
            "CBR:BRIG?": lambda: f"{self._percent:.6e}",
            "CCUR:CURR?": lambda: f"{self._current_a:.6e}",
            "CURR:LIM?": lambda: f"{float(self.truth['current_limit_ratio']):.6e}",
            "STAT?": lambda: str(int(self._on)),
        }
        if name in known:
            return known[name]()
        setters: Mapping[str, Callable[[str], str | None]] = {
            "MODE": self._set_mode,
            "CBR:BRIG": self._set_brightness,
            "CCUR:CURR": self._set_current,
            "STAT": self._set_state,
        }
        setter = setters.get(name)
        error = _UNDEFINED if setter is None else setter(argument.upper())
        if error is not None:
            self._errors.append(error)
        self._shine()
        return None

    def _set_mode(self, argument: str) -> str | None:
        if argument not in _MODES:
            return _BAD_VALUE
        if self._on:
            return _CONFLICT
        self._mode = argument
        return None

    def _set_brightness(self, argument: str) -> str | None:
        value = _number(argument)
        if value is None or not 0.0 <= value <= 100.0:
            return _BAD_VALUE
        self._percent = value
        return None

    def _set_current(self, argument: str) -> str | None:
        value = _number(argument)
        if value is None or not 0.0 <= value <= float(self.truth["current_limit_ratio"]):
            return _BAD_VALUE
        self._current_a = value
        return None

    def _set_state(self, argument: str) -> str | None:
        if argument not in ("ON", "OFF", "1", "0"):
            return _BAD_VALUE
        self._switch(argument in ("ON", "1") and not self._broken)
        return None

    def _switch(self, on: bool) -> None:
        self._on = on
        self._shine()

    def _shine(self) -> None:
        limit_a = float(self.truth["current_limit_ratio"])
        share = 0.01 * self._percent if self._mode == "CB" else self._current_a / limit_a
        light = share ** float(self.truth["led_exponent"]) if self._on and share > 0.0 else 0.0
        self.world.table.led.set(self.world.now(), light)


class _Session:
    """One client: whole lines."""

    def __init__(self, device: Dc2200, send: Send) -> None:
        self._device, self._send = device, send
        self._partial = bytearray()

    def receive(self, data: bytes) -> None:
        """Answer whole lines."""
        self._partial += data
        *lines, rest = bytes(self._partial).split(b"\n")
        self._partial = bytearray(rest)
        for line in lines:
            answer = self._device.answer(line.decode("ascii", "replace"))
            if answer is not None:
                self._send(f"{answer}\n".encode("ascii"))

    def closed(self) -> None:
        """Nothing is kept for a client."""
        self._partial.clear()


def _canonical(head: str) -> str:
    name = head.strip().upper().removeprefix(":")
    for long, short in _LONG:
        name = name.replace(long, short)
    return name


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
