"""Writes the journal: one record, one write call, on the disk before it counts."""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from labctl.errors import StorageError
from labctl.storage._ballast import release, reserve
from labctl.storage._durable import create_exclusively, sync_directory
from labctl.storage._frame import dump_header, file_header, frame, stored
from labctl.storage._records import DURABLE_KINDS, NamedArray, RecordAddress, RecordKind

BALLAST_SUFFIX = ".ballast"
FLUSH_AFTER_S = 0.5
"""Half of the second that a record may stay unsynced, so that a caller may come every 0.5 s."""


class JournalWriter:
    """Appends records to a new journal. Use it from one thread.

    The journal stays locked while its writer lives; readers see by the lock that it is running.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], float],
        utc: Callable[[], datetime],
        segment: int = 0,
        ballast_bytes: int = 0,
    ) -> None:
        """Create the file and bring its name to the disk.

        Args:
            path: A file that does not exist yet.
            now: Monotonic time in s.
            utc: Time of day, with its zone.
            segment: Number of this process in the run, from 0.
            ballast_bytes: Room on the disk that is kept until ``make_room``.

        Raises:
            StorageError: If the file exists or cannot be created, or there is not so much room.
        """
        self.path = path
        self._ballast = path.with_name(path.name + BALLAST_SUFFIX)
        if ballast_bytes:
            self._reserve(ballast_bytes)
        self._now, self._utc, self._segment = now, utc, segment
        self._seq = 0
        self._offset = 0
        self._unsynced_since_s: float | None = None
        try:
            self._file: int | None = create_exclusively(path)
        except OSError as error:
            raise self._error("cannot be created", error) from error
        self._write(file_header())
        self.sync()
        sync_directory(path.parent)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the journal."""
        self.close()

    @property
    def size_bytes(self) -> int:
        """Length of the journal so far."""
        return self._offset

    def append(
        self,
        kind: RecordKind,
        data: Mapping[str, Any],
        arrays: Sequence[NamedArray] = (),
        *,
        step_id: str = "",
        attempt: int = 0,
        durable: bool | None = None,
    ) -> RecordAddress:
        """Write one record; when this returns, a durable record is on the disk.

        Args:
            kind: Decides what ``data`` holds (docs/spec/journal.md).
            data: JSON values; numpy numbers are converted, numbers that are not finite become null.
            arrays: Stored behind the header, little endian.
            step_id: Step of the recipe.
            attempt: 0 for the first try.
            durable: Whether to sync before returning; by default start, segment, point, found and
                stop are, all others follow with ``flush_due``.

        Raises:
            StorageError: If it cannot be written whole (disk full …). The journal is then as it
                was before, and further records may be appended once the cause is removed.
        """
        values, descriptors = stored(arrays)
        now_s = self._now()
        header = dump_header(
            kind,
            self._seq,
            (now_s, self._utc()),
            (step_id, attempt, self._segment),
            descriptors.json,
            data,
        )
        record, body_length = frame(header, values)
        body_offset = self._offset + len(record) - body_length
        address = RecordAddress(
            self._seq, self._offset, len(record), body_offset, descriptors.layout
        )
        self._write(record)
        self._seq += 1
        if self._unsynced_since_s is None:
            self._unsynced_since_s = now_s
        if durable if durable is not None else kind in DURABLE_KINDS:
            self.sync()
        return address

    def flush_due(self) -> None:
        """Sync if a record has been waiting for 0.5 s; call at least every 0.5 s of clock time."""
        since_s = self._unsynced_since_s
        if since_s is not None and self._now() - since_s >= FLUSH_AFTER_S:
            self.sync()

    def sync(self) -> None:
        """Bring everything that was written to the disk.

        Raises:
            StorageError: If the disk reports a failure.
        """
        try:
            os.fsync(self._descriptor())
        except OSError as error:
            raise self._error("cannot be brought to the disk", error) from error
        self._unsynced_since_s = None

    def make_room(self) -> None:
        """Give back the room that was kept, so that a run on a full disk can say how it ended."""
        try:
            release(self._ballast)
        except OSError as error:
            raise self._error("cannot have the room that was kept for it", error) from error

    def close(self) -> None:
        """Sync and close, give back the room that was kept; a second call does nothing."""
        if self._file is None:
            return
        try:
            self.sync()
        finally:
            descriptor, self._file = self._file, None
            os.close(descriptor)
            self.make_room()

    def _reserve(self, size: int) -> None:
        try:
            reserve(self._ballast, size)
        except OSError as error:
            raise self._error(f"does not find {size // 2**20} MB of free disk", error) from error

    def _descriptor(self) -> int:
        if self._file is None:
            raise self._error("is closed", None)
        return self._file

    def _write(self, record: bytes) -> None:
        descriptor = self._descriptor()
        try:
            count = os.write(descriptor, record)
        except OSError as error:
            self._cut_back(descriptor)
            raise self._error("cannot be written", error) from error
        if count != len(record):
            # A full disk takes the first part without an error.
            self._cut_back(descriptor)
            raise self._error(f"took {count} of {len(record)} bytes; is the disk full?", None)
        self._offset += count

    def _cut_back(self, descriptor: int) -> None:
        # A torn record in the middle would hide everything that is appended after it.
        try:
            os.ftruncate(descriptor, self._offset)
            os.lseek(descriptor, self._offset, os.SEEK_SET)
        except OSError as error:
            os.close(descriptor)
            self._file = None
            raise self._error("is torn at its end and was closed", error) from error

    def _error(self, what: str, cause: OSError | None) -> StorageError:
        reason = f": {cause.strerror or cause}" if cause else ""
        return StorageError(f"journal {self.path} {what}{reason}")
