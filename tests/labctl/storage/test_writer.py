import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labctl.errors import StorageError
from labctl.storage import ArrayItem, JournalWriter, RecordKind, read_journal

Begin = Callable[..., Any]


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the calls that bring a file to the disk."""
    calls: list[int] = []
    real = os.fsync

    def count(descriptor: int) -> None:
        calls.append(descriptor)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", count)
    return calls


def test_a_journal_is_never_overwritten(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
    before = (folder / "run.lcj").read_bytes()
    with pytest.raises(StorageError, match=r"run\.lcj cannot be created"):
        scribe()
    assert (folder / "run.lcj").read_bytes() == before


def test_addresses_lead_to_the_bytes(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
        addresses = [run.point(index) for index in range(3)]
        assert run.writer.size_bytes == (folder / "run.lcj").stat().st_size
    content = (folder / "run.lcj").read_bytes()
    with read_journal(folder / "run.lcj") as reader:
        records = [record for record in reader if record.kind == "point"]
    assert [record.address for record in records] == addresses
    for record, address in zip(records, addresses, strict=True):
        body = b"".join(item.values.tobytes() for item in record.arrays.values())
        assert content[address.body_offset : address.offset + address.length] == body
    assert addresses[-1].offset + addresses[-1].length == len(content)


@pytest.mark.parametrize("kind", list(RecordKind))
def test_what_must_not_be_lost_is_on_the_disk_before_it_counts(
    kind: RecordKind, scribe: Begin, syncs: list[int]
) -> None:
    with scribe() as run:
        del syncs[:]
        run.writer.append(kind, {"quantity": "a.b", "value": 1.0})
        durable = kind in ("start", "segment", "point", "found", "stop")
        assert len(syncs) == (1 if durable else 0)


def test_the_caller_may_ask_for_the_disk_or_do_without(scribe: Begin, syncs: list[int]) -> None:
    with scribe() as run:
        del syncs[:]
        run.writer.append(RecordKind.EVENT, {}, durable=True)
        assert len(syncs) == 1
        run.writer.append(RecordKind.POINT, {}, durable=False)
        assert len(syncs) == 1


def test_other_records_follow_within_a_second(scribe: Begin, syncs: list[int]) -> None:
    with scribe() as run:
        run.start()
        del syncs[:]
        run.writer.flush_due()
        assert syncs == []
        run.event("one")
        run.wait(0.49)
        run.event("two")
        run.writer.flush_due()
        assert syncs == []
        run.wait(0.01)
        run.writer.flush_due()
        run.writer.flush_due()
        assert len(syncs) == 1


def test_a_point_brings_earlier_events_to_the_disk_too(scribe: Begin, syncs: list[int]) -> None:
    with scribe() as run:
        run.event("one")
        run.point(0)
        del syncs[:]
        run.wait(5.0)
        run.writer.flush_due()
        assert syncs == []


def test_a_short_write_is_an_error_and_leaves_no_trace(
    scribe: Begin, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def short(descriptor: int, record: bytes) -> int:
        return real(descriptor, record[:100])

    with scribe() as run:
        run.start()
        run.point(0)
        size = run.writer.size_bytes
        monkeypatch.setattr(os, "write", short)
        with pytest.raises(StorageError, match=r"took 100 of \d+ bytes; is the disk full"):
            run.point(1)
        monkeypatch.undo()
        assert (folder / "run.lcj").stat().st_size == size
        run.stop("failed", "disk full")
    with read_journal(folder / "run.lcj") as reader:
        records = list(reader)
    assert [record.kind for record in records] == ["start", "point", "stop"]
    assert [record.seq for record in records] == [0, 1, 2]
    assert reader.tail.state == "end"


def test_a_full_disk_says_so(scribe: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, record: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with scribe() as run:
        run.start()
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(StorageError, match="No space left on device") as caught:
            run.point(0)
        monkeypatch.undo()
        assert isinstance(caught.value.__cause__, OSError)
        run.point(0)


def test_a_failing_disk_is_reported(scribe: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with scribe() as run:
        run.start()
        monkeypatch.setattr(os, "fsync", broken)
        with pytest.raises(StorageError, match="cannot be brought to the disk"):
            run.point(0)
        monkeypatch.undo()


def test_data_that_cannot_be_stored_change_nothing(scribe: Begin, folder: Path) -> None:
    with scribe() as run:
        run.start()
        size = run.writer.size_bytes
        with pytest.raises(StorageError, match="object cannot be stored"):
            run.writer.append(RecordKind.EVENT, {"data": object()})
        with pytest.raises(StorageError, match="use numbers"):
            run.point(0, [ArrayItem("a", np.array(["text"]), "", ("x",))])
        assert (folder / "run.lcj").stat().st_size == size


def test_a_closed_journal_takes_nothing(scribe: Begin) -> None:
    run = scribe()
    run.writer.close()
    run.writer.close()
    with pytest.raises(StorageError, match="is closed"):
        run.start()


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path, scribe: Begin) -> None:
    run = scribe()
    with pytest.raises(StorageError, match="cannot be created"):
        JournalWriter(tmp_path / "no" / "a.lcj", now=lambda: 0.0, utc=lambda: run.utc)
    run.writer.close()
