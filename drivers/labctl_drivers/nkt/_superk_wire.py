"""Telegrams of NKT's Interbus: framed, escaped, with a checksum.

Facts: NKT's Software Development Kit, instruction manual (chapter 2, Interbus), and the drivers of
pyLabLib and QMI. Start 0D, end 0A; inside, 0A, 0D and 5E are sent as 5E and the byte plus 40.
Destination, source, type, register, data; CRC-16-CCITT (0x1021, start 0), high byte first.
"""

from enum import IntEnum
from functools import reduce

from labctl.transport import GarbledBytesError, RefusalError

__all__ = ["HOST", "Kind", "crc", "decode_reply", "encode"]

HOST = 0x40
"""Our address, as in pyLabLib; no module of a SuperK has it."""
_START, _END, _ESCAPE, _SHIFT = 0x0D, 0x0A, 0x5E, 0x40
_ESCAPED = frozenset((_START, _END, _ESCAPE))
_POLYNOMIAL = 0x1021
_SHORTEST = 5


class Kind(IntEnum):
    """Types of telegrams."""

    NOT_UNDERSTOOD = 0
    CRC_ERROR = 1
    BUSY = 2
    ACKNOWLEDGE = 3
    READ = 4
    WRITE = 5
    DATAGRAM = 8


def crc(data: bytes) -> int:
    """Return the checksum."""
    return reduce(_step, data, 0)


def encode(module: int, kind: Kind, register: int, data: bytes = b"") -> bytes:
    """Return a telegram from the host to a module."""
    body = bytes((module, HOST, kind, register)) + data
    body += crc(body).to_bytes(2, "big")
    escaped = bytearray()
    for byte in body:
        escaped += bytes((_ESCAPE, byte + _SHIFT)) if byte in _ESCAPED else bytes((byte,))
    return bytes((_START, *escaped, _END))


def decode_reply(data: bytes, module: int, kind: Kind, register: int) -> bytes | None:
    """Return the data of the answer to a question (``DATAGRAM``) or order (``ACKNOWLEDGE``).

    Raises:
        GarbledBytesError: No frame, a wrong checksum, or the answer to something else.
        RefusalError: The module has not understood, or is busy.
    """
    if not data:
        return None
    if data[0] != _START or _START in data[1:]:
        raise GarbledBytesError("does not begin with one 0D")
    body, end, behind = data[1:].partition(bytes((_END,)))
    if behind:
        raise GarbledBytesError("more than one telegram")
    if not end:
        return None
    plain = _unescaped(body)
    if len(plain) < _SHORTEST or crc(plain[:-2]) != int.from_bytes(plain[-2:], "big"):
        raise GarbledBytesError("wrong checksum")
    receiver, sender, found, payload = plain[0], plain[1], plain[2], plain[3:-2]
    if (receiver, sender) != (HOST, module):
        raise GarbledBytesError("from another module or to another host")
    if found in _REFUSALS:
        raise RefusalError(_REFUSALS[Kind(found)], "ask again; does this module have it?")
    if found != kind or payload[:1] != bytes((register,)):
        raise GarbledBytesError("the answer to something else")
    return payload[1:]


_REFUSALS = {
    Kind.NOT_UNDERSTOOD: "not understood, or not allowed now",
    Kind.CRC_ERROR: "the module received a wrong checksum",
    Kind.BUSY: "the module is busy",
}


def _step(value: int, byte: int) -> int:
    value ^= byte << 8
    for _ in range(8):
        carry = value & 0x8000
        value = (value << 1) & 0xFFFF
        value ^= _POLYNOMIAL if carry else 0
    return value


def _unescaped(body: bytes) -> bytes:
    plain, escaped = bytearray(), False
    for byte in body:
        if escaped:
            if byte - _SHIFT not in _ESCAPED:
                raise GarbledBytesError("a wrong escape")
            plain.append(byte - _SHIFT)
            escaped = False
        elif byte == _ESCAPE:
            escaped = True
        else:
            plain.append(byte)
    if escaped:
        raise GarbledBytesError("ends within an escape")
    return bytes(plain)
