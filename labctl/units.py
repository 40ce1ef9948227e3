"""Quantities: numbers in files carry a unit, numbers in the code carry it in their name.

A field typed ``Kelvin`` is a plain float in kelvin; in a file it is written ``"4 K"`` and is
written back in the same form. A bare number is refused, because nobody can know what it means.
"""

import math
import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

__all__ = [
    "SUFFIX_UNITS",
    "Amperes",
    "Celsius",
    "Degrees",
    "ElectronVolts",
    "FieldKvCm",
    "FluenceUjCm2",
    "GroovesPerMm",
    "Hertz",
    "Kelvin",
    "KelvinsPerMinute",
    "Megahertz",
    "Micrometers",
    "Millimeters",
    "Nanometers",
    "Percent",
    "Picoseconds",
    "Quantity",
    "Seconds",
    "Volts",
    "VoltsPerSecond",
    "Watts",
    "format_quantity",
    "parse",
    "parse_any",
    "split_suffix",
]

SUFFIX_UNITS: dict[str, str] = {
    "c": "degC",
    "db": "dB",
    "deg": "deg",
    "deg_s": "deg/s",
    "deg_s2": "deg/s^2",
    "e_s": "1/s",
    "ev": "eV",
    "gohm": "Gohm",
    "hz": "Hz",
    "j": "J",
    "j_k": "J/K",
    "k": "K",
    "k_per_s": "K/s",
    "kv_cm": "kV/cm",
    "lines_per_mm": "1/mm",
    "mev": "meV",
    "mhz": "MHz",
    "mm": "mm",
    "mm_s": "mm/s",
    "mm_s2": "mm/s^2",
    "ms": "ms",
    "na": "nA",
    "nm": "nm",
    "nm_s": "nm/s",
    "ns": "ns",
    "pa": "Pa",
    "per_mm": "1/mm",
    "percent": "%",
    "ps": "ps",
    "s": "s",
    "uj_cm2": "uJ/cm^2",
    "um": "um",
    "um_per_k": "um/K",
    "v": "V",
    "v_per_s": "V/s",
    "w": "W",
    "w_k": "W/K",
}
"""Suffix of a name → the unit of the number that it names."""


@lru_cache(maxsize=1)
def _registry() -> Any:
    # pint takes longer to import than all the rest of labctl, so it is loaded with the first file.
    import pint

    # Our own: what a script defines in the registry that all share must not change what files mean.
    make: Any = pint.UnitRegistry
    return make(autoconvert_offset_to_baseunit=True)


@lru_cache(maxsize=4096)
def parse(text: str, unit: str) -> float:
    """Return the number of ``unit`` that a quantity such as ``"500 ms"`` means.

    Raises:
        ValueError: If the text is no quantity, has no unit, or has the wrong dimension.
    """
    number, found = parse_any(text)
    try:
        value = float(_registry().Quantity(number, found).to(unit).magnitude)
    except Exception as error:  # pint raises a family of types without a common base
        message = f"{text!r} is not a quantity in {unit}; write it like '1 {unit}'"
        raise ValueError(message) from error
    # A conversion must not add digits that nobody wrote: 500 ms is 0.5 s, not 0.50000000001 s.
    return float(f"{value:.15g}")


@lru_cache(maxsize=4096)
def parse_any(text: str) -> tuple[float, str]:
    """Return number and unit of a quantity such as ``"1.5 uJ/cm^2"``.

    Raises:
        ValueError: If the text is no quantity, has no unit, or is not finite.
    """
    head, tail = _split_number(text.strip())
    tail = tail.strip()
    try:
        number = float(head)
        unit = str(_registry().Unit(f"1{tail}" if tail.startswith("/") else tail)) if tail else ""
    except Exception as error:  # pint and tokenize raise many types on free text
        raise ValueError(_no_quantity(text, head, tail)) from error
    if not unit:
        message = f"{text!r} has no unit; write it like '4 K'"
        raise ValueError(message)
    if not math.isfinite(number):
        message = f"{text!r} is not a finite number"
        raise ValueError(message)
    return number, unit


def _no_quantity(text: str, head: str, tail: str) -> str:
    """Say what is wrong with a text: powers without a sign and unknown units are often seen."""
    powers = re.sub(r"(?<=[A-Za-zµμ])([2-9])(?!\d)", r"^\1", tail)
    if head and powers != tail and _is_unit(powers):
        return f"{text!r} is not a quantity; write '{head.strip()} {powers}'"
    if head:
        return f"{text!r} is not a quantity: there is no unit {tail!r}; write it like '4 K'"
    return f"{text!r} is not a quantity; write a number and a unit, like '4 K'"


def _is_unit(text: str) -> bool:
    try:
        _registry().Unit(text)
    except Exception:  # as above: whatever pint and tokenize raise, it is no unit
        return False
    return True


def _split_number(text: str) -> tuple[str, str]:
    for end in range(len(text), 0, -1):
        try:
            float(text[:end])
        except ValueError:
            continue
        return text[:end], text[end:]
    return "", text


def format_quantity(value: float, unit: str) -> str:
    """Return the form in which files show a number of ``unit``, e.g. ``"4 K"``."""
    return f"{value:.15g} {unit}"


def split_suffix(name: str) -> tuple[str, str | None]:
    """Return ``("base_temperature", "K")`` for ``"base_temperature_k"``; unit None if no suffix."""
    for suffix in sorted(SUFFIX_UNITS, key=len, reverse=True):
        if name.endswith(f"_{suffix}"):
            return name[: -len(suffix) - 1], SUFFIX_UNITS[suffix]
    return name, None


class Quantity:
    """Marks a float field as a number of ``unit`` that files write with its unit.

    Use as ``Annotated[float, Quantity("K")]``. Text is parsed, bare numbers are refused, and
    the field is written back as text, so that every file can be read again.
    """

    def __init__(self, unit: str) -> None:
        """Remember the unit of the number in the code."""
        self.unit = unit

    def validate(self, value: Any) -> float:
        """Return the number of the unit; raises ValueError with the right form."""
        if isinstance(value, str):
            return parse(value, self.unit)
        if isinstance(value, bool) or not isinstance(value, int | float):
            message = f"write a number with its unit, like '1 {self.unit}'"
            raise ValueError(message)
        message = f"{value!r} has no unit; write '{format_quantity(value, self.unit)}'"
        raise ValueError(message)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Parse before, check the bounds of the field after, serialise with the unit."""
        return core_schema.no_info_before_validator_function(
            self.validate,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: format_quantity(value, self.unit)
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the text form for editors."""
        return {
            "type": "string",
            "pattern": r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*\S+.*$",
            "description": f"a quantity, e.g. '1 {self.unit}'",
        }


Amperes = Annotated[float, Quantity("A")]
Celsius = Annotated[float, Quantity("degC")]
Degrees = Annotated[float, Quantity("deg")]
ElectronVolts = Annotated[float, Quantity("eV")]
FieldKvCm = Annotated[float, Quantity("kV/cm")]
FluenceUjCm2 = Annotated[float, Quantity("uJ/cm^2")]
GroovesPerMm = Annotated[float, Quantity("1/mm")]
Hertz = Annotated[float, Quantity("Hz")]
Kelvin = Annotated[float, Quantity("K")]
KelvinsPerMinute = Annotated[float, Quantity("K/min")]
Megahertz = Annotated[float, Quantity("MHz")]
Micrometers = Annotated[float, Quantity("um")]
Millimeters = Annotated[float, Quantity("mm")]
Nanometers = Annotated[float, Quantity("nm")]
Percent = Annotated[float, Quantity("%")]
Picoseconds = Annotated[float, Quantity("ps")]
Seconds = Annotated[float, Quantity("s")]
Volts = Annotated[float, Quantity("V")]
VoltsPerSecond = Annotated[float, Quantity("V/s")]
Watts = Annotated[float, Quantity("W")]
