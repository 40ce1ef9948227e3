"""Newport ESP300 motion controller with one linear stage, which delays light.

Commands, error codes and texts: ESP300 user's manual, sections 3 and 8, as PyMeasure's driver shows
them. The stage carries the retroreflector of the long arm of an interferometer whose arms differ
by one laser period where the carriage stands at the true zero.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.newport._carriage import Carriage
from labctl_sim.wire import Send, SerialLine, Session
from labctl_sim.world import Interferometer, World

_VERSION = "ESP300 Version 3.04 07/27/01"
_TEXTS = {
    0: "NO ERROR DETECTED",
    4: "EMERGENCY STOP ACTIVATED",
    6: "COMMAND DOES NOT EXIST",
    7: "PARAMETER OUT OF RANGE",
    9: "AXIS NUMBER OUT OF RANGE",
    37: "AXIS NUMBER MISSING",
    38: "COMMAND PARAMETER MISSING",
    106: "AXIS-1 POSITIVE SOFTWARE LIMIT DETECTED",
    107: "AXIS-1 NEGATIVE SOFTWARE LIMIT DETECTED",
    103: "AXIS-1 FOLLOWING ERROR THRESHOLD EXCEEDED",
    113: "AXIS-1 MOTOR NOT ENABLED",
}
_COMMAND = re.compile(r"(\d*)([A-Z]{2})(\?|[-+0-9.Ee]*)", re.ASCII)
_QUEUE = 10
_MM_PER_PS = 0.299792458
_AXES = 3


class Esp300:
    """The controller; axis 1 has a stage, the other two have none.

    Args:
        name: The instrument's name.
        world: The world; its long arm follows.
        settings: The set-up's block; not used.
        truth: What differs from ``truth_defaults``; ``arms_selector`` and
            ``polarization_selector`` name the parts by which a person blocks an arm (positions
            both, short, long) or crosses the polarizations (co, cross).
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "stage": "ILS150PP, SN1263",
        "baud": 19200,
        "start_mm": 0.0,
        "lowest_mm": -75.0,
        "highest_mm": 75.0,
        "speed_mm_s": 20.0,
        "acceleration_mm_s2": 80.0,
        "step_mm": 0.0005,
        "true_zero_mm": 3.62,
        "passes_number": 1,
        "short_rel": 0.47,
        "long_rel": 0.43,
        "transmitted_rel": 0.54,
        "arms_selector": "arms",
        "polarization_selector": "polarization",
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self.carriage = Carriage(
            world,
            speed_mm_s=float(self.truth["speed_mm_s"]),
            acceleration_mm_s2=float(self.truth["acceleration_mm_s2"]),
            step_mm=float(self.truth["step_mm"]),
            moved=self._show,
        )
        self.errors: deque[int] = deque(maxlen=_QUEUE)
        self.motor_on = True
        self._limits_mm = [float(self.truth["lowest_mm"]), float(self.truth["highest_mm"])]
        self.carriage.put(float(self.truth["start_mm"]))
        for selector in (self.truth["arms_selector"], self.truth["polarization_selector"]):
            world.places.follow(str(selector), self._show)
        self._show()
        self._words = self._make_words()

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_stuck(self) -> None:
        """Hold the carriage until cleared: moves end at once with a following error."""
        self.carriage.stuck = True

    def fault_motor_off(self) -> None:
        """Press the emergency stop for a moment: the motor is off."""
        self.carriage.stop()
        self.motor_on = False
        self.errors.append(4)

    def clear_faults(self) -> None:
        """End all faults."""
        self.carriage.stuck = False

    def reset(self) -> None:
        """Lose power for a moment: the motor is off, and here is zero."""
        self.carriage.put(0.0)
        self.motor_on = False
        self.errors.clear()

    def answer(self, command: str) -> str | None:
        """Carry out one command; None when it has no answer."""
        match = _COMMAND.fullmatch(command.upper().replace(" ", ""))
        if match is None:
            return self._wrong(6)
        axis, word, argument = match[1], match[2], match[3]
        if word in ("TB", "TE", "VE"):
            return self._general(word)
        if word not in self._words:
            return self._wrong(6)
        if not axis:
            return self._wrong(37)
        if int(axis) > _AXES or int(axis) < 1:
            return self._wrong(9)
        if int(axis) > 1:
            # Axes without a stage: no motor, which is said when they are asked for something.
            return "0" if argument == "?" else None
        return self._words[word](argument)

    def _general(self, word: str) -> str:
        if word == "VE":
            return _VERSION
        code = self.errors.popleft() if self.errors else 0
        if word == "TE":
            return str(code)
        stamp = int(self.world.now() / 400e-6)
        return f"{code}, {stamp}, {_TEXTS[code]}"

    def _make_words(self) -> dict[str, Callable[[str], str | None]]:
        return {
            "TP": lambda _: f"{self.carriage.position_mm():.5f}",
            "PA": self._move_to,
            "PR": lambda text: self._move_to(text, relative=True),
            "MD": lambda _: str(int(not self.carriage.moving)),
            "MO": self._motor,
            "MF": self._motor_off,
            "ST": lambda _: self.carriage.stop(),
            "SN": lambda text: "2" if text == "?" else None,
            "ID": lambda _: str(self.truth["stage"]),
            "SL": lambda text: self._limit(0, text),
            "SR": lambda text: self._limit(1, text),
            "OR": self._home,
            "DH": lambda text: self.carriage.put(float(text or 0.0)),
            "WS": lambda _: None,
            "VA": self._speed,
        }

    def _move_to(self, text: str, *, relative: bool = False) -> str | None:
        if text == "?":
            return f"{self.carriage.position_mm():.5f}"
        if not self.motor_on:
            return self._wrong(113)
        target_mm = _number(text)
        if target_mm is None:
            return self._wrong(38)
        target_mm += self.carriage.position_mm() if relative else 0.0
        if target_mm > self._limits_mm[1]:
            return self._wrong(106)
        if target_mm < self._limits_mm[0]:
            return self._wrong(107)
        self.carriage.go(target_mm)
        if self.carriage.stuck:
            self.motor_on = False
            return self._wrong(103)
        return None

    def _motor(self, text: str) -> str | None:
        if text == "?":
            return str(int(self.motor_on))
        self.motor_on = True
        return None

    def _motor_off(self, text: str) -> str | None:
        if text == "?":
            return str(int(not self.motor_on))
        self.carriage.stop()
        self.motor_on = False
        return None

    def _limit(self, which: int, text: str) -> str | None:
        value = _number(text)
        if text == "?" or value is None:
            return f"{self._limits_mm[which]:.5f}"
        self._limits_mm[which] = value
        return None

    def _speed(self, text: str) -> str | None:
        value = _number(text)
        if text == "?" or value is None:
            return f"{self.carriage.speed_mm_s:.4f}"
        self.carriage.speed_mm_s = min(max(value, 0.001), 100.0)
        return None

    def _home(self, text: str) -> str | None:
        if text == "?":
            return "1"
        self.carriage.go(0.0)
        return None

    def _wrong(self, code: int) -> None:
        self.errors.append(code)

    def _show(self) -> None:
        """Let the world see how much later the long arm is."""
        truth, places = self.truth, self.world.places
        ways = 2.0 * int(truth["passes_number"])
        off_mm = self.carriage.position_mm() - float(truth["true_zero_mm"])
        arms = places.get(str(truth["arms_selector"]))
        self.world.table.interferometer = Interferometer(
            short_rel=float(truth["short_rel"]),
            long_rel=float(truth["long_rel"]),
            transmitted_rel=float(truth["transmitted_rel"]),
            delay_ps=ways * off_mm / _MM_PER_PS,
            arms=arms if arms in ("short", "long") else "both",
            crossed=places.get(str(truth["polarization_selector"])) == "cross",
        )


class _Session:
    """One client: commands end with CR; several may stand in a line, with semicolons."""

    def __init__(self, device: Esp300, send: Send) -> None:
        self._device = device
        self._line = SerialLine(device.world, send, int(device.truth["baud"]))
        self._partial = b""

    def receive(self, data: bytes) -> None:
        """Carry out whole lines."""
        *lines, self._partial = (self._partial + data.replace(b"\n", b"\r")).split(b"\r")
        for line in lines:
            for command in filter(None, line.decode("ascii", "replace").strip().split(";")):
                answer = self._device.answer(command.strip())
                if answer is not None:
                    self._line.transmit(f"{answer}\r\n".encode("ascii"))

    def closed(self) -> None:
        """A move goes on without the client."""
        self._partial = b""


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
