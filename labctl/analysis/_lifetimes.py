"""Maximum-likelihood lifetimes of many decays of few photons each."""

from dataclasses import dataclass
from math import inf, log

import numpy as np
from numpy.typing import NDArray

__all__ = ["DecayColumns", "Lifetimes", "fit_lifetimes"]

Vector = NDArray[np.float64]

_GRID = 300
_ROUNDS = 12
_ROWS = 4096


@dataclass(frozen=True, eq=False)
class DecayColumns:
    """What the columns of decays mean.

    Attributes:
        column_s: Width of a column, s.
        columns: How many, without a gap.
        response: Counts of the instrument's response in the same columns, (column,); None if the
            columns begin after the response. Columns as wide as the response widen it.
        period_s: Of the laser; light of earlier pulses is taken into account. Infinite: none.
        first: Columns before this one are not in the decays: the light that came with the
            response, for example of a biexciton. They are in the response.
    """

    column_s: float
    columns: int
    response: Vector | None = None
    period_s: float = inf
    first: int = 0

    def shapes(self, tau_s: Vector) -> Vector:
        """Return the expected share of each column for each lifetime, (tau, column)."""
        if self.response is None:
            # A pulse long ago adds the same exponential: the period changes nothing.
            ratio = self.column_s / tau_s[:, None]
            shape = np.exp(-ratio * np.arange(self.columns - self.first))
            return shape / shape.sum(axis=1, keepdims=True)
        first = self.columns - 1
        taps = self.taps(tau_s)
        rows = [np.convolve(self.response, row)[first : first + self.columns] for row in taps]
        shape = np.array(rows)[:, self.first :]
        return shape / shape.sum(axis=1, keepdims=True)

    def taps(self, tau_s: Vector) -> Vector:
        """Return the light of one response column in the columns before and after it.

        Shape (tau, 2 columns - 1); its own is in the middle.
        """
        ratio = self.column_s / tau_s[:, None]
        steps = np.arange(1 - self.columns, self.columns)
        periods = self.period_s / self.column_s
        # Light of a response column begins in its middle; the rest of its own column comes first.
        later = np.where(steps < 0, periods, 0.0) + steps - 0.5
        whole = -np.expm1(-ratio) / -np.expm1(-self.period_s / tau_s[:, None])
        taps = whole * np.exp(-ratio * np.abs(later))
        first = self.columns - 1
        before = whole * np.exp(-ratio * (periods - 0.5))
        taps[:, first] = (before - np.expm1(-ratio / 2))[:, 0]
        return taps


@dataclass(frozen=True, eq=False)
class Lifetimes:
    """Lifetimes of many decays.

    Attributes:
        tau_s: Lifetime, (row,), s; NaN without photons above the background.
        error_s: Standard error from Fisher's information, (row,), s.
        at_limit: Shorter or longer than the columns can tell, (row,), bool.
    """

    tau_s: Vector
    error_s: Vector
    at_limit: NDArray[np.bool_]


def fit_lifetimes(
    decays: NDArray[np.int64], columns: DecayColumns, background: Vector | float = 0.0
) -> Lifetimes:
    """Return the single-exponential lifetime of each decay, by Poissonian maximum likelihood.

    A decay of several exponentials gives the one lifetime that describes it best. Newton's method
    with expected curvature (scoring) for all rows at once; response and period are in the shapes.

    Args:
        decays: Photons of columns ``columns.first`` and later, (row, column), int64.
        columns: Meaning of the columns.
        background: Expected photons of each row that come evenly at any delay, (row,) or one.
    """
    shortest, longest = columns.column_s / 20, columns.column_s * columns.columns * 5
    grid = np.linspace(log(shortest), log(longest), _GRID, dtype=np.float64)
    step = 1e-3
    table = columns.shapes(np.exp(grid))
    slope = (columns.shapes(np.exp(grid + step)) - columns.shapes(np.exp(grid - step))) / (2 * step)
    level = np.broadcast_to(np.asarray(background, np.float64), decays.shape[:1])
    parts = [
        _score(decays[i : i + _ROWS], level[i : i + _ROWS], grid, table, slope)
        for i in range(0, max(len(decays), 1), _ROWS)
    ]
    log_tau, log_error = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    edge = 1.5 * (grid[1] - grid[0])
    at_limit = (log_tau < grid[0] + edge) | (log_tau > grid[-1] - edge)
    tau_s = np.exp(log_tau)
    return Lifetimes(tau_s, tau_s * log_error, at_limit)


def _score(
    decays: NDArray[np.int64], level: Vector, grid: Vector, table: Vector, slope: Vector
) -> tuple[Vector, Vector]:
    photons = decays.sum(axis=1).astype(np.float64)
    places = np.arange(decays.shape[1], dtype=np.float64)
    signal = photons - level
    usable = signal > 0
    flat = level / decays.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (decays @ places - flat * places.sum()) / signal
    light = np.where(usable, signal, 1.0)[:, None]
    log_tau = np.interp(np.where(usable, mean, 0.0), table @ places, grid)
    information = np.ones(photons.size)
    for _ in range(_ROUNDS):
        place = (log_tau - grid[0]) / (grid[1] - grid[0])
        below = np.clip(place.astype(np.int64), 0, grid.size - 2)
        part = (place - below)[:, None]
        expected = light * ((1 - part) * table[below] + part * table[below + 1]) + flat[:, None]
        by_tau = light * ((1 - part) * slope[below] + part * slope[below + 1])
        expected = np.maximum(expected, 1e-300)
        information = np.maximum(np.sum(by_tau**2 / expected, axis=1), 1e-12)
        gradient = np.sum(by_tau * (decays / expected - 1), axis=1)
        move = np.clip(gradient / information, -0.7, 0.7)
        log_tau = np.clip(log_tau + move, grid[0], grid[-1])
        if np.all(np.abs(move) < 1e-6):
            break
    return (
        np.where(usable, log_tau, np.nan),
        np.where(usable, 1 / np.sqrt(information), np.nan),
    )
