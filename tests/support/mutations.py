"""Files that are damaged in every way, and watched while they are read."""

import json
import os
import signal
import struct
import sys
import zlib
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np

Chance = np.random.Generator
Mutation = Callable[[bytes, Chance], bytes]

_PREFIX = struct.Struct("<IIII")
_HEADER_BYTES = 12
_TAG = struct.Struct("<32siI8s")
HUGE = (2**60, 2**63 - 1, -1, -(2**63), 2**31, 2**32 - 1, 10**18, 0, 1)
ODD: tuple[Any, ...] = (
    *(None, True, "", "x", -1, 0, 2**60, 2**80, 1e308, -1e308, [], {}, [[]]),
    *(float("nan"), float("inf"), "nan", "2**60", {"a": 1}, [1, "a"], "9" * 400),
)
DTYPES = (
    "<u4",
    "O",
    "|O",
    "V8",
    "<f16",
    "<U9",
    "<M8[s]",
    "u4,u4",
    "(1000000,)u4",
    "<f4",
    "",
    "<c16",
)


def pick(chance: Chance, options: Sequence[Any]) -> Any:
    return options[int(chance.integers(len(options)))]


# Any bytes


def flip(data: bytes, chance: Chance) -> bytes:
    found = bytearray(data)
    for _ in range(int(chance.integers(1, 9))):
        found[int(chance.integers(len(found)))] ^= 1 << int(chance.integers(8))
    return bytes(found)


def cut(data: bytes, chance: Chance) -> bytes:
    return data[: int(chance.integers(len(data)))]


def take_out(data: bytes, chance: Chance) -> bytes:
    begin, end = sorted(int(chance.integers(len(data) + 1)) for _ in range(2))
    return data[:begin] + data[end:]


def zero(data: bytes, chance: Chance) -> bytes:
    begin, end = sorted(int(chance.integers(len(data) + 1)) for _ in range(2))
    return data[:begin] + bytes(end - begin) + data[end:]


def grow(data: bytes, chance: Chance) -> bytes:
    return data + chance.bytes(int(chance.integers(1, 300)))


def overwrite(data: bytes, chance: Chance) -> bytes:
    """Write a huge number over 4 or 8 bytes anywhere."""
    size, code = pick(chance, ((4, "<I"), (8, "<Q")))
    at = int(chance.integers(max(1, len(data) - size)))
    number = struct.pack(code, pick(chance, HUGE) % 2 ** (8 * size))
    return data[:at] + number + data[at + size :]


ANY: tuple[Mutation, ...] = (flip, cut, take_out, zero, grow, overwrite)


# Journals: records whose checksums are right, whatever they say


def split_journal(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return header and body of every record of a whole journal."""
    place, found = _HEADER_BYTES, list[tuple[bytes, bytes]]()
    while place < len(data):
        header, body, _, _ = _PREFIX.unpack_from(data, place)
        place += _PREFIX.size
        found.append((data[place : place + header], data[place + header : place + header + body]))
        place += header + body
    return found


def join_journal(data: bytes, records: Sequence[tuple[bytes, bytes]]) -> bytes:
    parts = [data[:_HEADER_BYTES]]
    for header, body in records:
        sums = zlib.crc32(header), zlib.crc32(body)
        parts += [_PREFIX.pack(len(header), len(body), *sums), header, body]
    return b"".join(parts)


def rearranged(foreign: bytes) -> Mutation:
    """Swap, double or leave out whole records, or put one of another journal between them."""
    others = split_journal(foreign)

    def mutate(data: bytes, chance: Chance) -> bytes:
        records = split_journal(data)
        a, b = (int(chance.integers(len(records))) for _ in range(2))
        what = int(chance.integers(4))
        if what == 0:
            records[a], records[b] = records[b], records[a]
        elif what == 1:
            records.insert(b, records[a])
        elif what == 2:
            del records[a]
        else:
            records.insert(a, pick(chance, others))
        return join_journal(data, records)

    return mutate


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(cast("dict[Any, Any]", value))
    return list(range(len(cast("list[Any]", value)))) if isinstance(value, list) else []


def lie(data: bytes, chance: Chance) -> bytes:
    """Let a header say something else, with the right checksum."""
    records = split_journal(data)
    at = int(chance.integers(len(records)))
    header: Any = json.loads(records[at][0])
    holder, key = header, pick(chance, list(header))
    while _keys(holder[key]) and chance.random() < 0.8:
        holder = holder[key]
        key = pick(chance, _keys(holder))
    if isinstance(holder, dict) and chance.random() < 0.2:
        del holder[key]
    elif key == "dtype" and chance.random() < 0.7:
        holder[key] = pick(chance, DTYPES)
    else:
        holder[key] = pick(chance, (*ODD, *HUGE))
    records[at] = json.dumps(header).encode(), records[at][1]
    return join_journal(data, records)


def nest(data: bytes, chance: Chance) -> bytes:
    """Let a header be lists in lists without end, or no JSON."""
    records = split_journal(data)
    at, depth = int(chance.integers(len(records))), int(chance.integers(10, 200_000))
    text = pick(chance, (b"[" * depth, b"[" * depth + b"]" * depth, b'{"a":' * depth, b"\xff" * 9))
    records[at] = text, records[at][1]
    return join_journal(data, records)


# PTU files


def tags_of(data: bytes) -> list[int]:
    """Return where the tags of a PTU header begin."""
    place, found = 16, list[int]()
    while place + _TAG.size <= len(data):
        name, _, code, value = _TAG.unpack_from(data, place)
        found.append(place)
        place += _TAG.size
        if name.rstrip(b"\0") == b"Header_End":
            break
        if code in (0x4001FFFF, 0x4002FFFF, 0x2001FFFF, 0xFFFFFFFF):
            place += int.from_bytes(value, "little")
    return found


TYPES = (0xFFFF0008, 8, 0x10000008, 0x11000008, 0x12000008, 0x20000008, 0x21000008)
LONG_TYPES = (0x2001FFFF, 0x4001FFFF, 0x4002FFFF, 0xFFFFFFFF)
NUMBERS = (float("nan"), float("inf"), -float("inf"), 0.0, -1.0, 1e308, 5e-324, 1e-12, 1e30)


def tag_value(data: bytes, chance: Chance) -> bytes:
    at = pick(chance, tags_of(data)) + 40
    number = pick(chance, HUGE) % 2**64
    value = struct.pack("<d", pick(chance, NUMBERS)) if chance.random() < 0.5 else None
    return data[:at] + (value or struct.pack("<Q", number)) + data[at + 8 :]


def tag_type(data: bytes, chance: Chance) -> bytes:
    at = pick(chance, tags_of(data)) + 36
    kind = pick(chance, (*TYPES, *LONG_TYPES, int(chance.integers(2**32))))
    return data[:at] + struct.pack("<I", kind) + data[at + 4 :]


def tag_length(data: bytes, chance: Chance) -> bytes:
    """Let a tag be a text or blob of a huge length."""
    at = pick(chance, tags_of(data)) + 36
    value = struct.pack("<IQ", pick(chance, LONG_TYPES), pick(chance, HUGE) % 2**64)
    return data[:at] + value + data[at + 12 :]


def tag_name(data: bytes, chance: Chance) -> bytes:
    places = tags_of(data)
    a, b = pick(chance, places), pick(chance, places)
    name = data[b : b + 32] if chance.random() < 0.7 else chance.bytes(32)
    return data[:a] + name + data[a + 32 :]


def tag_twice(data: bytes, chance: Chance) -> bytes:
    places = tags_of(data)
    a, b = pick(chance, places), pick(chance, places)
    return data[:a] + data[b : b + _TAG.size] + data[a:]


def records_lie(data: bytes, chance: Chance) -> bytes:
    """Write overflows, markers and photons at random behind the header."""
    begin = tags_of(data)[-1] + _TAG.size
    kind = pick(chance, (0xFFFFFFFF, 0xFE000000, 0xFE0003FF, 0x80000000, 0x00000000))
    count = int(chance.integers(1, 400))
    words = chance.integers(0, 2**32, count, dtype=np.uint32)
    words[chance.random(count) < 0.5] = kind
    return data[:begin] + words.astype("<u4").tobytes() + data[begin : begin + 400]


TAGS: tuple[Mutation, ...] = (tag_value, tag_type, tag_length, tag_name, tag_twice, records_lie)


# While it is read


class Hangs(BaseException):
    """It took too long; no ``except Exception`` catches it."""


@contextmanager
def bounded(*, bytes_more: int = 1 << 29) -> Generator[None]:
    """Let this process have only so much more memory, where the system can limit it."""
    if sys.platform != "linux":
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * os.sysconf("SC_PAGE_SIZE") + bytes_more
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def within(cpu_s: float) -> Generator[None]:
    """Raise ``Hangs`` after so much time of the processor, where the system can tell."""
    if sys.platform == "win32":
        yield
        return

    def strike(number: int, frame: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGVTALRM, strike)
    signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)
