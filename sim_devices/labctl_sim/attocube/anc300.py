"""attocube ANC300: text console with login, echo and prompt; no position read-out.

Console, texts and quirks: ANC300 manual as shown by pylablib, PyMeasure and the QCoDeS driver. The
text of a failed login and the prompt after it are assumed.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from labctl_sim.attocube._anc300_axis import AxisModule, ConsoleError
from labctl_sim.attocube._anc300_words import Words
from labctl_sim.attocube._stage import AXES, STAGE_DEFAULTS, StageFaults, stage_axes
from labctl_sim.wire import Send, Session
from labctl_sim.world import World

__all__ = ["Anc300"]

_BANNER = b"\xff\xfb\x01\xff\xfb\x03attocube ANC300 console\r\nAuthorization code: "
_VERSIONS = [
    "attocube ANC300 controller version 1.1.0-1304 2013-10-17 08:16",
    "ANC150 compatibillity console",
]


class Anc300(StageFaults):
    """The controller with three modules, which drive the axes x, y and z.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; not used.
        truth: What differs from ``truth_defaults``; an empty ``password``: no login, as on a
            serial line. ``modules`` are the kinds of those of x, y and z.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **STAGE_DEFAULTS,
        "password": "123456",
        "modules": "ANM300 ANM300 ANM300",
        "x_number": 1,
        "y_number": 2,
        "z_number": 3,
        "offset_word": "off",
        "two_line_version": True,
        "verbose_serials": False,
        "trigger_licence": True,
        "stray_newlines": True,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self.piezos = stage_axes(world, name, self.truth)
        kinds = str(self.truth["modules"]).split()
        self._modules = {
            int(self.truth[f"{axis}_number"]): AxisModule(world, kind, axis, self.piezos[axis])
            for axis, kind in zip(AXES, kinds, strict=True)
        }
        self._numbers = {axis: int(self.truth[f"{axis}_number"]) for axis in AXES}
        self._wrong: set[int] = set()
        self._by_hand = False
        self.offset_word = str(self.truth["offset_word"])
        self.verbose = bool(self.truth["verbose_serials"])
        self.words = Words(self)

    @classmethod
    def truth_problems(
        cls, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Tell which truths cannot be."""
        kinds = str(truth.get("modules", cls.truth_defaults["modules"])).split()
        known = ("ANM150", "ANM200", "ANM300")
        if len(kinds) == len(AXES) and all(kind in known for kind in kinds):
            return []
        return [("modules", f"must be three of {', '.join(known)}, for x, y and z")]

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def module(self, number: int) -> AxisModule:
        """Give the module in a slot."""
        if number not in self._modules or number in self._wrong:
            raise ConsoleError("Wrong axis type")
        if self._by_hand:
            raise ConsoleError("Axis not in computer control mode")
        return self._modules[number]

    def set_output(self, number: str, *, high: bool) -> None:
        """Put a trigger output on a level; outputs are a feature that is bought."""
        if not self.truth["trigger_licence"]:
            raise ConsoleError("Unknown command")
        self.world.lines.set(f"{self.name}.{number}", high)

    def controller_serial(self) -> str:
        """Give the serial number of the controller."""
        return "ANC300B-C-1514-3006076"

    def module_serial(self, number: int) -> str:
        """Give the serial number of a module."""
        return f"{self.module(number).kind}A-M-1545-30100{44 + number}"

    def versions(self) -> list[str]:
        """Give one line, or two as some firmware does."""
        return _VERSIONS if self.truth["two_line_version"] else _VERSIONS[:1]

    def fault_wrong_axis_type(self, axis: str = "x") -> None:
        """Let the slot of an axis answer as if it were empty, until cleared."""
        self._piezo(axis)
        self._wrong.add(self._numbers[axis])

    def fault_front_switch(self) -> None:
        """Switch the modules to manual control at their front, until cleared."""
        self._by_hand = True

    def clear_faults(self) -> None:
        """End all faults; a damaged piezo stays damaged."""
        self.heal()
        self._wrong.clear()
        self._by_hand = False

    def reset(self) -> None:
        """Lose power for a moment: all axes grounded, default numbers."""
        for module in self._modules.values():
            module.reset()


class _Session:
    """One client: login, then a line for a line; a command that waits holds up those behind it."""

    def __init__(self, device: Anc300, send: Send) -> None:
        self._device, self._send = device, send
        self._password = str(device.truth["password"])
        self._inside = not self._password
        self._echo, self._waiting, self._gone = True, False, False
        self._partial, self._lines = bytearray(), list[str]()
        if not self._inside:
            send(_BANNER)

    def receive(self, data: bytes) -> None:
        """Take whole lines."""
        self._partial += data
        *lines, rest = bytes(self._partial).replace(b"\r", b"\n").split(b"\n")
        self._partial = bytearray(rest)
        self._lines += [line.decode("ascii", "replace").strip() for line in lines]
        self._go_on()

    def closed(self) -> None:
        """Nothing is kept for a client."""
        self._gone = True

    def _go_on(self) -> None:
        while self._lines and not self._waiting:
            line = self._lines.pop(0)
            if not self._inside:
                self._log_in(line)
            elif line:
                self._carry_out(line)

    def _log_in(self, line: str) -> None:
        if not line:
            return
        self._inside = line == self._password
        verdict = "Authorization success\r\n> "
        if not self._inside:
            verdict = "Authorization failed\r\nAuthorization code: "
        self._send(f"{'*' * len(line)}\r\n{verdict}".encode("ascii"))

    def _carry_out(self, line: str) -> None:
        if self._echo:
            self._send(f"{line}\r\n".encode("ascii", "replace"))
        try:
            if line in ("echo on", "echo off"):
                self._echo = line == "echo on"
                self._reply([])
                return
            axis = self._device.words.waits_for(line)
            if axis is None:
                self._reply(self._device.words.answer(line))
                return
            self._waiting = True
            axis.when_idle(lambda: self._end_wait(line))
        except ConsoleError as refusal:
            self._waiting = False
            self._reply([str(refusal)], "ERROR")

    def _end_wait(self, line: str) -> None:
        self._waiting = False
        if not self._gone:
            self._reply(self._device.words.after_waiting(line))
            self._go_on()

    def _reply(self, lines: list[str], verdict: str = "OK") -> None:
        stray = "\n" if self._device.truth["stray_newlines"] else ""
        text = "".join(f"{line}\r\n{stray if '= ' in line else ''}" for line in lines)
        self._send(f"{text}{verdict}\r\n{'> ' if self._echo else ''}".encode("ascii"))
