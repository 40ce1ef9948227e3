"""Pairs of photons within a window, without a branch that depends on the light.

A stretch holds the photons of both sides, -1 and +1, in the order of time. In pass k each photon
on the list is paired with the k-th photon before it; those whose next older photon lies within the
window, too, stay on the list. A photon without partner costs one comparison, a partner a few
instructions, and hardly a branch is mispredicted.

The ``near`` kernels look back over the photons of both sides, which is best when partners are
rare. The ``split`` kernels first put the sides apart, so that they meet only partners that count.
Both give the same counts. The first ``carried`` photons of a stretch come from the stretch before
and are partners only; a photon that has ``carried`` older ones within the window is crowded and
not paired with any, so that no input, however odd, takes more than linear memory or hangs.

Numbers of places are unsigned, which saves the test for negative ones; times do not decrease.
"""

from labctl.photons._numba import Array, int64, kernel, uint32, uint64, uintp

__all__ = [
    "CHUNK",
    "EARLY",
    "near_delays",
    "near_peaks",
    "near_window",
    "select",
    "select_gated",
    "split_peaks",
    "split_window",
]

CHUNK = 8192
"""Photons whose list fits in a processor's first cache; the kernels contain the number."""

EARLY = -(1 << 61)
"""A time before which nobody has a window."""


@kernel("UniTuple(int64, 3)(TIMES, CHANNELS, SIDES, int64, int64, int64[::1], int8[::1])")
def select(
    time: Array,
    channel: Array,
    side_of: Array,
    before: int,
    filled: int,
    to_time: Array,
    to_side: Array,
) -> tuple[int, int, int]:
    """Append the photons on a side.

    Returns how many there are then, the sum of their sides, and how often time decreased.
    """
    place, balance, falls = uintp(filled), 0, 0
    for i in range(len(time)):
        side = side_of[channel[i]]
        falls += time[i] < before
        before = time[i]
        to_time[place] = time[i]
        to_side[place] = side
        balance += int64(side)
        place += uintp(side != 0)
    return int64(place), balance, falls


@kernel(
    "UniTuple(int64, 3)(TIMES, CHANNELS, DELAYS, SIDES, int64, int64, int64, int64,"
    " int64[::1], int8[::1], int64[::1])"
)
def select_gated(
    time: Array,
    channel: Array,
    delay: Array,
    side_of: Array,
    first_bin: int,
    end_bin: int,
    before: int,
    filled: int,
    to_time: Array,
    to_side: Array,
    to_delay: Array,
) -> tuple[int, int, int]:
    """Do the same with photons whose delay is in the gate; keep delays if there is room."""
    place, balance, falls = uintp(filled), 0, 0
    for i in range(len(time)):
        side = side_of[channel[i]]
        falls += time[i] < before
        before = time[i]
        to_time[place] = time[i]
        to_side[place] = side
        if len(to_delay) > 0:
            to_delay[place] = delay[i]
        wanted = (side != 0) & (delay[i] >= first_bin) & (delay[i] < end_bin)
        balance += int64(side) if wanted else 0
        place += uintp(wanted)
    return int64(place), balance, falls


@kernel("int64(int64[::1], int8[::1], int64, int64, int64, int64[::1], uint32[::1])")
def near_peaks(
    time: Array, side: Array, carried: int, end: int, window: int, waiting: Array, counts: Array
) -> int:
    """Count pairs by difference of time, from -window to +window; return the crowded photons."""
    reach, one, far, crowded = uint64(window), uintp(1), uintp(carried), 0
    for start in range(uintp(carried), uintp(end), uintp(8192)):
        count = uintp(0)
        for i in range(start, min(start + uintp(8192), uintp(end))):
            waiting[count] = i
            full = uint64(time[i] - time[i - far]) <= reach
            crowded += full
            count += uintp((uint64(time[i] - time[i - one]) <= reach) & (not full))
        back = one
        while count > uintp(0):
            kept = uintp(0)
            for k in range(count):
                i = uintp(waiting[k])
                j = i - back
                place = uintp(window + side[i] * (time[i] - time[j]))
                counts[place] += uint32(side[i] != side[j])
                waiting[kept] = i
                kept += uintp(uint64(time[i] - time[j - one]) <= reach)
            count = kept
            back += one
    return crowded


@kernel("int64(int64[::1], int8[::1], int64, int64, int64, int64, int64[::1], uint32[::1])")
def near_window(
    time: Array,
    side: Array,
    carried: int,
    end: int,
    window: int,
    bin_ticks: int,
    waiting: Array,
    counts: Array,
) -> int:
    """Count pairs by ``floor((difference + window) / bin_ticks)``; return the crowded photons."""
    reach, one, far, crowded = uint64(window), uintp(1), uintp(carried), 0
    # With half a tick added, the product is never on the wrong side of an edge below 2^50 ticks.
    per_bin = 1.0 / bin_ticks
    for start in range(uintp(carried), uintp(end), uintp(8192)):
        count = uintp(0)
        for i in range(start, min(start + uintp(8192), uintp(end))):
            waiting[count] = i
            full = uint64(time[i] - time[i - far]) <= reach
            crowded += full
            count += uintp((uint64(time[i] - time[i - one]) <= reach) & (not full))
        back = one
        while count > uintp(0):
            kept = uintp(0)
            for k in range(count):
                i = uintp(waiting[k])
                j = i - back
                shifted = window + side[i] * (time[i] - time[j])
                place = uintp(int64((shifted + 0.5) * per_bin))
                counts[place] += uint32(side[i] != side[j])
                waiting[kept] = i
                kept += uintp(uint64(time[i] - time[j - one]) <= reach)
            count = kept
            back += one
    return crowded


@kernel("int64(int64[::1], int8[::1], int64, int64, int64, int64[::1], int64[::1], uint32[::1])")
def split_peaks(
    time: Array,
    side: Array,
    carried: int,
    end: int,
    window: int,
    waiting: Array,
    sides: Array,
    counts: Array,
) -> int:
    """Do the same as ``near_peaks``; ``sides`` has room for the times of both sides."""
    reach, one, far, crowded = uint64(window), uintp(1), uintp(carried), 0
    middle, chunk = uintp(len(sides) // 2), uintp(8192)
    sides[0] = sides[middle] = EARLY
    to_a, to_b = one, middle + one
    for i in range(far):
        is_b = side[i] > 0
        sides[to_b if is_b else to_a] = time[i]
        to_a += uintp(not is_b)
        to_b += uintp(is_b)
    for start in range(far, uintp(end), chunk):
        count = uintp(0)
        for i in range(start, min(start + chunk, uintp(end))):
            is_b = side[i] > 0
            j = (to_a if is_b else to_b) - one
            sides[to_b if is_b else to_a] = time[i]
            to_a += uintp(not is_b)
            to_b += uintp(is_b)
            waiting[count] = j
            waiting[chunk + count] = time[i]
            full = uint64(time[i] - time[i - far]) <= reach
            crowded += full
            count += uintp((uint64(time[i] - sides[j]) <= reach) & (not full))
        while count > uintp(0):
            kept = uintp(0)
            for k in range(count):
                j = uintp(waiting[k])
                now = waiting[chunk + k]
                sign = -int64(j >= middle)
                counts[uintp(window + ((now - sides[j]) ^ sign) - sign)] += uint32(1)
                j -= one
                waiting[kept] = j
                waiting[chunk + kept] = now
                kept += uintp(uint64(now - sides[j]) <= reach)
            count = kept
    return crowded


@kernel(
    "int64(int64[::1], int8[::1], int64, int64, int64, int64, int64[::1], int64[::1], uint32[::1])"
)
def split_window(
    time: Array,
    side: Array,
    carried: int,
    end: int,
    window: int,
    bin_ticks: int,
    waiting: Array,
    sides: Array,
    counts: Array,
) -> int:
    """Do the same as ``near_window``; ``sides`` has room for the times of both sides."""
    reach, one, far, crowded = uint64(window), uintp(1), uintp(carried), 0
    middle, chunk, per_bin = uintp(len(sides) // 2), uintp(8192), 1.0 / bin_ticks
    sides[0] = sides[middle] = EARLY
    to_a, to_b = one, middle + one
    for i in range(far):
        is_b = side[i] > 0
        sides[to_b if is_b else to_a] = time[i]
        to_a += uintp(not is_b)
        to_b += uintp(is_b)
    for start in range(far, uintp(end), chunk):
        count = uintp(0)
        for i in range(start, min(start + chunk, uintp(end))):
            is_b = side[i] > 0
            j = (to_a if is_b else to_b) - one
            sides[to_b if is_b else to_a] = time[i]
            to_a += uintp(not is_b)
            to_b += uintp(is_b)
            waiting[count] = j
            waiting[chunk + count] = time[i]
            full = uint64(time[i] - time[i - far]) <= reach
            crowded += full
            count += uintp((uint64(time[i] - sides[j]) <= reach) & (not full))
        while count > uintp(0):
            kept = uintp(0)
            for k in range(count):
                j = uintp(waiting[k])
                now = waiting[chunk + k]
                sign = -int64(j >= middle)
                shifted = window + ((now - sides[j]) ^ sign) - sign
                counts[uintp(int64((shifted + 0.5) * per_bin))] += uint32(1)
                j -= one
                waiting[kept] = j
                waiting[chunk + kept] = now
                kept += uintp(uint64(now - sides[j]) <= reach)
            count = kept
    return crowded


@kernel(
    "int64(int64[::1], int8[::1], int64[::1], int64, int64, int64, int64,"
    " int64[::1], uint32[:, ::1])"
)
def near_delays(
    time: Array,
    side: Array,
    delay: Array,
    carried: int,
    end: int,
    window: int,
    bins_per_column: int,
    waiting: Array,
    counts: Array,
) -> int:
    """Count pairs by difference of time and of delay; return the crowded photons.

    Rows are as the places of ``near_peaks``. The middle column begins at a difference of zero; a
    column is ``bins_per_column`` wide.
    """
    reach, one, far, crowded = uint64(window), uintp(1), uintp(carried), 0
    lowest = (counts.shape[1] // 2) * bins_per_column
    for start in range(uintp(carried), uintp(end), uintp(8192)):
        count = uintp(0)
        for i in range(start, min(start + uintp(8192), uintp(end))):
            waiting[count] = i
            full = uint64(time[i] - time[i - far]) <= reach
            crowded += full
            count += uintp((uint64(time[i] - time[i - one]) <= reach) & (not full))
        back = one
        while count > uintp(0):
            kept = uintp(0)
            for k in range(count):
                i = uintp(waiting[k])
                j = i - back
                row = uintp(window + side[i] * (time[i] - time[j]))
                later = side[i] * (delay[i] - delay[j])
                column = uintp((later + lowest) // bins_per_column)
                counts[row, column] += uint32(side[i] != side[j])
                waiting[kept] = i
                kept += uintp(uint64(time[i] - time[j - one]) <= reach)
            count = kept
            back += one
    return crowded
