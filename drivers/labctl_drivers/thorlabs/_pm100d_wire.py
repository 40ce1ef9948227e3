r"""Codec of the PM100D power meter: SCPI lines; every answer is one line that ends ``\n``.

Facts: PM100D manual 17654-D02 (SCPI commands, flags of the sensor) and the drivers of QMI and
pyLabLib. Readings over range are about 9.9e37, readings that are no number 9.91e37.
"""

import math
import re
from dataclasses import dataclass

from labctl.transport import GarbledBytesError, RefusalError

__all__ = [
    "Sensor",
    "decode_error",
    "decode_fields",
    "decode_number",
    "decode_reading",
    "decode_sensor",
    "encode",
]

_CODE = re.compile(r"[+-]?[0-9]+")
_LARGEST_W = 500.0
"""No sensor of these consoles takes so much (S322C: 250 W)."""
_OVER_RANGE = 9.85e37
_NO_NUMBER = 9.905e37
_POWER_SENSOR, _WAVELENGTH_SETTABLE = 1, 32


@dataclass(frozen=True)
class Sensor:
    """What is plugged into the meter."""

    name: str
    serial: str
    calibration: str
    flags: int

    @property
    def measures_power(self) -> bool:
        """Whether it is a sensor of power (not of energy)."""
        return bool(self.flags & _POWER_SENSOR)

    @property
    def wavelength_settable(self) -> bool:
        """Whether its wavelength can be set."""
        return bool(self.flags & _WAVELENGTH_SETTABLE)


def encode(command: str) -> bytes:
    """Return the bytes of a command."""
    return f"{command}\n".encode("ascii")


def decode_number(data: bytes) -> float | None:
    """Decode a finite number.

    Raises:
        GarbledBytesError: It is none.
    """
    line = _line(data)
    if line is None:
        return None
    value = _number(line)
    if not math.isfinite(value) or abs(value) >= _OVER_RANGE:
        raise GarbledBytesError("not a finite number")
    return value


def decode_reading(data: bytes) -> float | None:
    """Decode a measured power, W, which may be slightly negative; never a sentinel.

    Raises:
        GarbledBytesError: It is no number, or no possible power.
        RefusalError: The meter says over range, or that it has no valid reading.
    """
    line = _line(data)
    if line is None:
        return None
    value = _number(line)
    if math.isnan(value) or abs(value) >= _NO_NUMBER:
        raise RefusalError(f"{line}: no valid reading", "is the sensor plugged in?")
    if abs(value) >= _OVER_RANGE:
        raise RefusalError(f"{line}: over range", "choose a higher range, or less light")
    if abs(value) > _LARGEST_W:
        raise GarbledBytesError("more power than any sensor can take")
    return value


def decode_fields(data: bytes) -> tuple[str, ...] | None:
    """Decode text fields between commas.

    Raises:
        GarbledBytesError: Not one line of printable text.
    """
    line = _line(data)
    return None if line is None else tuple(field.strip().strip('"') for field in line.split(","))


def decode_sensor(data: bytes) -> Sensor | None:
    """Decode the answer to ``SYST:SENS:IDN?``.

    Raises:
        GarbledBytesError: Not six fields.
        RefusalError: No sensor is plugged in.
    """
    fields = decode_fields(data)
    if fields is None:
        return None
    if fields[0].lower() == "no sensor":
        raise RefusalError("no sensor", "plug a sensor in, then connect again")
    if len(fields) != 6 or not fields[5].isdecimal():
        raise GarbledBytesError("not the six fields of a sensor")
    name, serial, calibration, _, _, flags = fields
    return Sensor(name, serial, calibration, int(flags))


def decode_error(data: bytes) -> str | None:
    """Decode the answer to ``SYST:ERR?``; an empty text says that there is no error.

    Raises:
        GarbledBytesError: No code and text.
        RefusalError: There is an error.
    """
    line = _line(data)
    if line is None:
        return None
    code, comma, text = line.partition(",")
    if not comma or not _CODE.fullmatch(code.strip()):
        raise GarbledBytesError("no code and text of an error")
    if int(code) != 0:
        raise RefusalError(f"{int(code)}: {text.strip().strip(chr(34))}", "see the meter's manual")
    return ""


def _line(data: bytes) -> str | None:
    body, end, behind = data.partition(b"\n")
    if behind:
        raise GarbledBytesError("more than one line")
    try:
        text = body.decode("ascii").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise GarbledBytesError("not ASCII text") from error
    if not text.isprintable():
        raise GarbledBytesError("not printable text")
    return text if end else None


def _number(line: str) -> float:
    try:
        return float(line)
    except ValueError as error:
        raise GarbledBytesError("not a number") from error
