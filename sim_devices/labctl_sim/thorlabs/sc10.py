"""Thorlabs SC10 shutter controller: serial text with echo and prompt.

Commands: SC10 manual as shown by InstrumentKit's driver; the text for unknown commands is that of
the sister instrument FW102C, which is assumed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.thorlabs._blade import Blade
from labctl_sim.wire import Send, SerialLine, Session
from labctl_sim.world import World

_IDENTITY = "THORLABS SC10 VERSION 1.07"
_NOT_DEFINED = "Command error CMD_NOT_DEFINED"
_DEFAULTS: Mapping[str, int] = {
    "mode": 1,
    "open": 200,
    "shut": 200,
    "rep": 1,
    "trig": 0,
    "xto": 0,
    "baud": 0,
}
_RANGES: Mapping[str, tuple[int, int]] = {
    "mode": (1, 5),
    "open": (0, 999999),
    "shut": (0, 999999),
    "rep": (1, 99),
    "trig": (0, 1),
    "xto": (0, 1),
    "baud": (0, 1),
}
_SETTER = re.compile(r"([a-z]+)=(\d{1,6})")
_DETECTORS = "detectors."
_MANUAL, _AUTO, _SINGLE, _REPEAT = 1, 2, 3, 4


class Sc10:
    """The controller with one shutter.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; not used.
        truth: What differs from ``truth_defaults``; ``blocks`` says where the shutter stands:
            "excitation", "detectors" (in front of all of them) or the name of one detector.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "baud": 9600,
        "open_time_s": 0.010,
        "close_time_s": 0.010,
        "blocks": "excitation",
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name = name
        self.world = world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self.blade = Blade(
            world,
            blocks=str(self.truth["blocks"]),
            open_time_s=float(self.truth["open_time_s"]),
            close_time_s=float(self.truth["close_time_s"]),
        )
        self._enabled = False
        self._tripped = False
        self._refusals = 0
        self._numbers = dict(_DEFAULTS)
        self._cancel: Callable[[], None] | None = None

    @classmethod
    def rig_problems(
        cls, simulators: Mapping[str, str], truth: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Tell which truths cannot be among these instruments (name to simulator's name)."""
        blocks = str({**cls.truth_defaults, **truth}["blocks"])
        there = [name for name, kind in simulators.items() if kind.startswith(_DETECTORS)]
        known = ["excitation", "detectors", *there]
        if blocks in known:
            return []
        return [("blocks", f"there is no detector {blocks!r}; there are {', '.join(known)}")]

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        return _Session(self, send)

    def fault_stuck(self) -> None:
        """Leave the blade where it is until cleared; ``ens?`` and ``closed?`` then differ."""
        self.blade.stuck = True

    def fault_interlock(self) -> None:
        """Trip the interlock until cleared: the shutter closes and cannot be enabled."""
        self._tripped = True
        self._disable()

    def fault_refuse(self, times: int = 1) -> None:
        """Answer the next commands as not defined."""
        self._refusals += times

    def clear_faults(self) -> None:
        """End all faults; the shutter stays as it is."""
        self.blade.stuck = self._tripped = False
        self._refusals = 0

    def reset(self) -> None:
        """Lose power for a moment: closed, default settings."""
        self._disable()
        self._numbers = dict(_DEFAULTS)

    def answer(self, command: str) -> str | None:
        """Carry out a command; None when it has no value to tell."""
        if self._refusals:
            self._refusals -= 1
            return _NOT_DEFINED
        if command.endswith("?"):
            return self._asked(command.removesuffix("?"))
        setter = _SETTER.fullmatch(command)
        if setter is not None:
            return self._set(setter[1], int(setter[2]))
        if command == "ens":
            self._toggle()
        elif command == "default":
            self._numbers = dict(_DEFAULTS)
        elif command not in {"save", "savp", "resp"}:
            return _NOT_DEFINED
        return None

    def _asked(self, name: str) -> str:
        states = {
            "id": _IDENTITY,
            "ens": str(int(self._enabled)),
            "closed": str(int(not self.blade.is_open)),
            "interlock": str(int(self._tripped)),
        }
        if name in self._numbers:
            return str(self._numbers[name])
        return states.get(name, _NOT_DEFINED)

    def _set(self, name: str, value: int) -> str | None:
        if name not in _RANGES:
            return _NOT_DEFINED
        low, high = _RANGES[name]
        if not low <= value <= high:
            return "Command error CMD_ARG_INVALID"
        self._numbers[name] = value
        return None

    def _toggle(self) -> None:
        if self._enabled:
            self._disable()
        elif not self._tripped:
            self._enabled = True
            self._begin()

    def _begin(self) -> None:
        """Open as the mode says; in external-gate mode nothing drives the gate."""
        mode = self._numbers["mode"]
        if mode == _MANUAL:
            self.blade.order(is_open=True)
        elif mode == _SINGLE:
            self._pulse(1)
        elif mode == _REPEAT:
            self._pulse(self._numbers["rep"])
        elif mode == _AUTO:
            self._pulse(None)

    def _pulse(self, left: int | None) -> None:
        """Open and close again; None for without end."""
        self.blade.order(is_open=True)
        self._later("open", lambda: self._pause(left))

    def _pause(self, left: int | None) -> None:
        self.blade.order(is_open=False)
        left = None if left is None else left - 1
        if left == 0:
            self._enabled, self._cancel = False, None
        else:
            self._later("shut", lambda: self._pulse(left))

    def _later(self, which: str, action: Callable[[], None]) -> None:
        self._cancel = self.world.after(self._numbers[which] / 1000.0, action)

    def _disable(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        self._enabled = False
        self.blade.order(is_open=False)


class _Session:
    """One client: every character comes back, then the value and the prompt."""

    def __init__(self, device: Sc10, send: Send) -> None:
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
            value = self._device.answer(command) if command else None
            self._line.transmit(f"{'' if value is None else value + chr(13)}> ".encode("ascii"))

    def closed(self) -> None:
        """Nothing is kept for a client."""
        self._partial.clear()
