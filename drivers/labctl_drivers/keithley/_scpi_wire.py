r"""Codec of Keithley's source-meters: SCPI lines ended by LF, each followed by the error queue.

Facts: Series 2400 user's manual (2400S-900-01) and 2450 reference manual (2450-901-01), public
drivers of PyMeasure and QCoDeS. A set command has no answer and an unknown question none either,
so ``:SYST:ERR?`` goes along in the same line: every line has one answer, and says what was wrong.
"""

import math
import re
from collections.abc import Callable
from typing import TypeVar

from labctl.transport import Decoder, GarbledBytesError, RefusalError

__all__ = ["answer", "encode", "nothing", "parse_flag", "parse_numbers", "parse_text"]

T = TypeVar("T")

_ERRORS = ":SYST:ERR?"
_PART = re.compile(r'(?:"[^"]*"|[^";])+')
_ERROR = re.compile(r'([+-]?\d{1,5}),"([^"]*)"', re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{0,15})?(?:E[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_NO_VALUE = 9.8e37
"""9.9E37 is an overflow, 9.91E37 stands for no value."""
_REMEDIES = {
    -113: "is its command set SCPI, and is it this model?",
    -221: "another setting forbids it; compliance and range of current depend on each other",
    -222: "it is out of the range of this model",
    802: "close its interlock",
}


def encode(*commands: str) -> bytes:
    """Return the bytes of one line: the commands, then the question for errors."""
    return (";".join((*commands, _ERRORS)) + "\n").encode("ascii")


def nothing(data: bytes) -> str | None:
    """Decode the answer to commands that only set something.

    Raises:
        GarbledBytesError: Anything but one entry of the error queue.
        RefusalError: The entry is an error.
    """
    parts = _parts(data)
    if parts is None:
        return None
    if len(parts) != 1:
        raise GarbledBytesError("a value where none belongs")
    _no_error(parts[0])
    return ""


def answer(parse: Callable[[str], T]) -> Decoder[T]:
    """Return the decoder of the answer to one question; ``parse`` makes a value of its text.

    The decoder raises GarbledBytesError for anything but one value and one entry of the error
    queue, and RefusalError if the entry is an error.
    """

    def decode(data: bytes) -> T | None:
        parts = _parts(data)
        if parts is None:
            return None
        _no_error(parts[-1])
        if len(parts) != 2:
            raise GarbledBytesError("not one value")
        return parse(parts[0])

    return decode


def parse_text(text: str) -> str:
    """Take text as it is."""
    return text


def parse_flag(text: str) -> bool:
    """Take 0 or 1.

    Raises:
        GarbledBytesError: Anything else.
    """
    if text not in ("0", "1"):
        raise GarbledBytesError("neither 0 nor 1")
    return text == "1"


def parse_numbers(count: int) -> Callable[[str], tuple[float, ...]]:
    """Return a parser of so many numbers; those that stand for no value become NaN.

    The parser raises GarbledBytesError for another number of them, or for no numbers.
    """

    def parse(text: str) -> tuple[float, ...]:
        words = [word.strip() for word in text.split(",")]
        if len(words) != count or not all(map(_NUMBER.fullmatch, words)):
            raise GarbledBytesError(f"not {count} numbers")
        values = map(float, words)
        return tuple(math.nan if abs(value) > _NO_VALUE else value for value in values)

    return parse


def _parts(data: bytes) -> list[str] | None:
    """Return what stands between semicolons outside quotes; None before the end of the line."""
    if not data.isascii():
        raise GarbledBytesError("not ASCII text")
    line, end, behind = data.decode("ascii").partition("\n")
    if behind:
        raise GarbledBytesError("more than one answer to one line")
    if not end:
        return None
    parts = [part.strip() for part in _PART.findall(line.rstrip("\r"))]
    if not parts:
        raise GarbledBytesError("an empty answer")
    return parts


def _no_error(text: str) -> None:
    match = _ERROR.fullmatch(text)
    if match is None:
        raise GarbledBytesError(f"{text!r} is no entry of the error queue")
    code = int(match[1])
    if code:
        raise RefusalError(text, _REMEDIES.get(code, "see the manual's list of errors"))
