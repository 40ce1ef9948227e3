"""Reading and checking sample files (as plain data)."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from labctl_sim.sample._sample import Sample

Path = tuple[str | int, ...]
_WORDS = {
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "dict_type": "must be a block of keys",
    "model_type": "must be a block of keys",
    "model_attributes_type": "must be a block of keys",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "finite_number": "must be a finite number",
    "too_short": "needs at least {min_length}",
    "too_long": "has more than {max_length}",
    "string_too_short": "must not be empty",
}
"""What pydantic finds, in words for people who write sample files."""


def load_sample(data: Mapping[str, Any]) -> Sample:
    """Build a sample from the plain data of its file.

    Raises:
        ValueError: the data are wrong; the message lists every problem (see `check_sample`).
    """
    problems = check_sample(data)
    if problems:
        lines = [f"{'.'.join(map(str, path))}: {text}" for path, text in problems]
        raise ValueError("\n".join(lines))
    return Sample.model_validate(dict(data))


def check_sample(data: object) -> list[tuple[Path, str]]:
    """All problems of a sample file: path inside the data, and a message with a hint."""
    try:
        Sample.model_validate(data)
    except ValidationError as failure:
        return [_problem(error) for error in failure.errors()]
    return []


def _problem(error: ErrorDetails) -> tuple[Path, str]:
    path, kind = error["loc"], error["type"]
    if kind == "extra_forbidden":
        return path, _unknown_key(path)
    if kind == "missing":
        what = "a value" if isinstance(path[-1], int) else f"the key {path[-1]!r}"
        return path, f"{what} is missing"
    if kind in _WORDS:
        return path, _WORDS[kind].format(**error.get("ctx", {}))
    return path, error["msg"].removeprefix("Value error, ")


def _unknown_key(path: Path) -> str:
    known = _known_keys(path[:-1])
    close = get_close_matches(str(path[-1]), known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
    return f"unknown key {path[-1]!r}; {hint}"


def _known_keys(path: Path) -> list[str]:
    here: Any = Sample
    for key in path:
        here = _child(here, key)
    model = _model_in(here)
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _child(annotation: Any, key: str | int) -> Any:
    model = _model_in(annotation)
    if model is not None:
        for name, field in model.model_fields.items():
            if key in (field.alias, name):
                return field.annotation
        return None
    return get_args(annotation)[-1 if get_origin(annotation) is dict else 0]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    options = [annotation]
    if get_origin(annotation) not in (dict, tuple, list):
        options += get_args(annotation)
    for option in options:
        if isinstance(option, type) and issubclass(option, BaseModel):
            return option
    return None
