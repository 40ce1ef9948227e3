"""A recorded PTU file as the source of events.

Container and records as PicoQuant describes them: tags of 48 bytes, then records of 32 bits.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl_sim.picoquant._records import HYDRA, PICOHARP, Format
from labctl_sim.world.photons import Grid, Times, grid_of

__all__ = ["Recording", "Replay", "decode", "read_ptu"]

_MAGIC = b"PQTTTR"
_TAG = struct.Struct("<32siI8s")
_FLOAT, _ANSI, _WIDE, _BLOB, _ARRAY = 0x20000008, 0x4001FFFF, 0x4002FFFF, 0xFFFFFFFF, 0x2001FFFF
_LONG = {_ANSI, _WIDE, _BLOB, _ARRAY}
_V1 = {0x00010204, 0x00010304}
_MARKER = 0x100


class Recording(NamedTuple):
    """Events of a file, in order.

    Attributes:
        t3: Whether times are sync numbers.
        ticks: Time in units of the resolution, or sync number; int64.
        delays: Time bins after the sync (T3), else 0.
        channels: Channel field; 0x100 + bits for markers, 7 for the sync input.
        tick_s: Global resolution.
        bin_s: Resolution of the delays.
    """

    t3: bool
    ticks: NDArray[np.int64]
    delays: NDArray[np.int64]
    channels: NDArray[np.int64]
    tick_s: float
    bin_s: float


def read_ptu(path: Path) -> Recording:
    """Read a T2 or T3 file.

    Raises:
        ValueError: It is no PTU file, or its records are of another kind.
    """
    data = path.read_bytes()
    tags, begin = _tags(data, path)
    kind = int(tags["TTResultFormat_TTTRRecType"])
    count = (len(data) - begin) // 4
    told = int(tags.get("TTResult_NumberOfRecords", 0))
    records = np.frombuffer(data, "<u4", min(count, told) if told > 0 else count, begin)
    t3 = int(tags["Measurement_Mode"]) == 3
    form = PICOHARP if (kind >> 8) & 0xFF in (2, 3) and kind & 0xFF == 3 else HYDRA
    ticks, delays, channels = decode(records, form, t3=t3, counted=kind not in _V1)
    return Recording(
        t3,
        ticks,
        delays,
        channels,
        float(tags["MeasDesc_GlobalResolution"]),
        float(tags["MeasDesc_Resolution"]),
    )


def decode(
    records: NDArray[np.uint32], form: Format, *, t3: bool, counted: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Ticks or sync numbers, delays, channels of all records but overflows; see `Recording`."""
    words = records.astype(np.int64)
    width = _log2(form.t3_wrap) if t3 else form.t2_bits
    wrap = form.t3_wrap if t3 else form.t2_wrap
    field = words & ((1 << width) - 1)
    delay = (words >> width) & ((1 << form.dtime_bits) - 1) if t3 else np.zeros_like(words)
    if form.counted:
        channel, special = (words >> 25) & 63, words >> 31 == 1
        overflow = special & (channel == 63)
        marker = special & (channel > 0) & ~overflow
        bits, sync = channel, special & (channel == 0)
        steps = np.maximum(field, 1) if counted else np.ones_like(field)
    else:
        channel = words >> 28
        bits = delay & 15 if t3 else field & 15
        overflow, marker = (channel == 15) & (bits == 0), (channel == 15) & (bits != 0)
        sync, steps = np.zeros(len(words), dtype=bool), np.ones_like(field)
    if not form.counted and t3:
        channel = channel - 1
    base = np.cumsum(np.where(overflow, steps, 0)) * wrap
    found = np.where(marker, _MARKER + bits, np.where(sync, 7, channel))
    keep = ~overflow
    return (base + field)[keep], np.where(marker, 0, delay)[keep], found[keep]


class Replay:
    """Events of a recording as a stream that begins with the run; dark after its end."""

    def __init__(self, recording: Recording, began_s: float, rep_rate_hz: float) -> None:
        """``rep_rate_hz`` is the sync rate of a T2 recording, which does not know it."""
        rate_hz = 1.0 / recording.tick_s if recording.t3 else rep_rate_hz
        self.grid: Grid = grid_of(rate_hz)
        self._began_s = began_s
        photon = recording.channels < 7
        ticks, channels = recording.ticks[photon], recording.channels[photon]
        if recording.t3:
            cells, inside = np.divmod(ticks, self.grid.pulses)
            at_ps = cells * self.grid.length_ps + inside * self.grid.period_fs // 1000
            at_ps += np.rint(recording.delays[photon] * (recording.bin_s * 1e12)).astype(np.int64)
        else:
            at_ps = np.rint(ticks * (recording.tick_s * 1e12)).astype(np.int64)
        self._keys: Times = np.sort((at_ps << 3) | channels)
        self._next = 0
        self._known_ps = 0

    @property
    def known_ps(self) -> int:
        """Everything before this time since the beginning has been handed out."""
        return self._known_ps

    def until(self, at_s: float, *, end: bool = False) -> Times:
        """Events up to a world time."""
        self._known_ps = round((at_s - self._began_s) * 1e12)
        first = self._next
        self._next = int(np.searchsorted(self._keys, self._known_ps << 3))
        return self._keys[first : self._next]


def _tags(data: bytes, path: Path) -> tuple[Mapping[str, Any], int]:
    if not data.startswith(_MAGIC):
        raise ValueError(f"{path} is no PTU file: it does not begin with {_MAGIC.decode()}")
    tags: dict[str, Any] = {}
    at = 16
    while at + _TAG.size <= len(data):
        raw, _, kind, value = _TAG.unpack_from(data, at)
        name = raw.rstrip(b"\0").decode("latin-1")
        at += _TAG.size
        if name == "Header_End":
            return tags, at
        tags.setdefault(name, struct.unpack("<d" if kind == _FLOAT else "<q", value)[0])
        at += int(struct.unpack("<q", value)[0]) if kind in _LONG else 0
    raise ValueError(f"{path} has no end of its header")


def _log2(number: int) -> int:
    return number.bit_length() - 1
