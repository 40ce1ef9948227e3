r"""Codec of the ELL14 rotation mount: address, two letters, hexadecimal digits; ``\r\n`` answers.

Facts: the ELLx modules protocol manual as pylablib, elliptec and other public drivers use it.
A request has no terminator. A line may carry sixteen units, each answers with its own address.
What a person does at the buttons is told unasked (``BO``, ``BS``) and skipped here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from labctl.transport import GarbledBytesError, RefusalError

__all__ = [
    "HOME",
    "HOME_OFFSET",
    "IDENTITY",
    "POSITION",
    "STATUS",
    "STOP",
    "VELOCITY",
    "Module",
    "decode_home_offset",
    "decode_identity",
    "decode_moved",
    "decode_position",
    "decode_status",
    "decode_velocity",
    "encode",
    "move_to",
    "status_text",
]

IDENTITY, STATUS, POSITION = "in", "gs", "gp"
HOME, HOME_OFFSET, VELOCITY, STOP = "ho0", "go", "gv", "st"

_END = b"\r\n"
_LONGEST = 40
_BUSY = "GS09"
_UNASKED = re.compile(r"BO[0-9A-F]{8}|BS[0-9A-F]{2}")
_IDENTITY = re.compile(
    r"IN([0-9A-F]{2})([0-9A-Z]{8})(\d{4})([0-9A-F]{2})([0-9A-F]{2})([0-9A-F]{4})([0-9A-F]{8})"
)
_STATUS = re.compile(r"GS([0-9A-F]{2})")
_OFTEN = "home it, then try again"
_STATUSES: Mapping[int, tuple[str, str]] = {
    0x01: ("communication time-out", "ask again"),
    0x02: ("mechanical time-out", "does it turn freely? is the load too heavy?"),
    0x03: ("command error or not supported", "is this an ELL14?"),
    0x04: ("value out of range", "set a narrower limit in the set-up"),
    0x05: ("module isolated", "switch it off and on"),
    0x06: ("module out of isolation", "ask again"),
    0x07: ("initialising error", "switch it off and on"),
    0x08: ("thermal error", "let it cool down"),
    0x09: ("busy", "wait until the move has ended"),
    0x0A: ("sensor error", _OFTEN),
    0x0B: ("motor error", _OFTEN),
    0x0C: ("out of range", _OFTEN),
    0x0D: ("over-current", "let it cool down; does it turn freely?"),
}


@dataclass(frozen=True)
class Module:
    """What a module says of itself; travel in deg, pulses of its encoder per turn."""

    kind: int
    serial: str
    year: str
    firmware: str
    travel_deg: int
    pulses_per_turn: int


def encode(address: str, command: str) -> bytes:
    """Return the bytes of a command to the unit of this address (``0`` to ``F``)."""
    return f"{address}{command}".encode("ascii")


def move_to(pulses: int) -> str:
    """Return the command to turn to an absolute position; a negative one in two's complement."""
    return f"ma{pulses & 0xFFFFFFFF:08X}"


def status_text(status: int) -> str:
    """Return a status in words."""
    return "ok" if status == 0 else _STATUSES.get(status, (f"status {status:02X}", ""))[0]


def decode_identity(data: bytes, address: str) -> Module | None:
    """Decode the answer to ``in``."""
    text = _answer(data, address)
    if text is None:
        return None
    match = _IDENTITY.fullmatch(text)
    if match is None:
        raise _unexpected(text)
    firmware = f"{int(match[4], 16) / 10:.1f}"
    travel, pulses = int(match[6], 16), int(match[7], 16)
    if not pulses:
        raise GarbledBytesError("no pulses per turn")
    return Module(int(match[1], 16), match[2], match[3], firmware, travel, pulses)


def decode_position(data: bytes, address: str) -> int | None:
    """Decode the answer to ``gp``, pulses."""
    return _signed(data, address, "PO")


def decode_home_offset(data: bytes, address: str) -> int | None:
    """Decode the answer to ``go``, pulses."""
    return _signed(data, address, "HO")


def decode_velocity(data: bytes, address: str) -> int | None:
    """Decode the answer to ``gv``, percent of the highest speed."""
    text = _answer(data, address)
    return None if text is None else _hex(text, "GV", 2)


def decode_status(data: bytes, address: str) -> int | None:
    """Decode the answer to ``gs``; asking clears the status."""
    text = _answer(data, address, refuse=False)
    if text is None:
        return None
    return _hex(text, "GS", 2)


def decode_moved(data: bytes, address: str) -> bool | None:
    """Decode the answer to a move or a search for the home: it comes when that has ended.

    Some firmware says "busy" first, which is skipped.
    """
    text = _answer(data, address, skip=_BUSY)
    if text is None:
        return None
    if text != "GS00":
        _hex(text, "PO", 8)
    return True


def _signed(data: bytes, address: str, word: str) -> int | None:
    text = _answer(data, address)
    if text is None:
        return None
    value = _hex(text, word, 8)
    return value - (1 << 32) if value >= 1 << 31 else value


def _hex(text: str, word: str, digits: int) -> int:
    if not re.fullmatch(f"{word}[0-9A-F]{{{digits}}}", text):
        raise _unexpected(text)
    return int(text[2:], 16)


def _answer(data: bytes, address: str, *, skip: str = "", refuse: bool = True) -> str | None:
    """Return the answer without its address, None while it is incomplete.

    Raises:
        GarbledBytesError: Not of this unit, or more than one answer.
        RefusalError: A status that is not ok, where ``refuse``.
    """
    lines = _lines(data, address, skip)
    if not lines:
        return None
    if len(lines) > 1:
        raise GarbledBytesError("more than one answer to one command")
    status = _STATUS.fullmatch(lines[0])
    if refuse and status is not None and int(status[1], 16):
        code = int(status[1], 16)
        remedy = _STATUSES.get(code, ("", "switch it off and on"))[1]
        raise RefusalError(f"{status_text(code)} (GS{code:02X})", remedy)
    return lines[0]


def _lines(data: bytes, address: str, skip: str) -> list[str]:
    """Return answers of this unit without its address, and what trails behind one."""
    if not data.isascii():
        raise GarbledBytesError("not ASCII text")
    *lines, rest = data.split(_END)
    if len(rest) > _LONGEST:
        raise GarbledBytesError("an endless line")
    begun = [*lines, rest] if rest else lines
    if not all(line.startswith(address.encode("ascii")) for line in begun):
        raise GarbledBytesError(f"not an answer of unit {address}")
    texts = [line[1:].decode("ascii") for line in lines]
    answers = [text for text in texts if text != skip and not _UNASKED.fullmatch(text)]
    # Whatever trails behind an answer is the begin of another one.
    return [*answers, rest.decode("ascii")] if answers and rest else answers


def _unexpected(text: str) -> GarbledBytesError:
    return GarbledBytesError(f"{text!r} is no answer to this")
