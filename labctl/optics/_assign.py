"""Which lamp line is which: hypotheses from pairs of lines, judged by how much they explain."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError

__all__ = ["assign_lines", "nearest"]

Vector = NDArray[np.float64]
Indices = NDArray[np.intp]

_STRETCH = 0.015
_ANCHORS = 8


def assign_lines(
    predicted_nm: Vector,
    strength: Vector,
    table_nm: Vector,
    *,
    tolerance_nm: float,
    match_nm: float,
    minimum: int,
) -> Indices:
    """Assign found lines to table lines, given their nominal wavelengths.

    The nominal wavelengths are taken to be wrong by a shift of up to ``tolerance_nm`` and a
    stretch of up to 1.5 %.  Each pair of strong lines, assigned to each pair of table lines
    in reach, gives one such hypothesis; it counts the found lines that it puts within
    ``match_nm`` of a table line.

    Args:
        predicted_nm: Nominal wavelengths of the found lines, shape (n,).
        strength: Their heights, to choose the anchors, shape (n,).
        table_nm: Wavelengths of the table in ascending order, shape (m,).
        tolerance_nm: Largest shift.
        match_nm: Largest distance of an explained line.
        minimum: Fewest explained lines.

    Returns:
        For each found line the index of its table line or -1, shape (n,).

    Raises:
        AnalysisError: Fewer than ``minimum`` lines are explained, most lines are not, or a
            different assignment explains as many (less one).
    """
    ranked: dict[tuple[int, ...], tuple[int, float]] = {}
    for shift, stretch in _hypotheses(predicted_nm, strength, table_nm, tolerance_nm):
        moved = predicted_nm + shift + stretch * (predicted_nm - predicted_nm.mean())
        chosen, distance = nearest(moved, table_nm, match_nm)
        explained = chosen >= 0
        score = (int(explained.sum()), -float(np.sum(distance[explained] ** 2)))
        key = tuple(map(int, chosen))
        ranked[key] = max(score, ranked.get(key, score))
    best = max(ranked, key=lambda key: ranked[key], default=())
    count = ranked[best][0] if best else 0
    _judge(count, len(predicted_nm), minimum)
    _refuse_rivals(best, ranked, table_nm)
    return np.array(best, dtype=np.intp)


def nearest(values: Vector, table: Vector, limit: float) -> tuple[Indices, Vector]:
    """Return for each value the index of the nearest table entry and the distance.

    The index is -1 beyond ``limit``, and for all but the closest of several values that
    share one entry.
    """
    place = np.clip(np.searchsorted(table, values), 1, table.size - 1)
    left = values - table[place - 1] < table[place] - values
    index = np.where(left, place - 1, place)
    distance = np.abs(values - table[index])
    index = np.where(distance <= limit, index, -1)
    for entry in set(index[index >= 0].tolist()):
        sharing = np.flatnonzero(index == entry)
        index[sharing[np.argsort(distance[sharing])[1:]]] = -1
    return index, distance


def _hypotheses(
    predicted_nm: Vector, strength: Vector, table_nm: Vector, tolerance_nm: float
) -> Iterator[tuple[float, float]]:
    mean = float(predicted_nm.mean())
    span = float(np.ptp(predicted_nm))
    anchors = sorted(np.argsort(strength)[::-1][:_ANCHORS].tolist())
    for i, j in combinations(anchors, 2):
        low, high = float(predicted_nm[i]), float(predicted_nm[j])
        if high - low < 0.25 * span:
            continue
        for a in table_nm[np.abs(table_nm - low) <= tolerance_nm].tolist():
            for b in table_nm[np.abs(table_nm - high) <= tolerance_nm].tolist():
                stretch = (b - a) / (high - low) - 1
                if abs(stretch) <= _STRETCH:
                    yield a - low - stretch * (low - mean), stretch


def _judge(count: int, found: int, minimum: int) -> None:
    if count < minimum:
        msg = f"only {count} of {found} lines fit the line table, need {minimum}"
        raise AnalysisError(f"{msg}; is it the right lamp, grating and centre?")
    if count < 0.5 * found:
        msg = f"only {count} of {found} lines fit the line table"
        raise AnalysisError(f"{msg}; most of the light is not from this lamp")


def _refuse_rivals(
    best: tuple[int, ...], ranked: dict[tuple[int, ...], tuple[int, float]], table_nm: Vector
) -> None:
    """Raise if a substantially different assignment explains about as many lines."""
    count = ranked[best][0]
    for other, (explained, _) in ranked.items():
        different = sum(a != b for a, b in zip(best, other, strict=True) if b >= 0)
        if explained >= count - 1 and different > explained / 2:
            first = next(k for k, b in enumerate(other) if b >= 0 and b != best[k])
            here = f"{table_nm[best[first]]:.3f} nm" if best[first] >= 0 else "unassigned"
            msg = f"ambiguous: line {first} is {here} or {table_nm[other[first]]:.3f} nm"
            raise AnalysisError(f"{msg}; use more lines or a smaller tolerance")
