"""Codec of the ANC350's telegrams: little-endian 32-bit words, numbered by a correlation.

Facts: the layout as pylablib's class and the emulator of the ISIS control group show it; the
manual calls it the unit control protocol. A telegram is its length (of what follows), opcode,
address, index of the axis, correlation, data. An answer carries the correlation of its question,
so one that came late is told from the right one; updates that nobody asked for are passed over.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from labctl.transport import Decoder, GarbledBytesError, RefusalError

__all__ = ["Address", "Status", "decoder", "get", "put"]

_SET, _GET, _ACK, _TELL = 0, 1, 3, 4
_HEAD = struct.Struct("<IIIII")
_FIRST = struct.Struct("<I")
_LONGEST = 4096
_REASONS = {
    1: ("bad address", "is it an ANC350?"),
    2: ("value out of range", "set a narrower limit in the set-up"),
    3: ("ignored", "is the output of the axis on, and an actuator connected?"),
    4: ("verification failed", "try again"),
    5: ("wrong type of data", "is its firmware up to date?"),
    99: ("unknown error", "switch the controller off and on"),
}


class Address(IntEnum):
    """What a telegram concerns; units of its value."""

    UPDATES = 0x0145
    HARDWARE_ID = 0x0168
    AMPLITUDE_MV = 0x0400
    FREQUENCY_HZ = 0x0401
    STATUS = 0x0404
    TARGET_NM = 0x0408
    MOVE = 0x040D
    STOP = 0x040E
    STEP_UP = 0x0410
    STEP_DOWN = 0x0411
    POSITION_NM = 0x0415
    OFFSET_MV = 0x0514
    MEASURE_CAPACITANCE = 0x051E
    SENSOR_MV = 0x0526
    CAPACITANCE_PF = 0x0569
    CONNECTED = 0x3002
    MOVING = 0x302E
    OUTPUT = 0x3030
    PRECISION_NM = 0x3036
    END_UP = 0x3039
    END_DOWN = 0x303A


class Status(IntFlag):
    """Bits of the status word."""

    RUNNING = 0x001
    LIMIT = 0x002
    SENSOR_ERROR = 0x100
    SENSOR_DISCONNECTED = 0x400
    REFERENCE_VALID = 0x800


@dataclass(frozen=True)
class _Telegram:
    opcode: int
    address: int
    index: int
    correlation: int
    words: tuple[int, ...]


def get(address: Address, index: int, correlation: int) -> bytes:
    """Return the question for a value."""
    return _HEAD.pack(16, _GET, address, index, correlation)


def put(address: Address, index: int, correlation: int, value: int) -> bytes:
    """Return the order to set a value, which is acknowledged."""
    return _HEAD.pack(20, _SET, address, index, correlation) + struct.pack("<i", value)


def decoder(address: Address, index: int, correlation: int) -> Decoder[int]:
    """Return the decoder of the answer to a question or order.

    It gives the value of the answer, 0 where it has none.
    """

    def decode(data: bytes) -> int | None:
        answers = [t for t in _telegrams(data) if t.opcode == _ACK and t.correlation == correlation]
        if not answers:
            return None
        if len(answers) > 1:
            raise GarbledBytesError("more than one answer to one question")
        return _value(answers[0], address, index)

    return decode


def _value(answer: _Telegram, address: Address, index: int) -> int:
    if (answer.address, answer.index) != (address, index):
        raise GarbledBytesError(f"answers 0x{answer.address:04X} of axis {answer.index}")
    if not 1 <= len(answer.words) <= 2:
        raise GarbledBytesError("not one value")
    reason, *values = answer.words
    if reason:
        raise RefusalError(*_REASONS.get(reason, (f"reason {reason}", "see its manual")))
    return values[0] if values else 0


def _telegrams(data: bytes) -> Iterator[_Telegram]:
    """Yield the whole telegrams; raises GarbledBytesError where none can begin."""
    while len(data) >= _FIRST.size:
        (length,) = _FIRST.unpack_from(data)
        if not 16 <= length <= _LONGEST or length % 4:
            raise GarbledBytesError(f"a telegram cannot have {length} bytes")
        if len(data) < 4 + length:
            return
        _, opcode, address, index, correlation = _HEAD.unpack_from(data)
        if opcode not in (_ACK, _TELL):
            raise GarbledBytesError(f"opcode {opcode} is no answer")
        words = struct.unpack(f"<{(length - 16) // 4}i", data[20 : 4 + length])
        yield _Telegram(opcode, address, index, correlation, words)
        data = data[4 + length :]
