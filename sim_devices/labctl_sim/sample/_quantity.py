"""Quantities with unit strings, parsed by pint; the only place of this package that touches it."""

import math
import re
from typing import Annotated, Any

import pint
from pydantic import BeforeValidator

# One registry per process: building a second one costs half a second.
_UNITS: Any = pint.get_application_registry()
_WORD = r"[^\W\d_]+(?:(?:\*\*|\^)-?\d)?"
# Pint evaluates whatever it is given; only a number and a product of units gets that far.
_QUANTITY = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*"
    rf"(?P<unit>{_WORD}(?:\s*[*/ ]\s*{_WORD})*)?\s*",
)


def magnitude(value: object, unit: str) -> float:
    """Turn ``"23 nm"`` into a plain number in ``unit``.

    Args:
        value: text with number and unit; a bare number is accepted only for a dimensionless unit.
        unit: the unit of the result, as pint spells it.

    Raises:
        ValueError: no unit, an unknown unit, a wrong dimension, or not a finite number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f'expected a quantity such as "1 {unit}", got {value!r}')
    if not isinstance(value, str) and unit:
        raise ValueError(f'the unit is missing: write "{value} {unit}"')
    number = _converted(str(value), unit)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _converted(text: str, unit: str) -> float:
    parts = _QUANTITY.fullmatch(text)
    if parts is None:
        raise ValueError(f'{text!r} is not a quantity such as "1 {unit}"')
    number, given = float(parts["number"]), (parts["unit"] or "").strip()
    if not unit and not given:
        return number
    if not given:
        raise ValueError(f'the unit is missing: write "{number:g} {unit}"')
    try:
        return number * float(_UNITS.Quantity(1.0, given).to(unit).magnitude)
    except pint.DimensionalityError as error:
        raise ValueError(f"{text!r} cannot be expressed in {unit or 'a plain number'}") from error
    except (pint.PintError, AttributeError, ValueError) as error:
        raise ValueError(f"{text!r} has an unknown unit; expected {unit}") from error


def _unit(unit: str) -> BeforeValidator:
    def parse(value: object) -> float:
        return magnitude(value, unit)

    return BeforeValidator(parse)


Nanometers = Annotated[float, _unit("nm")]
Micrometers = Annotated[float, _unit("um")]
Electronvolts = Annotated[float, _unit("eV")]
Millielectronvolts = Annotated[float, _unit("meV")]
MevPerKelvin = Annotated[float, _unit("meV/K")]
Kelvin = Annotated[float, _unit("K")]
KelvinPerFluence = Annotated[float, _unit("K*cm**2/uJ")]
Picoseconds = Annotated[float, _unit("ps")]
Seconds = Annotated[float, _unit("s")]
Degrees = Annotated[float, _unit("deg")]
SquareCentimeters = Annotated[float, _unit("cm**2")]
KilovoltsPerCm = Annotated[float, _unit("kV/cm")]
StarkCoefficient = Annotated[float, _unit("meV*cm**2/kV**2")]
