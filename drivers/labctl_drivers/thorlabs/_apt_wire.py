"""Messages of Thorlabs' APT controllers: six bytes of header, sometimes data behind it.

Facts: Thorlabs APT Controllers Host-Controller Communications Protocol, and pyLabLib's driver.
Integers are little-endian; bit 7 of the destination says that data follow.
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass

from labctl.transport import GarbledBytesError

__all__ = ["Message", "decode_message", "encode_short", "read_hardware", "read_status_bits"]

_HOST, _UNIT = 0x01, 0x50
_WITH_DATA = 0x80
_HEADER = struct.Struct("<HBBBB")
_LARGEST = 255
_HARDWARE_BYTES = 84


@dataclass(frozen=True)
class Message:
    """One message from the unit.

    Attributes:
        number: What it is about.
        parameters: The two parameters of a message without data; (0, 0) with data.
        data: What follows the header.
    """

    number: int
    parameters: tuple[int, int]
    data: bytes


def encode_short(number: int, first: int = 0, second: int = 0) -> bytes:
    """Return a message without data to the unit."""
    return _HEADER.pack(number, first, second, _UNIT, _HOST)


def decode_message(data: bytes, wanted: int, unasked: Collection[int] = ()) -> Message | None:
    """Decode the answer with the number ``wanted``.

    Messages with numbers in ``unasked``, which a unit sends by itself, are passed over.

    Raises:
        GarbledBytesError: Anything else stands in front of the answer or behind it.
    """
    start = 0
    while len(data) - start >= _HEADER.size:
        number, first, second, destination, source = _HEADER.unpack_from(data, start)
        if destination & ~_WITH_DATA != _HOST or source != _UNIT:
            raise GarbledBytesError("not a message from the unit to the host")
        size = (first | second << 8) if destination & _WITH_DATA else 0
        if size > _LARGEST:
            raise GarbledBytesError(f"a message of {size} bytes")
        if number != wanted and number not in unasked:
            raise GarbledBytesError(f"message {number:#06x}, not {wanted:#06x}")
        end = start + _HEADER.size + size
        if len(data) < end:
            return None
        if number == wanted:
            return _only(data, start, end, unasked)
        start = end
    return None


def read_status_bits(message: Message) -> int:
    """Return the status bits behind the channel number.

    Raises:
        GarbledBytesError: The message has another length.
    """
    if len(message.data) != 6:
        raise GarbledBytesError("not six bytes of status")
    (bits,) = struct.unpack_from("<I", message.data, 2)
    return bits


def read_hardware(message: Message) -> tuple[int, str, str]:
    """Return serial number, model and firmware version.

    Raises:
        GarbledBytesError: The message has another length.
    """
    if len(message.data) != _HARDWARE_BYTES:
        raise GarbledBytesError(f"not {_HARDWARE_BYTES} bytes about the hardware")
    (serial,) = struct.unpack_from("<I", message.data, 0)
    model = message.data[4:12].split(b"\0")[0].decode("ascii", "replace").strip()
    minor, interim, major = message.data[14:17]
    return serial, model, f"{major}.{interim}.{minor}"


def _only(data: bytes, start: int, end: int, unasked: Collection[int]) -> Message:
    """Return the message; what follows it may only be what a unit sends by itself."""
    behind = data[end:]
    if len(behind) >= 2 and int.from_bytes(behind[:2], "little") not in unasked:
        raise GarbledBytesError("more than one answer")
    number, first, second, destination, _ = _HEADER.unpack_from(data, start)
    if destination & _WITH_DATA:
        return Message(number, (0, 0), data[start + _HEADER.size : end])
    return Message(number, (first, second), b"")
