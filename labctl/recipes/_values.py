"""The values of a scan as numbers of one unit."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

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
    """Return the values in ``unit``, to be taken one after the other.

    Raises:
        ValueError: A wrong dimension, or a spacing that is not possible between these ends.
    """
    if isinstance(node.values, Range):
        return _spaced(node.values, unit)
    return (number(amount, unit) for amount in node.values)


def _spaced(given: Range, unit: str) -> Iterator[float]:
    start, stop = number(given.start, unit), number(given.stop, unit)
    if given.spacing != "linear" and not start * stop > 0:
        message = f"{given.spacing} spacing cannot reach or cross 0; begin above 0"
        raise ValueError(message)
    between, last = _BETWEEN[given.spacing], given.num - 1
    # The ends are what the user wrote, not what rounding makes of them.
    if given.num > 0:
        yield start
    for index in range(1, last):
        yield between(start, stop, index / last)
    if given.num > 1:
        yield stop


_BETWEEN: Mapping[str, Callable[[float, float, float], float]] = {
    "linear": lambda start, stop, share: start + (stop - start) * share,
    "log": lambda start, stop, share: start * math.exp(share * math.log(stop / start)),
    "inverse": lambda start, stop, share: start * stop / (stop + (start - stop) * share),
}
"""Spacing → the value at a share of the way."""


def listed(values: Sequence[str]) -> str:
    """Return up to 20 of the values as text."""
    shown = ", ".join(values[:20])
    return f"{shown} and {len(values) - 20} more" if len(values) > 20 else shown
