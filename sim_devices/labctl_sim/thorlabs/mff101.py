"""Thorlabs MFF101 flip mount: APT messages.

Messages: Thorlabs APT communications protocol, as pyLabLib and QMI use it.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from labctl_sim.thorlabs._carried import Carried, carried_problems
from labctl_sim.wire import Send, Session
from labctl_sim.world import World

_HEADER_BYTES = 6
_WITH_DATA = 0x80
_IDENTIFY, _REQUEST_HARDWARE, _REQUEST_STATUS, _JOG = 0x0223, 0x0005, 0x0429, 0x046A
_REQUEST_FLIPPER, _SET_FLIPPER, _MOVE_COMPLETED = 0x0511, 0x0510, 0x0464
_BITS = (0x01, 0x02)
_MOVING_BITS = (0x10, 0x20)
_ENABLED = 0x80000000
_FASTEST_S, _SLOWEST_S = 0.3, 2.8


class Mff101:
    """A mount; on its way it blocks the light.

    Args:
        name: The instrument's name.
        world: The world.
        settings: The set-up's block; ``positions`` is used.
        truth: What differs from ``truth_defaults``. ``carries`` says what the two positions bring
            into the light (``nothing``, ``mirror``, or an optical density), ``acts_on`` into
            which: ``excitation``, ``detection`` or ``nothing``. ``tells_end_of_move``: the unit
            sends MOVE_COMPLETED by itself; pyLabLib could not work with one that does.
    """

    interface: ClassVar[str] = "stream"
    truth_defaults: ClassVar[Mapping[str, float | int | bool | str]] = {
        "carries": "nothing, mirror",
        "acts_on": "excitation",
        "transit_time_s": 0.6,
        "stands_at_number": 0,
        "serial_number": 37001234,
        "tells_end_of_move": False,
    }

    def __init__(
        self, name: str, world: World, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> None:
        self.name, self.world = name, world
        self.truth: dict[str, Any] = {**self.truth_defaults, **truth}
        names = [str(one) for one in settings.get("positions") or ("out", "in")]
        carries, acts_on = str(self.truth["carries"]), str(self.truth["acts_on"])
        self._carried = Carried(name, world, carries=carries, acts_on=acts_on, names=names)
        self._transit_s = float(self.truth["transit_time_s"])
        self._at = min(max(int(self.truth["stands_at_number"]), 0), 1)
        self._going: int | None = None
        self._cancel: Callable[[], None] | None = None
        self._stuck = False
        self._sends: list[Send] = []
        self._carried.stand(self._at)

    @classmethod
    def truth_problems(
        cls, settings: Mapping[str, Any], truth: Mapping[str, Any]
    ) -> list[tuple[str, str]]:
        """Tell which truths cannot be."""
        whole = {**cls.truth_defaults, **truth}
        positions: Sequence[Any] = settings.get("positions") or ("", "")
        return carried_problems(str(whole["carries"]), str(whole["acts_on"]), len(positions))

    def open(self, send: Send) -> Session:
        """Begin with a client."""
        self._sends.append(send)
        return _Session(self, send)

    def leave(self, send: Send) -> None:
        """A client has gone."""
        self._sends.remove(send)

    def fault_stick(self) -> None:
        """Stay half way on the next move until cleared."""
        self._stuck = True

    def clear_faults(self) -> None:
        """Go on to where it was going."""
        self._stuck = False
        if self._going is not None:
            self._go(self._going)

    def take(self, number: int, first: int, second: int, data: bytes) -> bytes:
        """Carry out a message; gives the answer, empty if there is none."""
        if number == _REQUEST_HARDWARE:
            return _long(_REQUEST_HARDWARE + 1, self._hardware())
        if number == _REQUEST_STATUS:
            return _long(_REQUEST_STATUS + 1, self._status())
        if number == _REQUEST_FLIPPER:
            return _long(_REQUEST_FLIPPER + 1, self._flipper())
        if number == _SET_FLIPPER and len(data) >= 6:
            (transit_ms,) = struct.unpack_from("<i", data, 2)
            self._transit_s = min(max(1e-3 * transit_ms, _FASTEST_S), _SLOWEST_S)
        if number == _JOG and first == 1 and second in (1, 2):
            self._go(second - 1)
        return b""

    def _go(self, wanted: int) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None
        if wanted == self._at and self._going is None:
            return
        self._going = wanted
        self._carried.clip()
        if not self._stuck:
            self._cancel = self.world.after(self._transit_s, self._arrive)

    def _arrive(self) -> None:
        self._cancel = None
        self._at, self._going = self._going if self._going is not None else self._at, None
        self._carried.stand(self._at)
        for send in self._sends if self.truth["tells_end_of_move"] else ():
            send(_long(_MOVE_COMPLETED, struct.pack("<HiII", 1, 0, 0, self._bits())))

    def _bits(self) -> int:
        standing = self._going is None
        return _ENABLED | (_BITS[self._at] if standing else _MOVING_BITS[self._going or 0])

    def _status(self) -> bytes:
        return struct.pack("<HI", 1, self._bits())

    def _flipper(self) -> bytes:
        transit_ms = round(1e3 * self._transit_s)
        return struct.pack("<HiiHHiHHi8x", 1, transit_ms, 0, 2, 1, 200, 3, 16, 200)

    def _hardware(self) -> bytes:
        head = struct.pack("<I8sH4B", int(self.truth["serial_number"]), b"MFF002", 16, 5, 0, 1, 0)
        return head + struct.pack("<46s14sHHH", b"APT Filter Flipper", b"", 3, 0, 1)


class _Session:
    """One client: messages one after the other."""

    def __init__(self, device: Mff101, send: Send) -> None:
        self._device, self._send = device, send
        self._partial = b""

    def receive(self, data: bytes) -> None:
        """Carry out whole messages."""
        self._partial += data
        while len(self._partial) >= _HEADER_BYTES:
            number, first, second, destination, _ = struct.unpack_from("<HBBBB", self._partial)
            size = (first | second << 8) if destination & _WITH_DATA else 0
            end = _HEADER_BYTES + size
            if len(self._partial) < end:
                return
            body, self._partial = self._partial[_HEADER_BYTES:end], self._partial[end:]
            answer = self._device.take(number, first, second, body)
            if answer:
                self._send(answer)

    def closed(self) -> None:
        """Forget the client."""
        self._device.leave(self._send)


def _long(number: int, data: bytes) -> bytes:
    return struct.pack("<HHBB", number, len(data), 0x01 | _WITH_DATA, 0x50) + data
