"""Codec of the legacy Cryostation: two length digits, then ASCII text, no terminator.

Facts: Montana Cryostation Communication Specification 1.9 and public drivers that use it.
"""

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from labctl.transport import GarbledBytesError, RefusalError

__all__ = [
    "Query",
    "Reading",
    "SetPoint",
    "decode_alarm",
    "decode_ok",
    "decode_reading",
    "encode",
]

_NUMBER = re.compile(r"-?\d{1,9}(?:([.,])\d{1,9})?", re.ASCII)
_NOT_FITTED = -0.1
_REMEDIES = {
    "Error: Invalid command": "the software on the cryostat's computer is of another version",
    "Error: Invalid set point": "2.00 to 350.00 K are accepted; check 'decimal' in the set-up",
    "Error: Invalid PID": "K is 0.001 to 100, F and T are 0 to 100",
    "System not able": "see on the cryostat's computer what it is doing",
}


class Query(StrEnum):
    """Questions that are answered by one word or number."""

    PLATFORM_TEMPERATURE = "GPT"
    SAMPLE_TEMPERATURE = "GST"
    USER_TEMPERATURE = "GUT"
    STAGE_1_TEMPERATURE = "GS1T"
    STAGE_2_TEMPERATURE = "GS2T"
    PLATFORM_STABILITY = "GPS"
    SAMPLE_STABILITY = "GSS"
    USER_STABILITY = "GUS"
    SET_POINT = "GTSP"
    CHAMBER_PRESSURE = "GCP"
    PLATFORM_HEATER_POWER = "GPHP"
    ALARM = "GAS"


@dataclass(frozen=True)
class SetPoint:
    """Sets the set point, K; the decimal sign follows the locale of the cryostat's computer."""

    kelvin: float
    decimal_sign: str = "."

    def __str__(self) -> str:
        """Return the command's text; the instrument takes two decimals."""
        return f"STSP {self.kelvin:.2f}".replace(".", self.decimal_sign)


@dataclass(frozen=True)
class Reading:
    """A number; NaN if the sensor is not there. ``decimal_sign`` is empty for a whole number."""

    value: float
    decimal_sign: str


def encode(command: str | SetPoint) -> bytes:
    """Return the bytes of a command."""
    text = str(command)
    return f"{len(text):02d}{text}".encode("ascii")


def decode_reading(data: bytes, *, largest: float) -> Reading | None:
    """Decode a number from 0 to ``largest``; the −0.1 of an absent sensor becomes NaN.

    Raises:
        GarbledBytesError: Not one reply, not a number, or a number that cannot be.
        RefusalError: The instrument does not answer this question.
    """
    text = _answer(data)
    if text is None:
        return None
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise GarbledBytesError("not a number")
    value = float(match[0].replace(",", "."))
    if value == _NOT_FITTED:
        value = math.nan
    elif not 0.0 <= value <= largest:
        raise GarbledBytesError(f"{value:g} cannot be")
    return Reading(value, match[1] or "")


def decode_ok(data: bytes) -> str | None:
    """Decode the answer to an order, e.g. ``OK, Temperature Set Point = 4.20``.

    Raises:
        GarbledBytesError: Not one reply.
        RefusalError: Anything that does not begin with OK.
    """
    text = _answer(data)
    if text is None or text.startswith("OK"):
        return text
    raise RefusalError(text)


def decode_alarm(data: bytes) -> bool | None:
    """Decode ``T`` (there is an error) or ``F``.

    Raises:
        GarbledBytesError: Anything else.
    """
    text = _answer(data)
    if text is not None and text not in ("T", "F"):
        raise GarbledBytesError("neither T nor F")
    return None if text is None else text == "T"


def _answer(data: bytes) -> str | None:
    text = _frame(data)
    for beginning, remedy in _REMEDIES.items():
        if text is not None and text.startswith(beginning):
            raise RefusalError(text, remedy)
    return text


def _frame(data: bytes) -> str | None:
    head = data[:2]
    if head and not head.isdigit():
        raise GarbledBytesError("does not begin with two digits")
    if len(head) < 2:
        return None
    end = 2 + int(head)
    if end == 2:
        raise GarbledBytesError("an empty reply")
    if len(data) > end:
        raise GarbledBytesError("more than one reply to one question")
    if not data.isascii():
        raise GarbledBytesError("not ASCII text")
    return data[2:].decode("ascii") if len(data) == end else None
