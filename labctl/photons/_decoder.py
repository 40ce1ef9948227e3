"""Records to photons and markers, block by block."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from labctl.photons._decode_kernels import (
    decode_hydra_t2,
    decode_hydra_t3,
    decode_picoharp_t2,
    decode_picoharp_t3,
    decode_plain_t2,
    decode_plain_t3,
)
from labctl.photons._formats import Family, Stream
from labctl.photons._numba import fixed

__all__ = ["BLOCK_RECORDS", "Decoder", "PhotonBlock", "as_records"]

BLOCK_RECORDS = 131_072
"""As many as the largest read of a HydraHarp; decoded they still fit in a processor's cache."""

Scalar = TypeVar("Scalar", bound=np.generic)

_KERNELS = {
    (Family.HYDRA, 2): decode_hydra_t2,
    (Family.HYDRA, 3): decode_hydra_t3,
    (Family.PICOHARP, 2): decode_picoharp_t2,
    (Family.PICOHARP, 3): decode_picoharp_t3,
}
_PLAIN = {2: decode_plain_t2, 3: decode_plain_t3}


def as_records(records: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return records as the kernels take them: aligned, contiguous, read-only."""
    if records.ndim != 1 or records.dtype != np.uint32:
        raise ValueError("time-tag records are one-dimensional and uint32")
    return fixed(records)


@dataclass(frozen=True, eq=False, slots=True)
class PhotonBlock:
    """The photons and markers of some successive records.

    Arrays of a block lie in memory that the decoder uses again: they hold until its next
    ``feed``. Whoever keeps them takes a ``copy``.

    Attributes:
        records: The records themselves, uint32.
        time_ticks: Time of each photon since the beginning, ticks, int64: sync numbers in T3.
        channel: Channel field of each photon, uint8: 0 is the first input; PicoHarp T3 counts
            from 1; PicoHarp T2 has the sync input as 0; ``SYNC_CHANNEL`` as of Hydra T2.
        delay_bins: Delay of each photon after its sync, bins, uint16; empty in T2.
        marker_ticks: Time of each marker, ticks, int64.
        marker_bits: Which of the four marker inputs, uint8.
        begin_tick: Where the block begins: the end of the one before.
        end_tick: The latest time seen so far.
        overflow_records: Overflow records in this block.
        overflows: Overflows that they stand for.
        invalid_records: Special records that the format does not know.
    """

    records: NDArray[np.uint32]
    time_ticks: NDArray[np.int64]
    channel: NDArray[np.uint8]
    delay_bins: NDArray[np.uint16]
    marker_ticks: NDArray[np.int64]
    marker_bits: NDArray[np.uint8]
    begin_tick: int
    end_tick: int
    overflow_records: int
    overflows: int
    invalid_records: int

    def copy(self) -> "PhotonBlock":
        """Return a block of its own memory."""
        return PhotonBlock(
            _locked(self.records.copy()),
            _locked(self.time_ticks.copy()),
            _locked(self.channel.copy()),
            _locked(self.delay_bins.copy()),
            _locked(self.marker_ticks.copy()),
            _locked(self.marker_bits.copy()),
            self.begin_tick,
            self.end_tick,
            self.overflow_records,
            self.overflows,
            self.invalid_records,
        )


class _Buffers:
    """Memory for the photons and markers of a block of so many records."""

    def __init__(self, size: int, mode: int) -> None:
        self.size = size
        self.time = np.empty(size, np.int64)
        self.channel = np.empty(size, np.uint8)
        self.delay = np.empty(size if mode == 3 else 0, np.uint16)
        self.marker_time = np.empty(size, np.int64)
        self.marker_bits = np.empty(size, np.uint8)


class Decoder:
    """Decodes a stream of records; blocks may be cut anywhere.

    Attributes:
        stream: What the records are.
        overflows: Overflows so far.
        end_tick: The latest time so far, ticks.
        saturated: Whether more overflows came than any measurement can have: the records are
            damaged, and times after that are not right.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream, self.format = stream, stream.format
        self.overflows = self.end_tick = 0
        self._kernel = _KERNELS[self.format.family, self.format.mode]
        self._buffers = _Buffers(BLOCK_RECORDS, self.format.mode)

    @property
    def saturated(self) -> bool:
        """Return whether times have reached the last one that is represented."""
        return self.overflows >= self.format.last_overflows

    def feed(self, records: NDArray[np.uint32]) -> PhotonBlock:
        """Decode the next records.

        Memory is 20 bytes for each record of the largest block: long streams are fed in blocks
        of ``BLOCK_RECORDS``.
        """
        records = as_records(records)
        if len(records) > self._buffers.size:
            self._buffers = _Buffers(len(records), self.format.mode)
        into, begin, before = self._buffers, self.end_tick, self.overflows
        photons, markers, overflow_records, invalid, self.overflows = self._decode(records)
        time, marker_time = into.time[:photons], into.marker_time[:markers]
        self.end_tick = max(
            begin,
            self.overflows * self.format.wrap_ticks,
            int(time.max(initial=0)),
            int(marker_time.max(initial=0)),
        )
        return PhotonBlock(
            records=records,
            time_ticks=_locked(time),
            channel=_locked(into.channel[:photons]),
            delay_bins=_locked(into.delay[: photons if self.format.mode == 3 else 0]),
            marker_ticks=_locked(marker_time),
            marker_bits=_locked(into.marker_bits[:markers]),
            begin_tick=begin,
            end_tick=self.end_tick,
            overflow_records=overflow_records,
            overflows=self.overflows - before,
            invalid_records=invalid,
        )

    def _decode(self, records: NDArray[np.uint32]) -> tuple[int, int, int, int, int]:
        into, kind = self._buffers, self.format
        rules = (records, self.overflows, kind.wrap_ticks, -1 if kind.counted else 0)
        arrays = (into.time, into.channel, into.delay)
        if kind.family is Family.HYDRA:
            photons, wraps, overflows = _PLAIN[kind.mode](*rules, *arrays)
            if photons + wraps == len(records) and overflows <= kind.last_overflows:
                return photons, 0, wraps, 0, overflows
        markers = (into.marker_time, into.marker_bits)
        return self._kernel(*rules, kind.last_overflows, *arrays, *markers)


def _locked(view: NDArray[Scalar]) -> NDArray[Scalar]:
    # A view of a buffer is aligned and contiguous already: quicker than ``fixed``.
    view.flags.writeable = False
    return view
