"""Reads journals that are finished, torn or still being written."""

import os
import zlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import BinaryIO, Self

from labctl.errors import StorageError
from labctl.storage._frame import FILE_HEADER, MAGIC, PREFIX, VERSION, parse_header, split_body
from labctl.storage._records import Header, JournalTail, Record, RecordAddress, TailState

_HEADER_FIELDS = tuple(field.name for field in fields(Header))


class JournalReader(Iterator[Record]):
    """Yields whole records until the first one that is incomplete or damaged; then see ``tail``.

    Holds one record in memory at a time. Never locks the file.

    Attributes:
        path: The journal.
        tail: Why and where reading stopped; while records are coming, state ``end`` with the
            offset behind the last one.
    """

    def __init__(self, path: Path, *, offset: int = 0) -> None:
        """Open a journal.

        Args:
            path: The file.
            offset: Where to begin; 0, or ``tail.offset`` of an earlier reader, which is how a
                journal that grows is followed.

        Raises:
            StorageError: If it cannot be opened, is no journal, or is of a later version.
        """
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            message = f"journal {path} cannot be read: {error.strerror}"
            raise StorageError(message) from error
        self.tail = JournalTail(TailState.END, offset, "nothing read yet")
        self._expected: tuple[int, int] | None = None
        try:
            self._open = self._begin(offset)
        except StorageError:
            self._file.close()
            raise

    def __iter__(self) -> Self:
        """Return itself."""
        return self

    def __next__(self) -> Record:
        """Return the next whole record."""
        if not self._open:
            raise StopIteration
        try:
            record = self._next()
        except ValueError as error:
            self._stop(TailState.CORRUPT, str(error))
            record = None
        except EOFError as error:
            self._stop(TailState.INCOMPLETE, str(error))
            record = None
        if record is None:
            self.close()
            raise StopIteration
        return record

    def close(self) -> None:
        """Close the file; reading ends."""
        self._open = False
        self._file.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the file."""
        self.close()

    def _begin(self, offset: int) -> bool:
        head = self._file.read(FILE_HEADER.size)
        if not (MAGIC.startswith(head[:8]) if len(head) < 8 else head[:8] == MAGIC):
            message = f"{self.path} is not a labctl journal"
            raise StorageError(message)
        if len(head) < FILE_HEADER.size:
            self._stop(TailState.INCOMPLETE, "the file ends inside its own header")
            self._file.close()
            return False
        version: int = FILE_HEADER.unpack(head)[1]
        if version != VERSION:
            message = f"{self.path} has journal version {version}; this labctl reads {VERSION}"
            raise StorageError(message)
        place = max(offset, FILE_HEADER.size)
        self._file.seek(place)
        self.tail = JournalTail(TailState.END, place, "the journal is whole so far")
        return True

    def _next(self) -> Record | None:
        place = self.tail.offset
        record = _read_record(self._file, place, os.fstat(self._file.fileno()).st_size)
        if record is None:
            self._stop(TailState.END, "the journal is whole")
            return None
        self._check_order(record)
        end = place + record.address.length
        self.tail = JournalTail(TailState.END, end, "the journal is whole so far")
        return record

    def _check_order(self, record: Record) -> None:
        """Refuse a record that does not follow the one before, as one of another journal does."""
        expected = self._expected
        if expected is not None and (record.seq, record.segment) != expected:
            message = f"record {record.seq} of segment {record.segment} stands where "
            raise ValueError(f"{message}{expected[0]} of {expected[1]} belongs")
        if expected is None and self.tail.offset == FILE_HEADER.size and record.seq:
            message = f"it begins with record {record.seq}"
            raise ValueError(message)
        self._expected = record.seq + 1, record.segment

    def _stop(self, state: TailState, reason: str) -> None:
        self.tail = JournalTail(state, self.tail.offset, reason)


def read_journal(path: Path, *, offset: int = 0) -> JournalReader:
    """Return an iterator over the whole records of a journal; its ``tail`` says how it ended."""
    return JournalReader(path, offset=offset)


def read_record(file: BinaryIO, address: RecordAddress) -> Record:
    """Return the record that lies at a known place of an open journal.

    Raises:
        StorageError: If no whole record lies there.
    """
    file.seek(address.offset)
    try:
        record = _read_record(file, address.offset, os.fstat(file.fileno()).st_size)
    except (ValueError, EOFError) as error:
        message = f"journal {file.name}: no whole record at {address.offset}: {error}"
        raise StorageError(message) from error
    if record is None:
        message = f"journal {file.name} ends before {address.offset}"
        raise StorageError(message)
    return record


def _read_record(file: BinaryIO, place: int, size: int) -> Record | None:
    if place >= size:
        return None
    prefix = file.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        message = f"{len(prefix)} of {PREFIX.size} prefix bytes are there"
        raise EOFError(message)
    header_length, body_length, header_crc, body_crc = PREFIX.unpack(prefix)
    # Blocks that a power cut left as zeros would be a record of length 0 with valid checksums.
    if header_length == 0:
        message = "a record without a header"
        raise ValueError(message)
    length = PREFIX.size + header_length + body_length
    if place + length > size:
        message = f"{size - place} of {length} bytes of the record are there"
        raise EOFError(message)
    raw = file.read(header_length)
    body = file.read(body_length)
    if zlib.crc32(raw) != header_crc:
        message = "the header does not match its checksum"
        raise ValueError(message)
    if zlib.crc32(body) != body_crc:
        message = "the body does not match its checksum"
        raise ValueError(message)
    header = parse_header(raw)
    return Record(
        **{name: getattr(header, name) for name in _HEADER_FIELDS},
        arrays=split_body(header.layout, body),
        address=RecordAddress(
            header.seq, place, length, place + length - body_length, header.layout
        ),
        raw_header=raw,
    )
