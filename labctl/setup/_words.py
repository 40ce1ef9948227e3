"""Problems in the user's words: field, file and line, and how to mend it."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError

from labctl.errors import Problem
from labctl.setup._yaml import Document, Key, Location

__all__ = ["did_you_mean", "explain", "keys_of", "spelled"]

_FEW = 8
"""Longest list that is worth reading beside a name that is probably the right one."""
_KINDS = {
    "model_type": "must be a block of keys",
    "model_attributes_type": "must be a block of keys",
    "dict_type": "must be a block of keys",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "finite_number": "must be a finite number",
    "path_type": "must be the name of a file",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "does not have the right form",
}
_BOUNDS = {
    "greater_than": ("gt", "must be greater than {}"),
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than": ("lt", "must be less than {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "too_long": ("max_length", "has more than {} entries"),
}


def did_you_mean(name: object, known: Iterable[object], *, kind: str = "known") -> str:
    """Return a hint for a name that is not known: the nearest one, and what there is."""
    names = sorted({str(entry) for entry in known})
    folded = {entry.lower(): entry for entry in names}
    close = get_close_matches(str(name).lower(), folded, n=1, cutoff=0.6)
    listed = f"{kind}: {', '.join(names)}" if names else f"{kind}: none"
    if not close:
        return listed
    meant = f"did you mean {folded[close[0]]!r}?"
    return f"{meant} {listed}" if len(names) <= _FEW else meant


def spelled(location: Iterable[Key]) -> str:
    """Return a location as people write it: ``monitors[0].every``."""
    text = ""
    for key in location:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return the keys that a block may have in a file."""
    return [info.alias or name for name, info in model.model_fields.items()]


def explain(
    error: ValidationError,
    model: type[BaseModel],
    document: Document,
    base: Location = (),
    *,
    hide: int = 0,
) -> list[Problem]:
    """Return what pydantic found, in the user's words, in the order of the file.

    Args:
        error: What ``model`` raised.
        model: Used for the names of its keys.
        document: Where the data come from.
        base: Location of the data in the document.
        hide: How many leading parts of a location are not shown.
    """
    found: list[tuple[int, Problem]] = []
    for entry in error.errors(include_url=False):
        entry = cast(dict[str, Any], entry)
        location = _located(document, base, entry["loc"])
        given = _at(document, location)
        if _short(given) and entry["type"] not in ("missing", "extra_forbidden"):
            entry["input"] = given  # what the user wrote, not what was made of it
        what, hint = _said(entry, model, location[hide:])
        line = document.lines.get(location, 0)
        found.append((line, Problem(what, document.where(location), hint)))
    return [problem for _, problem in sorted(found, key=lambda pair: pair[0])]


def _at(document: Document, location: Location) -> Any:
    data: Any = document.data
    for key in location:
        data = data[key]
    return data


def _located(document: Document, base: Location, loc: tuple[Key, ...]) -> Location:
    # Unions and validators put words of their own into the location; the data decide.
    data = _at(document, base)
    location = list(base)
    for key in loc:
        if _holds(data, key):
            data = data[key]
            location.append(key)
    return tuple(location)


def _holds(data: Any, key: Key) -> bool:
    if isinstance(data, Mapping):
        return key in data
    return isinstance(data, list) and isinstance(key, int) and key < len(cast(list[Any], data))


def _said(entry: dict[str, Any], model: type[BaseModel], shown: Location) -> tuple[str, str]:
    kind, context = entry["type"], entry.get("ctx", {})
    loc: tuple[Key, ...] = entry["loc"]
    if kind == "missing" and isinstance(loc[-1], int):
        return f"{spelled(shown)}: value {loc[-1] + 1} is missing", ""
    if kind == "missing":
        return f"{_joined(shown, loc[-1])} is missing", _needed(model, loc)
    if kind == "extra_forbidden":
        inside = _model_at(model, loc[:-1])
        never: dict[str, str] = getattr(inside, "never", {})
        if loc[-1] in never:
            what, _, hint = never[str(loc[-1])].partition("; ")
            return f"{spelled(shown)}: {what}", hint
        known = keys_of(inside) if inside else []
        return f"unknown key {spelled(shown)!r}", did_you_mean(loc[-1], known, kind="keys")
    what, hint = _complaint(kind, context, entry)
    if kind == "string_pattern_mismatch":
        hint = _needed(model, loc)
    field = spelled(shown)
    return f"{field}: {what}" if field else what, hint


def _complaint(kind: str, context: dict[str, Any], entry: dict[str, Any]) -> tuple[str, str]:
    given = entry["input"]
    if kind in _BOUNDS:
        key, text = _BOUNDS[kind]
        bound = text.format(f"{context[key]:g}")
        return (f"{given!r} {bound}" if _short(given) else bound), ""
    if kind in _KINDS:
        what = _KINDS[kind]
        return (f"{given!r} {what}" if _short(given) else what), ""
    if kind == "literal_error":
        return f"{given!r} is not possible", f"use {context['expected']}"
    text = str(entry["msg"]).removeprefix("Value error, ")
    if kind in ("value_error", "values_form"):
        what, _, hint = text.partition("; ")
        return what, hint
    return f"{given!r}: {text[:1].lower()}{text[1:]}", ""


def _short(given: Any) -> bool:
    return isinstance(given, str | int | float | bool) or given is None


def _joined(shown: Location, name: Key) -> str:
    return repr(spelled((*shown, name)))


def _needed(model: type[BaseModel], loc: tuple[Key, ...]) -> str:
    inside = _model_at(model, loc[:-1])
    if inside is None:
        return ""
    for name, info in inside.model_fields.items():
        if loc[-1] in (name, info.alias):
            return info.description or ""
    return ""


def _model_at(model: type[BaseModel], loc: tuple[Key, ...]) -> type[BaseModel] | None:
    here: Any = model
    for key in loc:
        here = _child(here, key)
    return _model_in(here)


def _child(annotation: Any, key: Key) -> Any:
    model = _model_in(annotation)
    if model is not None:
        for name, info in model.model_fields.items():
            if key in (info.alias, name):
                return info.annotation
        return annotation
    inner = [option for option in get_args(annotation) if option is not Ellipsis]
    return inner[-1] if inner else None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    options: list[Any] = [annotation]
    if get_origin(annotation) not in (dict, tuple, list, Mapping):
        options += get_args(annotation)
    for option in options:
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None
