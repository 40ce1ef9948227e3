"""Lake Shore temperature controllers: a sensor on the platform, one loop, events in a register.

Commands: manuals of the Model 335 (rev. 1.6) and 336 (rev. 2.3), chapter 6, as the maker's Python
driver shows them. The controller regulates the world's one platform; what the manuals leave open
is assumed.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.wire import Send, SerialLine, Session
from labctl_sim.world import ThermalTruth, World, truth_defaults

_QUERY, _EXECUTION, _COMMAND, _POWER_ON = 4, 16, 32, 128
_INVALID, _UNDER, _OVER, _ZERO = 1, 16, 32, 64
_RANGE_W = {0: 0.0, 1: 0.1, 2: 1.0, 3: 10.0}
"""Power at 100 % of each range (assumed for 25 ohm)."""
_RAMP_TICK_S = 1.0
_LOWEST_K, _HIGHEST_K = 1.4, 325.0
"""Of the sensor's curve."""


class _ExecutionError(Exception):
    """A parameter is out of range."""


class LakeShore:
    """A controller with one sensor at input A; the other inputs have none.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; not used.
        truth: What differs from ``truth_defaults``. With ``controls`` false it only reads: another
            instrument is the platform's cryostat. ``sensor_error_k`` and ``sensor_gain_rel`` are
            how wrong the sensor's curve is.
    """

    interface: ClassVar[str] = "stream"
    model: ClassVar[str]
    inputs: ClassVar[str]
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **truth_defaults(ThermalTruth),
        "serial_number": "LSA12AB",
        "baud": 0,
        "controls": True,
        "sensor_error_k": 0.008,
        "sensor_gain_rel": 1.0004,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self._controls = bool(self.truth["controls"])
        if self._controls:
            world.attach_cryostat(self.truth)
        self._status = self._heater_status = self._lies = 0
        self._set_k = self._goal_k = world.thermal.target_k or 300.0
        self._ramp_on, self._rate_k_min = False, 1.0
        self._range = 3
        self._cancel: Callable[[], None] | None = None
        self._events = _POWER_ON
        self._pid = (50.0, 20.0, 0.0)
        self._words = self._make_words()

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_sensor_open(self) -> None:
        """Break the sensor's cable until cleared."""
        self._status = _OVER

    def fault_sensor_shorted(self) -> None:
        """Short the sensor until cleared."""
        self._status = _ZERO

    def fault_heater_open(self) -> None:
        """Break the heater's cable until cleared: the output goes off."""
        self._heater_status = 1
        self._set_range(0)

    def fault_lie(self, times: int = 1) -> None:
        """Accept the next set points without taking them."""
        self._lies += times

    def clear_faults(self) -> None:
        """End all faults; the range stays as it is."""
        self._status = self._heater_status = self._lies = 0

    def reset(self) -> None:
        """Lose power for a moment: the heater is off afterwards."""
        self._set_range(0)
        self._ramp_on = False
        self._events = _POWER_ON

    def run(self, line: str) -> str | None:
        """Carry out a line; gives the answers with semicolons between them."""
        answers: list[str] = []
        for piece in filter(None, (part.strip() for part in line.split(";"))):
            word, _, argument = piece.partition(" ")
            answer = self._carry_out(word.upper(), argument.strip())
            answers += [] if answer is None else [answer]
        return ";".join(answers) if answers else None

    def _carry_out(self, word: str, argument: str) -> str | None:
        if word not in self._words:
            # Unknown words are not answered; only the register tells.
            self._events |= _COMMAND
            return None
        try:
            return self._words[word](argument)
        except (_ExecutionError, ValueError, IndexError):
            self._events |= _EXECUTION
            return None

    def _make_words(self) -> dict[str, Callable[[str], str | None]]:
        return {
            "*IDN?": lambda _: f"LSCI,{self.model},{self.truth['serial_number']}/#######,2.9",
            "*ESR?": lambda _: self._read_events(),
            "*CLS": self._clear,
            "*OPC?": lambda _: "1",
            "KRDG?": self._readings,
            "CRDG?": lambda text: _signed(self._reading(text) - 273.15),
            "SRDG?": lambda text: _signed(1e3 / (1.0 + self._reading(text))),
            "RDGST?": lambda text: f"{self._status_of(text):03d}",
            "SETP": self._set_point,
            "SETP?": lambda text: _signed(self._set_k) if self._own(text) else _signed(0.0),
            "RAMP": self._ramp,
            "RAMP?": lambda _: f"{int(self._ramp_on)},{self._rate_k_min:+06.1f}",
            "RAMPST?": lambda _: str(int(self._cancel is not None)),
            "RANGE": self._order_range,
            "RANGE?": lambda text: str(self._range if self._own(text) else 0),
            "HTR?": lambda text: f"{self._percent() if self._own(text) else 0.0:+06.1f}",
            "HTRST?": lambda _: str(self._heater_status),
            "PID": self._set_pid,
            "PID?": lambda _: "{:+07.1f},{:+07.1f},{:+05.0f}".format(*self._pid),
            "ALARMST?": lambda _: "0,0",
        }

    def _read_events(self) -> str:
        events, self._events = self._events, 0
        return f"{events:03d}"

    def _clear(self, _text: str) -> None:
        self._events = 0

    def _own(self, text: str) -> bool:
        number = int(text)
        if not 1 <= number <= len(self.inputs):
            raise _ExecutionError
        return number == 1

    def _readings(self, text: str) -> str:
        if text == "0":
            return ",".join(_signed(self._reading(channel)) for channel in self.inputs)
        return _signed(self._reading(text))

    def _reading(self, channel: str) -> float:
        """What the display shows; 0 where the sensor gives nothing."""
        if self._status_of(channel):
            return 0.0
        true_k = self.world.thermal.read_platform_k()
        return true_k * float(self.truth["sensor_gain_rel"]) + float(self.truth["sensor_error_k"])

    def _status_of(self, channel: str) -> int:
        channel = channel.upper()
        if channel not in self.inputs or not channel:
            raise _ExecutionError
        if channel != "A":
            return _ZERO
        kelvin = self.world.thermal.platform_k()
        beyond = _UNDER if kelvin < _LOWEST_K else _OVER if kelvin > _HIGHEST_K else 0
        return self._status or beyond

    def _set_point(self, text: str) -> None:
        number, value = text.split(",")
        kelvin = float(value)
        if not self._own(number):
            return
        if not (math.isfinite(kelvin) and 0.0 <= kelvin <= 400.0):
            raise _ExecutionError
        if self._lies:
            self._lies -= 1
            return
        self._goal_k = kelvin
        if not self._ramp_on:
            self._set_k = kelvin
        elif self._cancel is None:
            self._tick()
        self._drive()

    def _tick(self) -> None:
        step_k = self._rate_k_min * _RAMP_TICK_S / 60.0
        left_k = self._goal_k - self._set_k
        if abs(left_k) <= step_k or not self._ramp_on:
            self._set_k, self._cancel = self._goal_k, None
        else:
            self._set_k += math.copysign(step_k, left_k)
            self._cancel = self.world.after(_RAMP_TICK_S, self._tick)
        self._drive()

    def _ramp(self, text: str) -> None:
        number, on, rate = text.split(",")
        if not self._own(number):
            return
        if on not in ("0", "1") or not 0.1 <= float(rate) <= 100.0:
            raise _ExecutionError
        self._ramp_on, self._rate_k_min = on == "1", round(float(rate), 1)

    def _order_range(self, text: str) -> None:
        number, value = text.split(",")
        if int(value) not in _RANGE_W:
            raise _ExecutionError
        if self._own(number) and not (self._heater_status and int(value)):
            self._set_range(int(value))

    def _set_range(self, value: int) -> None:
        self._range = value
        self._drive()

    def _set_pid(self, text: str) -> None:
        _, p, i, d = text.split(",")
        self._pid = (float(p), float(i), float(d))

    def _drive(self) -> None:
        if not self._controls:
            return
        # The loop holds what its own sensor shows, which is not the true temperature.
        seen_k = self._set_k - float(self.truth["sensor_error_k"])
        target_k = seen_k / float(self.truth["sensor_gain_rel"])
        self.world.thermal.set_target(target_k if self._range else None)

    def _percent(self) -> float:
        full_w = _RANGE_W[self._range]
        return min(100.0 * self.world.thermal.heater_w() / full_w, 100.0) if full_w else 0.0


class _Session:
    """One client: lines in, answers out."""

    def __init__(self, device: LakeShore, send: Send) -> None:
        self._device = device
        self._line = SerialLine(device.world, send, int(device.truth["baud"]))
        self._partial = b""

    def receive(self, data: bytes) -> None:
        """Carry out whole lines; an empty one is nothing."""
        *lines, self._partial = (self._partial + data.replace(b"\r", b"")).split(b"\n")
        for line in lines:
            answer = self._device.run(line.decode("ascii", "replace"))
            if answer is not None:
                self._line.transmit(f"{answer}\r\n".encode("ascii"))

    def closed(self) -> None:
        """Nothing is kept for a client."""
        self._partial = b""


def _signed(value: float) -> str:
    return f"{value:+.5E}".replace("E+0", "E+").replace("E-0", "E-")
