"""Files that are damaged in every way: journals, raw photons, imported spectra.

Whatever they say, they are read in bounded time and memory, and end in what is whole, in a flag or
in one of our errors. No number is made up.
"""

import math
import re
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from labctl.errors import LabctlError, StorageError
from labctl.optics import read_spe
from labctl.photons import Encoder, PtuDescription, PtuWriter, Stream, read_ptu, replay
from labctl.storage import Record, TailState, read_journal, read_run
from mutations import (
    ANY,
    NUMBERS,
    TAGS,
    Chance,
    Mutation,
    bounded,
    lie,
    nest,
    pick,
    rearranged,
    within,
)
from photon_streams import light

GOLDEN = Path(__file__).parents[1] / "golden"
JOURNALS = ("complete", "aborted", "crashed", "resumed", "resumed.s1")
CPU_S = 5.0


@pytest.fixture
def count(torture: bool) -> int:
    return 10_000 if torture else 500


def fuzz(
    seeds: Sequence[bytes],
    mutations: Sequence[Mutation],
    count: int,
    path: Path,
    read: Callable[[Path], bool],
) -> int:
    """Read ``count`` mutations; returns how many of them were read without an error."""
    accepted = 0
    for number in range(count):
        chance = np.random.default_rng(number)
        data = seeds[number % len(seeds)]
        for _ in range(1 + int(chance.random() < 0.3)):
            mutate = mutations[int(chance.integers(len(mutations)))]
            # What is damaged already may have no records or tags any more.
            with suppress(ValueError, struct.error, IndexError, RecursionError):
                data = mutate(data, chance)
        path.write_bytes(data)
        try:
            with within(CPU_S):
                accepted += read(path)
        except BaseException as error:
            error.add_note(f"mutation {number}")
            raise
    return accepted


# Journals


def check_record(record: Record, number: int) -> None:
    """Check that nothing that a journal cannot hold has passed."""
    assert record.seq == number
    assert record.attempt >= 0
    assert record.segment >= 0
    assert math.isfinite(record.t_mono_s)
    assert record.t_utc.tzinfo is not None
    lengths: dict[str, int] = {}
    for name, item in record.arrays.items():
        assert name == item.name
        assert item.values.dtype.kind in "biufc"
        assert len(item.axes) == item.values.ndim
        for axis, length in zip(item.axes, item.values.shape, strict=True):
            assert lengths.setdefault(axis, length) == length


def read_journal_through(path: Path) -> bool:
    try:
        with read_journal(path) as reader:
            for number, record in enumerate(reader):
                check_record(record, number)
        run = read_run(path)
        for dataset in run.data.values():
            assert all(np.asarray(values).size >= 0 for values in dataset.variables.values())
        assert run.points.sizes.get("point", 0) >= 0
        assert run.status
        assert all(len(readings) for readings in run.monitors.values())
        assert all(event.message is not None for event in run.events)
    except LabctlError:
        return False
    return reader.tail.state is TailState.END


def test_damaged_journals(tmp_path: Path, count: int) -> None:
    seeds = [(GOLDEN / f"{name}.lcj").read_bytes() for name in JOURNALS]
    mutations = [*ANY, rearranged(seeds[1]), rearranged(seeds[0]), *[lie] * 6, nest]
    with bounded():
        accepted = fuzz(seeds[:2], mutations, count, tmp_path / "run.lcj", read_journal_through)
    # Some only say other words, or are cut between two records.
    assert 0 < accepted < 0.5 * count


# Raw photons


def photons_of(folder: Path, mode: int) -> bytes:
    """Return a file of 300 photons with long darkness between them."""
    encoder, (time, channel, delay) = Encoder(mode), light(0, 300, 1e10 if mode == 2 else 1e5)
    stream = Stream(encoder.record_type, 1e-12 if mode == 2 else 1e-7, 64e-12)
    created = datetime(2024, 2, 29, 12, tzinfo=UTC)
    description = PtuDescription(stream, created, "MultiHarp", "1", 4, 1e7, 10.0)
    path = folder / f"t{mode}.ptu"
    with PtuWriter(path, description) as writer:
        writer.append(encoder.feed(time, channel, delay if mode == 3 else None))
    return path.read_bytes()


def read_ptu_through(path: Path) -> bool:
    try:
        file = read_ptu(path)
        books = replay(file, [])
    except StorageError:
        return False
    assert file.header.size + 4 * file.record_count <= path.stat().st_size
    assert 1e-13 <= file.stream.tick_s <= 10.0
    assert 1e-13 <= file.stream.delay_bin_s <= 10.0
    assert books.records == file.record_count == len(file.records())
    kinds = books.markers, books.overflow_records, books.invalid_records
    assert min(kinds) >= 0
    assert sum(books.photons.values()) + max(kinds) <= books.records
    assert books.elapsed_s >= 0.0
    assert math.isfinite(books.elapsed_s)
    assert all(0 <= code < 256 for code in books.photons)
    return not file.flags


def test_damaged_photons(tmp_path: Path, count: int) -> None:
    seeds = [photons_of(tmp_path, mode) for mode in (2, 3)]
    # Once for the compiler, which needs more memory than any file.
    assert all(read_ptu_through(tmp_path / f"t{mode}.ptu") for mode in (2, 3))
    with bounded():
        accepted = fuzz(seeds, [*ANY, *TAGS], count, tmp_path / "a.ptu", read_ptu_through)
    assert 0 < accepted < 0.6 * count


# Imported spectra

NAMESPACE = "http://www.princetoninstruments.com/spe/2009"
FOOTER = f"""<SpeFormat version="3.0" xmlns="{NAMESPACE}"><DataFormat>
<DataBlock type="Frame" count="2" pixelFormat="MonochromeUnsigned16" size="16" stride="16">
<DataBlock type="Region" calibrations="1,2" width="4" height="2" size="16" stride="16"/>
</DataBlock></DataFormat><Calibrations>
<WavelengthMapping><Wavelength>500,501,502,503</Wavelength></WavelengthMapping>
<SensorMapping id="2" x="0" y="0" width="4" height="2" xBinning="1" yBinning="1"/>
</Calibrations><DataHistories><Devices><Camera model="x">1</Camera></Devices></DataHistories>
</SpeFormat>"""


def spe_file(version: int) -> bytes:
    content = bytearray(4100)
    struct.pack_into("<H", content, 42, 4)
    struct.pack_into("<h", content, 108, 3)
    struct.pack_into("<H", content, 656, 2)
    struct.pack_into("<Q", content, 678, 4100 + 32)
    struct.pack_into("<i", content, 1446, 2)
    struct.pack_into("<f", content, 1992, float(version))
    struct.pack_into("<6d", content, 3263, 500.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    return bytes(content) + np.arange(16, dtype="<u2").tobytes() + FOOTER.encode()


def xml_number(data: bytes, chance: Chance) -> bytes:
    """Write something else in the place of a number of the footer."""
    places = [found.span() for found in re.finditer(rb"\d+", data[4132:])]
    begin, end = pick(chance, places)
    words = ("-1", "0", "nan", "inf", "1e308", str(2**60), "9" * 5000, "", "4.5", "x")
    return data[: 4132 + begin] + pick(chance, words).encode() + data[4132 + end :]


def xml_nest(data: bytes, chance: Chance) -> bytes:
    """Put elements within elements into the footer."""
    depth = int(chance.integers(10, 20_000))
    nested = b"<a>" * depth + b"</a>" * depth
    return data.replace(b"<Camera", nested + b"<Camera")


def spe_field(data: bytes, chance: Chance) -> bytes:
    """Write something else into a field of the binary header."""
    at, code = pick(chance, ((42, "<H"), (108, "<h"), (656, "<H"), (1446, "<i"), (678, "<Q")))
    if chance.random() < 0.3:
        at, raw = 3263 + 8 * int(chance.integers(6)), struct.pack("<d", pick(chance, NUMBERS))
    else:
        raw = chance.bytes(struct.calcsize(code))
    return data[:at] + raw + data[at + len(raw) :]


def read_spe_through(path: Path) -> bool:
    try:
        spe = read_spe(path)
    except StorageError:
        return False
    for region in spe.regions:
        assert region.frames.ndim == 3
        assert 0 < region.frames.nbytes <= path.stat().st_size
        assert region.wavelength_nm is None or np.isfinite(region.wavelength_nm).all()
    return True


def test_damaged_spectra(tmp_path: Path, count: int) -> None:
    seeds = [spe_file(2), spe_file(3)]
    mutations = [*ANY, xml_number, xml_number, xml_nest, spe_field, spe_field]
    with bounded():
        accepted = fuzz(seeds, mutations, count, tmp_path / "a.spe", read_spe_through)
    # Pixels may have any value, so much of what is damaged is a spectrum all the same.
    assert 0 < accepted < 0.9 * count
