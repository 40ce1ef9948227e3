"""Simulators by name, found through entry points so that others can add theirs."""

from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

_GROUP = "labctl.simulators"


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=_GROUP)}


def find_simulator(name: str) -> type[Any]:
    """Load a simulator class.

    Raises:
        KeyError: No such name; the message suggests one.
    """
    entry = _entries().get(name)
    if entry is None:
        known = sorted(_entries())
        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
        raise KeyError(f"no simulator {name!r}; {hint}")
    loaded: type[Any] = entry.load()
    return loaded
