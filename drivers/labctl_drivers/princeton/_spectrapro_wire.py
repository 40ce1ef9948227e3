r"""Codec of the Acton SpectraPro controllers: words ended by CR, answers ended by `` ok\r\n``.

Facts: the manuals of SP-750i and IsoPlane SCT-320, and public drivers (odemis, nplab). The answer
to a move comes when the grating has stopped. Every request has one answer; a second one in the
same bytes means that an old answer came late, and none of the two is believed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from labctl.roles import Grating
from labctl.transport import Decoder, GarbledBytesError, RefusalError

__all__ = [
    "GRATING",
    "GRATINGS",
    "MIRROR",
    "MODEL",
    "SERIAL",
    "WAVELENGTH",
    "Reply",
    "ask_mirror",
    "ask_slit",
    "decoder",
    "encode",
    "goto",
    "move_mirror",
    "move_slit",
    "parse_gratings",
    "parse_micrometers",
    "parse_mirror",
    "parse_nothing",
    "parse_number",
    "parse_wavelength",
    "parse_word",
    "select_grating",
]

T = TypeVar("T")

MODEL, SERIAL = "MODEL", "SERIAL"
WAVELENGTH, GRATING, GRATINGS = "?NM", "?GRATING", "?GRATINGS"
MIRROR = "EXIT-MIRROR ?MIRROR"
_LARGEST_UM = 3000

_OK = b" ok\r\n"
_UNKNOWN = (b"? \r\n", b"?\r\n")
_CRASH = b"Address Error"
_WAVELENGTH = re.compile(r"([-+]?\d{1,5}(?:\.\d{1,4})?)\s*(?:nm)?", re.ASCII | re.IGNORECASE)
_LINE = re.compile(r"\x1a?\s*([1-9])\s+(\S.*)", re.ASCII)
_RULED = re.compile(r"(\d{1,4}(?:\.\d)?)\s*g/mm\s+BLZ=\s*(\S.*)", re.ASCII | re.IGNORECASE)
_BLAZE = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s*([NU])M", re.ASCII | re.IGNORECASE)
_MICRONS = re.compile(r"(\d{1,4})(?:\s*um)?", re.ASCII | re.IGNORECASE)
_LOWEST_NM, _LARGEST_NM = -100.0, 20000.0


@dataclass(frozen=True)
class Reply(Generic[T]):
    """A decoded answer, and whether the line had echoed the command before it."""

    value: T
    echoed: bool


def goto(nanometers: float) -> str:
    """Move to a wavelength, nm, at full speed; out of range is clamped silently and answers ok."""
    return f"{nanometers:.3f} GOTO"


def select_grating(number: int) -> str:
    """Turn a grating in; one that is not installed answers ok too and nothing moves."""
    return f"{number} GRATING"


def move_mirror(port: str, *, mirror: str = "EXIT") -> str:
    """Turn a mirror (``EXIT``, ``ENT``) to a port; the first word says which one is meant."""
    return f"{mirror}-MIRROR {port.upper()}"


def ask_mirror(mirror: str) -> str:
    """Ask where a mirror (``EXIT``, ``ENT``) stands."""
    return f"{mirror}-MIRROR ?MIRROR"


def move_slit(port: str, micrometers: float) -> str:
    """Open the entrance slit at a port; the motor moves in steps of 5 um."""
    return f"{port.upper()}-ENT-SLIT {micrometers:.0f} MICRONS"


def ask_slit(port: str) -> str:
    """Ask for the width of the entrance slit at a port."""
    return f"{port.upper()}-ENT-SLIT ?MICRONS"


def encode(command: str, *, lower: bool) -> bytes:
    """Return the bytes of a command; some controllers know lower-case words only."""
    return f"{command.lower() if lower else command.upper()}\r".encode("ascii")


def decoder(command: str, parse: Callable[[str], T], echo: bool | None) -> Decoder[Reply[T]]:
    """Return the decoder of the answer to ``command``.

    Args:
        command: The command's text.
        parse: Makes a value of the text between echo and ok; raises GarbledBytesError.
        echo: Whether the line echoes: True demands the echo, None takes it if it is there.
    """

    def decode(data: bytes) -> Reply[T] | None:
        if not _complete(data):
            return None
        echoed, text = _without_echo(data[: -len(_OK)], command, echo)
        return Reply(parse(text.strip(" \r\n")), echoed)

    return decode


def parse_nothing(text: str) -> str:
    """Take the answer to a move.

    Raises:
        RefusalError: It says something, e.g. ``no motor``.
    """
    if text:
        raise RefusalError(text, "this part is not motorised")
    return text


def parse_word(text: str) -> str:
    """Take a name or number as text.

    Raises:
        GarbledBytesError: There is none, or it has unprintable characters.
    """
    if not text or not text.isprintable():
        raise GarbledBytesError("no name")
    return text


def parse_wavelength(text: str) -> float:
    """Take ``700.000 nm``; older controllers leave the unit out.

    Raises:
        GarbledBytesError: Not a number, or no wavelength that a drive can stand at.
    """
    match = _WAVELENGTH.fullmatch(text)
    if match is None:
        raise GarbledBytesError("not a wavelength")
    nanometers = float(match[1])
    if not _LOWEST_NM <= nanometers <= _LARGEST_NM:
        raise GarbledBytesError(f"{nanometers:g} nm cannot be")
    return nanometers


def parse_number(text: str) -> int:
    """Take the number of a grating, 1 to 9.

    Raises:
        GarbledBytesError: Anything else.
    """
    if len(text) != 1 or text not in "123456789":
        raise GarbledBytesError("not the number of a grating")
    return int(text)


def parse_mirror(text: str) -> str:
    """Take ``front`` or ``side``.

    Raises:
        RefusalError: The instrument says that there is no such motor.
        GarbledBytesError: Anything else.
    """
    word = text.lower()
    if word.startswith("no "):
        raise RefusalError(text, "this mirror is not motorised")
    if word not in ("front", "side"):
        raise GarbledBytesError("neither front nor side")
    return word


def parse_micrometers(text: str) -> float:
    """Take ``480 um``.

    Raises:
        RefusalError: The instrument says ``no motor`` or ``no slit``.
        GarbledBytesError: Anything else, or no width that a slit can have.
    """
    if text.lower().startswith("no "):
        raise RefusalError(text, "the slit has no motor: remove 'motor_slit' from the set-up")
    match = _MICRONS.fullmatch(text)
    if match is None or int(match[1]) > _LARGEST_UM:
        raise GarbledBytesError("not the width of a slit")
    return float(match[1])


def parse_gratings(text: str) -> Mapping[int, Grating]:
    """Take the list of gratings; empty places are left out, the grating in use has an arrow.

    A blaze that is no wavelength (``HOLO``) becomes 0.

    Raises:
        GarbledBytesError: A line is not of the list's form, or a number comes twice.
    """
    gratings: dict[int, Grating | None] = {}
    for line in filter(None, (part.strip(" \r") for part in text.split("\n"))):
        match = _LINE.fullmatch(line)
        if match is None or int(match[1]) in gratings:
            raise GarbledBytesError(f"{line!r} is no line of the list of gratings")
        gratings[int(match[1])] = _grating(match[2].strip())
    installed = {number: found for number, found in gratings.items() if found is not None}
    if not installed:
        raise GarbledBytesError("no grating is installed")
    return installed


def _grating(text: str) -> Grating | None:
    words = text.lower()
    if words == "not installed":
        return None
    if words.startswith("mirror"):
        return Grating(0.0, 0.0)
    ruled = _RULED.fullmatch(text)
    if ruled is None:
        raise GarbledBytesError(f"{text!r} is no grating")
    blaze = _BLAZE.fullmatch(ruled[2].strip())
    per_unit_nm = 0.0 if blaze is None else 1000.0 if blaze[2].upper() == "U" else 1.0
    return Grating(float(ruled[1]), per_unit_nm * float(blaze[1] if blaze else 0.0))


def _complete(data: bytes) -> bool:
    if _CRASH in data:
        raise GarbledBytesError("the controller has stumbled over its input")
    if data.endswith(_UNKNOWN) and _OK not in data:
        text = data.decode("ascii", "replace").strip()
        raise RefusalError(text, "it does not know this word; try the other 'case' in the set-up")
    _, found, behind = data.partition(_OK)
    if found and behind:
        raise GarbledBytesError("more than one answer to one command")
    return bool(found)


def _without_echo(body: bytes, command: str, echo: bool | None) -> tuple[bool, str]:
    if not body.isascii():
        raise GarbledBytesError("not ASCII text")
    text = body.decode("ascii")
    echoed = text[: len(command)].upper() == command.upper()
    if echo and not echoed:
        raise GarbledBytesError(f"does not begin with the echo of {command!r}")
    strip = echoed and echo is not False
    return echoed, text[len(command) :] if strip else text
