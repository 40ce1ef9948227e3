"""Finding the same dots again by their constellation: two lists of places, matched."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["ConstellationMatch", "match_constellations"]

Places = NDArray[np.float64]

_NEIGHBOURS = 6
_OTHER_NEIGHBOURS = 12
_MOST_TRIED = 60
_MOST_IMPROVED = 15
_ROUNDS = 5
_FEWEST = 3
_FALSE_ALARMS = 1e-3
"""Expected number of accidental matches of such quality that is accepted."""


@dataclass(frozen=True, eq=False)
class ConstellationMatch:
    """How the second list of dots lies against the first: b = scale R(rotation) a + shift.

    Attributes:
        rotation_deg: Rotation from the first list to the second, counter-clockwise (x towards y).
        scale: Distances in the second list over those in the first; error 0 if it was given.
        shift_x: Place of the first list's origin in the second, in the unit of the places.
        shift_y: The same for y.
        pairs: Index in the first and in the second list of each dot that is in both; shape
            (pair, 2), int64, ordered by the first.
        rms: Root mean square distance of the pairs after the transformation, per axis.
        expected: Number of dots of the first list that fall where the second has dots around.
        false_alarms: Expected number of matches as good by chance.
    """

    rotation_deg: Measured
    scale: Measured
    shift_x: Measured
    shift_y: Measured
    pairs: NDArray[np.int64]
    rms: float
    expected: int
    false_alarms: float

    @property
    def confidence(self) -> float:
        """Probability that chance does not make a match as good."""
        return math.exp(-self.false_alarms)

    def apply(self, places: Places) -> Places:
        """Return where places of the first list lie in the second; shape (dot, 2)."""
        angle = math.radians(self.rotation_deg.value)
        return _moved(
            _Turn(angle, self.scale.value, self.shift_x.value, self.shift_y.value), places
        )


@dataclass(frozen=True)
class _Turn:
    angle_rad: float
    scale: float
    x: float
    y: float


@dataclass(frozen=True, eq=False)
class _Trial:
    turn: _Turn
    pairs: NDArray[np.int64]
    expected: int
    log_false_alarms: float


def match_constellations(
    first: Places,
    second: Places,
    tolerance: float,
    *,
    largest_rotation_deg: float = 5.0,
    scale_range: tuple[float, float] = (1.0, 1.0),
) -> ConstellationMatch:
    """Match two lists of dots that differ by shift, small rotation and, if free, scale.

    Dots may be missing in either list and others be added. Pairs of neighbours that have the same
    distance and nearly the same direction propose transformations; those that many propose are
    tried, improved by least squares, and judged by the number of dots they bring together against
    what chance would (a contrario, Moisan and Stival, Int. J. Comput. Vision 57, 201 (2004)).

    Args:
        first: Places x, y, shape (dot, 2), any unit.
        second: Places in the same unit, shape (dot, 2).
        tolerance: Largest distance of two places of the same dot after the transformation.
        largest_rotation_deg: Largest rotation that is considered, either way.
        scale_range: Smallest and largest scale; equal: it is fixed.

    Raises:
        AnalysisError: Too few dots, no match that chance does not explain, or several.
    """
    _check(first, second, tolerance)
    free = scale_range[1] > scale_range[0]
    volume = _search_volume(first, second, tolerance, largest_rotation_deg, scale_range)
    proposals = _proposals(first, second, tolerance, largest_rotation_deg, scale_range)
    proposals.sort(key=lambda turn: -len(_paired(turn, first, second, 4.0 * tolerance)))
    trials = [
        _improved(turn, first, second, tolerance, None if free else scale_range[0], volume)
        for turn in proposals[:_MOST_IMPROVED]
    ]
    trials = [
        t for t in trials if t is not None and _allowed(t.turn, largest_rotation_deg, scale_range)
    ]
    best = min(trials, key=lambda t: t.log_false_alarms, default=None)
    if best is None or best.log_false_alarms > math.log(_FALSE_ALARMS):
        chance = "" if best is None else f"; {len(best.pairs)} of {best.expected} at best"
        message = f"the constellation of {len(first)} dots is not found among {len(second)}{chance}"
        raise AnalysisError(message)
    _refuse_rivals(best, trials, first, tolerance)
    return _result(best, first, second, free)


def _check(first: Places, second: Places, tolerance: float) -> None:
    for places in (first, second):
        if places.ndim != 2 or places.shape[1] != 2 or not np.all(np.isfinite(places)):
            message = f"places of shape {places.shape} are no list of x, y"
            raise AnalysisError(message)
        if len(places) < _FEWEST:
            message = f"{len(places)} dots are no constellation; at least {_FEWEST} are needed"
            raise AnalysisError(message)
    if not tolerance > 0.0:
        message = f"a tolerance of {tolerance:g} is none"
        raise AnalysisError(message)


def _neighbours(places: Places, number: int) -> NDArray[np.int64]:
    """Return ordered pairs of dots with each of their nearest neighbours, shape (pair, 2)."""
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, math.inf)
    number = min(number, len(places) - 1)
    nearest = np.argsort(apart, axis=1)[:, :number]
    pairs = np.stack([np.repeat(np.arange(len(places)), number), nearest.ravel()], axis=1)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    return np.unique(both, axis=0)


def _proposals(
    first: Places,
    second: Places,
    tolerance: float,
    largest_rotation_deg: float,
    scale_range: tuple[float, float],
) -> list[_Turn]:
    """Return transformations that pairs of neighbours propose, the most frequent first."""
    a, b = _neighbours(first, _NEIGHBOURS), _neighbours(second, _OTHER_NEIGHBOURS)
    along_a, along_b = (
        (places[pairs[:, 1]] - places[pairs[:, 0]]) @ np.array([1.0, 1.0j])
        for places, pairs in ((first, a), (second, b))
    )
    proposals: list[NDArray[np.float64]] = []
    for index, step in enumerate(along_a):
        length = abs(step)
        if length < 4.0 * tolerance:
            continue
        turn = along_b / step
        low, high = (
            scale_range[0] - 2.0 * tolerance / length,
            scale_range[1] + 2.0 * tolerance / length,
        )
        slack = 2.0 * tolerance / length
        fits = (np.abs(turn) > low) & (np.abs(turn) < high)
        fits &= np.abs(np.angle(turn)) < math.radians(largest_rotation_deg) + slack
        if not np.any(fits):
            continue
        if scale_range[0] == scale_range[1]:
            turn = turn / np.abs(turn) * scale_range[0]
        middle_a = first[a[index]].mean(axis=0) @ np.array([1.0, 1.0j])
        middle_b = second[b[fits]].mean(axis=1) @ np.array([1.0, 1.0j])
        shift = middle_b - turn[fits] * middle_a
        proposals.append(
            np.stack([np.angle(turn[fits]), np.abs(turn[fits]), shift.real, shift.imag], axis=1)
        )
    if not proposals:
        return []
    return _most_frequent(np.concatenate(proposals), first, tolerance)


def _most_frequent(proposals: Places, first: Places, tolerance: float) -> list[_Turn]:
    """Return the middle of each of the fullest cells; where they put the first list's centre."""
    centre = first.mean(axis=0) @ np.array([1.0, 1.0j])
    turns = proposals[:, 1] * np.exp(1j * proposals[:, 0])
    at = turns * centre + proposals[:, 2] + 1j * proposals[:, 3]
    extent = float(np.max(np.hypot(*(first - first.mean(axis=0)).T)))
    cell = np.stack(
        [
            at.real / (4.0 * tolerance),
            at.imag / (4.0 * tolerance),
            proposals[:, 0] * extent / (8.0 * tolerance),
        ],
        axis=1,
    )
    # Two grids, so that an edge of a cell does not part what belongs together.
    chosen: list[_Turn] = []
    for offset in (0.0, 0.5):
        _, which, count = np.unique(
            np.floor(cell + offset), axis=0, return_inverse=True, return_counts=True
        )
        for index in np.argsort(-count)[: _MOST_TRIED // 2]:
            turn, place = turns[which.ravel() == index].mean(), at[which.ravel() == index].mean()
            shift = place - turn * centre
            chosen.append(
                _Turn(float(np.angle(turn)), float(abs(turn)), float(shift.real), float(shift.imag))
            )
    return chosen


def _moved(turn: _Turn, places: Places) -> Places:
    cos, sin = turn.scale * math.cos(turn.angle_rad), turn.scale * math.sin(turn.angle_rad)
    return places @ np.array([[cos, sin], [-sin, cos]]) + np.array([turn.x, turn.y])


def _paired(turn: _Turn, first: Places, second: Places, reach: float) -> NDArray[np.int64]:
    """Return pairs that are each other's nearest, within ``reach``."""
    moved = _moved(turn, first)
    apart = np.hypot(*(moved[:, None] - second[None]).transpose(2, 0, 1))
    nearest = np.argmin(apart, axis=1)
    mutual = np.argmin(apart, axis=0)[nearest] == np.arange(len(first))
    close = apart[np.arange(len(first)), nearest] <= reach
    found = np.flatnonzero(mutual & close)
    return np.stack([found, nearest[found]], axis=1).astype(np.int64)


def _improved(
    turn: _Turn,
    first: Places,
    second: Places,
    tolerance: float,
    scale: float | None,
    volume: float,
) -> _Trial | None:
    """Improve by least squares from wide to narrow, and judge."""
    for reach in np.geomspace(4.0 * tolerance, tolerance, _ROUNDS):
        pairs = _paired(turn, first, second, float(reach))
        if len(pairs) < 2:
            return None
        turn = _fitted(first[pairs[:, 0]], second[pairs[:, 1]], scale)
    pairs = _paired(turn, first, second, tolerance)
    expected = _expected(turn, first, second)
    found = len(pairs)
    if found < _FEWEST:
        return None
    chance = _log_false_alarms(found, expected, second, tolerance, volume, scale is None)
    return _Trial(turn, pairs, expected, chance)


def _fitted(a: Places, b: Places, scale: float | None) -> _Turn:
    """Return the least-squares similarity that brings a onto b (Umeyama 1991)."""
    z, w = (places @ np.array([1.0, 1.0j]) for places in (a, b))
    zc, wc = z - z.mean(), w - w.mean()
    power = float(np.sum(np.abs(zc) ** 2))
    turn = np.sum(np.conj(zc) * wc) / power if power > 0.0 else 1.0 + 0.0j
    if abs(turn) == 0.0:
        turn = 1.0 + 0.0j
    if scale is not None:
        turn = turn / abs(turn) * scale
    shift = w.mean() - turn * z.mean()
    return _Turn(float(np.angle(turn)), float(abs(turn)), float(shift.real), float(shift.imag))


def _expected(turn: _Turn, first: Places, second: Places) -> int:
    """Return how many dots of the first list fall into the box that the second fills."""
    moved = _moved(turn, first)
    low, high = second.min(axis=0), second.max(axis=0)
    return int(np.sum(np.all((moved >= low) & (moved <= high), axis=1)))


def _area(places: Places) -> float:
    width, height = np.ptp(places, axis=0)
    return float(max(width, 1e-9) * max(height, 1e-9))


def _search_volume(
    first: Places,
    second: Places,
    tolerance: float,
    largest_rotation_deg: float,
    scale_range: tuple[float, float],
) -> float:
    """Return the logarithm of the number of transformations that are really different."""
    extent = 0.5 * math.hypot(*np.ptp(first, axis=0))
    shifts = 4.0 * (_area(first) + _area(second)) / (math.pi * tolerance**2)
    turns = 1.0 + 2.0 * math.radians(largest_rotation_deg) * extent / tolerance
    scales = 1.0 + (scale_range[1] - scale_range[0]) * extent / tolerance
    return math.log(max(shifts, 1.0)) + math.log(turns) + math.log(scales)


def _log_false_alarms(
    found: int, expected: int, second: Places, tolerance: float, log_trials: float, free: bool
) -> float:
    """Return the logarithm of the expected number of accidental matches as good."""
    density = len(second) / (_area(second) or 1.0)
    chance = min(1.0 - math.exp(-density * math.pi * tolerance**2), 1.0 - 1e-12)
    # Least squares has brought about two dots' worth of agreement by itself.
    spent = 2 if free else 1
    total, hits = max(expected, found) - spent, found - spent
    return log_trials + _log_tail(hits, total, chance)


def _log_tail(hits: int, total: int, chance: float) -> float:
    """Return the logarithm of the probability of at least ``hits`` of ``total``."""
    if hits <= 0:
        return 0.0
    terms = [
        math.lgamma(total + 1)
        - math.lgamma(k + 1)
        - math.lgamma(total - k + 1)
        + k * math.log(max(chance, 1e-300))
        + (total - k) * math.log1p(-chance)
        for k in range(hits, total + 1)
    ]
    top = max(terms)
    return min(0.0, top + math.log(math.fsum(math.exp(term - top) for term in terms)))


def _allowed(turn: _Turn, largest_rotation_deg: float, scale_range: tuple[float, float]) -> bool:
    slack = 1e-9
    inside = scale_range[0] - slack <= turn.scale <= scale_range[1] + slack
    return inside and abs(turn.angle_rad) <= math.radians(largest_rotation_deg) + slack


def _refuse_rivals(best: _Trial, trials: list[_Trial], first: Places, tolerance: float) -> None:
    """Refuse if another transformation, which pairs the dots otherwise, is no accident either."""
    reference = _moved(best.turn, first)
    known = {(int(a), int(b)) for a, b in best.pairs}
    for trial in trials:
        away = float(np.sqrt(np.mean((_moved(trial.turn, first) - reference) ** 2)))
        same = sum((int(a), int(b)) in known for a, b in trial.pairs)
        if (
            away > 2.0 * tolerance
            and 2 * same < len(trial.pairs)
            and trial.log_false_alarms < math.log(_FALSE_ALARMS)
        ):
            message = (
                f"the constellation fits at several places: {len(best.pairs)} dots at one, "
                f"{len(trial.pairs)} at another {away:.3g} away"
            )
            raise AnalysisError(message)


def _result(best: _Trial, first: Places, second: Places, free: bool) -> ConstellationMatch:
    turn, pairs = best.turn, best.pairs
    a, b = first[pairs[:, 0]], second[pairs[:, 1]]
    residual = b - _moved(turn, a)
    freedom = max(residual.size - (4 if free else 3), 1)
    sigma = math.sqrt(float(np.sum(residual**2)) / freedom)
    spread = math.sqrt(float(np.sum((a - a.mean(axis=0)) ** 2)))
    angle_error = sigma / (turn.scale * spread) if spread > 0.0 else math.inf
    scale_error = sigma / spread if free and spread > 0.0 else 0.0
    middle = a.mean(axis=0)
    # The shift is that of the origin, which may lie far from the dots.
    lever = turn.scale * math.hypot(*middle) * angle_error
    shift_error = math.hypot(sigma / math.sqrt(len(a)), lever, scale_error * math.hypot(*middle))
    return ConstellationMatch(
        rotation_deg=Measured(math.degrees(turn.angle_rad), math.degrees(angle_error)),
        scale=Measured(turn.scale, scale_error),
        shift_x=Measured(turn.x, shift_error),
        shift_y=Measured(turn.y, shift_error),
        pairs=pairs,
        rms=math.sqrt(float(np.mean(residual**2))),
        expected=max(best.expected, len(pairs)),
        false_alarms=math.exp(best.log_false_alarms),
    )
