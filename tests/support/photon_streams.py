"""Time-tag records made and read a second time, slowly and by other means than labctl's."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl.photons import PhotonBlock, RecordType

SPECIAL = 127 << 25
T3 = [kind for kind in RecordType if kind & 0x300 == 0x300]
T2 = [kind for kind in RecordType if kind not in T3]
PICOHARP = (RecordType.PICOHARP_T2, RecordType.PICOHARP_T3)
FIRST_VERSION = (RecordType.HYDRAHARP1_T2, RecordType.HYDRAHARP1_T3)
WRAPS = {kind: 1024 if kind in T3 else 1 << 25 for kind in RecordType} | {
    RecordType.PICOHARP_T2: 210698240,
    RecordType.PICOHARP_T3: 65536,
    RecordType.HYDRAHARP1_T2: 33552000,
}


class Event(NamedTuple):
    """A photon, or a marker if it has marker bits; channel 64 is the sync input of T2."""

    tick: int
    channel: int = 0
    delay: int = 0
    bits: int = 0


class Read(NamedTuple):
    """What a stream contains."""

    photons: list[tuple[int, int, int]]
    markers: list[tuple[int, int]]
    overflows: int


def words(kind: RecordType, events: Sequence[Event], most: int = 127) -> NDArray[np.uint32]:
    """Encode events; an overflow record stands for at most ``most``, 0 writes one as 0."""
    found: list[int] = []
    wraps = 0
    for event in events:
        missing = event.tick // WRAPS[kind] - wraps
        wraps += missing
        found += _overflows(kind, missing, most)
        found.append(_word(kind, event, event.tick % WRAPS[kind]))
    return np.array(found, np.uint32)


def _overflows(kind: RecordType, missing: int, most: int) -> Iterator[int]:
    if kind in PICOHARP:
        yield from [0xF << 28] * missing
    elif kind in FIRST_VERSION:
        yield from [SPECIAL | 99] * missing
    elif most == 0:
        yield from [SPECIAL] * missing
    else:
        while missing:
            yield SPECIAL | min(missing, most)
            missing -= min(missing, most)


def _word(kind: RecordType, event: Event, field: int) -> int:
    if kind is RecordType.PICOHARP_T2:
        return 0xF << 28 | field & ~15 | event.bits if event.bits else event.channel << 28 | field
    if kind is RecordType.PICOHARP_T3:
        channel, delay = (15, event.bits) if event.bits else (event.channel, event.delay)
        return channel << 28 | delay << 16 | field
    code = 64 + event.bits if event.bits else event.channel
    return code << 25 | (event.delay << 10 if kind in T3 else 0) | field


def read(kind: RecordType, records: Sequence[int]) -> Read:
    """Decode record by record from the digits of each word."""
    photons: list[tuple[int, int, int]] = []
    markers: list[tuple[int, int]] = []
    wraps = 0
    for record in records:
        digits = f"{record:032b}"
        if kind is RecordType.PICOHARP_T2:
            channel, field = int(digits[:4], 2), int(digits[4:], 2)
            special, delay, bits = channel == 15, 0, int(digits[-4:], 2)
            count, field = int(bits == 0), field - bits if special else field
        elif kind is RecordType.PICOHARP_T3:
            channel, delay, field = (int(d, 2) for d in (digits[:4], digits[4:16], digits[16:]))
            special, bits, count = channel == 15, delay if delay < 16 else 0, int(delay == 0)
        else:
            special, channel = digits[0] == "1", int(digits[1:7], 2)
            delay, field = int(digits[7:22], 2), int(digits[22:], 2)
            if kind in T2:
                delay, field = 0, int(digits[7:], 2)
                if special and channel == 0:
                    special, channel = False, 64
            bits = channel if channel < 16 else 0
            count = (1 if kind in FIRST_VERSION else max(1, field)) if channel == 63 else 0
        tick = wraps * WRAPS[kind] + field
        if not special:
            photons.append((tick, channel, delay))
        elif count:
            wraps += count
        elif bits:
            markers.append((tick, bits))
    return Read(photons, markers, wraps)


def rows(blocks: Sequence[PhotonBlock]) -> Read:
    """Return what blocks of labctl contain in the same form."""
    photons: list[tuple[int, int, int]] = []
    markers: list[tuple[int, int]] = []
    for block in blocks:
        delays = block.delay_bins.tolist() or [0] * len(block.time_ticks)
        photons += zip(block.time_ticks.tolist(), block.channel.tolist(), delays, strict=True)
        markers += zip(block.marker_ticks.tolist(), block.marker_bits.tolist(), strict=True)
    return Read(photons, markers, sum(block.overflows for block in blocks))


def pieces(records: NDArray[np.uint32], cuts: Sequence[int]) -> list[NDArray[np.uint32]]:
    """Cut a stream at these places, some of which may be equal or beyond the end."""
    return list(np.split(records, sorted(cut % (len(records) + 1) for cut in cuts)))


def light(
    seed: int, photons: int, mean_gap_ticks: float, *, channels: int = 2, delay_bins: int = 1500
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint16]]:
    """Return Poisson light: times, channels and delays."""
    rng = np.random.default_rng(seed)
    time = np.floor(np.cumsum(rng.exponential(mean_gap_ticks, photons))).astype(np.int64)
    channel = rng.integers(0, channels, photons).astype(np.uint8)
    return time, channel, rng.integers(0, delay_bins, photons).astype(np.uint16)
