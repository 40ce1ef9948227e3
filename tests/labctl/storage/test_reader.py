import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labctl.errors import StorageError
from labctl.storage import JournalTail, Record, TailState, read_journal
from labctl.storage._frame import frame

Begin = Callable[..., Any]
GOLDEN = Path(__file__).parents[2] / "golden"


def read_all(path: Path) -> tuple[list[Record], JournalTail]:
    with read_journal(path) as reader:
        return list(reader), reader.tail


def content(record: Record) -> tuple[Any, ...]:
    arrays = [(item.name, item.values.tobytes()) for item in record.arrays.values()]
    return record.raw_header, record.address, tuple(arrays)


def test_a_whole_journal_ends_at_its_end(finished: Path) -> None:
    records, tail = read_all(finished)
    assert [record.seq for record in records] == list(range(len(records)))
    assert (tail.state, tail.offset) == (TailState.END, finished.stat().st_size)
    point = next(record for record in records if record.kind == "point")
    assert point.arrays["counts"].values.tolist() == list(range(8))
    assert point.arrays["wavelength"].units == "nm"
    assert point.data["read"]["cryostat.temperature"]["std"] == 0.005


def test_a_journal_torn_at_any_byte_of_its_last_record_keeps_all_others(
    finished: Path, tmp_path: Path
) -> None:
    whole = finished.read_bytes()
    records, _ = read_all(finished)
    last = records[-1].address.offset
    torn = tmp_path / "torn.lcj"
    for end in range(last, len(whole)):
        torn.write_bytes(whole[:end])
        found, tail = read_all(torn)
        assert [content(record) for record in found] == [content(r) for r in records[:-1]]
        wanted = TailState.END if end == last else TailState.INCOMPLETE
        assert (tail.state, tail.offset) == (wanted, last)


def test_a_journal_torn_at_any_byte_of_a_point_keeps_all_before_it(
    finished: Path, tmp_path: Path
) -> None:
    whole = finished.read_bytes()
    records, _ = read_all(finished)
    number = max(n for n, record in enumerate(records) if record.kind == "point")
    first, second = records[number].address.offset, records[number + 1].address.offset
    torn = tmp_path / "torn.lcj"
    for end in range(first, second):
        torn.write_bytes(whole[:end])
        assert len(read_all(torn)[0]) == number


@settings(max_examples=300)
@given(data=st.data())
def test_a_flipped_bit_never_yields_a_wrong_record(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = (GOLDEN / "complete.lcj").read_bytes()
    good, _ = read_all(GOLDEN / "complete.lcj")
    bit = data.draw(st.integers(8 * 12, 8 * len(whole) - 1))
    damaged = bytearray(whole)
    damaged[bit // 8] ^= 1 << bit % 8
    path = tmp_path_factory.getbasetemp() / "flipped.lcj"
    path.write_bytes(damaged)
    found, tail = read_all(path)
    assert tail.state in (TailState.CORRUPT, TailState.INCOMPLETE)
    assert tail.offset <= bit // 8
    assert [content(record) for record in found] == [content(r) for r in good[: len(found)]]
    assert len(found) == sum(r.address.offset + r.address.length <= bit // 8 for r in good)


@pytest.mark.parametrize("length", [1, 15, 16, 4096])
def test_zeros_behind_the_end_are_no_records(finished: Path, length: int) -> None:
    records, tail = read_all(finished)
    with finished.open("ab") as file:
        file.write(bytes(length))
    found, damaged = read_all(finished)
    assert len(found) == len(records)
    assert damaged.offset == tail.offset
    assert damaged.state == (TailState.INCOMPLETE if length < 16 else TailState.CORRUPT)


def test_anything_behind_a_damaged_record_is_left_alone(finished: Path) -> None:
    records, _ = read_all(finished)
    middle = records[3].address
    damaged = bytearray(finished.read_bytes())
    damaged[middle.offset + middle.length - 1] ^= 1
    finished.write_bytes(damaged)
    found, tail = read_all(finished)
    assert (len(found), tail.state, tail.offset) == (3, TailState.CORRUPT, middle.offset)
    assert "checksum" in tail.reason


@pytest.mark.parametrize("length", range(12))
def test_a_journal_that_has_just_been_created_is_empty(length: int, tmp_path: Path) -> None:
    path = tmp_path / "young.lcj"
    path.write_bytes((GOLDEN / "complete.lcj").read_bytes()[:length])
    records, tail = read_all(path)
    assert (records, tail.state) == ([], TailState.INCOMPLETE)


@pytest.mark.parametrize("start", [b"MZ", b"\x89HDF\r\n\x1a\n0000", b"\x89LCJ\n\x1a\n\x01\0\0\0\0"])
def test_other_files_are_refused(start: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.lcj"
    path.write_bytes(start)
    with pytest.raises(StorageError, match="is not a labctl journal"):
        read_journal(path)


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "later.lcj"
    path.write_bytes(b"\x89LCJ\r\n\x1a\n\x02\0\0\0")
    with pytest.raises(StorageError, match="version 2; this labctl reads 1"):
        read_journal(path)


def test_a_missing_journal_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        read_journal(tmp_path / "none.lcj")


def test_a_journal_is_read_while_it_is_written(scribe: Begin, folder: Path) -> None:
    path, offset, seen = folder / "run.lcj", 0, 0
    with scribe() as run:
        run.start()
        for index in range(5):
            run.point(index)
            run.event("next")
            with read_journal(path, offset=offset) as reader:
                new = list(reader)
            offset, seen = reader.tail.offset, seen + len(new)
            assert new[-1].kind == "event"
            assert seen == 1 + 2 * (index + 1)
            assert offset == run.writer.size_bytes


def test_a_record_that_is_just_being_written_is_read_later(finished: Path, tmp_path: Path) -> None:
    whole, growing = finished.read_bytes(), tmp_path / "growing.lcj"
    growing.write_bytes(b"")
    offset, seen = 0, 0
    ends = [0, *range(7, len(whole), 61), len(whole)]
    for start, end in pairwise(ends):
        with growing.open("ab") as file:
            file.write(whole[start:end])
        with read_journal(growing, offset=offset) as reader:
            seen += sum(1 for _ in reader)
        offset = reader.tail.offset
    assert (seen, offset) == (len(read_all(finished)[0]), len(whole))


def test_arrays_cannot_be_changed_by_accident(finished: Path) -> None:
    records, _ = read_all(finished)
    counts = next(record for record in records if record.kind == "point").arrays["counts"].values
    with pytest.raises(ValueError, match="read-only"):
        counts[0] = 1
    assert np.all(counts == np.arange(8))


def test_unknown_kinds_are_yielded_and_marked(finished: Path) -> None:
    header: dict[str, Any] = {
        "kind": "hologram",
        "seq": 9,
        "t_mono_s": 0.0,
        "t_utc": datetime(2030, 1, 1, tzinfo=UTC).isoformat(),
        "step_id": "",
        "attempt": 0,
        "segment": 0,
        "arrays": [],
        "data": {"new": True},
        "and_more": 1,
    }
    with finished.open("ab") as file:
        file.write(frame(json.dumps(header).encode(), [])[0])
    records, tail = read_all(finished)
    assert tail.state is TailState.END
    assert (records[-1].kind, records[-1].known) == ("hologram", False)
    assert all(record.known for record in records[:-1])
