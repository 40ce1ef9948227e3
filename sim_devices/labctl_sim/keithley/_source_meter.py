"""Source-meter before its words: level, limit, output, readings, and what can go wrong."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from labctl_sim.keithley._device import DEVICE_DEFAULTS, Electrodes
from labctl_sim.keithley._scpi import Handler, Scpi, ScpiError, flag, number
from labctl_sim.wire import Send, SerialLine, Session
from labctl_sim.world import World

NO_VALUE, OVERFLOW = 9.91e37, 9.9e37
_INTERLOCK = ScpiError(802, "OUTPUT blocked by interlock")


class SourceMeter(ABC):
    """The electronics of a Keithley source-meter.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; not used.
        truth: What differs from ``truth_defaults``.
    """

    interface: ClassVar[str] = "stream"
    largest_v: ClassVar[float] = 210.0
    smallest_a: ClassVar[float] = 1e-9
    identity_text: ClassVar[str]
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **DEVICE_DEFAULTS,
        "serial_number": "1234567",
        "baud": 0,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self.electrodes = Electrodes(world, self.truth)
        self._interlock_open = self._over = False
        self._refusals = 0
        self.power_up()
        self.scpi = Scpi({**self._common(), **self.words()})

    def power_up(self) -> None:
        """Take the values after ``*RST``: 0 V, 105 uA, output off."""
        self.level_v, self.limit_a = 0.0, 105e-6
        self.on = self.limited = False
        self.function = "VOLT"
        self.nplc = 1.0
        self.show()

    @abstractmethod
    def words(self) -> dict[str, Handler]:
        """Give the commands of this model."""

    @abstractmethod
    def error_text(self, error: ScpiError | None) -> str:
        """Give an entry of the error queue, None for no error, in this model's words."""

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_short(self, ohm: float = 1e6) -> None:
        """Short the electrodes until cleared: the limit of current is reached at once."""
        self.electrodes.short_ohm = ohm
        self.show()

    def fault_interlock(self) -> None:
        """Open the interlock until cleared: the output goes off and stays off."""
        self._interlock_open, self.on = True, False
        self.show()

    def fault_over_range(self) -> None:
        """Read currents that are beyond the range until cleared."""
        self._over = True

    def fault_refuse(self, times: int = 1) -> None:
        """Refuse the next changes of level, limit or output."""
        self._refusals += times

    def clear_faults(self) -> None:
        """End all faults; the output stays as it is."""
        self._interlock_open = self._over = False
        self._refusals = 0
        self.electrodes.short_ohm = None
        self.show()

    def reset(self) -> None:
        """Lose power for a moment."""
        self.power_up()
        self.scpi.errors.clear()

    def show(self) -> None:
        """Let the world feel what the output gives."""
        volts = self.level_v if self.on and self.function == "VOLT" else 0.0
        self.limited = self.electrodes.apply(volts, self.limit_a)

    def set_level(self, text: str) -> None:
        """Set the programmed voltage."""
        self._may_change()
        self.level_v = number(text, -self.largest_v, self.largest_v)
        self.show()

    def set_limit(self, text: str) -> None:
        """Set the limit of current."""
        self._may_change()
        self.limit_a = number(text, self.smallest_a, 1.05)
        self.show()

    def set_output(self, text: str) -> None:
        """Switch the output."""
        self._may_change()
        on = flag(text)
        if on and self._interlock_open:
            raise _INTERLOCK
        self.on = on
        self.show()

    def set_function(self, text: str) -> None:
        """Choose what is sourced; a change switches the output off."""
        function = text.upper()[:4]
        if function not in ("VOLT", "CURR"):
            raise ScpiError(-224, "Illegal parameter value")
        self.on = self.on and function == self.function
        self.function = function
        self.show()

    def set_nplc(self, text: str) -> None:
        """Set the duration of a reading."""
        self.nplc = number(text, 0.01, 10.0)

    def volts(self) -> float:
        """Measure the voltage."""
        return self.electrodes.volts + self._noise("voltage", float(self.truth["voltage_noise_v"]))

    def amperes(self) -> float:
        """Measure the current."""
        if self._over:
            return OVERFLOW
        noise_a = 1e-9 * float(self.truth["current_noise_na"])
        return self.electrodes.current_a(self.electrodes.volts) + self._noise("current", noise_a)

    def over(self) -> bool:
        """Whether the current is beyond the range."""
        return self._over

    def _may_change(self) -> None:
        if self._refusals:
            self._refusals -= 1
            raise ScpiError(-221, "Settings conflict")

    def _noise(self, what: str, sd: float) -> float:
        """Noise belongs to the moment, not to the question; a longer reading has less of it."""
        since_us = round(1e6 * (self.world.now() - self.world.point_began_s))
        drawn = self.world.generator(self.name, what, since_us).standard_normal()
        return float(drawn) * sd / self.nplc**0.5

    def _common(self) -> dict[str, Handler]:
        return {
            "*IDN?": lambda _: self.identity_text.format(self.truth["serial_number"]),
            "*RST": lambda _: self.power_up(),
            "*CLS": lambda _: self.scpi.errors.clear(),
            "*OPC?": lambda _: "1",
            "*ESR?": lambda _: "0",
            "*STB?": lambda _: "0",
            "STATus:PRESet": lambda _: None,
            "SYSTem:ERRor[:NEXT]?": lambda _: self._next_error(),
            "SOURce[1]:FUNCtion[:MODE]": self.set_function,
            "SOURce[1]:FUNCtion[:MODE]?": lambda _: self.function,
            "SOURce[1]:VOLTage[:LEVel][:IMMediate][:AMPLitude]": self.set_level,
            "OUTPut[1][:STATe]": self.set_output,
            "OUTPut[1][:STATe]?": lambda _: str(int(self.on)),
            "[SENSe[1]:]CURRent[:DC]:NPLCycles": self.set_nplc,
        }

    def _next_error(self) -> str:
        return self.error_text(self.scpi.errors.popleft() if self.scpi.errors else None)


class _Session:
    """One client: lines in, answers out."""

    def __init__(self, device: SourceMeter, send: Send) -> None:
        self._device = device
        self._line = SerialLine(device.world, send, int(device.truth["baud"]))
        self._partial = b""

    def receive(self, data: bytes) -> None:
        """Carry out whole lines."""
        *lines, self._partial = (self._partial + data.replace(b"\r", b"\n")).split(b"\n")
        for line in lines:
            answer = self._device.scpi.run(line.decode("ascii", "replace"))
            if answer is not None:
                self._line.transmit(f"{answer}\n".encode("ascii"))

    def closed(self) -> None:
        """Nothing is kept for a client."""
        self._partial = b""
