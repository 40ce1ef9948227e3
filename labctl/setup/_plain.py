"""Models as plain numbers whose keys carry the unit, as the simulated set-up takes them."""

from collections.abc import Mapping
from typing import Any, cast, get_args

from pydantic import BaseModel

from labctl.units import SUFFIX_UNITS, Quantity, split_suffix

__all__ = ["plain"]

_SUFFIXES = {unit: suffix for suffix, unit in reversed(SUFFIX_UNITS.items())}


def plain(model: BaseModel) -> dict[str, Any]:
    """Return the fields of a model as numbers; the key of a quantity ends with its unit."""
    found: dict[str, Any] = {}
    for name, info in type(model).model_fields.items():
        unit = _unit([*info.metadata, info.annotation])
        value = getattr(model, name)
        if value is not None:
            found[_suffixed(name, unit)] = _value(value)
    return found


def _value(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return plain(value)
    if isinstance(value, Mapping):
        entries = cast(Mapping[Any, Any], value)
        return {key: _value(entry) for key, entry in entries.items()}
    if isinstance(value, list | tuple):
        return [_value(entry) for entry in cast(list[Any], value)]
    return value if isinstance(value, str | int | float | bool) else str(value)


def _suffixed(name: str, unit: str) -> str:
    if not unit or split_suffix(name)[1] == unit or unit not in _SUFFIXES:
        return name
    return f"{name}_{_SUFFIXES[unit]}"


def _unit(annotations: list[Any]) -> str:
    """Return the unit of a scalar field (``X`` or ``X | None``); containers keep their name."""
    for annotation in annotations:
        if isinstance(annotation, Quantity):
            return annotation.unit
        for option in get_args(annotation):
            for mark in getattr(option, "__metadata__", ()):
                if isinstance(mark, Quantity):
                    return mark.unit if not _container(annotation) else ""
    return ""


def _container(annotation: Any) -> bool:
    origin = getattr(annotation, "__origin__", None)
    return origin in (list, tuple, dict, set, Mapping)
