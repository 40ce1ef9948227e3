"""Records to times, channels and delays, one kernel for each division of the 32 bits.

Every kernel writes each record to the next free place and goes on to the next place only if the
record was a photon. That leaves no branch that depends on what the detectors did, so that streams
full of overflow records are decoded as fast as any other. Times are ``overflows * wrap + field``.

The kernels return (photons, markers, overflow records, invalid records, overflows so far);
overflows stop at ``last``, so that times of damaged records never wrap around. The two ``plain``
kernels know only photons and overflows and do not look at ``last``; they return (photons, overflow
records, overflows so far), and whoever finds that this is not all decodes the block again.
"""

from labctl.photons._numba import Array, int64, kernel, uint8, uint16, uint32, uintp

__all__ = [
    "decode_hydra_t2",
    "decode_hydra_t3",
    "decode_picoharp_t2",
    "decode_picoharp_t3",
    "decode_plain_t2",
    "decode_plain_t3",
]

Counts = tuple[int, int, int, int, int]

_SIGNATURE = (
    "UniTuple(int64, 5)(RECORDS, int64, int64, int64, int64,"
    " int64[::1], uint8[::1], uint16[::1], int64[::1], uint8[::1])"
)

_PLAIN_SIGNATURE = (
    "UniTuple(int64, 3)(RECORDS, int64, int64, int64, int64[::1], uint8[::1], uint16[::1])"
)


@kernel(_PLAIN_SIGNATURE)
def decode_plain_t3(
    records: Array,
    overflows: int,
    wrap: int,
    count_mask: int,
    time: Array,
    channel: Array,
    delay: Array,
) -> tuple[int, int, int]:
    """Decode photons and overflows of the Hydra family, T3."""
    # Unsigned places in the arrays save the test for a negative one.
    photons = wraps = uintp(0)
    for i in range(len(records)):
        record = records[i]
        code = record >> uint32(25)
        field = int64(record & uint32(0x3FF))
        time[photons] = overflows * wrap + field
        channel[photons] = uint8(code)
        delay[photons] = uint16((record >> uint32(10)) & uint32(0x7FFF))
        photons += uintp(code < uint32(64))
        is_overflow = code == uint32(127)
        wraps += uintp(is_overflow)
        overflows += max(field & count_mask, 1) if is_overflow else 0
    return int64(photons), int64(wraps), overflows


@kernel(_PLAIN_SIGNATURE)
def decode_plain_t2(
    records: Array,
    overflows: int,
    wrap: int,
    count_mask: int,
    time: Array,
    channel: Array,
    delay: Array,
) -> tuple[int, int, int]:
    """Decode photons (also of the sync input) and overflows of the Hydra family, T2."""
    photons = wraps = uintp(0)
    for i in range(len(records)):
        record = records[i]
        code = record >> uint32(25)
        field = int64(record & uint32(0x1FFFFFF))
        time[photons] = overflows * wrap + field
        channel[photons] = uint8(code)
        photons += uintp(code < uint32(65))
        is_overflow = code == uint32(127)
        wraps += uintp(is_overflow)
        overflows += max(field & count_mask, 1) if is_overflow else 0
    return int64(photons), int64(wraps), overflows


@kernel(_SIGNATURE)
def decode_hydra_t3(
    records: Array,
    overflows: int,
    wrap: int,
    count_mask: int,
    last: int,
    time: Array,
    channel: Array,
    delay: Array,
    marker_time: Array,
    marker_bits: Array,
) -> Counts:
    """Decode special 1, channel 6, delay 15, sync 10 bits."""
    photons = markers = wraps = invalid = 0
    for i in range(len(records)):
        record = int64(records[i])
        code = record >> 25
        field = record & 0x3FF
        time[photons] = overflows * wrap + field
        channel[photons] = uint8(code)
        delay[photons] = uint16((record >> 10) & 0x7FFF)
        photons += code < 64
        is_overflow = int64(code == 127)
        if code > 63 and code < 127:
            if code > 64 and code < 80:
                marker_time[markers] = overflows * wrap + field
                marker_bits[markers] = uint8(code - 64)
                markers += 1
            else:
                invalid += 1
        wraps += is_overflow
        overflows = min(overflows + is_overflow * max(field & count_mask, 1), last)
    return photons, markers, wraps, invalid, overflows


@kernel(_SIGNATURE)
def decode_hydra_t2(
    records: Array,
    overflows: int,
    wrap: int,
    count_mask: int,
    last: int,
    time: Array,
    channel: Array,
    delay: Array,
    marker_time: Array,
    marker_bits: Array,
) -> Counts:
    """Decode special 1, channel 6, time 25 bits; special with channel 0 is the sync input."""
    photons = markers = wraps = invalid = 0
    for i in range(len(records)):
        record = int64(records[i])
        code = record >> 25
        field = record & 0x1FFFFFF
        time[photons] = overflows * wrap + field
        channel[photons] = uint8(code)
        photons += code < 65
        is_overflow = int64(code == 127)
        if code > 64 and code < 127:
            if code < 80:
                marker_time[markers] = overflows * wrap + field
                marker_bits[markers] = uint8(code - 64)
                markers += 1
            else:
                invalid += 1
        wraps += is_overflow
        overflows = min(overflows + is_overflow * max(field & count_mask, 1), last)
    return photons, markers, wraps, invalid, overflows


@kernel(_SIGNATURE)
def decode_picoharp_t3(
    records: Array,
    overflows: int,
    wrap: int,
    count_mask: int,
    last: int,
    time: Array,
    channel: Array,
    delay: Array,
    marker_time: Array,
    marker_bits: Array,
) -> Counts:
    """Decode channel 4, delay 12, sync 16 bits; channel 15 is special."""
    photons = markers = wraps = invalid = 0
    for i in range(len(records)):
        record = int64(records[i])
        code = record >> 28
        bins = (record >> 16) & 0xFFF
        time[photons] = overflows * wrap + (record & 0xFFFF)
        channel[photons] = uint8(code)
        delay[photons] = uint16(bins)
        photons += code < 15
        is_overflow = int64(code == 15) * int64(bins == 0)
        if code == 15 and bins > 0:
            if bins < 16:
                marker_time[markers] = overflows * wrap + (record & 0xFFFF)
                marker_bits[markers] = uint8(bins)
                markers += 1
            else:
                invalid += 1
        wraps += is_overflow
        overflows = min(overflows + is_overflow, last)
    return photons, markers, wraps, invalid, overflows


@kernel(_SIGNATURE)
def decode_picoharp_t2(
    records: Array,
    overflows: int,
    wrap: int,
    count_mask: int,
    last: int,
    time: Array,
    channel: Array,
    delay: Array,
    marker_time: Array,
    marker_bits: Array,
) -> Counts:
    """Decode channel 4, time 28 bits; channel 15 is special and its low 4 bits are markers."""
    photons = markers = wraps = 0
    for i in range(len(records)):
        record = int64(records[i])
        code = record >> 28
        field = record & 0xFFFFFFF
        time[photons] = overflows * wrap + field
        channel[photons] = uint8(code)
        photons += code < 15
        bits = field & 0xF
        is_overflow = int64(code == 15) * int64(bits == 0)
        if code == 15 and bits > 0:
            # The time of a marker is known to 16 ticks only.
            marker_time[markers] = overflows * wrap + field - bits
            marker_bits[markers] = uint8(bits)
            markers += 1
        wraps += is_overflow
        overflows = min(overflows + is_overflow, last)
    return photons, markers, wraps, 0, overflows
