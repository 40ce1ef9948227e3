"""Thorlabs PM100D power meter with a silicon photodiode: SCPI lines.

Commands: PM100D manual 17654-D02, and what QMI, PyMeasure and pyLabLib send. Times and noise are
assumed.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.thorlabs._photodiode import NO_READING, Photodiode
from labctl_sim.wire import Send, Session
from labctl_sim.world import World

_SHORT = {
    "SENSE": "SENS",
    "SENSOR": "SENS",
    "CORRECTION": "CORR",
    "WAVELENGTH": "WAV",
    "POWER": "POW",
    "RANGE": "RANG",
    "AVERAGE": "AVER",
    "COUNT": "COUN",
    "COLLECT": "COLL",
    "INITIATE": "INIT",
    "STATE": "STAT",
    "MAGNITUDE": "MAGN",
    "CONFIGURE": "CONF",
    "MEASURE": "MEAS",
    "CURRENT": "CURR",
    "FETCH": "FETC",
    "SYSTEM": "SYST",
    "ERROR": "ERR",
    "INPUT": "INP",
    "FILTER": "FILT",
}
_UNDEFINED = (-113, "Undefined header")
_BAD_VALUE = (-222, "Data out of range")
_NO_PARAMETER = (-109, "Missing parameter")
_NOT_NUMERIC = (-104, "Data type error")
_COMMAND_ERROR = 32
_MOST_AVERAGES = 10000
Answer = str | None


class _RefusedError(Exception):
    """Goes into the error queue."""

    def __init__(self, error: tuple[int, str]) -> None:
        self.error = error
        super().__init__(error[1])


class Pm100d:
    """The meter.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; not used.
        truth: What differs from ``truth_defaults``. ``fed_by`` is the selector whose mirror sends
            the light to the sensor (empty: a pick-off always does), ``power_ratio`` the power
            there over that which the sample would get, ``calibration_rel`` what it shows over
            what there is, ``zero_offset_w`` what it shows in the dark until it is zeroed.
            ``sensor`` is what is plugged in; empty: nothing.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "fed_by": "",
        "power_ratio": 0.087,
        "calibration_rel": 1.018,
        "zero_offset_w": 2.4e-9,
        "noise_w": 1.2e-10,
        "response_time_s": 0.005,
        "sample_time_s": 0.0003,
        "zero_time_s": 2.0,
        "highest_power_w": 0.05,
        "shortest_nm": 400.0,
        "longest_nm": 1100.0,
        "sensor": "S130C",
        "serial": "P0012345",
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self.diode = Photodiode(name, world, self.truth)
        self._unplugged = False
        self.reset()

    def reset(self) -> None:
        """Switch it off and on: settings as delivered, no zero."""
        self.diode.wavelength_nm, self.diode.averages, self.diode.range_w = 633.0, 1, None
        self._zeroing: Callable[[], None] | None = None
        self._unit, self._filtered = "W", False
        self._errors: deque[tuple[int, str]] = deque()
        self._event_status = 0
        self._last_w = NO_READING
        self.diode.lose_zero()

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_over_range(self) -> None:
        """Show over range whatever the light, until cleared."""
        self.diode.saturated = True

    def fault_unplug_sensor(self) -> None:
        """Pull the sensor off until cleared."""
        self._unplugged = True

    def fault_lose_zero(self) -> None:
        """Forget the zero, as after a change of temperature."""
        self.diode.lose_zero()

    def clear_faults(self) -> None:
        """Plug it in again."""
        self._unplugged = self.diode.saturated = False

    def carry_out(self, line: str, reply: Callable[[str], None]) -> None:
        """Do one command and reply to a question, when the answer is there."""
        head, _, argument = line.strip().partition(" ")
        name, argument = _canonical(head), argument.strip()
        try:
            if name in ("READ?", "MEAS:POW?", "MEAS?"):
                self._read(reply)
                return
            answer = self._command(name, argument)
        except _RefusedError as refusal:
            self._errors.append(refusal.error)
            self._event_status |= _COMMAND_ERROR
            return
        if answer is not None:
            reply(answer)

    def _read(self, reply: Callable[[str], None]) -> None:
        def finish() -> None:
            self._last_w = self._reading_w()
            reply(_number(self._last_w))

        self.world.after(self.diode.averaging_s, finish)

    def _reading_w(self) -> float:
        return self.diode.reading_w() if self._sensor() else NO_READING

    def _sensor(self) -> str:
        return "" if self._unplugged else str(self.truth["sensor"])

    def _command(self, name: str, argument: str) -> Answer:
        known = {**self._common(), **self._sensing(), **self._measuring()}
        if name not in known:
            raise _RefusedError(_UNDEFINED)
        return known[name](argument)

    def _common(self) -> Mapping[str, Callable[[str], Answer]]:
        return {
            "*IDN?": lambda _: f"Thorlabs,PM100D,{self.truth['serial']},2.4.0",
            "*RST": lambda _: self.reset(),
            "*CLS": lambda _: self._clear(),
            "*OPC?": lambda _: "1",
            "*ESR?": lambda _: self._take_status(),
            "SYST:ERR?": lambda _: self._take_error(),
            "SYST:SENS:IDN?": lambda _: self._describe_sensor(),
        }

    def _sensing(self) -> Mapping[str, Callable[[str], Answer]]:
        return {
            "SENS:CORR:WAV?": self._tell_wavelength,
            "SENS:CORR:WAV": self._set_wavelength,
            "SENS:POW:RANG?": self._tell_range,
            "SENS:POW:RANG": self._set_range,
            "SENS:POW:RANG:AUTO?": lambda _: str(int(self.diode.range_w is None)),
            "SENS:POW:RANG:AUTO": self._set_auto,
            "SENS:POW:UNIT?": lambda _: self._unit,
            "SENS:POW:UNIT": self._set_unit,
            "SENS:AVER:COUN?": lambda _: str(self.diode.averages),
            "SENS:AVER:COUN": self._set_averages,
            "SENS:CORR:COLL:ZERO:INIT": lambda _: self._start_zero(),
            "SENS:CORR:COLL:ZERO": lambda _: self._start_zero(),
            "SENS:CORR:COLL:ZERO:STAT?": lambda _: str(int(self._zeroing is not None)),
            "INP:PDI:FILT:LPAS:STAT?": lambda _: str(int(self._filtered)),
            "INP:FILT?": lambda _: str(int(self._filtered)),
            "INP:FILT": self._set_filter,
        }

    def _measuring(self) -> Mapping[str, Callable[[str], Answer]]:
        return {
            "INIT": lambda _: None,
            "CONF": lambda _: None,
            "CONF:POW": lambda _: None,
            "CONF?": lambda _: "POW",
            "FETC?": lambda _: _number(self._last_w),
            "MEAS:CURR?": lambda _: _number(self.diode.current_a()),
        }

    def _clear(self) -> None:
        self._errors.clear()
        self._event_status = 0

    def _take_status(self) -> str:
        status, self._event_status = self._event_status, 0
        return str(status)

    def _take_error(self) -> str:
        code, text = self._errors.popleft() if self._errors else (0, "No error")
        return f'{code:+d},"{text}"'

    def _describe_sensor(self) -> str:
        # Power, response settable, wavelength settable, temperature sensor.
        name = self._sensor()
        return f"{name},12345,10-Jan-2023,1,18,{1 | 16 | 32 | 256}" if name else "no sensor,,,0,0,0"

    def _tell_wavelength(self, argument: str) -> str:
        known = {"": self.diode.wavelength_nm, "MIN": self._low_nm, "MAX": self._high_nm}
        return _number(_one_of(known, argument))

    @property
    def _low_nm(self) -> float:
        return float(self.truth["shortest_nm"])

    @property
    def _high_nm(self) -> float:
        return float(self.truth["longest_nm"])

    def _set_wavelength(self, argument: str) -> None:
        wanted_nm = _float(argument)
        if not self._low_nm <= wanted_nm <= self._high_nm:
            raise _RefusedError(_BAD_VALUE)
        # The meter keeps whole nanometres.
        self.diode.wavelength_nm = float(round(wanted_nm))

    def _tell_range(self, argument: str) -> str:
        ends = self.diode.ranges_w()
        known = {"": self.diode.range_in_use_w(), "MIN": ends[-1], "MAX": ends[0]}
        return _number(_one_of(known, argument))

    def _set_range(self, argument: str) -> None:
        if not self.diode.choose_range(_float(argument)):
            raise _RefusedError(_BAD_VALUE)

    def _set_auto(self, argument: str) -> None:
        wanted = _flag(argument)
        self.diode.range_w = None if wanted else self.diode.range_in_use_w()

    def _set_unit(self, argument: str) -> None:
        if argument.upper() not in ("W", "DBM"):
            raise _RefusedError(_BAD_VALUE)
        self._unit = argument.upper()

    def _set_averages(self, argument: str) -> None:
        count = int(_float(argument))
        if not 1 <= count <= _MOST_AVERAGES:
            raise _RefusedError(_BAD_VALUE)
        self.diode.averages = count

    def _set_filter(self, argument: str) -> None:
        self._filtered = _flag(argument)

    def _start_zero(self) -> None:
        def finish() -> None:
            self._zeroing = None
            self.diode.zero()

        if self._zeroing is not None:
            self._zeroing()
        self._zeroing = self.world.after(float(self.truth["zero_time_s"]), finish)


class _Session:
    """One client: whole lines are commands."""

    def __init__(self, device: Pm100d, send: Send) -> None:
        self._device, self._send = device, send
        self._partial = b""

    def receive(self, data: bytes) -> None:
        """Carry out whole lines; several commands may stand in one, between semicolons."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            for command in line.decode("ascii", "replace").split(";"):
                if command.strip():
                    self._device.carry_out(command, self._reply)

    def closed(self) -> None:
        """Nothing is kept for a client."""
        self._partial = b""

    def _reply(self, text: str) -> None:
        self._send(f"{text}\r\n".encode("ascii"))


def _canonical(head: str) -> str:
    """Return a header in short upper-case keywords, without the leading colon."""
    question = "?" if head.endswith("?") else ""
    words = head.upper().removesuffix("?").removeprefix(":").split(":")
    return ":".join(_SHORT.get(word, word) for word in words) + question


def _number(value: float) -> str:
    return f"{value:.8E}"


def _float(argument: str) -> float:
    if not argument:
        raise _RefusedError(_NO_PARAMETER)
    try:
        return float(argument)
    except ValueError as error:
        raise _RefusedError(_NOT_NUMERIC) from error


def _flag(argument: str) -> bool:
    words = {"0": False, "OFF": False, "1": True, "ON": True}
    if argument.upper() not in words:
        raise _RefusedError(_BAD_VALUE)
    return words[argument.upper()]


def _one_of(known: Mapping[str, float], argument: str) -> float:
    if argument.upper() not in known:
        raise _RefusedError(_BAD_VALUE)
    return known[argument.upper()]
