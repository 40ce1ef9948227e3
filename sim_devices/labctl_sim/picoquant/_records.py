"""Time-tag records of 32 bits as the modules send them.

Layout: PicoQuant's description of TTTR records. PicoHarp: channel 4 bits, then time 28 (T2) or
dtime 12 and sync number 16 (T3); channel 15 is special. HydraHarp and later: special 1, channel 6,
then time 25 (T2) or dtime 15 and sync number 10 (T3); special channel 63 counts overflows, special
channel 0 is the sync input in T2, 1 to 15 are markers.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl_sim.world.photons import Grid, Times, jit

__all__ = [
    "HYDRA",
    "PICOHARP",
    "SYNC",
    "Format",
    "Records",
    "State",
    "T2Encoder",
    "T3Encoder",
    "arrival",
    "quotient",
]

Records = NDArray[np.uint32]
State = NDArray[np.int64]

SYNC = 7
"""Number of the sync input among the detectors of a click."""
_HIDDEN = -1


class Format(NamedTuple):
    """One family of records."""

    t2_bits: int
    t2_wrap: int
    """Ticks after which the time starts anew."""
    dtime_bits: int
    t3_bits: int
    special: int
    """Bits of an overflow record without its count."""
    counted: bool
    """Whether an overflow record says how many overflows it stands for."""
    sync_bits: int
    """Channel bits of an event on the sync input in T2."""


HYDRA = Format(25, 1 << 25, 15, 10, 0xFE000000, True, 0x80000000)
PICOHARP = Format(28, 210698240, 12, 16, 0xF0000000, False, 0)


@jit
def overflows(state: State, wraps: int, at_most: int, form: Format, out: Records, n: int) -> int:
    """Write overflow records until ``wraps`` have been counted since the beginning."""
    while state[0] < wraps:
        count = min(wraps - state[0], at_most)
        out[n] = np.uint32(form.special + (count if form.counted else 0))
        state[0] += count
        n += 1
    return n


@jit
def t2_records(
    keys: Times,
    channels: State,
    resolution_ps: int,
    at_most: int,
    form: Format,
    state: State,
    out: Records,
) -> int:
    """Encode clicks; ``channels`` gives the channel field of each detector, -1 hides it."""
    n = 0
    for key in keys:
        channel = channels[key & 7]
        if channel == _HIDDEN:
            continue
        tick = (key >> 3) // resolution_ps
        wraps = tick // form.t2_wrap
        if wraps > state[0]:
            n = overflows(state, wraps, at_most, form, out, n)
        field = tick - wraps * form.t2_wrap
        bits = form.sync_bits if (key & 7) == SYNC else channel << form.t2_bits
        out[n] = np.uint32(bits + field)
        n += 1
    return n


@jit
def quotient(number: int, unit: int, per_unit: float) -> int:
    """``number // unit`` of a number from 0 on; ``per_unit`` is 1 / unit: a product takes less."""
    found = int(number * per_unit)
    if found * unit > number:
        found -= 1
    elif (found + 1) * unit <= number:
        found += 1
    return found


@jit
def since_pulse(inside_ps: int, grid: Grid, per_fs: float) -> tuple[int, int]:
    """Number of the pulse before a time in a cell, and the delay after it in ps."""
    pulse = quotient(1000 * inside_ps + 999, grid.period_fs, per_fs)
    return pulse, inside_ps - (pulse * grid.period_fs) // 1000


@jit
def arrival(key: int, grid: Grid, per_fs: float) -> tuple[int, int]:
    """Number of the sync pulse before a click since the beginning, and the delay after it in ps."""
    cell = (key >> 3) // grid.length_ps
    pulse, delay_ps = since_pulse((key >> 3) - cell * grid.length_ps, grid, per_fs)
    return cell * grid.pulses + pulse, delay_ps


@jit
def t3_records(
    keys: Times,
    channels: State,
    grid: Grid,
    resolution_ps: int,
    offset_ps: int,
    at_most: int,
    form: Format,
    state: State,
    out: Records,
) -> int:
    """Encode clicks; what comes later than the record can say is lost, as in the module."""
    n = 0
    per_fs, per_ps = 1.0 / grid.period_fs, 1.0 / resolution_ps
    cell, before_ps = 0, 0
    for key in keys:
        channel = channels[key & 7]
        if channel == _HIDDEN:
            continue
        inside_ps = (key >> 3) - before_ps
        if inside_ps < 0 or inside_ps >= grid.length_ps:
            cell = (key >> 3) // grid.length_ps
            before_ps = cell * grid.length_ps
            inside_ps = (key >> 3) - before_ps
        pulse, delay_ps = since_pulse(inside_ps, grid, per_fs)
        bin_ = quotient(max(delay_ps - offset_ps, 0), resolution_ps, per_ps)
        if delay_ps < offset_ps or bin_ >= 1 << form.dtime_bits:
            continue
        sync = cell * grid.pulses + pulse
        wraps = sync >> form.t3_bits
        if wraps > state[0]:
            n = overflows(state, wraps, at_most, form, out, n)
        top = (channel << form.dtime_bits) + bin_
        out[n] = np.uint32((top << form.t3_bits) + sync - (wraps << form.t3_bits))
        n += 1
    return n


class T2Encoder:
    """Clicks of a T2 run, in order and in blocks of any size."""

    def __init__(self, form: Format, resolution_ps: int, channels: State, hold_ps: int) -> None:
        """``hold_ps``: so long the module may gather overflows into one record."""
        self._form, self._resolution_ps, self._channels = form, resolution_ps, channels
        self._wrap_ps = form.t2_wrap * resolution_ps
        self._at_most = max(hold_ps // self._wrap_ps, 1) if form.counted else 1
        self._state = np.zeros(1, dtype=np.int64)

    def photons(self, keys: Times) -> Records:
        """Encode clicks, not before those encoded last."""
        last = (int(keys[-1]) >> 3) // self._wrap_ps if len(keys) else 0
        out = np.empty(len(keys) + max(last - int(self._state[0]), 0) + 1, dtype=np.uint32)
        n = t2_records(
            keys,
            self._channels,
            self._resolution_ps,
            self._at_most,
            self._form,
            self._state,
            out,
        )
        return out[:n]

    def marker(self, at_ps: int, bits: int) -> Records:
        """Encode edges at the marker inputs (bits 1, 2, 4, 8)."""
        tick = at_ps // self._resolution_ps
        wraps, field = divmod(tick, self._form.t2_wrap)
        head = _head(self._form, self._state, wraps, self._at_most)
        if self._form.counted:
            return _with(head, (1 << 31) + (bits << self._form.t2_bits) + field)
        # The PicoHarp puts the markers into the low bits of the time, which are lost.
        return _with(head, self._form.special + (field & ~15) + bits)

    def idle(self, until_ps: int, *, last: bool = False) -> Records:
        """Overflows that are due without any photon; at the end of the run all of them."""
        wraps = until_ps // self._wrap_ps
        return _due(self._form, self._state, wraps, self._at_most, last=last)


class T3Encoder:
    """Clicks of a T3 run, in order and in blocks of any size."""

    def __init__(
        self,
        form: Format,
        grid: Grid,
        resolution_ps: int,
        offset_ps: int,
        channels: State,
        hold_ps: int,
    ) -> None:
        """``offset_ps`` is subtracted from each delay."""
        self._form, self._grid, self._channels = form, grid, channels
        self._resolution_ps, self._offset_ps = resolution_ps, offset_ps
        wrap_ps = (grid.period_fs << form.t3_bits) / 1000
        self._at_most = max(int(hold_ps / wrap_ps), 1) if form.counted else 1
        self._state = np.zeros(1, dtype=np.int64)

    def photons(self, keys: Times) -> Records:
        """Encode clicks, not before those encoded last."""
        last = self._wraps(int(keys[-1]) >> 3) if len(keys) else 0
        out = np.empty(len(keys) + max(last - int(self._state[0]), 0) + 1, dtype=np.uint32)
        n = t3_records(
            keys,
            self._channels,
            self._grid,
            self._resolution_ps,
            self._offset_ps,
            self._at_most,
            self._form,
            self._state,
            out,
        )
        return out[:n]

    def marker(self, at_ps: int, bits: int) -> Records:
        """Encode edges at the marker inputs (bits 1, 2, 4, 8)."""
        sync, _ = arrival(at_ps << 3, self._grid, 1.0 / self._grid.period_fs)
        wraps, field = divmod(sync, 1 << self._form.t3_bits)
        head = _head(self._form, self._state, wraps, self._at_most)
        if self._form.counted:
            return _with(head, (1 << 31) + (bits << 25) + field)
        return _with(head, self._form.special + (bits << 16) + field)

    def idle(self, until_ps: int, *, last: bool = False) -> Records:
        """Overflows that are due without any photon; at the end of the run all of them."""
        return _due(self._form, self._state, self._wraps(until_ps), self._at_most, last=last)

    def _wraps(self, at_ps: int) -> int:
        sync, _ = arrival(at_ps << 3, self._grid, 1.0 / self._grid.period_fs)
        return int(sync) >> self._form.t3_bits


def _head(form: Format, state: State, wraps: int, at_most: int) -> Records:
    out = np.empty(max(wraps - int(state[0]), 0) + 1, dtype=np.uint32)
    return out[: overflows(state, wraps, at_most, form, out, 0)]


def _due(form: Format, state: State, wraps: int, at_most: int, *, last: bool) -> Records:
    missing = wraps - int(state[0])
    if not last:
        missing = math.floor(missing / at_most) * at_most
    return _head(form, state, int(state[0]) + max(missing, 0), at_most)


def _with(head: Records, record: int) -> Records:
    return np.append(head, np.uint32(record))
