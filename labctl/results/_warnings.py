"""Warnings of many points as few lines."""

import re
from collections.abc import Iterable

__all__ = ["summarized"]

_OF_A_POINT = re.compile(r"point (\d+): (.*)", re.DOTALL)


def summarized(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each warning once; points that say the same but for numbers share a line.

    ``point 3: too bright``, ``point 5: too bright`` become ``points 3, 5: too bright``; where
    numbers differ, the text of the first point is shown.
    """
    shown: dict[str, tuple[str, list[str]]] = {}
    for text in dict.fromkeys(texts):
        found = _OF_A_POINT.fullmatch(text)
        number, said = (found[1], found[2]) if found else ("", text)
        key = re.sub(r"[-+]?\d[\d.e+-]*", "#", said) if found else text
        shown.setdefault(key, (said, []))[1].extend([number] if number else [])
    return tuple(_line(said, numbers) for said, numbers in shown.values())


def _line(said: str, numbers: list[str]) -> str:
    if not numbers:
        return said
    return f"point{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}: {said}"
