r"""Codec of the ESP300 and ESP301 motion controllers: ASCII, CR ends a command, CR LF an answer.

Facts: ESP300 and ESP301 user's manuals, section 3 (remote mode), and PyMeasure's driver. A command
begins with the number of its axis. Set commands have no answer; errors wait in a queue that ``TB?``
takes one from: ``code, time, TEXT``. An axis error has the axis in front: 201 is error 1 of axis 2.
"""

import math
import re
from typing import NamedTuple

from labctl.transport import GarbledBytesError

__all__ = ["Trouble", "encode", "parse_flag", "parse_number", "parse_text", "parse_trouble"]

_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{0,9})?(?:E[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_TROUBLE = re.compile(r"(\d{1,4}),\s*(\d{1,15}),\s*(\S.*)", re.ASCII)
_REMEDIES = {
    0: "the motor is not defined: is the right stage plugged in?",
    2: "switch the motor on again, and look what holds the stage",
    3: "the stage cannot follow: is something in its way?",
    4: "it stands at its end switch",
    5: "it stands at its end switch",
    6: "it is beyond the software limit; narrow the limits in the set-up",
    7: "it is beyond the software limit; narrow the limits in the set-up",
    8: "plug the stage in",
    13: "the motor is off: is the interlock closed, was the emergency stop pressed?",
    20: "home it again",
}
_GENERAL = {
    4: "release the emergency stop",
    6: "is this an ESP300 or ESP301?",
    8: "close the interlock of the cable",
    9: "this controller does not have the axis; correct 'axis' in the set-up",
}


class Trouble(NamedTuple):
    """An entry of the error queue; code 0 is none."""

    code: int
    text: str

    @property
    def remedy(self) -> str:
        """What to do about it."""
        if self.code < 100:
            return _GENERAL.get(self.code, "see section 8 of the manual")
        return _REMEDIES.get(self.code % 100, "see section 8 of the manual")


def encode(command: str) -> bytes:
    """Return the bytes of a command."""
    return f"{command}\r".encode("ascii")


def parse_text(data: bytes) -> str | None:
    """Take one line.

    Raises:
        GarbledBytesError: It is no printable text, or more than one line.
    """
    if not data.isascii():
        raise GarbledBytesError("not ASCII text")
    line, end, behind = data.decode("ascii").partition("\r\n")
    if behind:
        raise GarbledBytesError("more than one answer to one question")
    if not end:
        return None
    if not line.strip() or not line.isprintable():
        raise GarbledBytesError("no text")
    return line.strip()


def parse_number(data: bytes) -> float | None:
    """Take a number.

    Raises:
        GarbledBytesError: Anything else.
    """
    text = parse_text(data)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) is None or not math.isfinite(float(text)):
        raise GarbledBytesError("not a number")
    return float(text)


def parse_flag(data: bytes) -> bool | None:
    """Take 0 or 1.

    Raises:
        GarbledBytesError: Anything else.
    """
    text = parse_text(data)
    if text not in (None, "0", "1"):
        raise GarbledBytesError("neither 0 nor 1")
    return None if text is None else text == "1"


def parse_trouble(data: bytes) -> Trouble | None:
    """Take an entry of the error queue.

    Raises:
        GarbledBytesError: Anything else.
    """
    text = parse_text(data)
    if text is None:
        return None
    match = _TROUBLE.fullmatch(text)
    if match is None:
        raise GarbledBytesError("no entry of the error queue")
    return Trouble(int(match[1]), match[3])
