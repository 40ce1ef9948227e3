"""A recorded PTU file as the source of events.

Container and records as PicoQuant describes them: tags of 48 bytes, then records of 32 bits.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl_sim.picoquant._records import HYDRA, PICOHARP, Format
from labctl_sim.world.photons import Grid, Times, grid_of

__all__ = ["SYNC_FIELD", "Recording", "Replay", "decode", "read_ptu", "replay_problems"]

_MAGIC = b"PQTTTR"
_TAG = struct.Struct("<32siI8s")
_FLOAT, _ANSI, _WIDE, _BLOB, _ARRAY = 0x20000008, 0x4001FFFF, 0x4002FFFF, 0xFFFFFFFF, 0x2001FFFF
_LONG = {_ANSI, _WIDE, _BLOB, _ARRAY}
_V1 = {0x00010204, 0x00010304}
_KINDS = {
    0x00010203: PICOHARP,
    0x00010303: PICOHARP,
    **dict.fromkeys([0x00010204, 0x00010304, 0x01010204, 0x01010304, 0x00010205], HYDRA),
    **dict.fromkeys([0x00010305, 0x00010206, 0x00010306, 0x00010207, 0x00010307], HYDRA),
}
_T3_KIND = 0x300
SYNC_FIELD = 7
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

    def rates_hz(self) -> dict[int, float]:
        """Photons per second of each channel field that has any, over the whole length."""
        photon = self.channels < SYNC_FIELD
        if not photon.any():
            return {}
        length_s = float(self.ticks[photon][-1] + 1) * self.tick_s
        counts = np.bincount(self.channels[photon])
        return {field: count / length_s for field, count in enumerate(counts.tolist()) if count}


class _Head(NamedTuple):
    kind: int
    records: int
    """As the file tells; 0: it does not."""
    tick_s: float
    bin_s: float
    begin: int

    @property
    def t3(self) -> bool:
        return self.kind & 0xF00 == _T3_KIND


def read_ptu(path: Path) -> Recording:
    """Read a T2 or T3 file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no PTU file, or its records are of another kind; names the file.
    """
    with path.open("rb") as file:
        head = _head(file, path)
        rest = file.read()
    count = len(rest) // 4
    records = np.frombuffer(rest, "<u4", min(count, head.records) if head.records > 0 else count)
    ticks, delays, channels = decode(
        records, _KINDS[head.kind], t3=head.t3, counted=head.kind not in _V1
    )
    return Recording(head.t3, ticks, delays, channels, head.tick_s, head.bin_s)


def replay_problems(truth: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Tell whether the recording of a module's truth cannot be the source: key, and why."""
    named = str(truth.get("replay") or "")
    if not named:
        return []
    path = Path(named)
    if not path.is_file():
        hint = "a relative name is looked for beside the set-up file, then in the present folder"
        return [("replay", f"there is no recording {named!r}; {hint}")]
    try:
        with path.open("rb") as file:
            _head(file, path)
    except (OSError, ValueError) as error:
        return [("replay", f"{error}; give a PTU file of T2 or T3 records")]
    return []


def decode(
    records: NDArray[np.uint32], form: Format, *, t3: bool, counted: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Ticks or sync numbers, delays, channels of all records but overflows; see `Recording`."""
    words = records.astype(np.int64)
    width = form.t3_bits if t3 else form.t2_bits
    wrap = 1 << form.t3_bits if t3 else form.t2_wrap
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
    found = np.where(marker, _MARKER + bits, np.where(sync, SYNC_FIELD, channel))
    keep = ~overflow
    return (base + field)[keep], np.where(marker, 0, delay)[keep], found[keep]


class Replay:
    """Events of a recording as a stream that begins with the run; dark after its end."""

    def __init__(self, recording: Recording, began_s: float, rep_rate_hz: float) -> None:
        """``rep_rate_hz`` is the sync rate of a T2 recording, which does not know it."""
        rate_hz = 1.0 / recording.tick_s if recording.t3 else rep_rate_hz
        self.grid: Grid = grid_of(rate_hz)
        self._began_s = began_s
        photon = recording.channels < SYNC_FIELD
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


def _head(file: BinaryIO, path: Path) -> _Head:
    tags = _tags(file, path)
    try:
        kind = int(tags["TTResultFormat_TTTRRecType"])
        tick_s, bin_s = float(tags["MeasDesc_GlobalResolution"]), tags.get("MeasDesc_Resolution", 0)
    except KeyError as error:
        raise ValueError(f"{path} has no tag {error.args[0]}") from error
    if kind not in _KINDS:
        raise ValueError(f"{path} has records of the unknown kind {kind:#010x}")
    if not tick_s > 0.0 or (kind & 0xF00 == _T3_KIND and not float(bin_s) > 0.0):
        raise ValueError(f"{path} has a resolution that is not above 0")
    told = int(tags.get("TTResult_NumberOfRecords", 0))
    return _Head(kind, told, tick_s, float(bin_s), file.tell())


def _tags(file: BinaryIO, path: Path) -> Mapping[str, Any]:
    if not file.read(16).startswith(_MAGIC):
        raise ValueError(f"{path} is no PTU file: it does not begin with {_MAGIC.decode()}")
    tags: dict[str, Any] = {}
    while len(block := file.read(_TAG.size)) == _TAG.size:
        raw, _, kind, value = _TAG.unpack(block)
        name = raw.rstrip(b"\0").decode("latin-1")
        if name == "Header_End":
            return tags
        tags.setdefault(name, struct.unpack("<d" if kind == _FLOAT else "<q", value)[0])
        if kind in _LONG:
            file.seek(max(int(struct.unpack("<q", value)[0]), 0), 1)
    raise ValueError(f"{path} has no end of its header")
