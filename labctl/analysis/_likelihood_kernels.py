"""Kernels of the Poisson likelihood: logarithms, sums over bins, and the step of the search."""

import math

import numpy as np

from labctl.analysis._numba import Array, kernel

__all__ = ["fill_logs", "fill_moments", "likelihood", "mark_pushing", "search_step"]

_NEAR = 1e-7
_FLAT = 1e-300
_BLOCK = 256
_MANTISSA, _EXPONENT_BITS, _OF_ONE = (1 << 52) - 1, 52, 1023
_SERIES = tuple(2.0 / (2 * power + 1) for power in range(10))


@kernel("void(float64[::1], float64[::1])", any_order=True)
def fill_logs(values: Array, logs: Array) -> None:
    """Fill natural logarithms of normal positive numbers to the last digit but one.

    ``2^n m`` has ``n ln 2 + 2 artanh((m - 1) / (m + 1))``; without calls and branches, several are
    worked on at once, which the logarithm of numpy does not do on every processor.
    """
    bits, parts = values.view(np.int64), logs.view(np.int64)
    for at in range(len(values)):
        parts[at] = (bits[at] & _MANTISSA) | (_OF_ONE << _EXPONENT_BITS)
    for at in range(len(values)):
        upper = logs[at] > math.sqrt(2.0)
        mantissa = 0.5 * logs[at] if upper else logs[at]
        exponent = np.float64(np.int32(bits[at] >> _EXPONENT_BITS)) - (_OF_ONE - upper)
        x = (mantissa - 1.0) / (mantissa + 1.0)
        total, square = _SERIES[-1], x * x
        for power in range(len(_SERIES) - 2, -1, -1):
            total = total * square + _SERIES[power]
        logs[at] = exponent * math.log(2.0) + x * total


# Products of long rows: those of numpy's library would wake its threads for them.
@kernel(
    "void(float64[:, ::1], float64[::1], float64[::1], float64, float64, float64,"
    " float64[::1], float64[::1], float64[:, ::1])",
    any_order=True,
)
def weigh(
    unit: Array,
    weights: Array,
    counts: Array,
    background: float,
    light: float,
    least: float,
    model: Array,
    gradient: Array,
    fisher: Array,
) -> None:
    """Fill expected counts, and gradient and information of the weighted Poisson likelihood.

    ``unit`` holds counts and derivatives of one unit of light, as from `mix_modes`. Parameters:
    background, shift, light, then those of the shape. A block of bins stays in the cache.
    """
    rows, bins = len(gradient), len(counts)
    sources, scales = np.arange(rows) - 1, np.full(rows, light)
    sources[1], sources[2] = 1, 0
    scales[0] = scales[2] = 1.0
    gradient[:] = 0.0
    fisher[:] = 0.0
    ones, share, excess, part = (
        np.ones(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK),
        np.empty(_BLOCK),
    )
    for first in range(0, bins, _BLOCK):
        last = min(first + _BLOCK, bins)
        expected, counted, weight = model[first:last], counts[first:last], weights[first:last]
        shape = unit[0, first:last]
        for at in range(last - first):
            expected[at] = max(background + light * shape[at], least)
            share[at] = weight[at] / expected[at]
            excess[at] = expected[at] - counted[at]
        for row in range(rows):
            slopes = unit[sources[row], first:last] if row else ones
            slope = 0.0
            for at in range(last - first):
                part[at] = slopes[at] * share[at]
                slope += part[at] * excess[at]
            gradient[row] += scales[row] * slope
            for other in range(row + 1):
                slopes = unit[sources[other], first:last] if other else ones
                product = 0.0
                for at in range(last - first):
                    product += part[at] * slopes[at]
                fisher[row, other] += scales[row] * scales[other] * product
    for row in range(rows):
        for other in range(row):
            fisher[other, row] = fisher[row, other]


@kernel(
    "float64(float64[:, ::1], float64[::1], float64[::1], float64, float64, float64,"
    " float64[::1], float64[::1], float64[::1], float64[:, ::1])",
    any_order=True,
)
def likelihood(
    unit: Array,
    weights: Array,
    counts: Array,
    background: float,
    light: float,
    least: float,
    model: Array,
    logs: Array,
    gradient: Array,
    fisher: Array,
) -> float:
    """Fill as `weigh` does, and the logarithms of the model; return ``sum w (m - c ln m)``."""
    weigh(unit, weights, counts, background, light, least, model, gradient, fisher)
    fill_logs(model, logs)
    cost = 0.0
    for at in range(len(model)):
        cost += weights[at] * (model[at] - counts[at] * logs[at])
    return cost


@kernel("void(float64[::1], float64[::1], float64, float64, float64[:, ::1], float64[:, ::1])")
def fill_moments(
    model: Array, logs: Array, first: float, step: float, tables: Array, moments: Array
) -> None:
    """Fill functions of the expected counts, tabulated by even steps of their logarithm.

    Beyond the table mean and variance of a bin's deviance follow their expansions.

    Args:
        model: Expected counts, shape (bins,).
        logs: Their logarithms.
        first: Logarithm of the first entry.
        step: From entry to entry.
        tables: Mean, variance, and covariance with the counts; shape (3, entries).
        moments: Filled, shape (3, bins).
    """
    last = tables.shape[1] - 1
    for at in range(len(model)):
        place = min(max((logs[at] - first) / step, 0.0), float(last))
        entry = min(int(place), last - 1)
        for row in range(3):
            low, high = tables[row, entry], tables[row, entry + 1]
            moments[row, at] = low + (place - entry) * (high - low)
        if logs[at] > first + last * step:
            moments[0, at] = 1.0 + 1.0 / (6.0 * model[at])
            moments[1, at] = 2.0 + 2.0 / (3.0 * model[at])


@kernel("void(float64[::1], float64[::1], float64[::1], float64[::1], boolean[::1])")
def mark_pushing(
    parameters: Array, gradient: Array, lower: Array, upper: Array, pushing: Array
) -> None:
    """Mark the parameters on a bound that would go further."""
    for place in range(len(parameters)):
        value, slope = parameters[place], gradient[place]
        near = _NEAR * max(abs(value), _NEAR)
        low = value - lower[place] <= near and slope > 0.0
        pushing[place] = low or (upper[place] - value <= near and slope < 0.0)


@kernel("float64(float64[:, ::1], float64[::1], boolean[::1], float64, float64[::1])")
def damped_step(fisher: Array, gradient: Array, free: Array, damping: float, step: Array) -> float:
    """Fill the damped step of the free parameters; return by how much it should lower the cost.

    Scaled to a diagonal of 1 and damped, the information is positive definite, so that elimination
    needs no exchange of rows.
    """
    places = np.flatnonzero(free)
    size = len(places)
    scale, slope, solved = np.empty(size), np.empty(size), np.empty(size)
    system = np.empty((size, size + 1))
    for row in range(size):
        scale[row] = 1.0 / math.sqrt(max(fisher[places[row], places[row]], _FLAT))
        slope[row] = gradient[places[row]] * scale[row]
    for row in range(size):
        for column in range(size):
            entry = fisher[places[row], places[column]]
            system[row, column] = entry * scale[row] * scale[column]
        system[row, row] += damping
        system[row, size] = slope[row]
    for pivot in range(size):
        for row in range(pivot + 1, size):
            factor = system[row, pivot] / system[pivot, pivot]
            for column in range(pivot, size + 1):
                system[row, column] -= factor * system[pivot, column]
    step[:] = 0.0
    gain = 0.0
    for row in range(size - 1, -1, -1):
        value = system[row, size]
        for column in range(row + 1, size):
            value -= system[row, column] * solved[column]
        solved[row] = value / system[row, row]
        step[places[row]] = -scale[row] * solved[row]
        gain += 0.5 * slope[row] * solved[row]
    return gain


@kernel(
    "float64(float64[::1], float64[::1], float64[:, ::1], float64[::1], float64[::1],"
    " boolean[::1], float64, float64[::1])"
)
def search_step(
    parameters: Array,
    gradient: Array,
    fisher: Array,
    lower: Array,
    upper: Array,
    held: Array,
    damping: float,
    trial: Array,
) -> float:
    """Fill the parameters of the next trial; return by how much it should lower the cost.

    What is held, or stands on a bound and would go further, stays.
    """
    size = len(parameters)
    fixed, step = np.empty(size, np.bool_), np.empty(size)
    mark_pushing(parameters, gradient, lower, upper, fixed)
    gain = damped_step(fisher, gradient, ~(held | fixed), damping, step)
    for place in range(size):
        trial[place] = min(max(parameters[place] + step[place], lower[place]), upper[place])
    return gain
