"""Pairs of photons within a window, without a branch that depends on the light.

Work is done on a stretch of photons of both sides in the order of time. In pass k each photon that
is still on the list is paired with the k-th photon before it; those whose next older photon lies
within the window, too, stay on the list. A photon that has no partner costs one comparison, a
partner a few more instructions, and nothing is mispredicted. In front of the stretch stands one
photon too early to be anybody's partner.

Differences are compared as unsigned numbers, so that times of damaged records, which may decrease,
cannot lead out of a table.
"""

from labctl.photons._numba import Array, int64, kernel, uint64, uintp

__all__ = ["CHUNK", "pulsed_delays", "pulsed_peaks", "select", "select_gated", "windowed"]

CHUNK = 8192
"""Photons whose list fits in a processor's first cache."""


@kernel("int64(TIMES, CHANNELS, SIDES, int64, int64[::1], int8[::1])")
def select(
    time: Array, channel: Array, side_of: Array, filled: int, to_time: Array, to_side: Array
) -> int:
    """Append the photons on side -1 or +1; return how many there are then."""
    place = uintp(filled)
    for i in range(len(time)):
        side = side_of[channel[i]]
        to_time[place] = time[i]
        to_side[place] = side
        place += uintp(side != 0)
    return int64(place)


@kernel(
    "int64(TIMES, CHANNELS, DELAYS, SIDES, int64, int64, int64, int64[::1], int8[::1], uint16[::1])"
)
def select_gated(
    time: Array,
    channel: Array,
    delay: Array,
    side_of: Array,
    first_bin: int,
    end_bin: int,
    filled: int,
    to_time: Array,
    to_side: Array,
    to_delay: Array,
) -> int:
    """Append the photons on a side with a delay in the gate; return how many there are then."""
    place = uintp(filled)
    for i in range(len(time)):
        side = side_of[channel[i]]
        to_time[place] = time[i]
        to_side[place] = side
        to_delay[place] = delay[i]
        bins = int64(delay[i])
        place += uintp(side != 0) & uintp(bins >= first_bin) & uintp(bins < end_bin)
    return int64(place)


@kernel("int64(int64[::1], int8[::1], int64, int64, int64, int64, int64[::1], int64[::1])")
def pulsed_peaks(
    time: Array,
    side: Array,
    first: int,
    end: int,
    window: int,
    most: int,
    waiting: Array,
    peaks: Array,
) -> int:
    """Count pairs of different sides by the difference of their sync numbers.

    Returns how many photons had more than ``most`` older ones within the window.
    """
    reach = uint64(window)
    beyond = 0
    for start in range(first, end, 8192):
        count = 0
        for i in range(start, min(start + 8192, end)):
            waiting[count] = i
            count += uint64(time[i] - time[i - 1]) <= reach
        back = 1
        while count > 0 and back <= most:
            kept = 0
            for k in range(count):
                i = waiting[k]
                difference = time[i] - time[i - back]
                peaks[window + side[i] * difference] += side[i] != side[i - back]
                waiting[kept] = i
                kept += uint64(time[i] - time[i - back - 1]) <= reach
            count = kept
            back += 1
        beyond += count
    return beyond


@kernel(
    "int64(int64[::1], int8[::1], uint16[::1], int64, int64, int64, int64, int64, int64,"
    " int64[::1], int64[:, ::1])"
)
def pulsed_delays(
    time: Array,
    side: Array,
    delay: Array,
    first: int,
    end: int,
    window: int,
    most: int,
    bins_per_bin: int,
    half: int,
    waiting: Array,
    counts: Array,
) -> int:
    """Count pairs of different sides by difference of sync number and of delay.

    The second axis of ``counts`` is ``floor((delay of b - delay of a) / bins_per_bin) + half``.
    """
    reach = uint64(window)
    beyond = 0
    for start in range(first, end, 8192):
        count = 0
        for i in range(start, min(start + 8192, end)):
            waiting[count] = i
            count += uint64(time[i] - time[i - 1]) <= reach
        back = 1
        while count > 0 and back <= most:
            kept = 0
            for k in range(count):
                i = waiting[k]
                difference = time[i] - time[i - back]
                later = side[i] * (int64(delay[i]) - int64(delay[i - back]))
                column = (later + half * bins_per_bin) // bins_per_bin
                counts[window + side[i] * difference, column] += side[i] != side[i - back]
                waiting[kept] = i
                kept += uint64(time[i] - time[i - back - 1]) <= reach
            count = kept
            back += 1
        beyond += count
    return beyond


@kernel("int64(int64[::1], int8[::1], int64, int64, int64, int64, int64, int64[::1], uint32[::1])")
def windowed(
    time: Array,
    side: Array,
    first: int,
    end: int,
    window: int,
    most: int,
    bin_ticks: int,
    waiting: Array,
    counts: Array,
) -> int:
    """Count pairs of different sides by the difference of their times in bins.

    A bin is ``floor((t_b - t_a + window) / bin_ticks)``; the last one, for differences of exactly
    the window, lies outside.
    """
    reach = uint64(window)
    per_bin = 1.0 / bin_ticks
    beyond = 0
    for start in range(first, end, 8192):
        count = 0
        for i in range(start, min(start + 8192, end)):
            waiting[count] = i
            count += uint64(time[i] - time[i - 1]) <= reach
        back = 1
        while count > 0 and back <= most:
            kept = 0
            for k in range(count):
                i = waiting[k]
                shifted = window + side[i] * (time[i] - time[i - back])
                # A product is quicker than a division, and never more than one bin off.
                place = int64(shifted * per_bin)
                rest = shifted - place * bin_ticks
                place += int64(rest >= bin_ticks) - int64(rest < 0)
                counts[place] += side[i] != side[i - back]
                waiting[kept] = i
                kept += uint64(time[i] - time[i - back - 1]) <= reach
            count = kept
            back += 1
        beyond += count
    return beyond
