"""Changing the text of a YAML file at one place; comments and everything else stay as they are."""

import json
from pathlib import Path
from typing import Any, Literal

from labctl.errors import ConfigError
from labctl.setup._yaml import Location, Written, outline, parse_yaml

__all__ = ["WrittenEntry", "with_entry", "with_value"]

WrittenEntry = Literal["remove", "copy", "up", "down"]


def with_value(text: str, location: Location, value: str) -> str:
    """Return the text with another value at a location, as somebody has typed it.

    What would be understood as more than this one value is put in quotes.

    Raises:
        ConfigError: The text is no YAML.
        KeyError: There is no such value.
    """
    place = _find(text, location)
    if not place.is_leaf:
        raise KeyError(location)
    typed = value.strip()
    for written in (typed, json.dumps(typed, ensure_ascii=False)):
        found = text[: place.begin] + _apart(text, place) + written + text[place.end :]
        if _differs_only_at(text, found, location):
            return found
    raise KeyError(location)


def with_entry(text: str, location: Location, do: WrittenEntry) -> str:
    """Return the text with an entry of a list with dashes removed, doubled or moved by one place.

    An entry owns its lines and those above it that hold only comments.

    Raises:
        ConfigError: The text is no YAML.
        KeyError: There is no such entry, or no place to move it to.
    """
    place = _find(text, location)
    above, index = location[:-1], location[-1]
    if not place.is_entry or not isinstance(index, int):
        raise KeyError(location)
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    first, last = _lines_of(lines, text, place)
    block, rest = lines[first:last], lines[:first] + lines[last:]
    match do:
        case "remove":
            return "".join(rest)
        case "copy":
            return "".join(lines[:last] + block + lines[last:])
        case "up":
            to = _lines_of(lines, text, _find(text, (*above, index - 1)))[0]
        case "down":
            to = _lines_of(lines, text, _find(text, (*above, index + 1)))[1] - len(block)
    return "".join(rest[:to] + block + rest[to:])


def _find(text: str, location: Location) -> Written:
    found = next((one for one in outline(text) if one.location == location), None)
    if found is None:
        raise KeyError(location)
    return found


def _apart(text: str, place: Written) -> str:
    """Return the space that an empty value lacks after its colon."""
    return " " if place.begin == place.end and text[place.begin - 1 : place.begin] == ":" else ""


def _lines_of(lines: list[str], text: str, place: Written) -> tuple[int, int]:
    """Return first and last line of an entry, from 0, the last not included."""
    first, last = place.line - 1, text.count("\n", 0, place.end)
    if text[: place.end].rsplit("\n", 1)[-1].strip():
        last += 1
    # The end of a block reaches to where the next one begins.
    while last > first + 1 and _is_idle(lines[last - 1]):
        last -= 1
    while first > 0 and _is_idle(lines[first - 1]) and lines[first - 1].strip():
        first -= 1
    return first, last


def _is_idle(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _differs_only_at(before: str, after: str, location: Location) -> bool:
    try:
        old, new = (parse_yaml(text, Path("recipe")).data for text in (before, after))
        return _without(old, location) == _without(new, location)
    except (ConfigError, KeyError, IndexError, TypeError):
        return False


def _without(data: Any, location: Location) -> Any:
    """Return plain data with None at a location; what was there must be no block."""
    head, rest = location[0], location[1:]
    inner = data[head]
    if rest:
        changed = _without(inner, rest)
    elif isinstance(inner, dict):
        raise KeyError(location)
    else:
        changed = None
    copy = data.copy()
    copy[head] = changed
    return copy
