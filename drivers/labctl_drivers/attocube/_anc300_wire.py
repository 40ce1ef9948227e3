r"""Codec of the ANC300's console: a line ended by CR LF, value lines, then ``OK`` or ``ERROR``.

Facts: ANC300 manual and the public drivers of pylablib, PyMeasure and QCoDeS. With echo on the
answer begins with ``> `` and the command; some firmware puts an extra LF behind values. Only whole
lines count as the end of an answer, so that a text that contains ``OK`` does not cut it short.
``stepw`` is not here: its answer comes when the axis stops, and would hold up everything else.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from labctl.transport import Decoder, GarbledBytesError, RefusalError

__all__ = [
    "CONTROLLER_SERIAL",
    "ECHO_OFF",
    "VERSION",
    "decode_login",
    "decoder",
    "encode",
    "login_at_end",
    "parse_capacitance_nf",
    "parse_frequency_hz",
    "parse_mode",
    "parse_nothing",
    "parse_serial",
    "parse_text",
    "parse_version",
    "parse_voltage_v",
]

T = TypeVar("T")

VERSION, CONTROLLER_SERIAL, ECHO_OFF = "ver", "getcser", "echo off"

_PROMPT = "> "
_SUCCESS = "Authorization success"
_ASKS = "Authorization code:"
_TELNET = re.compile(rb"\xff[\xfb-\xfe].", re.DOTALL)
_STARS = re.compile(r"\*+")
_MODES = ("gnd", "inp", "cap", "stp", "off", "offs", "stp+", "stp-")
_LARGEST_V, _LARGEST_HZ = 200.0, 10_000.0
_REMEDIES = {
    "Wrong axis type": "is there a module in this slot that can do it? see 'number' in the set-up",
    "Axis in wrong mode": "ground the axis and try again",
    "Value out of range": "set a narrower limit in the set-up",
    "Axis not in computer control mode": "turn the switch at the front of the module to 'CCON'",
}


def encode(command: str) -> bytes:
    """Return the bytes of a command."""
    return f"{command}\r\n".encode("ascii")


def decoder(command: str, parse: Callable[[list[str]], T]) -> Decoder[T]:
    """Return the decoder of the answer to ``command``.

    ``parse`` gets the lines between echo and ``OK``; it raises GarbledBytesError.
    """

    def decode(data: bytes) -> T | None:
        lines = _lines(data, command)
        return None if lines is None else parse(lines)

    return decode


def decode_login(data: bytes) -> str | None:
    """Decode what comes after the password: its mask, then the verdict.

    Raises:
        RefusalError: Anything but success; the manual does not tell the text.
    """
    text = _TELNET.sub(b"", data).decode("ascii", "replace").replace("\r", "\n")
    *whole, partial = [line.strip() for line in text.split("\n")]
    masked = [n for n, line in enumerate(whole) if _STARS.fullmatch(_behind_question(line))]
    if not masked:
        return None
    verdict = next((line for line in whole[masked[0] + 1 :] if line), "")
    if verdict == _SUCCESS:
        return verdict
    if verdict or partial.startswith(_ASKS):
        raise _wrong_password(verdict)
    return None


def login_at_end(data: bytes) -> str | None:
    """Decode what had come when the controller hung up instead of letting us in.

    Raises:
        RefusalError: Always.
    """
    raise _wrong_password(data.decode("ascii", "replace").strip())


def parse_nothing(lines: list[str]) -> str:
    """Take the answer to an order.

    Raises:
        GarbledBytesError: There is a value.
    """
    if lines:
        raise GarbledBytesError("a value where none belongs")
    return ""


def parse_text(lines: list[str]) -> str:
    """Take one line or more.

    Raises:
        GarbledBytesError: There is none, or it has unprintable characters.
    """
    if not lines or not all(line.isprintable() for line in lines):
        raise GarbledBytesError("no text")
    return ", ".join(lines)


def parse_serial(lines: list[str]) -> str:
    """Take a serial number; newer firmware puts ``… serial number =`` in front.

    Raises:
        GarbledBytesError: There is none.
    """
    return parse_text(lines).rpartition("=")[2].strip()


def parse_version(lines: list[str]) -> str:
    """Take ``attocube ANC300 controller version 1.1.0-1304 …``; a second line says nothing more.

    Raises:
        GarbledBytesError: There is no text.
    """
    parse_text(lines)
    return lines[0].partition("version")[2].strip() or lines[0]


def parse_mode(lines: list[str]) -> str:
    """Take ``mode = stp``.

    Raises:
        GarbledBytesError: Anything else, or an unknown mode.
    """
    mode = _value(lines, "mode")
    if mode not in _MODES:
        raise GarbledBytesError(f"{mode!r} is no mode")
    return mode


def parse_voltage_v(lines: list[str]) -> float:
    """Take ``voltage = 20.000000 V``.

    Raises:
        GarbledBytesError: Anything else.
    """
    return _number(lines, "voltage", "V", _LARGEST_V)


def parse_frequency_hz(lines: list[str]) -> float:
    """Take ``frequency = 210 Hz``.

    Raises:
        GarbledBytesError: Anything else.
    """
    return _number(lines, "frequency", "Hz", _LARGEST_HZ, least=0.0)


def parse_capacitance_nf(lines: list[str]) -> float:
    """Take ``capacitance = 998.901733 nF``; NaN for ``?``, which was never measured.

    Raises:
        GarbledBytesError: Anything else.
    """
    if _value(lines, "capacitance") == "?":
        return float("nan")
    return _number(lines, "capacitance", "nF", 1e6, least=0.0)


def _number(
    lines: list[str], name: str, unit: str, largest: float, *, least: float | None = None
) -> float:
    match = re.fullmatch(rf"(-?\d{{1,7}}(?:\.\d{{1,9}})?)\s*{unit}", _value(lines, name), re.ASCII)
    lowest = -largest if least is None else least
    if match is None or not lowest <= float(match[1]) <= largest:
        raise GarbledBytesError(f"not a {name} in {unit}")
    return float(match[1])


def _value(lines: list[str], name: str) -> str:
    if len(lines) != 1:
        raise GarbledBytesError("not one value")
    found, equals, value = lines[0].partition("=")
    if not equals or found.strip() != name:
        raise GarbledBytesError(f"not 'name = value' of a {name}")
    return value.strip()


def _lines(data: bytes, command: str) -> list[str] | None:
    """Return the lines before ``OK``; raises RefusalError for ``ERROR``."""
    data = _TELNET.sub(b"", data)
    if not data.isascii():
        raise GarbledBytesError("not ASCII text")
    lines: list[str] = []
    *whole, partial = data.decode("ascii").split("\n")
    if partial.startswith(_ASKS) or any(line.startswith(_ASKS) for line in whole):
        remedy = "write its 'password' in the set-up"
        raise RefusalError("the controller asks for an authorization code", remedy)
    for number, raw in enumerate(whole):
        line = raw.removeprefix(_PROMPT).strip()
        if line in ("OK", "ERROR"):
            _nothing_behind([*whole[number + 1 :], partial])
            return _verdict(lines, line)
        if line and not (line == command and not lines):
            lines.append(line)
    return None


def _nothing_behind(lines: list[str]) -> None:
    """A second answer means that an old one came late, and none of the two is believed."""
    if any(line.removeprefix(_PROMPT).strip(" \r>") for line in lines):
        raise GarbledBytesError("more than one answer to one command")


def _verdict(lines: list[str], verdict: str) -> list[str]:
    if verdict == "OK":
        return lines
    text = ", ".join(lines) or verdict
    raise RefusalError(text, _REMEDIES.get(text, "is it a command of this firmware?"))


def _behind_question(line: str) -> str:
    return line.removeprefix("attocube ANC300 console").removeprefix(_ASKS).strip()


def _wrong_password(text: str) -> RefusalError:
    return RefusalError(text or "not let in", "check 'password' in the set-up (default 123456)")
