"""PTU files: written, read while they grow, and read when they are damaged."""

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labctl.errors import StorageError
from labctl.photons import (
    Decoder,
    PtuDescription,
    PtuFlag,
    PtuWriter,
    RecordType,
    StopReason,
    Stream,
    Tag,
    TagType,
    read_ptu,
)
from photon_streams import SPECIAL, read

T2 = Stream(RecordType.GENERIC_T2, 5e-12)
T3 = Stream(RecordType.GENERIC_T3, 1e-7, 64e-12)
CREATED = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
COUNT = "TTResult_NumberOfRecords"
RECORDS = np.arange(1000, dtype=np.uint32)
same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def describe(stream: Stream = T3, **changes: Any) -> PtuDescription:
    known: dict[str, Any] = {
        "hardware": "MultiHarp",
        "serial": "1045",
        "inputs": 2,
        "sync_rate_hz": 1e7,
        "acquisition_time_s": 60.0,
        "comment": "dot A7, 4 K, µ-PL",
    }
    return PtuDescription(stream, CREATED, **(known | changes))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    with PtuWriter(tmp_path / "a.ptu", describe()) as writer:
        writer.append(RECORDS)
    return tmp_path / "a.ptu"


def test_a_file_says_what_it_holds(tmp_path: Path) -> None:
    extra = Tag("HWInpChan_Offset", TagType.INT, -1500, 1), Tag("Wide", TagType.WIDE_TEXT, "πr²")
    extra += (
        Tag("Yes", TagType.BOOL, True),
        Tag("Bits", TagType.BITS, (1 << 64) - 1),
        Tag("Raw", TagType.BLOB, b"\x01\x02\x03\x04\x05\x06\x07\x08"),
    )
    path = tmp_path / "a.ptu"
    writer = PtuWriter(path, describe(extra=extra))
    writer.append(RECORDS)
    writer.close(StopReason.FIFO_OVERRUN, live_time_s=12.5, warnings=0x210)
    writer.close(StopReason.TIME_OVER)
    got = read_ptu(path)
    values = {(tag.name, tag.index): tag.value for tag in got.header.tags}
    assert values[COUNT, -1] == 1000
    assert values["TTResult_StopReason", -1] == -2
    assert values["TTResult_StopAfter", -1] == 12500
    assert values["TTResult_MDescWarningFlags", -1] == 0x210
    assert values["File_Comment", -1] == "dot A7, 4 K, µ-PL"
    assert values["MeasDesc_AcquisitionTime", -1] == 60000
    created = values["File_CreatingTime", -1]
    assert isinstance(created, datetime)
    assert abs((created - CREATED).total_seconds()) < 1e-3
    assert set(extra) <= set(got.header.tags)
    assert (got.stream, got.record_count, got.flags) == (T3, 1000, frozenset())
    assert got.records().tolist() == RECORDS.tolist()
    assert [block.tolist() for block in got.blocks(400)] == [
        RECORDS[begin : begin + 400].tolist() for begin in (0, 400, 800)
    ]


def test_a_tag_is_48_bytes_as_the_vendor_says(written: Path) -> None:
    data = written.read_bytes()
    assert data[:16] == b"PQTTTR\0\0" + b"1.0.00\0\0"
    place = data.index(b"TTResultFormat_TTTRRecType\0")
    assert struct.unpack_from("<iIq", data, place + 32) == (-1, 0x10000008, 0x00010307)
    end = data.index(b"Header_End\0")
    assert struct.unpack_from("<iI", data, end + 32) == (-1, 0xFFFF0008)
    assert data[end + 48 :] == RECORDS.tobytes()


def test_a_file_is_readable_at_every_moment(tmp_path: Path) -> None:
    path = tmp_path / "a.ptu"
    writer = PtuWriter(path, describe())
    assert read_ptu(path).record_count == 0
    writer.append(RECORDS)
    assert read_ptu(path).flags == {PtuFlag.NOT_COUNTED}
    assert len(read_ptu(path).records()) == 1000
    writer.flush()
    assert read_ptu(path).flags == frozenset()
    writer.append(RECORDS[:10])
    assert read_ptu(path).flags == {PtuFlag.LONGER}
    assert read_ptu(path).header.get("TTResult_StopReason") == StopReason.FILE_ERROR
    writer.close(StopReason.MANUAL)
    assert (read_ptu(path).record_count, writer.record_count) == (1010, 1010)


def test_an_error_while_it_is_open_is_its_stop_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.ptu"
    with pytest.raises(RuntimeError, match="cable"), PtuWriter(path, describe()):
        raise RuntimeError("cable")
    assert read_ptu(path).header.get("TTResult_StopReason") == StopReason.TCSPC_ERROR


def test_nothing_is_overwritten(written: Path) -> None:
    with pytest.raises(StorageError, match=r"a\.ptu"):
        PtuWriter(written, describe())


@pytest.mark.parametrize("count", [127, 128, 254, 255, 1023, (1 << 25) - 1])
def test_long_overflows_of_t2_are_written_as_several(tmp_path: Path, count: int) -> None:
    records = np.array([5, SPECIAL | count, 6, SPECIAL | 1, SPECIAL | count, 7], np.uint32)
    with PtuWriter(tmp_path / "a.ptu", describe(T2)) as writer:
        writer.append(records)
        writer.append(records)
    got = read_ptu(tmp_path / "a.ptu").records()
    overflows = got[got >> 25 == 127]
    assert int((overflows & 0x1FFFFFF).max()) <= 127
    one, other = Decoder(T2), Decoder(T2)
    expected, found = one.feed(np.tile(records, 2)), other.feed(got)
    assert found.time_ticks.tolist() == expected.time_ticks.tolist()


def test_records_of_other_kinds_are_written_as_they_are(tmp_path: Path) -> None:
    records = np.array([SPECIAL | 1000, 7], np.uint32)
    for kind in (RecordType.HYDRAHARP1_T2, RecordType.PICOHARP_T2, RecordType.GENERIC_T3):
        path = tmp_path / f"{kind.name}.ptu"
        with PtuWriter(path, describe(Stream(kind, 1e-9))) as writer:
            writer.append(records)
        assert read_ptu(path).records().tolist() == records.tolist()


def _inside(thing: Any, name: str) -> Any:
    return getattr(thing, name)


def test_a_full_disk_leaves_whole_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = PtuWriter(tmp_path / "a.ptu", describe())
    writer.append(RECORDS)
    file = _inside(writer, "_file")

    class Full:
        """Takes six more bytes."""

        def __getattr__(self, name: str) -> Any:
            return getattr(file, name)

        def write(self, data: memoryview) -> int:
            file.write(data[:6])
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "_file", Full())
    with pytest.raises(StorageError, match="No space left"):
        writer.append(RECORDS)
    monkeypatch.undo()
    writer.close(StopReason.FILE_ERROR)
    got = read_ptu(tmp_path / "a.ptu")
    assert (got.record_count, got.flags) == (1001, frozenset())
    assert got.records().tolist() == [*range(1000), 0]


def test_tags_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    for tag in (Tag("N" * 32, TagType.INT, 1), Tag("Name", TagType.INT, "text")):
        with pytest.raises(ValueError, match="N"):
            PtuWriter(tmp_path / "a.ptu", describe(extra=(tag,)))


# Damage.


def test_a_file_cut_anywhere(written: Path, tmp_path: Path) -> None:
    """The header whole: the records that are there, with a flag; else a clear error."""
    data = written.read_bytes()
    header = len(data) - RECORDS.nbytes
    path = tmp_path / "cut.ptu"
    for size in [*range(0, header, 13), header - 1]:
        path.write_bytes(data[:size])
        with pytest.raises(StorageError, match=r"cut\.ptu.*(damaged|not a PTU)"):
            read_ptu(path)
    for size in range(header, header + 40):
        path.write_bytes(data[:size])
        got = read_ptu(path)
        count, rest = divmod(size - header, 4)
        partial = {PtuFlag.PARTIAL_RECORD} if rest else set[PtuFlag]()
        assert got.flags == {PtuFlag.TRUNCATED} | partial
        assert got.records().tolist() == RECORDS[:count].tolist()


@given(place=st.integers(0, 1 << 16), value=st.integers(0, 255), also=st.integers(0, 1 << 16))
@settings(same_folder, max_examples=400)
def test_flipped_bytes_give_a_clear_error_or_the_readable_part(
    written: Path, place: int, value: int, also: int
) -> None:
    data = bytearray(written.read_bytes())
    header = len(data) - RECORDS.nbytes
    for number in (place, also):
        data[number % header] = value
    _read_or_refuse(written.with_name("flipped.ptu"), bytes(data))


@given(data=st.binary(max_size=300), honest=st.booleans())
@settings(same_folder)
def test_foreign_files_are_refused(written: Path, data: bytes, honest: bool) -> None:
    start = b"PQTTTR\0\0" + b"1.0.00\0\0" if honest else b""
    _read_or_refuse(written.with_name("foreign.ptu"), start + data)


def _read_or_refuse(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        got = read_ptu(path)
    except StorageError:
        return
    decoder = Decoder(got.stream)
    count = sum(len(decoder.feed(block).records) for block in got.blocks())
    assert count == got.record_count == (len(data) - got.header.size) // 4


def test_a_file_that_shrinks_while_it_is_read(written: Path) -> None:
    got = read_ptu(written)
    written.write_bytes(written.read_bytes()[:-400])
    with pytest.raises(StorageError, match="shorter"):
        got.records()


def _without(name: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(name, b"X" + name[1:])


def _set(name: bytes, value: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        place = data.index(name + b"\0") + 40
        return data[:place] + value + data[place + 8 :]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without(b"TTResultFormat_TTTRRecType"), "TTTRRecType is missing"),
        (_set(b"TTResultFormat_TTTRRecType", struct.pack("<q", 0x10308)), "0x00010308"),
        (_set(b"TTResultFormat_BitsPerRecord", struct.pack("<q", 64)), "64 bits"),
        (_without(b"MeasDesc_GlobalResolution"), "GlobalResolution is missing"),
        (_set(b"MeasDesc_GlobalResolution", struct.pack("<d", float("nan"))), "GlobalResolution"),
        (_set(b"MeasDesc_Resolution", struct.pack("<d", 0.0)), "Resolution"),
        (_set(b"File_Comment", struct.pack("<q", -8)), "claims -8 bytes"),
        (_set(b"File_Comment", struct.pack("<q", 1 << 40)), "claims"),
        (_set(b"File_Comment", struct.pack("<q", 1 << 20)), "is cut"),
    ],
)
def test_what_a_header_must_say(
    written: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    written.write_bytes(change(written.read_bytes()))
    with pytest.raises(StorageError, match=message):
        read_ptu(written)


def test_an_impossible_date_is_no_date(written: Path) -> None:
    change = _set(b"File_CreatingTime", struct.pack("<d", 1e300))
    written.write_bytes(change(written.read_bytes()))
    assert read_ptu(written).header.get("File_CreatingTime") is None


def test_no_file() -> None:
    with pytest.raises(StorageError, match=r"nowhere\.ptu"):
        read_ptu(Path("nowhere.ptu"))


def test_slow_decoder_agrees_on_the_file(written: Path) -> None:
    got = read_ptu(written)
    photons = read(got.stream.record_type, got.records().tolist()).photons
    assert [row[0] for row in photons] == list(range(1000))
