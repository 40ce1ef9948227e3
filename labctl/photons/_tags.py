"""The header of PTU files: a list of tags of 48 bytes each.

Source: PicoQuant, Time-Tagged-File-Format-Demos, "Unified TTTR file format" and its tag
dictionary, version 1.1.05.
"""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import BinaryIO

from labctl.errors import StorageError

__all__ = ["Header", "Tag", "TagType", "pack_header", "read_header"]

MAGIC = b"PQTTTR\0\0"
VERSION = b"1.0.00\0\0"
END = "Header_End"
TAG = struct.Struct("<32siI8s")
VALUE_OFFSET = 40
_MOST_TAGS = 100_000
_MOST_BYTES = 1 << 26
"""Of one text or blob: no real header has more."""

_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
_INT, _UINT, _FLOAT = struct.Struct("<q"), struct.Struct("<Q"), struct.Struct("<d")

Value = int | float | bool | str | bytes | datetime | None


class TagType(IntEnum):
    """What the value of a tag is."""

    EMPTY = 0xFFFF0008
    BOOL = 0x00000008
    INT = 0x10000008
    BITS = 0x11000008
    COLOR = 0x12000008
    FLOAT = 0x20000008
    DATE = 0x21000008
    FLOAT_ARRAY = 0x2001FFFF
    TEXT = 0x4001FFFF
    WIDE_TEXT = 0x4002FFFF
    BLOB = 0xFFFFFFFF


_LONG = (TagType.FLOAT_ARRAY, TagType.TEXT, TagType.WIDE_TEXT, TagType.BLOB)


@dataclass(frozen=True)
class Tag:
    """One entry of a header.

    Attributes:
        name: Name in the vendor's dictionary.
        type: What the value is.
        value: The value; a float array stays bytes.
        index: Number of the channel, or -1.
    """

    name: str
    type: TagType
    value: Value = None
    index: int = -1


class Header:
    """The tags of a file.

    Attributes:
        tags: All of them, in the order of the file.
        size: Bytes before the first record.
    """

    def __init__(self, tags: Iterable[Tag], size: int) -> None:
        self.tags, self.size = tuple(tags), size
        self._values = {(tag.name, tag.index): tag.value for tag in self.tags}

    def get(self, name: str, index: int = -1) -> Value:
        """Return a value, None if there is no such tag; the last one if there are several."""
        return self._values.get((name, index))

    def number(self, name: str) -> float | None:
        """Return a finite number, None if there is none by this name."""
        value = self.get(name)
        if isinstance(value, (int, float)) and math.isfinite(value):
            return value
        return None


def read_header(file: BinaryIO) -> Header:
    """Read the header at the beginning of a file; leave the file at the first record.

    Raises:
        StorageError: It is no PTU file, or its header is damaged or cut.
    """
    if _read(file, 8, "it is shorter than 8 bytes") != MAGIC:
        raise StorageError("not a PTU file: it does not begin with PQTTTR")
    _read(file, 8, "the version is cut")
    tags: list[Tag] = []
    while len(tags) < _MOST_TAGS:
        tag = _read_tag(file)
        if tag.name == END:
            return Header(tags, file.tell())
        tags.append(tag)
    raise StorageError(f"damaged PTU header: more than {_MOST_TAGS} tags")


def _read(file: BinaryIO, size: int, what: str) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise StorageError(f"damaged PTU header: {what}")
    return data


def _read_tag(file: BinaryIO) -> Tag:
    raw_name, index, code, raw = TAG.unpack(_read(file, TAG.size, f"it ends without {END}"))
    name = raw_name.partition(b"\0")[0].decode("ascii", "replace")
    try:
        kind = TagType(code)
    except ValueError as error:
        message = f"damaged PTU header: tag {name!r} has the unknown type 0x{code:08X}"
        raise StorageError(message) from error
    if kind not in _LONG:
        return Tag(name, kind, _short_value(kind, raw), index)
    (size,) = _INT.unpack(raw)
    if not 0 <= size <= _MOST_BYTES:
        raise StorageError(f"damaged PTU header: tag {name!r} claims {size} bytes")
    return Tag(name, kind, _long_value(kind, _read(file, size, f"tag {name!r} is cut")), index)


def _short_value(kind: TagType, raw: bytes) -> Value:
    match kind:
        case TagType.EMPTY:
            return None
        case TagType.BOOL:
            return _INT.unpack(raw)[0] != 0
        case TagType.BITS:
            return int(_UINT.unpack(raw)[0])
        case TagType.FLOAT:
            return float(_FLOAT.unpack(raw)[0])
        case TagType.DATE:
            return _date(_FLOAT.unpack(raw)[0])
        case _:
            return int(_INT.unpack(raw)[0])


def _date(days: float) -> datetime | None:
    try:
        return _EPOCH + timedelta(days=days)
    except (OverflowError, ValueError):
        return None


def _long_value(kind: TagType, raw: bytes) -> Value:
    if kind is TagType.TEXT:
        return raw.partition(b"\0")[0].decode("utf-8", "replace")
    if kind is TagType.WIDE_TEXT:
        return raw.decode("utf-16-le", "replace").partition("\0")[0]
    return raw


def pack_header(tags: Iterable[Tag]) -> tuple[bytes, dict[str, int]]:
    """Return the bytes of a header, and where the value of each tag without index lies."""
    data = bytearray(MAGIC + VERSION)
    places: dict[str, int] = {}
    for tag in (*tags, Tag(END, TagType.EMPTY)):
        if tag.index == -1:
            places[tag.name] = len(data) + VALUE_OFFSET
        data += _pack_tag(tag)
    return bytes(data), places


def _pack_tag(tag: Tag) -> bytes:
    name = tag.name.encode("ascii")
    if len(name) > 31:
        raise ValueError(f"name of a tag is longer than 31 bytes: {tag.name}")
    value, tail = pack_value(tag)
    return TAG.pack(name, tag.index, tag.type, value) + tail


def pack_value(tag: Tag) -> tuple[bytes, bytes]:
    """Return the 8 bytes of a value, and what follows the tag."""
    value = tag.value
    match tag.type:
        case TagType.EMPTY:
            return bytes(8), b""
        case TagType.BOOL:
            return _INT.pack(-1 if value else 0), b""
        case TagType.FLOAT if isinstance(value, (int, float)):
            return _FLOAT.pack(value), b""
        case TagType.DATE if isinstance(value, datetime):
            return _FLOAT.pack((value - _EPOCH) / timedelta(days=1)), b""
        case TagType.BITS if isinstance(value, int):
            return _UINT.pack(value), b""
        case TagType.INT | TagType.COLOR if isinstance(value, int):
            return _INT.pack(value), b""
        case _ if tag.type in _LONG and isinstance(value, (str, bytes)):
            tail = _padded(tag.type, value)
            return _INT.pack(len(tail)), tail
        case _:
            raise ValueError(f"tag {tag.name}: a {tag.type.name} cannot be {value!r}")


def _padded(kind: TagType, value: str | bytes) -> bytes:
    if isinstance(value, str):
        raw = value.encode("utf-16-le" if kind is TagType.WIDE_TEXT else "utf-8") + b"\0\0"
    else:
        raw = value
    return raw + bytes(-len(raw) % 8)
