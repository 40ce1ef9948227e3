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
    "correlate_modes",
    "fall_of_modes",
    "fill_tails",
    "mix_modes",
    "mode_taps",
    "through_response",
]

_DARK = 1e-20
_LANES = 8
_CELLS, _SPAN, _EARLY = 255, 3.0, 1e-4
_HALVINGS = 60


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
    "int64(float64[::1], int64, float64[:, ::1],"
    " float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1])"
)
def through_response(
    response: Array,
    begin: int,
    taps: Array,
    counts: Array,
    by_shift: Array,
    by_tau: Array,
    states: Array,
) -> int:
    """Fill the counts per bin of unit decays, shape (modes, bins), and their derivatives.

    Returns the bin from which on each decay is one exponential, which `fill_tails` continues.

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
    return min(dark, bins)


@kernel(
    "void(float64, float64, float64, int64, float64[:, ::1], float64[::1],"
    " float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1])"
)
def add_earlier_periods(
    bin_ps: float,
    period_ps: float,
    gap_ps: float,
    end: int,
    taps: Array,
    taus_ps: Array,
    states: Array,
    counts: Array,
    by_shift: Array,
    by_tau: Array,
) -> None:
    """Add what is left of all earlier pulses, one exponential, to the bins before ``end``.

    ``gap_ps`` lies between the end of the response, one period earlier, and the first bin of
    ``counts``; the other arguments are as in `through_response`.
    """
    for mode in range(len(counts)):
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
        for at in range(end):
            counts[mode, at] += tap2 * state * left
            by_shift[mode, at] += late2 * state * left
            age = (older_ps + at * bin_ps) / (tau_ps * tau_ps)
            by_tau[mode, at] += left * (fixed_slope + tap2 * state * age)
            left *= q


@kernel("void(int64, float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[:, ::1])")
def fill_tails(begin: int, taps: Array, counts: Array, by_shift: Array, by_tau: Array) -> None:
    """Continue exponentials and their derivatives: each stretch doubles what there is."""
    modes, bins = counts.shape
    for mode in range(modes):
        q, q_slope = taps[mode, 9], taps[mode, 10]
        at_shift, at_tau, at_count = by_shift[mode], by_tau[mode], counts[mode]
        first, size = begin, _LANES
        while first < bins:
            left, left_slope = q**size, size * q ** (size - 1) * q_slope
            old, new = at_count[first - size :], at_count[first:]
            old_shift, new_shift = at_shift[first - size :], at_shift[first:]
            old_tau, new_tau = at_tau[first - size :], at_tau[first:]
            for at in range(min(size, bins - first)):
                new_tau[at] = left * old_tau[at] + left_slope * old[at]
                new_shift[at] = left * old_shift[at]
                new[at] = left * old[at]
            first += size
            size *= 2


@kernel(
    "void(float64[:, ::1], int64, float64, float64, float64[:, ::1], float64[::1], float64[::1],"
    " float64[:, ::1])",
    any_order=True,
)
def correlate_modes(
    rows: Array,
    begin: int,
    period_ps: float,
    gap_ps: float,
    taps: Array,
    taus_ps: Array,
    areas: Array,
    found: Array,
) -> None:
    """Add the transpose of `convolve_modes`.

    Args:
        rows: Over bins, shape (n, bins).
        begin: As for `through_response`.
        period_ps: Infinite for a single pulse.
        gap_ps: As for `add_earlier_periods`.
        taps: From `mode_taps`.
        taus_ps: Shape (modes,).
        areas: Of the exponentials, shape (modes,).
        found: Over bins of the response, shape (n, support); zero before.
    """
    bins, support = rows.shape[1], found.shape[1]
    first = begin + support + 1
    inside = min(max(first, 0), bins)
    powers = np.empty(bins)
    for mode in range(len(areas)):
        tap0, tap1, tap2, q = taps[mode, 0], taps[mode, 1], taps[mode, 2], taps[mode, 9]
        area = areas[mode]
        powers[0] = 1.0
        filled = 1
        while filled < bins:
            left = q**filled
            for at in range(min(filled, bins - filled)):
                powers[filled + at] = left * powers[at]
            filled *= 2
        earlier = math.exp(-gap_ps / taus_ps[mode]) / -math.expm1(-period_ps / taus_ps[mode])
        for row in range(len(rows)):
            here, place = rows[row], found[row]
            early, late = 0.0, 0.0
            for at in range(inside):
                early += powers[at] * here[at]
            behind = here[inside:]
            for at in range(len(behind)):
                late += powers[at] * behind[at]
            state = late * q ** max(-first, 0)
            older = area * tap2 * earlier * (early + q**inside * late)
            for at in range(support - 1, -1, -1):
                now = here[begin + at] if 0 <= begin + at < bins else 0.0
                after = here[begin + at + 1] if 0 <= begin + at + 1 < bins else 0.0
                place[at] += area * (tap0 * now + tap1 * after + tap2 * state) + older
                state = q * state + after
                older *= q


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

    ``mixed``, shape (2 + parameters, bins): counts, their derivative by the shift, and those by
    the parameters, of which ``area_slopes`` and ``tau_slopes`` hold the derivatives of areas and
    decay times, shape (parameters, modes).
    """
    modes, bins = counts.shape
    mixed[:] = 0.0
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


@kernel(
    "void(float64[::1], int64, float64, float64, float64, float64[::1], float64[::1],"
    " float64[:, ::1], float64[:, ::1], float64[:, ::1])"
)
def convolve_modes(
    response: Array,
    begin: int,
    late_ps: float,
    bin_ps: float,
    period_ps: float,
    taus_ps: Array,
    areas: Array,
    area_slopes: Array,
    tau_slopes: Array,
    mixed: Array,
) -> None:
    """Fill what `mix_modes` does, from the response on: all of the above in one call.

    Args:
        response: Shape (support,).
        begin: Bin in which its first bin arrives, counted from the first of ``mixed``.
        late_ps: By which the decays begin later than that; from 0 to less than a bin.
        bin_ps: Width of a bin.
        period_ps: Infinite for a single pulse.
        taus_ps: Decay times, shape (modes,).
        areas: Shape (modes,).
        area_slopes: Their derivatives, shape (parameters, modes).
        tau_slopes: The same of the decay times.
        mixed: Filled, shape (2 + parameters, bins).
    """
    shape = (len(taus_ps), mixed.shape[1])
    taps, states = np.empty((len(taus_ps), 11)), np.zeros((len(taus_ps), 2))
    counts, by_shift, by_tau = np.empty(shape), np.empty(shape), np.empty(shape)
    mode_taps(bin_ps, late_ps, taus_ps, taps)
    tail = through_response(response, begin, taps, counts, by_shift, by_tau, states)
    if period_ps < math.inf:
        gap_ps = period_ps - (begin + len(response) + 1) * bin_ps
        add_earlier_periods(
            bin_ps, period_ps, gap_ps, tail, taps, taus_ps, states, counts, by_shift, by_tau
        )
    fill_tails(tail, taps, counts, by_shift, by_tau)
    mix_modes(counts, by_shift, by_tau, areas, area_slopes, tau_slopes, mixed)


@kernel("float64(float64[::1], float64[::1])")
def fall_of_modes(taus_ps: Array, areas: Array) -> float:
    """Return the time from the maximum of a sum of exponentials to 1/e of it, in ps.

    Both are looked for on a grid, and then by halving.
    """
    rates = 1.0 / taus_ps
    heights = areas * rates
    falls = heights * rates
    step_ps = taus_ps[0] * (_SPAN / _CELLS)

    def mixed(weights: Array, at_ps: float) -> float:
        total = 0.0
        for mode in range(len(rates)):
            total += weights[mode] * math.exp(-rates[mode] * at_ps)
        return total

    peak_ps, highest = 0.0, mixed(heights, 0.0)
    if mixed(heights, _EARLY * taus_ps[0]) > highest:
        for cell in range(1, _CELLS + 1):
            value = mixed(heights, cell * step_ps)
            if value > highest:
                peak_ps, highest = cell * step_ps, value
        low, high = max(peak_ps - step_ps, 0.0), peak_ps + step_ps
        for _ in range(_HALVINGS):
            peak_ps = 0.5 * (low + high)
            if mixed(falls, peak_ps) > 0.0:
                high = peak_ps
            else:
                low = peak_ps
        highest = mixed(heights, peak_ps)
    low, high = peak_ps, peak_ps + step_ps
    while mixed(heights, high) * math.e > highest > 0.0:
        low, high = high, high + max(step_ps, 0.1 * (high - peak_ps))
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        if mixed(heights, middle) * math.e > highest:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high) - peak_ps
