"""Writes PTU files of a point measurement, readable at any moment."""

import os
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path
from types import TracebackType
from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np
from numpy.typing import NDArray

from labctl.errors import StorageError
from labctl.photons._decoder import as_records
from labctl.photons._encoder import MOST_OVERFLOWS
from labctl.photons._formats import RecordFormat, Stream
from labctl.photons._numba import Array, kernel, uint32
from labctl.photons._tags import Tag, TagType, pack_header, pack_value

__all__ = ["PtuDescription", "PtuWriter", "StopReason"]


class StopReason(IntEnum):
    """``TTResult_StopReason``."""

    TIME_OVER = 0
    MANUAL = 1
    OVERFLOW = 2
    FIFO_OVERRUN = -2
    TCSPC_ERROR = -4
    FILE_ERROR = -5
    """Also of a file that was never closed."""
    QUEUE_OVERRUN = -9
    TRANSFER_FAILED = -10
    REFERENCE_LOST = -12
    SYNC_LOST = -13


@dataclass(frozen=True)
class PtuDescription:
    """What stands in the header.

    Attributes:
        stream: Kind of records and what they mean.
        created: When the measurement began, with a time zone.
        hardware: ``HW_Type``: ``HydraHarp 400``, ``MultiHarp``, ``PicoHarp330``...
        hardware_version: ``HW_Version``.
        serial: Serial number.
        inputs: Number of input channels.
        sync_rate_hz: Rate at the sync input, before the divider.
        acquisition_time_s: How long it was meant to take, s.
        sync_divider: Divider of the sync input.
        binning: Base resolutions in one delay bin.
        comment: Anything.
        software_version: Version of labctl.
        extra: More tags, such as levels and offsets of each channel.
    """

    stream: Stream
    created: datetime
    hardware: str
    serial: str
    inputs: int
    sync_rate_hz: float
    acquisition_time_s: float
    hardware_version: str = ""
    sync_divider: int = 1
    binning: int = 1
    comment: str = ""
    software_version: str = "0"
    extra: tuple[Tag, ...] = ()


def _tags(about: PtuDescription, guid: UUID) -> list[Tag]:
    stream, whole, text = about.stream, TagType.INT, TagType.TEXT
    return [
        Tag("File_GUID", text, f"{{{str(guid).upper()}}}"),
        Tag("File_CreatingTime", TagType.DATE, about.created),
        Tag("File_Comment", text, about.comment),
        Tag("Measurement_Mode", whole, stream.mode),
        Tag("Measurement_SubMode", whole, 0),
        Tag("TTResult_StopReason", whole, StopReason.FILE_ERROR),
        Tag("TTResult_StopAfter", whole, 0),
        Tag("TTResult_MDescWarningFlags", whole, 0),
        Tag("CreatorSW_Name", text, "labctl"),
        Tag("CreatorSW_Version", text, about.software_version),
        Tag("HW_Type", text, about.hardware),
        Tag("HW_Version", text, about.hardware_version),
        Tag("HW_SerialNo", text, about.serial),
        Tag("HW_InpChannels", whole, about.inputs),
        Tag("HWSync_Divider", whole, about.sync_divider),
        Tag("MeasDesc_AcquisitionTime", whole, round(about.acquisition_time_s * 1000)),
        Tag("MeasDesc_BinningFactor", whole, about.binning),
        Tag("MeasDesc_GlobalResolution", TagType.FLOAT, stream.tick_s),
        Tag("MeasDesc_Resolution", TagType.FLOAT, stream.delay_bin_s),
        *about.extra,
        Tag("TTResult_SyncRate", whole, round(about.sync_rate_hz)),
        Tag("TTResult_NumberOfRecords", whole, 0),
        Tag("TTResultFormat_TTTRRecType", whole, int(stream.record_type)),
        Tag("TTResultFormat_BitsPerRecord", whole, 32),
    ]


@kernel("int64(RECORDS, int64, int64)")
def next_long_overflow(records: Array, begin: int, most: int) -> int:
    """Return the place of the first T2 overflow record with a larger count, or -1."""
    special, field = uint32(127), uint32(0x1FFFFFF)
    for i in range(begin, len(records)):
        if records[i] >> uint32(25) == special and (records[i] & field) > uint32(most):
            return i
    return -1


def _pieces(record: int) -> NDArray[np.uint32]:
    most, count = MOST_OVERFLOWS[2], record & 0x1FFFFFF
    pieces = np.full(-(-count // most), (127 << 25) | most, np.uint32)
    pieces[-1] = (127 << 25) | (count - most * (len(pieces) - 1))
    return pieces


class PtuWriter:
    """Appends records; the header counts them after every ``flush``.

    Records go to the file as they are, in whole; only overflow records of T2 that ptufile would
    misread are written as several.

    Attributes:
        record_count: Records in the file.
    """

    def __init__(self, path: Path, about: PtuDescription) -> None:
        """Create the file.

        Raises:
            StorageError: It exists, or cannot be created.
        """
        self.path, self.record_count = path, 0
        kind: RecordFormat = about.stream.format
        self._splits = kind.counted and kind.mode == 2
        guid = uuid5(NAMESPACE_URL, f"{about.created.isoformat()} {path.name}")
        header, self._places = pack_header(_tags(about, guid))
        self._end = len(header)
        try:
            self._file = path.open("x+b", buffering=0)
            self._write(header)
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> "PtuWriter":
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close, if nobody did: as an error if there was one."""
        self.close(StopReason.TIME_OVER if kind is None else StopReason.TCSPC_ERROR)

    def append(self, records: NDArray[np.uint32]) -> None:
        """Write records; they are in the operating system's hands afterwards.

        Raises:
            StorageError: They could not be written; the file ends with a whole record.
        """
        records = as_records(records)
        begin = 0
        while self._splits:
            place = next_long_overflow(records, begin, MOST_OVERFLOWS[2])
            if place < 0:
                break
            self._append(records[begin:place])
            self._append(_pieces(int(records[place])))
            begin = place + 1
        self._append(records[begin:])

    def flush(self) -> None:
        """Let the header count what is there."""
        self._patch(Tag("TTResult_NumberOfRecords", TagType.INT, self.record_count))

    def sync(self) -> None:
        """Flush, and wait until the disk has it.

        Raises:
            StorageError: It could not be written.
        """
        self.flush()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._failed(error) from error

    def close(
        self, reason: StopReason, *, live_time_s: float | None = None, warnings: int = 0
    ) -> None:
        """Write how it ended, wait for the disk and close; a second time does nothing.

        Args:
            reason: Why the measurement stopped.
            live_time_s: How long it really took, s.
            warnings: The hardware's warning flags.
        """
        if self._file.closed:
            return
        try:
            self._patch(Tag("TTResult_StopReason", TagType.INT, reason))
            self._patch(Tag("TTResult_MDescWarningFlags", TagType.INT, warnings))
            if live_time_s is not None:
                stop_after_ms = round(live_time_s * 1000)
                self._patch(Tag("TTResult_StopAfter", TagType.INT, stop_after_ms))
            self.sync()
        finally:
            self._file.close()

    def _append(self, records: NDArray[np.uint32]) -> None:
        try:
            self._write(records.data.cast("B") if len(records) else b"")
        except OSError as error:
            self._drop_partial_record()
            raise self._failed(error) from error
        self._end += records.nbytes
        self.record_count += len(records)

    def _write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while len(view):
            view = view[self._file.write(view) :]

    def _drop_partial_record(self) -> None:
        try:
            whole = (self._file.tell() - self._end) // 4
            self._file.truncate(self._end + 4 * whole)
        except OSError:
            return
        self._end += 4 * whole
        self.record_count += whole
        self._file.seek(self._end)

    def _patch(self, tag: Tag) -> None:
        try:
            self._file.seek(self._places[tag.name])
            self._write(pack_value(tag)[0])
            self._file.seek(self._end)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> StorageError:
        return StorageError(f"{self.path}: {error.strerror or error}")
