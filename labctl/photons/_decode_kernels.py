"""Records to times, channels and delays, one kernel for each division of the 32 bits.

Every kernel writes each record to the next free place and goes on to the next place only if the
record was a photon. That leaves no branch that depends on what the detectors did, so that streams
full of overflow records are decoded as fast as any other.

All return (photons, markers, overflow records, invalid records, overflows so far). Times are
``overflows * wrap + field``; overflows stop at ``last`` and so never wrap around.
"""

import numpy as np
from numpy.typing import NDArray

from labctl.photons._numba import kernel

__all__ = ["decode_hydra_t2", "decode_hydra_t3", "decode_picoharp_t2", "decode_picoharp_t3"]

Records = NDArray[np.uint32]
Times = NDArray[np.int64]
Channels = NDArray[np.uint8]
Delays = NDArray[np.uint16]
Counts = tuple[int, int, int, int, int]

_SIGNATURE = (
    "UniTuple(int64, 5)(RECORDS, int64, int64, int64, int64,"
    " int64[::1], uint8[::1], uint16[::1], int64[::1], uint8[::1])"
)


@kernel(_SIGNATURE)
def decode_hydra_t3(
    records: Records,
    overflows: int,
    wrap: int,
    count_mask: int,
    last: int,
    time: Times,
    channel: Channels,
    delay: Delays,
    marker_time: Times,
    marker_bits: Channels,
) -> Counts:
    """Decode special 1, channel 6, delay 15, sync 10 bits."""
    photons = markers = wraps = invalid = 0
    for i in range(len(records)):
        record = np.int64(records[i])
        code = record >> 25
        field = record & 0x3FF
        time[photons] = overflows * wrap + field
        channel[photons] = np.uint8(code)
        delay[photons] = np.uint16((record >> 10) & 0x7FFF)
        photons += code < 64
        is_overflow = np.int64(code == 127)
        if code > 63 and code < 127:
            if code > 64 and code < 80:
                marker_time[markers] = overflows * wrap + field
                marker_bits[markers] = np.uint8(code - 64)
                markers += 1
            else:
                invalid += 1
        wraps += is_overflow
        overflows = min(overflows + is_overflow * max(field & count_mask, 1), last)
    return photons, markers, wraps, invalid, overflows


@kernel(_SIGNATURE)
def decode_hydra_t2(
    records: Records,
    overflows: int,
    wrap: int,
    count_mask: int,
    last: int,
    time: Times,
    channel: Channels,
    delay: Delays,
    marker_time: Times,
    marker_bits: Channels,
) -> Counts:
    """Decode special 1, channel 6, time 25 bits; special with channel 0 is the sync input."""
    photons = markers = wraps = invalid = 0
    for i in range(len(records)):
        record = np.int64(records[i])
        code = record >> 25
        field = record & 0x1FFFFFF
        time[photons] = overflows * wrap + field
        channel[photons] = np.uint8(code)
        photons += code < 65
        is_overflow = np.int64(code == 127)
        if code > 64 and code < 127:
            if code < 80:
                marker_time[markers] = overflows * wrap + field
                marker_bits[markers] = np.uint8(code - 64)
                markers += 1
            else:
                invalid += 1
        wraps += is_overflow
        overflows = min(overflows + is_overflow * max(field & count_mask, 1), last)
    return photons, markers, wraps, invalid, overflows


@kernel(_SIGNATURE)
def decode_picoharp_t3(
    records: Records,
    overflows: int,
    wrap: int,
    count_mask: int,
    last: int,
    time: Times,
    channel: Channels,
    delay: Delays,
    marker_time: Times,
    marker_bits: Channels,
) -> Counts:
    """Decode channel 4, delay 12, sync 16 bits; channel 15 is special."""
    photons = markers = wraps = invalid = 0
    for i in range(len(records)):
        record = np.int64(records[i])
        code = record >> 28
        bins = (record >> 16) & 0xFFF
        time[photons] = overflows * wrap + (record & 0xFFFF)
        channel[photons] = np.uint8(code)
        delay[photons] = np.uint16(bins)
        photons += code < 15
        is_overflow = np.int64(code == 15) * np.int64(bins == 0)
        if code == 15 and bins > 0:
            if bins < 16:
                marker_time[markers] = overflows * wrap + (record & 0xFFFF)
                marker_bits[markers] = np.uint8(bins)
                markers += 1
            else:
                invalid += 1
        wraps += is_overflow
        overflows = min(overflows + is_overflow, last)
    return photons, markers, wraps, invalid, overflows


@kernel(_SIGNATURE)
def decode_picoharp_t2(
    records: Records,
    overflows: int,
    wrap: int,
    count_mask: int,
    last: int,
    time: Times,
    channel: Channels,
    delay: Delays,
    marker_time: Times,
    marker_bits: Channels,
) -> Counts:
    """Decode channel 4, time 28 bits; channel 15 is special and its low 4 bits are markers."""
    photons = markers = wraps = 0
    for i in range(len(records)):
        record = np.int64(records[i])
        code = record >> 28
        field = record & 0xFFFFFFF
        time[photons] = overflows * wrap + field
        channel[photons] = np.uint8(code)
        photons += code < 15
        bits = field & 0xF
        is_overflow = np.int64(code == 15) * np.int64(bits == 0)
        if code == 15 and bits > 0:
            # The time of a marker is known to 16 ticks only.
            marker_time[markers] = overflows * wrap + field - bits
            marker_bits[markers] = np.uint8(bits)
            markers += 1
        wraps += is_overflow
        overflows = min(overflows + is_overflow, last)
    return photons, markers, wraps, 0, overflows
