"""Thorlabs FW102C filter wheel: serial text with echo and prompt.

Commands: FW102C manual as shown by pyLabLib's driver. Times are assumed.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from labctl_sim.thorlabs._carried import Carried, carried_problems
from labctl_sim.wire import Send, SerialLine, Session
from labctl_sim.world import World

_IDENTITY = "THORLABS FW102C/FW212C Filter Wheel version 1.07"
_NOT_DEFINED = "Command error CMD_NOT_DEFINED"
_INVALID = "Command error CMD_ARG_INVALID"
_FLAGS = ("speed", "sensors", "trig", "baud")
_SETTER = re.compile(r"([a-z]+)=(\d{1,3})")


class Fw102c:
    """A wheel; it turns position by position, the shorter way round.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; ``positions`` is used.
        truth: What differs from ``truth_defaults``. ``carries`` is the true optical density in
            each position (or ``nothing``), ``acts_on`` the path: ``excitation``, ``detection`` or
            ``nothing``; ``step_time_s`` the time from one position to the next at high speed.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "carries": "0, 0.52, 1.04, 2.06, 3.09, 4.15",
        "acts_on": "excitation",
        "step_time_s": 0.4,
        "slow_factor": 3.0,
        "stands_at_number": 1,
        "baud": 115200,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        carries = str(self.truth["carries"])
        self._count = len(carries.split(","))
        acts_on = str(self.truth["acts_on"])
        names = [str(one) for one in settings.get("positions") or ()]
        self._carried = Carried(name, world, carries=carries, acts_on=acts_on, names=names)
        self._position = min(max(int(self.truth["stands_at_number"]), 1), self._count)
        self._numbers = {"speed": 1, "sensors": 1, "trig": 0, "baud": 1}
        self._stuck, self._refusals = False, 0
        self._turning = False
        self._waiting: deque[tuple[str, Callable[[str | None], None]]] = deque()
        self._carried.stand(self._position - 1)

    @classmethod
    def truth_problems(
        cls, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Tell which truths cannot be."""
        whole = {**cls.truth_defaults, **truth}
        positions: Sequence[Any] | None = settings.get("positions")
        count = len(positions) if positions and "carries" in truth else None
        return carried_problems(str(whole["carries"]), str(whole["acts_on"]), count)

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_stick(self) -> None:
        """Stay where it is until cleared, and answer all the same."""
        self._stuck = True

    def fault_refuse(self, times: int = 1) -> None:
        """Answer the next commands as not defined."""
        self._refusals += times

    def clear_faults(self) -> None:
        """End all faults; the wheel stays where it is."""
        self._stuck, self._refusals = False, 0

    def answer(self, command: str, reply: Callable[[str | None], None]) -> None:
        """Carry out a command; what comes while the wheel turns waits until it stands."""
        self._waiting.append((command, reply))
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and not self._turning:
            self._carry_out(*self._waiting.popleft())

    def _carry_out(self, command: str, reply: Callable[[str | None], None]) -> None:
        setter = _SETTER.fullmatch(command)
        if self._refusals:
            self._refusals -= 1
            reply(_NOT_DEFINED)
        elif setter is not None and setter[1] == "pos":
            self._turn_to(int(setter[2]), reply)
        elif setter is not None:
            reply(self._set(setter[1], int(setter[2])))
        elif command.endswith("?"):
            reply(self._asked(command.removesuffix("?")))
        else:
            reply(None if command == "save" else _NOT_DEFINED)

    def _asked(self, name: str) -> str:
        known = {"*idn": _IDENTITY, "pos": str(self._position), "pcount": str(self._count)}
        known |= {key: str(value) for key, value in self._numbers.items()}
        return known.get(name, _NOT_DEFINED)

    def _set(self, name: str, value: int) -> str | None:
        if name == "pcount":
            # The wheel is what it is; the controller takes 6 or 12 without complaint.
            return None if value in (6, 12) else _INVALID
        if name not in _FLAGS:
            return _NOT_DEFINED
        if value not in (0, 1):
            return _INVALID
        self._numbers[name] = value
        return None

    def _turn_to(self, wanted: int, reply: Callable[[str | None], None]) -> None:
        if not 1 <= wanted <= self._count:
            reply(_INVALID)
            return
        self._turning = wanted != self._position and not self._stuck
        if not self._turning:
            reply(None)
            return
        ahead = (wanted - self._position) % self._count
        step = 1 if 2 * ahead <= self._count else -1
        each_s = float(self.truth["step_time_s"])
        each_s *= 1.0 if self._numbers["speed"] else float(self.truth["slow_factor"])

        def arrive() -> None:
            self._position = (self._position - 1 + step) % self._count + 1
            self._carried.stand(self._position - 1)
            self._turn_to(wanted, reply)
            self._go_on()

        self.world.after(each_s, arrive)


class _Session:
    """One client: every character comes back, then the value and the prompt."""

    def __init__(self, device: Fw102c, send: Send) -> None:
        self._device = device
        self._line = SerialLine(device.world, send, int(device.truth["baud"]))
        self._partial = bytearray()

    def receive(self, data: bytes) -> None:
        """Echo; answer whole commands."""
        for piece in data.splitlines(keepends=True):
            self._line.transmit(piece)
            self._partial += piece
            if not piece.endswith((b"\r", b"\n")):
                continue
            command = self._partial.strip().decode("ascii", "replace")
            self._partial.clear()
            if command:
                self._device.answer(command, self._reply)
            else:
                self._reply(None)

    def closed(self) -> None:
        """Nothing is kept for a client."""
        self._partial.clear()

    def _reply(self, value: str | None) -> None:
        self._line.transmit(f"{'' if value is None else value + chr(13)}> ".encode("ascii"))
