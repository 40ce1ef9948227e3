"""One acquisition: from events to histograms, or to records in a finite buffer."""

from collections import deque
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from labctl_sim.picoquant._records import SYNC, Records, T2Encoder, T3Encoder, arrival
from labctl_sim.world.photons import Grid, Times, jit

__all__ = ["Events", "Fifo", "Histograms", "TaggedRun", "sync_keys"]

Counts = NDArray[np.int64]


class Events(Protocol):
    """A source of events at the module's inputs."""

    @property
    def grid(self) -> Grid:
        """Pulses of the sync."""
        ...

    @property
    def known_ps(self) -> int:
        """Everything before this time since the beginning has been handed out."""
        ...

    def until(self, at_s: float, *, end: bool = False) -> Times:
        """Events up to a world time that were not handed out yet."""
        ...


class Fifo:
    """Records that wait in the module; what does not fit is lost, and so is all that follows."""

    def __init__(self, size: int) -> None:
        """``size`` records fit."""
        self._size = size
        self._parts: deque[Records] = deque()
        self.waiting = 0
        self.full = False

    def put(self, records: Records) -> None:
        """Add records while there is room."""
        if self.full:
            return
        room = self._size - self.waiting
        self.full = len(records) > room
        self._parts.append(records[:room])
        self.waiting += min(len(records), room)

    def take(self, most: int) -> Records:
        """Take the oldest records out."""
        taken: list[Records] = []
        wanted = min(most, self.waiting)
        self.waiting -= wanted
        while wanted > 0:
            part = self._parts.popleft()
            if len(part) > wanted:
                self._parts.appendleft(part[wanted:])
                part = part[:wanted]
            taken.append(part)
            wanted -= len(part)
        return np.concatenate(taken) if taken else np.zeros(0, dtype=np.uint32)


class TaggedRun:
    """A T2 or T3 run."""

    def __init__(self, encoder: T2Encoder | T3Encoder, fifo: Fifo) -> None:
        """Encode into a buffer."""
        self._encoder, self.fifo = encoder, fifo
        self._markers: deque[tuple[int, int]] = deque()

    def mark(self, at_ps: int, bits: int) -> None:
        """Note an edge at the marker inputs."""
        self._markers.append((at_ps, bits))

    def add(self, keys: Times, known_ps: int, *, last: bool = False) -> None:
        """Encode all events before a time."""
        while self._markers and (last or self._markers[0][0] < known_ps):
            at_ps, bits = self._markers.popleft()
            before = int(np.searchsorted(keys, at_ps << 3))
            self.fifo.put(self._encoder.photons(keys[:before]))
            self.fifo.put(self._encoder.marker(at_ps, bits))
            keys = keys[before:]
        self.fifo.put(self._encoder.photons(keys))
        self.fifo.put(self._encoder.idle(known_ps, last=last))


@jit
def fill(
    keys: Times,
    channels: Counts,
    grid: Grid,
    resolution_ps: int,
    offset_ps: int,
    multistop: bool,
    limit: int,
    last_sync: Counts,
    counts: Counts,
) -> int:
    """Sort delays into ``counts``, shape (channels, bins), until a bin reaches ``limit``.

    Returns:
        Number of events used.
    """
    per_fs = 1.0 / grid.period_fs
    bins = counts.shape[1]
    for index in range(len(keys)):
        channel = channels[keys[index] & 7]
        if channel < 0:
            continue
        sync, delay_ps = arrival(keys[index], grid, per_fs)
        bin_ = (delay_ps - offset_ps) // resolution_ps
        if not multistop and last_sync[channel] == sync:
            continue
        last_sync[channel] = sync
        if 0 <= bin_ < bins:
            counts[channel, bin_] += 1
            if counts[channel, bin_] >= limit:
                return index + 1
    return len(keys)


class Histograms:
    """Histogram memory of all inputs."""

    LARGEST = 2**32 - 1

    def __init__(self, inputs: int, bins: int) -> None:
        """Begin empty."""
        self.counts = np.zeros((inputs, bins), dtype=np.int64)
        self.overflow = False
        self._last_sync = np.full(inputs, -1, dtype=np.int64)

    def clear(self) -> None:
        """Empty the memory."""
        self.counts[:] = 0
        self.overflow = False

    def begin(self) -> None:
        """A run begins: sync pulses are counted from 0 again."""
        self._last_sync[:] = -1

    def add(
        self,
        keys: Times,
        channels: Counts,
        grid: Grid,
        resolution_ps: int,
        offset_ps: int,
        *,
        multistop: bool,
        stop_at: int | None,
    ) -> int | None:
        """Sort events in; returns the time (ps) at which a full bin ended the run, or None."""
        limit = self.LARGEST if stop_at is None else stop_at
        used = fill(
            keys,
            channels,
            grid,
            resolution_ps,
            offset_ps,
            multistop,
            limit,
            self._last_sync,
            self.counts,
        )
        self.overflow = self.overflow or bool(self.counts.max(initial=0) >= limit)
        if self.overflow and stop_at is not None:
            return int(keys[max(used - 1, 0)]) >> 3 if len(keys) else 0
        return None


def sync_keys(grid: Grid, begin_ps: int, end_ps: int, divider: int, shift_ps: int) -> Times:
    """Every ``divider``-th sync pulse that arrives between two times, as events of the sync."""
    cells = range(max((begin_ps - shift_ps) // grid.length_ps, 0), end_ps // grid.length_ps + 2)
    parts: list[Times] = []
    for cell in cells:
        first = cell * grid.pulses
        pulses = np.arange(-first % divider, grid.pulses, divider, dtype=np.int64)
        parts.append(cell * grid.length_ps + pulses * grid.period_fs // 1000 + shift_ps)
    at_ps = np.concatenate(parts)
    return (at_ps[(at_ps >= begin_ps) & (at_ps < end_ps)] << 3) | SYNC
