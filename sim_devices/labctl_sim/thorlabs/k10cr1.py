"""Thorlabs K10CR1 rotation mount: APT messages.

Messages: Thorlabs APT communications protocol, as pyLabLib and QMI use it. Scales of position,
velocity and acceleration are those of the protocol's appendix for this mount.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from labctl_sim.thorlabs._apt import AptSession, long_message, short_message
from labctl_sim.thorlabs._ring import RING_TRUTH, Ring
from labctl_sim.wire import Send, Session
from labctl_sim.world import World

_STEPS_PER_DEG, _SPEED, _RATE = 409600 / 3, 7329109, 1502
_UP, _DOWN, _HOMING, _HOMED, _ERROR = 0x10, 0x20, 0x200, 0x400, 0x4000
_ENABLED = 0x80000000
_SEARCH_S, _GIVES_UP_S = 1.0, 1.0
_PARAMETERS: Mapping[int, tuple[int, int, bytes]] = {
    0x0415: (0x0413, 0x0414, struct.pack("<Hiii", 1, 0, 20 * _RATE, 10 * _SPEED)),
    0x0418: (
        *(0x0416, 0x0417),
        struct.pack("<HHiiiiH", 1, 2, 5 * 136533, 0, 20 * _RATE, 10 * _SPEED, 2),
    ),
    0x0425: (0x0423, 0x0424, struct.pack("<HHHiiH", 1, 4, 1, 0, 0, 1)),
    0x043C: (0x043A, 0x043B, struct.pack("<Hi", 1, 136533)),
    0x0442: (0x0440, 0x0441, struct.pack("<HHHii", 1, 2, 1, 5 * _SPEED, 4 * 136533)),
}
"""Answer → message that sets it, message that asks for it, value: velocity, jog, limit switch,
distance against backlash, home."""


class K10cr1:
    """The mount.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; not used.
        truth: What differs from ``truth_defaults``. ``tells_end_of_move``: the unit sends "home
            found", "move completed" and "stopped" by itself.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        **RING_TRUTH,
        "jitter_deg": 0.0005,
        "zero_offset_deg": -2.3,
        "serial_number": 55001234,
        "tells_end_of_move": True,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        self.ring = Ring(world, name, self.truth, speed_deg_s=10.0, acceleration_deg_s2=20.0)
        self._values = {answer: value for answer, (_, _, value) in _PARAMETERS.items()}
        self._sends: list[Send] = []
        self._enabled, self._homing, self._up, self._failed = True, False, False, False
        self._cancel: Callable[[], None] | None = None

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        self._sends.append(send)
        return AptSession(self.take, send, self._sends.remove)

    def fault_stick(self) -> None:
        """Hold the ring until cleared: moves end with a motion error."""
        self.ring.stuck = True

    def clear_faults(self) -> None:
        """Free the ring."""
        self.ring.stuck = self._failed = False

    def reset(self) -> None:
        """Lose power for a moment: the home is lost, too."""
        self._settle()
        self.ring.switch_on()

    def take(self, number: int, first: int, second: int, data: bytes) -> bytes:
        """Carry out a message; gives the answer, empty if there is none."""
        match number:
            case 0x0005:
                return long_message(0x0006, self._hardware())
            case 0x0210:
                self._enabled = second == 1
            case 0x0211:
                return short_message(0x0212, 1, 1 if self._enabled else 2)
            case 0x0411 | 0x040A:
                return long_message(number + 1, struct.pack("<Hi", 1, self._steps()))
            case 0x0429:
                return long_message(0x042A, struct.pack("<HI", 1, self._bits()))
            case 0x0480 | 0x0490:
                return long_message(number + 1, self._update())
            case 0x0443 | 0x0448 | 0x0453 | 0x0465 | 0x046A:
                self._move(number, second, data)
            case _:
                return self._parameters(number, data)
        return b""

    def _parameters(self, number: int, data: bytes) -> bytes:
        for answer, (put, ask, _) in _PARAMETERS.items():
            if number == ask:
                return long_message(answer, self._values[answer])
            if number == put and len(data) == len(self._values[answer]):
                self._values[answer] = data
        _, _, rate, speed = struct.unpack("<Hiii", self._values[0x0415])
        self.ring.speed_deg_s = max(speed, 1) / _SPEED
        self.ring.acceleration_deg_s2 = max(rate, 1) / _RATE
        return b""

    def _move(self, number: int, second: int, data: bytes) -> None:
        if number == 0x0465:
            self._stop()
        elif number == 0x0443:
            self._settle()
            self._homing = True
            done = self._end(short_message(0x0444, 1))
            self.ring.home(done, search_s=_SEARCH_S)
            self._give_up()
        elif number == 0x046A:
            (step,) = struct.unpack_from("<i", self._values[0x0418], 4)
            self._turn_to(self._steps() + (step if second == 1 else -step))
        elif len(data) == 6:
            (steps,) = struct.unpack_from("<i", data, 2)
            self._turn_to(steps if number == 0x0453 else self._steps() + steps)

    def _turn_to(self, steps: int) -> None:
        self._settle()
        if not self._enabled:
            return
        angle_deg = steps / _STEPS_PER_DEG
        self._up = angle_deg > self.ring.shown_deg()
        self.ring.turn_to(angle_deg, lambda: self._end(self._completed(0x0464))())
        self._give_up()

    def _stop(self) -> None:
        self.ring.stop()
        self._settle()
        self._end(self._completed(0x0466))()

    def _settle(self) -> None:
        """Forget what the last move left."""
        self._homing = self._failed = False
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

    def _give_up(self) -> None:
        if not self.ring.stuck:
            return

        def fail() -> None:
            self._settle()
            self._failed = True

        self._cancel = self.world.after(_GIVES_UP_S, fail)

    def _end(self, message: bytes) -> Callable[[], None]:
        def end() -> None:
            self._homing = False
            for send in self._sends if self.truth["tells_end_of_move"] else ():
                send(message)

        return end

    def _steps(self) -> int:
        return round(self.ring.shown_deg() * _STEPS_PER_DEG)

    def _bits(self) -> int:
        bits = _ENABLED if self._enabled else 0
        bits |= _HOMED if self.ring.homed else 0
        bits |= _ERROR if self._failed else 0
        if self._homing:
            return bits | _HOMING
        if self.ring.moving or self._cancel is not None:
            bits |= _UP if self._up else _DOWN
        return bits

    def _update(self) -> bytes:
        return struct.pack("<HiiI", 1, self._steps(), 0, self._bits())

    def _completed(self, number: int) -> bytes:
        return long_message(number, self._update())

    def _hardware(self) -> bytes:
        head = struct.pack("<I8sH4B", int(self.truth["serial_number"]), b"K10CR1", 16, 3, 0, 2, 0)
        return head + struct.pack("<46s14sHHH", b"APT Stepper Motor Controller", b"", 3, 0, 1)
