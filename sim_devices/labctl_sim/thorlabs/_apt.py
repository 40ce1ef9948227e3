"""Messages of Thorlabs' APT controllers as a unit takes and sends them."""

import struct
from collections.abc import Callable

from labctl_sim.wire import Send

_HEADER = struct.Struct("<HBBBB")
_WITH_DATA, _HOST, _UNIT = 0x80, 0x01, 0x50

Take = Callable[[int, int, int, bytes], bytes]
"""Carries out a message (number, two parameters, data); gives the answer, empty for none."""


class AptSession:
    """One client: messages one after the other.

    Args:
        take: Carries a message out.
        send: Where answers go.
        leave: Called when the client has gone.
    """

    def __init__(self, take: Take, send: Send, leave: Callable[[Send], None]) -> None:
        self._take, self._send, self._leave = take, send, leave
        self._partial = b""

    def receive(self, data: bytes) -> None:
        """Carry out whole messages."""
        self._partial += data
        while len(self._partial) >= _HEADER.size:
            number, first, second, destination, _ = _HEADER.unpack_from(self._partial)
            size = (first | second << 8) if destination & _WITH_DATA else 0
            end = _HEADER.size + size
            if len(self._partial) < end:
                return
            body, self._partial = self._partial[_HEADER.size : end], self._partial[end:]
            answer = self._take(number, first, second, body)
            if answer:
                self._send(answer)

    def closed(self) -> None:
        """Forget the client."""
        self._leave(self._send)


def long_message(number: int, data: bytes) -> bytes:
    """A message with data to the host."""
    return struct.pack("<HHBB", number, len(data), _HOST | _WITH_DATA, _UNIT) + data


def short_message(number: int, first: int, second: int = 0) -> bytes:
    """A message without data to the host."""
    return _HEADER.pack(number, first, second, _HOST, _UNIT)
