"""The values of a scan as numbers of one unit."""

import math
from collections.abc import Iterator, Sequence

from labctl.recipes._nodes import Range, ScanNode
from labctl.setup import number_in
from labctl.units import format_quantity, parse_any

__all__ = ["canonical", "length", "listed", "number", "unit_of", "values_in"]


def number(amount: str | float, unit: str) -> float:
    """Return an amount as a number of ``unit``; a bare number is one of this unit.

    Raises:
        ValueError: A wrong dimension.
    """
    return number_in(amount, unit) if isinstance(amount, str) else amount


def canonical(amount: str | float) -> str | float:
    """Return the same amount in the one form that decides the hash of a recipe."""
    return format_quantity(*parse_any(amount)) if isinstance(amount, str) else float(amount)


def unit_of(node: ScanNode) -> str:
    """Return the unit in which the file gives the values, as far as it can be seen there."""
    given = node.values
    amounts = (given.start, given.stop) if isinstance(given, Range) else given
    units = (parse_any(amount)[1] for amount in amounts if isinstance(amount, str))
    return next(units, "")


def length(node: ScanNode) -> int:
    """Return the number of values."""
    return node.values.num if isinstance(node.values, Range) else len(node.values)


def values_in(node: ScanNode, unit: str) -> Iterator[float]:
    """Yield the values in ``unit``, one after the other.

    Raises:
        ValueError: A wrong dimension, or a spacing that is not possible between these ends.
    """
    if isinstance(node.values, Range):
        yield from _spaced(node.values, unit)
        return
    for amount in node.values:
        yield number(amount, unit)


def _spaced(given: Range, unit: str) -> Iterator[float]:
    start, stop = number(given.start, unit), number(given.stop, unit)
    if given.spacing != "linear" and not start * stop > 0:
        message = f"{given.spacing} spacing cannot reach or cross 0; begin above 0"
        raise ValueError(message)
    for index in range(given.num):
        # The ends are what the user wrote, not what rounding makes of them.
        if index == 0:
            yield start
        elif index == given.num - 1:
            yield stop
        else:
            yield _between(start, stop, index / (given.num - 1), given.spacing)


def _between(start: float, stop: float, share: float, spacing: str) -> float:
    match spacing:
        case "log":
            return start * math.exp(share * math.log(stop / start))
        case "inverse":
            return start * stop / (stop + (start - stop) * share)
        case _:
            return start + (stop - start) * share


def listed(values: Sequence[str]) -> str:
    """Return up to 20 of the values as text."""
    shown = ", ".join(values[:20])
    return f"{shown} and {len(values) - 20} more" if len(values) > 20 else shown
