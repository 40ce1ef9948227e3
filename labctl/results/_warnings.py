"""Warnings of many points as few lines."""

import re
from collections.abc import Iterable

__all__ = ["summarized"]

_OF_POINTS = re.compile(r"points? (\d+(?:, \d+)*): (.*)", re.DOTALL)


def summarized(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each warning once; points that say the same but for numbers share a line.

    ``point 3: too bright``, ``point 5: too bright`` become ``points 3, 5: too bright``; where
    numbers differ, the text of the first point is shown.
    """
    shown: dict[str, tuple[str, set[int]]] = {}
    for text in texts:
        found = _OF_POINTS.fullmatch(text)
        said = found[2] if found else text
        key = re.sub(r"[-+]?\d[\d.e+-]*", "#", said) if found else text
        numbers = map(int, found[1].split(", ")) if found else ()
        shown.setdefault(key, (said, set()))[1].update(numbers)
    return tuple(_line(said, sorted(numbers)) for said, numbers in shown.values())


def _line(said: str, numbers: list[int]) -> str:
    if not numbers:
        return said
    listed = ", ".join(map(str, numbers))
    return f"point{'s' if len(numbers) > 1 else ''} {listed}: {said}"
