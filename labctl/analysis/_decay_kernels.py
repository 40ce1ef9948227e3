"""Convolution of a histogram with periodic exponentials, by recursion instead of transforms.

Light inside one bin of the response is taken as spread evenly over it, and what is counted is the
integral over a bin of the decay. The two boxes widen the answer by ``bin^2 / 6`` of variance, by
which the caller sharpens the response before: what was measured is integrated over bins already.
"""

import math

import numpy as np

from labctl.analysis._numba import Array, kernel

__all__ = [
    "add_earlier_periods",
    "convolve_modes",
    "damped_step",
    "mark_pushing",
    "mix_modes",
    "mode_taps",
    "warm_up_decays",
    "weigh",
]

_DARK = 1e-20
_LANES = 8
_NEAR = 1e-7
_FLAT = 1e-300


@kernel("void(float64, float64, float64[::1], float64[:, ::1])")
def mode_taps(bin_ps: float, late_ps: float, taus_ps: Array, taps: Array) -> None:
    """Fill what a unit decay that begins ``late_ps`` < bin later puts into each bin.

    With F the twice integrated decay, tap l is the second difference of F over a bin, divided by
    the bin. From tap 2 on the taps are geometric with ``q = exp(-bin / tau)``.

    Args:
        bin_ps: Width of a bin.
        late_ps: From 0 to less than a bin.
        taus_ps: Decay times, shape (modes,).
        taps: Filled with taps 0, 1, 2, their derivatives by ``late_ps``, by tau, then q and its
            derivative by tau; shape (modes, 11).
    """
    near, far = bin_ps - late_ps, 2.0 * bin_ps - late_ps
    for mode in range(len(taus_ps)):
        tau_ps, row = taus_ps[mode], taps[mode]
        near_rel, far_rel, bin_rel = near / tau_ps, far / tau_ps, bin_ps / tau_ps
        near_left, far_left, q = math.exp(-near_rel), math.exp(-far_rel), math.exp(-bin_rel)
        near_gone, far_gone = -math.expm1(-near_rel), -math.expm1(-far_rel)
        lost = -math.expm1(-bin_rel)
        near_area = near - tau_ps * near_gone
        by_near, by_far = near_rel * near_left - near_gone, far_rel * far_left - far_gone
        row[0] = near_area / bin_ps
        row[1] = (far - tau_ps * far_gone - 2.0 * near_area) / bin_ps
        row[2] = tau_ps * near_left * lost * lost / bin_ps
        row[3] = -near_gone / bin_ps
        row[4] = (2.0 * near_gone - far_gone) / bin_ps
        row[5] = row[2] / tau_ps
        row[6] = by_near / bin_ps
        row[7] = (by_far - 2.0 * by_near) / bin_ps
        row[8] = near_left * lost * ((1.0 + near_rel) * lost - 2.0 * bin_rel * q) / bin_ps
        row[9] = q
        row[10] = bin_rel * q / tau_ps


@kernel(
    "void(float64[::1], int64, float64[:, ::1],"
    " float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1])"
)
def convolve_modes(
    response: Array,
    begin: int,
    taps: Array,
    counts: Array,
    by_shift: Array,
    by_tau: Array,
    states: Array,
) -> None:
    """Fill the counts per bin of unit decays, shape (modes, bins), and their derivatives.

    Args:
        response: Shape (support,).
        begin: Bin in which its first bin arrives, counted from the first of ``counts``.
        taps: From `mode_taps`.
        counts: Filled.
        by_shift: Filled with the derivatives by the time at which the decays begin.
        by_tau: Filled with those by each decay time.
        states: Filled with what is left two bins after the response, and its derivative by the
            decay time; shape (modes, 2).
    """
    modes, bins = counts.shape
    support = len(response)
    dark = max(begin + support + 2, 0) + _LANES
    for mode in range(modes):
        tap0, tap1, tap2, late0, late1, late2, tau0, tau1, tau2, q, q_slope = taps[mode]
        now, before, state, slope = 0.0, 0.0, 0.0, 0.0
        counts[mode, : max(min(begin, bins), 0)] = 0.0
        by_shift[mode, : max(min(begin, bins), 0)] = 0.0
        by_tau[mode, : max(min(begin, bins), 0)] = 0.0
        for place in range(dark - begin):
            slope = q * slope + q_slope * state
            state = q * state + before
            before = now
            now = response[place] if place < support else 0.0
            at = begin + place
            if 0 <= at < bins:
                counts[mode, at] = tap0 * now + tap1 * before + tap2 * state
                by_shift[mode, at] = late0 * now + late1 * before + late2 * state
                by_tau[mode, at] = tau0 * now + tau1 * before + tau2 * state + tap2 * slope
            if place == support + 1:
                states[mode, 0], states[mode, 1] = state, slope
        # Behind the response one exponential is left: each bin follows from one some bins before.
        left, left_slope = q**_LANES, _LANES * q ** (_LANES - 1) * q_slope
        for at in range(dark, bins):
            by_tau[mode, at] = left * by_tau[mode, at - _LANES]
            by_tau[mode, at] += left_slope * counts[mode, at - _LANES]
            by_shift[mode, at] = left * by_shift[mode, at - _LANES]
            counts[mode, at] = left * counts[mode, at - _LANES]


@kernel(
    "void(float64, float64, float64, float64[:, ::1], float64[::1],"
    " float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1])"
)
def add_earlier_periods(
    bin_ps: float,
    period_ps: float,
    gap_ps: float,
    taps: Array,
    taus_ps: Array,
    states: Array,
    counts: Array,
    by_shift: Array,
    by_tau: Array,
) -> None:
    """Add what is left of all earlier pulses: one exponential over the whole histogram.

    ``gap_ps`` lies between the end of the response, one period earlier, and the first bin of
    ``counts``; the other arguments are as in `convolve_modes`.
    """
    modes, bins = counts.shape
    for mode in range(modes):
        tau_ps = taus_ps[mode]
        left = math.exp(-gap_ps / tau_ps)
        if left < _DARK:
            continue
        kept = math.exp(-period_ps / tau_ps)
        left /= 1.0 - kept
        older_ps = gap_ps + period_ps * kept / (1.0 - kept)
        tap2, late2, tau2, q = taps[mode, 2], taps[mode, 5], taps[mode, 8], taps[mode, 9]
        state, slope = states[mode, 0], states[mode, 1]
        fixed_slope = tau2 * state + tap2 * slope
        for at in range(bins):
            counts[mode, at] += tap2 * state * left
            by_shift[mode, at] += late2 * state * left
            age = (older_ps + at * bin_ps) / (tau_ps * tau_ps)
            by_tau[mode, at] += left * (fixed_slope + tap2 * state * age)
            left *= q


@kernel(
    "void(float64[:, ::1], float64[:, ::1],"
    " float64[:, ::1], float64[::1], float64[:, ::1],"
    " float64[:, ::1], float64[:, ::1])"
)
def mix_modes(
    counts: Array,
    by_shift: Array,
    by_tau: Array,
    areas: Array,
    area_slopes: Array,
    tau_slopes: Array,
    mixed: Array,
) -> None:
    """Fill the sum of unit decays of given areas and its derivatives.

    ``mixed``, shape (2 + parameters, bins), zero before: counts, their derivative by the shift, and
    those by the parameters, of which ``area_slopes`` and ``tau_slopes`` hold the derivatives of
    areas and decay times, shape (parameters, modes).
    """
    modes, bins = counts.shape
    for mode in range(modes):
        area = areas[mode]
        for at in range(bins):
            mixed[0, at] += area * counts[mode, at]
        for at in range(bins):
            mixed[1, at] += area * by_shift[mode, at]
        for parameter in range(len(area_slopes)):
            by_area, tau_weight = area_slopes[parameter, mode], area * tau_slopes[parameter, mode]
            if by_area != 0.0:
                for at in range(bins):
                    mixed[2 + parameter, at] += by_area * counts[mode, at]
            if tau_weight != 0.0:
                for at in range(bins):
                    mixed[2 + parameter, at] += tau_weight * by_tau[mode, at]


# Products of long rows: those of numpy's library would wake its threads for them.
@kernel(
    "void(float64[:, ::1], float64[::1], float64[::1], float64, float64, float64,"
    " float64[::1], float64[:, ::1], float64[:, ::1], float64[::1], float64[:, ::1])",
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
    jacobian: Array,
    weighted: Array,
    gradient: Array,
    fisher: Array,
) -> None:
    """Fill expected counts, their derivatives, these times weight over expected counts, and sums.

    ``unit`` holds counts and derivatives of one unit of light, as from `mix_modes`. Rows of the
    derivatives: background, shift, light, then the parameters of the shape. ``gradient`` and
    ``fisher`` are those of the weighted Poisson likelihood.
    """
    rows, bins = jacobian.shape
    share = np.empty(bins)
    for at in range(bins):
        model[at] = max(background + light * unit[0, at], least)
        share[at] = weights[at] / model[at]
    for row in range(rows):
        source = 1 if row == 1 else row - 1
        if row == 0:
            jacobian[0, :] = 1.0
        elif row == 2:
            jacobian[2, :] = unit[0]
        else:
            for at in range(bins):
                jacobian[row, at] = light * unit[source, at]
        slope = 0.0
        for at in range(bins):
            weighted[row, at] = jacobian[row, at] * share[at]
            slope += weighted[row, at] * (model[at] - counts[at])
        gradient[row] = slope
        for other in range(row + 1):
            product = 0.0
            for at in range(bins):
                product += weighted[row, at] * jacobian[other, at]
            fisher[row, other] = fisher[other, row] = product


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


def warm_up_decays() -> None:
    """Compile the kernels of ``fit_decay``, or load them from the cache: before light is let in."""
    for one in (mode_taps, convolve_modes, add_earlier_periods, mix_modes, weigh):
        one.compile()
    for one in (mark_pushing, damped_step):
        one.compile()
