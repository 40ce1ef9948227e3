"""One axis module of an ANC300 with the piezo behind it."""

from collections.abc import Callable

from labctl_sim.attocube._stage import capacitance_nf
from labctl_sim.world import PiezoAxis, World

__all__ = ["AxisModule", "ConsoleError"]

_STEPPING = ("stp", "stp+", "stp-")
_OFFSET = ("off", "stp+", "stp-")
_LARGEST_V = 150.0
_CAPACITANCE_S = 1.0
_LARGEST_HZ = 10_000
_ABLE = {"ANM150": (True, False), "ANM200": (False, True), "ANM300": (True, True)}
"""Whether a module steps, and whether it offsets."""


class ConsoleError(Exception):
    """The text line before ``ERROR``."""


class AxisModule:
    """A plug-in module; without a piezo its output leads nowhere.

    Attributes:
        kind: First six characters of its serial number.
        mode: What it does: ``gnd``, ``stp``, ``off`` …
        settings: Numbers and words that are only kept.
    """

    def __init__(self, world: World, kind: str, axis: str, piezo: PiezoAxis) -> None:
        self._world, self._axis, self._piezo = world, axis, piezo
        self.kind = kind
        self._waiters: list[Callable[[], None]] = []
        self._measuring = 0
        self.reset()

    def reset(self) -> None:
        """Power on: grounded, default numbers."""
        self._piezo.halt()
        self._piezo.offset(0.0)
        self.mode, self.hertz, self.volts, self.offset_v = "gnd", 1000, 30.0, 0.0
        self.capacitance_nf: float | None = None
        self.stepping_v = 0.0
        self._wake()
        self.settings: dict[str, str] = {
            **{"aci": "off", "dci": "off", "fil": "16" if self.kind == "ANM200" else "off"},
            **{"tu": "off", "td": "off"},
        }
        self.patterns = {"u": list(range(256)), "d": list(range(255, -1, -1))}

    def set_mode(self, mode: str) -> None:
        """Change the mode; steps end."""
        steps, offsets = _ABLE[self.kind]
        if (mode in _STEPPING and not steps) or (mode in _OFFSET and not offsets):
            raise ConsoleError("Wrong axis type")
        self._halt()
        self.mode = mode
        if mode == "cap":
            self._measure()
        self._drive()

    def set_volts(self, volts: float) -> None:
        """Set the step amplitude."""
        self.volts = _within(volts, 0.0, _LARGEST_V)

    def set_hertz(self, hertz: float) -> None:
        """Set the step rate."""
        self.hertz = int(_within(hertz, 1, _LARGEST_HZ))

    def set_offset(self, volts: float) -> None:
        """Set the offset; it is on the piezo in the modes that offset."""
        if not _ABLE[self.kind][1]:
            raise ConsoleError("Wrong axis type")
        self.offset_v = _within(volts, 0.0, _LARGEST_V)
        self._drive()

    def step(self, sign: int, steps: int | None) -> None:
        """Start steps; None: on and on."""
        if not _ABLE[self.kind][0]:
            raise ConsoleError("Wrong axis type")
        if self.mode not in _STEPPING:
            raise ConsoleError("Axis in wrong mode")
        if steps == 0:
            return
        self._halt()
        self.stepping_v = self.volts
        self._piezo.step(steps, self.volts, float(self.hertz), sign, self._halt)

    def stop(self) -> None:
        """End steps."""
        self._halt()

    def output_v(self) -> float:
        """Voltage now; a middle value of the sawtooth while it steps."""
        offset_v = self.offset_v if self.mode in _OFFSET else 0.0
        return offset_v + 0.5 * self.stepping_v * (-1.0 if self.mode == "stp-" else 1.0)

    def when_idle(self, action: Callable[[], None]) -> None:
        """Do something once steps and measurement have ended."""
        if self.stepping_v or self._measuring:
            self._waiters.append(action)
        else:
            action()

    def _measure(self) -> None:
        self._measuring += 1

        def done() -> None:
            self._measuring -= 1
            self.capacitance_nf = capacitance_nf(self._world, self._axis)
            if self.mode == "cap":
                self.mode = "gnd"
            self._wake()

        self._world.after(_CAPACITANCE_S, done)

    def _drive(self) -> None:
        self._piezo.offset(self.offset_v if self.mode in _OFFSET else 0.0)

    def _halt(self) -> None:
        self._piezo.halt()
        self.stepping_v = 0.0
        self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for action in waiters:
            self.when_idle(action)


def _within(value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise ConsoleError("Value out of range")
    return value
