"""One stream of records into a file and any number of analyses, live and later."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.photons._analysis import Analysis
from labctl.photons._decoder import BLOCK_RECORDS, Decoder
from labctl.photons._formats import Stream
from labctl.photons._numba import Array, kernel
from labctl.photons._reader import PtuFile
from labctl.photons._writer import PtuWriter

__all__ = ["PhotonBooks", "PhotonPipeline", "replay"]


@kernel("void(CHANNELS, int64[:, ::1])")
def count_channels(channel: Array, tables: Array) -> None:
    """Count photons by channel.

    In four tables, because a counter that was just written cannot be read at once.
    """
    whole = len(channel) - len(channel) % 4
    for i in range(0, whole, 4):
        for k in range(4):
            tables[k, channel[i + k]] += 1
    for i in range(whole, len(channel)):
        tables[0, channel[i]] += 1


@dataclass(frozen=True)
class PhotonBooks:
    """What came so far.

    Attributes:
        records: Records.
        photons: Photons by channel code, those of the sync input under 64.
        markers: Marker records.
        overflow_records: Overflow records.
        overflows: Overflows that they stand for.
        invalid_records: Special records that the format does not know.
        hurried_records: Records that were kept from the heavy analyses.
        elapsed_s: Time of the last record, s.
        damaged: Whether times went beyond any measurement.
    """

    records: int
    photons: dict[int, int]
    markers: int
    overflow_records: int
    overflows: int
    invalid_records: int
    hurried_records: int
    elapsed_s: float
    damaged: bool


class PhotonPipeline:
    """Writes raw records first, then decodes them and feeds every analysis."""

    def __init__(
        self, stream: Stream, analyses: Iterable[Analysis] = (), writer: PtuWriter | None = None
    ) -> None:
        self.stream, self.analyses, self.writer = stream, tuple(analyses), writer
        self.decoder = Decoder(stream)
        self._tables = np.zeros((4, 256), np.int64)
        self._records = self._markers = self._overflow_records = 0
        self._invalid = self._hurried = 0

    def feed(self, records: NDArray[np.uint32], *, hurry: bool = False) -> None:
        """Take the next records, any number of them.

        Args:
            records: As they came from the hardware or a file, uint32.
            hurry: Leave out the heavy analyses, whose results say which share they have seen;
                for a caller whose FIFO fills faster than it is read.
        """
        if self.writer is not None:
            self.writer.append(records)
        for begin in range(0, len(records), BLOCK_RECORDS):
            self._feed(records[begin : begin + BLOCK_RECORDS], hurry)

    def _feed(self, records: NDArray[np.uint32], hurry: bool) -> None:
        block = self.decoder.feed(records)
        count_channels(block.channel, self._tables)
        self._records += len(records)
        self._markers += len(block.marker_ticks)
        self._overflow_records += block.overflow_records
        self._invalid += block.invalid_records
        self._hurried += len(records) if hurry else 0
        for analysis in self.analyses:
            if hurry and analysis.heavy:
                analysis.skip(block)
            else:
                analysis.feed(block)

    def books(self) -> PhotonBooks:
        """Return what came so far."""
        counts = self._tables.sum(axis=0)
        photons = {int(c): int(counts[c]) for c in np.flatnonzero(counts)}
        return PhotonBooks(
            records=self._records,
            photons=photons,
            markers=self._markers,
            overflow_records=self._overflow_records,
            overflows=self.decoder.overflows,
            invalid_records=self._invalid,
            hurried_records=self._hurried,
            elapsed_s=self.decoder.end_tick * self.stream.tick_s,
            damaged=self.decoder.saturated,
        )


def replay(file: PtuFile, analyses: Sequence[Analysis]) -> PhotonBooks:
    """Feed a file to analyses, in memory that does not grow with the file."""
    pipeline = PhotonPipeline(file.stream, analyses)
    for records in file.blocks():
        pipeline.feed(records)
    return pipeline.books()
