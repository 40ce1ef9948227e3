"""Truths of a simulator: in the file ``base_temperature: 3.4 K``, for it ``base_temperature_k``."""

from collections.abc import Iterator, Mapping
from typing import Any

from labctl.setup._words import did_you_mean
from labctl.units import SUFFIX_UNITS, format_quantity, parse, split_suffix

__all__ = ["TruthProblem", "read_truth", "truth_names", "write_truth"]

Scalar = float | int | bool | str
TruthProblem = tuple[str, str, str]
"""Key in the file, what is wrong, hint."""


def truth_names(defaults: Mapping[str, Scalar]) -> dict[str, tuple[str, str]]:
    """Return key in the file → (key of the simulator, unit; empty for a plain number)."""
    names: dict[str, tuple[str, str]] = {}
    for key, default in defaults.items():
        numeric = isinstance(default, int | float) and not isinstance(default, bool)
        for base, unit in _splits(key) if numeric else ():
            names[base] = (key, unit)
        if key not in {found for found, _ in names.values()}:
            names[key] = (key, "")
    return names


def read_truth(
    given: Mapping[str, Any], defaults: Mapping[str, Scalar]
) -> tuple[dict[str, Scalar], list[TruthProblem]]:
    """Return the truths as the simulator takes them, and what is wrong with them."""
    names = truth_names(defaults)
    shown = [name for name, _ in _preferred(defaults).values()]
    values: dict[str, Scalar] = {}
    problems: list[TruthProblem] = []
    for name, value in given.items():
        if name not in names:
            hint = did_you_mean(name, shown, kind="truths")
            problems.append((name, f"the simulator has no truth {name!r}", hint))
            continue
        key, unit = names[name]
        try:
            values[key] = _value(value, unit, defaults[key])
        except ValueError as error:
            what, _, hint = str(error).partition("; ")
            problems.append((name, f"{name}: {what}", hint))
    return values, problems


def write_truth(values: Mapping[str, Scalar], defaults: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the truths as the file has them; the inverse of ``read_truth``."""
    preferred = _preferred(defaults)
    written: dict[str, Scalar] = {}
    for key, value in values.items():
        name, unit = preferred[key]
        written[name] = format_quantity(float(value), unit) if unit else value
    return written


def _preferred(defaults: Mapping[str, Scalar]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name, (key, unit) in truth_names(defaults).items():
        if key not in found or len(name) < len(found[key][0]):
            found[key] = name, unit
    return found


def _splits(key: str) -> Iterator[tuple[str, str]]:
    # The longest unit comes first: heat_capacity_j_k is J/K of "heat_capacity", and only then
    # K of "heat_capacity_j".
    numerator, per, denominator = key.rpartition("_per_")
    if per and denominator in SUFFIX_UNITS:
        base, unit = split_suffix(numerator)
        if unit:
            yield base, f"{unit}/({SUFFIX_UNITS[denominator]})"
    base, unit = split_suffix(key)
    if unit is None:
        return
    inner, upper = split_suffix(base)
    if upper is not None and "/" not in unit and "/" not in upper:
        yield inner, f"{upper}/{unit}"
    yield base, unit


def _value(value: Any, unit: str, default: Scalar) -> Scalar:
    if isinstance(default, bool):
        if isinstance(value, bool):
            return value
        message = f"{value!r} must be true or false"
        raise ValueError(message)
    if isinstance(default, str):
        if isinstance(value, str):
            return value
        message = f"{value!r} must be text; put it in quotes"
        raise ValueError(message)
    number = _number(value, unit)
    if isinstance(default, int):
        if number != int(number):
            message = f"{value!r} must be a whole number"
            raise ValueError(message)
        return int(number)
    return number


def _number(value: Any, unit: str) -> float:
    if unit and isinstance(value, str):
        return parse(value, unit)
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    if unit:
        right = f"{value:g} {unit}" if plain else f"1 {unit}"
        message = f"{value!r} has no unit; write '{right}'"
        raise ValueError(message)
    if not plain or not abs(value) < float("inf"):
        message = f"{value!r} must be a plain number; it has no unit"
        raise ValueError(message)
    return float(value)
