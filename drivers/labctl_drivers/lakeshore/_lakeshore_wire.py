r"""Codec of Lake Shore 335 and 336: lines ended by LF, answers by CR LF.

Facts: manuals of the Model 335 (rev. 1.6) and 336 (rev. 2.3), chapter 6, and the maker's own Python
driver. There is no queue of errors and a set command has no answer, so ``*ESR?`` goes along in the
same line: every line has one answer, and its last part says whether something was wrong.
"""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from labctl.transport import Decoder, GarbledBytesError, RefusalError

__all__ = [
    "answer",
    "cleared",
    "encode",
    "nothing",
    "parse_kelvin",
    "parse_number",
    "parse_text",
    "parse_whole",
    "reasons",
]

T = TypeVar("T")

_EVENTS = "*ESR?"
_HOTTEST_K = 1600.0
"""Thermocouples reach 1505 K."""
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{0,9})?(?:E[+-]?\d{1,3})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,4}", re.ASCII)
_WRONG = {32: "unknown command", 16: "parameter out of range", 8: "internal fault", 4: "no answer"}
_SENSOR = {
    1: "invalid reading",
    16: "temperature below the sensor's curve",
    32: "temperature above the sensor's curve",
    64: "sensor reads zero: is it plugged in?",
    128: "sensor over range: is its cable broken?",
}
"""Bits of ``RDGST?``."""


def encode(*commands: str) -> bytes:
    """Return the bytes of a line: the commands, then the question for events."""
    return (";".join((*commands, _EVENTS)) + "\n").encode("ascii")


def nothing(data: bytes) -> str | None:
    """Decode the answer to commands that only set something.

    Raises:
        GarbledBytesError: Anything but the event register.
        RefusalError: It says that something was wrong.
    """
    parts = _parts(data, 1)
    return None if parts is None else ""


def cleared(data: bytes) -> str | None:
    """Decode the answer to ``*ESR?`` alone, whatever it tells of what happened before.

    Raises:
        GarbledBytesError: Anything but a whole number.
    """
    line, end, behind = data.partition(b"\r\n")
    if behind or (end and not line.strip().isdigit()):
        raise GarbledBytesError("not the event register")
    return "" if end else None


def answer(*parse: Callable[[str], T]) -> Decoder[tuple[T, ...]]:
    """Return the decoder of the answers to as many questions as there are parsers.

    The decoder raises GarbledBytesError for another number of parts, and RefusalError if the event
    register says that something was wrong.
    """

    def decode(data: bytes) -> tuple[T, ...] | None:
        parts = _parts(data, len(parse) + 1)
        if parts is None:
            return None
        return tuple(one(part) for one, part in zip(parse, parts, strict=False))

    return decode


def parse_text(text: str) -> str:
    """Take text as it is."""
    return text


def parse_number(text: str) -> float:
    """Take a number.

    Raises:
        GarbledBytesError: It is none.
    """
    if _NUMBER.fullmatch(text) is None:
        raise GarbledBytesError("not a number")
    return float(text)


def parse_kelvin(text: str) -> float:
    """Take a temperature, K; one that no sensor can tell is none.

    Raises:
        GarbledBytesError: It is none.
    """
    kelvin = parse_number(text)
    if not 0.0 <= kelvin <= _HOTTEST_K:
        raise GarbledBytesError("not a temperature in K")
    return kelvin


def parse_whole(text: str) -> float:
    """Take a whole number.

    Raises:
        GarbledBytesError: It is none.
    """
    if _WHOLE.fullmatch(text) is None:
        raise GarbledBytesError("not a whole number")
    return float(text)


def reasons(status: int) -> str:
    """Say in words what the bits of ``RDGST?`` mean; empty for a good reading."""
    known = [text for bit, text in _SENSOR.items() if status & bit]
    return ", ".join(known) or (f"status {status}" if status else "")


def _parts(data: bytes, count: int) -> list[str] | None:
    if not data.isascii():
        raise GarbledBytesError("not ASCII text")
    line, end, behind = data.decode("ascii").partition("\r\n")
    if behind:
        raise GarbledBytesError("more than one answer to one line")
    if not end:
        return None
    parts = [part.strip() for part in line.split(";")]
    said = ", ".join(_complaints(parts[-1]))
    if said:
        raise RefusalError(f"{parts[-1]} ({said})", "see chapter 6 of the manual")
    if len(parts) != count:
        raise GarbledBytesError(f"{len(parts)} parts instead of {count}")
    return parts


def _complaints(register: str) -> Iterator[str]:
    bits = int(parse_whole(register))
    yield from (text for bit, text in _WRONG.items() if bits & bit)
