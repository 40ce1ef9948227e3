"""Amounts whose unit only the instrument knows."""

import math
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

from labctl.units import format_quantity, parse, parse_any

__all__ = ["Amount", "number_in"]


def _check(value: Any) -> str | float:
    if isinstance(value, str):
        parse_any(value)
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"{value!r} is not an amount; write a number and a unit, like '4 K'"
        raise ValueError(message)
    if not math.isfinite(value):
        message = f"{value!r} is not a finite number"
        raise ValueError(message)
    return float(value)


Amount = Annotated[
    str | float,
    PlainValidator(_check),
    WithJsonSchema({"type": ["string", "number"], "description": "an amount, e.g. '4 K'"}),
]
"""A quantity such as ``"5 MHz"``; or a number, where that is understood without a unit."""


def number_in(amount: str | float, unit: str) -> float:
    """Return an amount as a number of ``unit``.

    Raises:
        ValueError: No unit where one is needed, a wrong dimension, or not finite.
    """
    if unit and isinstance(amount, str):
        return parse(amount, unit)
    if isinstance(amount, bool | str):
        message = f"{amount!r} must be a plain number; the reading has no unit"
        raise ValueError(message)
    if not math.isfinite(amount):
        message = f"{amount!r} is not a finite number"
        raise ValueError(message)
    if unit:
        message = f"{amount!r} has no unit; write '{format_quantity(amount, unit)}'"
        raise ValueError(message)
    return float(amount)
