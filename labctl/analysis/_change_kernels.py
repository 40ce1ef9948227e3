"""Likelihood ratios of a change of intensity at each photon of a stretch.

Watkins and Yang, J. Phys. Chem. B 109, 617 (2005), eqs. 3-7. Between photon 0 and photon n lie n
intervals; V_k is the share of the time that the first k took. Twice the log-likelihood ratio of a
change at k is ``L_k = 2 [k ln(k / n V_k) + (n - k) ln((n - k) / n (1 - V_k))]``. It is standardised
by its mean and deviation without a change (V_k has a beta distribution) and weighted by
``ln(4 k (n - k) / n^2) / 2`` against changes at the ends.
"""

import math

from labctl.analysis._numba import Array, kernel

__all__ = ["odd_stretches", "region_of_change", "strongest_change"]


@kernel("Tuple((int64, float64))(TIMES, int64, int64, int64, float64, float64[:, ::1])")
def strongest_change(
    time: Array, first: int, last: int, fewest: int, above: float, small: Array
) -> tuple[int, float]:
    """Return the likeliest change between two photons and its statistic; -1 if none is ``above``.

    First every 32nd photon is tried, then all photons of a block of 32 whose best imaginable
    change is better: V and k grow, and L_k is convex, so that no change within a block is better
    than those of k at one end with V at the other. These in turn are at most what Pearson's
    divergence gives, without logarithms: KL <= ln(1 + chi^2). ``above`` is not negative.
    """
    n, begin, best, chosen = float(last - first), time[first], above, -1
    per_tick, end = 1.0 / max(time[last] - begin, 1), last - first - fewest + 1
    whole, whole_variance = 0.5 + 1 / (12 * n), 0.5 + 1 / (6 * n)
    for step in range(2):
        for block in range(fewest, end, 32):
            until = min(block + 32, end)
            if step == 1:
                low, high = time[first + block] - begin, time[first + until - 1] - begin
                needed = 0.5 + math.sqrt(0.5) * best
                limit, possible = math.expm1(needed / n), False
                for corner in range(2):
                    p = (until - 1 if corner == 0 else block) / n
                    q = (low if corner == 0 else high) * per_tick
                    if (p - q) * (p - q) > limit * q * (1.0 - q) and not possible:
                        possible = q <= 0.0 or q >= 1.0
                        if not possible:
                            far = p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
                            possible = n * far > needed
                if not possible:
                    continue
            for k in range(block, until if step == 1 else block + 1):
                share = (time[first + k] - begin) * per_tick
                if share <= 0.0 or share >= 1.0:
                    continue
                mean, variance = -whole, -whole_variance
                for side in (k, last - first - k):
                    few = side < small.shape[1]
                    mean += small[0, side] if few else 0.5 + 1.0 / (12 * side)
                    variance += small[1, side] if few else 0.5 + 1.0 / (6 * side)
                rest = n - k
                ratio = k * math.log(k / (n * share)) + rest * math.log(rest / (n - n * share))
                weight = 0.5 * math.log(4.0 * k * rest / (n * n))
                statistic = (ratio - mean) / math.sqrt(variance) + weight
                if statistic > best:
                    chosen, best = k, statistic
    return chosen, best


@kernel("UniTuple(int64, 2)(TIMES, int64, int64, int64, float64)")
def region_of_change(
    time: Array, first: int, last: int, change: int, drop: float
) -> tuple[int, int]:
    """Return the first and last photon whose log-likelihood is within ``drop`` of the change's."""
    begin = time[first]
    per_tick, n = 1.0 / max(time[last] - begin, 1), float(last - first)
    earliest, latest, least = change, change, -1.0
    for photon in range(change, change + 1 + (last - first)):
        # First the change itself, then everything else: the rest of the stretch comes around.
        place = photon if photon < last else photon - (last - first) + 1
        if place <= first or place >= last:
            continue
        k, share = float(place - first), (time[place] - begin) * per_tick
        if share <= 0.0 or share >= 1.0:
            continue
        off = k / n - share
        if n * off * off < least * share * (1.0 - share):
            continue
        ratio = k * math.log(k / (n * share)) + (n - k) * math.log((n - k) / (n * (1.0 - share)))
        if place == change:
            least = ratio - drop
        elif ratio >= least:
            earliest, latest = min(earliest, place), max(latest, place)
    return earliest, latest


@kernel("int64(TIMES, int64, int64, int64, float64, float64, int64[:, ::1])")
def odd_stretches(
    time: Array, first: int, last: int, size: int, low: float, high: float, found: Array
) -> int:
    """Find runs of ``size`` intervals that took less than ``low`` or more than ``high``.

    Of those that overlap the oddest is written as (first photon, ticks).

    Returns:
        Number of rows that were written; no more than fit.
    """
    count, until = 0, first - 1
    for photon in range(first, last - size + 1):
        ticks = time[photon + size] - time[photon]
        if low <= ticks <= high:
            continue
        if photon > until:
            if count == len(found):
                break
            count += 1
        else:
            before = found[count - 1, 1]
            if (ticks > high and ticks <= before) or (ticks < low and ticks >= before):
                continue
        found[count - 1, 0], found[count - 1, 1] = photon, ticks
        until = photon + size
    return count
