"""Our PTU files, read by ptufile, tttrlib and phconvert, with their known defects.

Known (versions 2026.2.6, 0.26.2, 0.10.2): ptufile counts the channels of PicoHarp T3 from 0;
tttrlib takes delay 0 of PicoHarp T3 for the mark of special records.
"""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.photons import (
    Encoder,
    PtuDescription,
    PtuWriter,
    RecordType,
    Stream,
    read_ptu,
)
from photon_streams import PICOHARP, T2, T3, WRAPS, Event, light, read, words

SCRIPT = Path(__file__).with_name("other_readers.py")
READERS = ("ptufile", "tttrlib", "phconvert")
_MISSING = re.compile(r"ModuleNotFoundError: No module named '([^']+)'")
Photons = tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint16]]
Found = dict[str, dict[str, dict[str, list[list[int]]]]]


def through_others(python: Path, *paths: Path) -> Found:
    done = subprocess.run(
        [str(python), str(SCRIPT), *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=120.0,
        check=False,
    )
    missing = _MISSING.search(done.stderr)
    if missing:
        pytest.skip(f"{python} does not have {missing[1]}, see tests/clients/requirements.txt")
    assert done.returncode == 0, done.stderr
    found: Found = json.loads(done.stdout.splitlines()[-1])
    return {Path(path).stem: readers for path, readers in found.items()}


def describe(kind: RecordType) -> PtuDescription:
    stream = Stream(kind, 1e-12 if kind in T2 else 1e-7, 64e-12)
    created = datetime(2024, 2, 29, 12, tzinfo=UTC)
    return PtuDescription(stream, created, "MultiHarp", "1", 4, 1e7, 10.0)


def events(kind: RecordType) -> list[Event]:
    """Return photons on wrap edges and after long darkness, four channels, some markers."""
    wrap, rng = WRAPS[kind], np.random.default_rng(0)
    ticks = [5, wrap - 1, wrap, wrap + 1, 2 * wrap, 300 * wrap - 1, 2000 * wrap]
    ticks += (2000 * wrap + np.sort(rng.integers(0, 50 * wrap, 150))).tolist()
    first, most = (1, 4096) if kind is RecordType.PICOHARP_T3 else (0, 4096)
    delays = rng.integers(1, most, len(ticks)) * int(kind in T3)
    found = [Event(t, first + n % 4, int(delays[n])) for n, t in enumerate(ticks)]
    markers = [] if kind in PICOHARP else [Event(ticks[50] + 1, bits=5), Event(ticks[90], bits=2)]
    return sorted([*found, *markers], key=lambda event: event.tick)


GROWN = (100, 200, 300)
RECORDING = "v20_t3"


@pytest.fixture(scope="module")
def found(clients_python: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Read everything in one process: loading the readers takes longest."""
    folder = tmp_path_factory.mktemp("ptu")
    for kind in RecordType:
        with PtuWriter(folder / f"{kind.name}.ptu", describe(kind)) as writer:
            writer.append(words(kind, events(kind), 1023 if kind in T3 else 100_000))
    for mode in (2, 3):
        _grow(folder, mode)
    recording = shared / "realdata" / f"{RECORDING}.ptu"
    return through_others(clients_python, recording, *sorted(folder.glob("*.ptu")))


def _light(mode: int) -> Photons:
    return light(0, GROWN[-1], 1e10 if mode == 2 else 1e5)


def _grow(folder: Path, mode: int) -> None:
    """Keep the file as it is after each flush; long darkness is in it."""
    encoder, (time, channel, delay) = Encoder(mode), _light(mode)
    path = folder / f"grown_{mode}.ptu"
    with PtuWriter(path, describe(encoder.record_type)) as writer:
        for end in GROWN:
            cut = slice(end - 100, end)
            delays = delay[cut] if mode == 3 else None
            writer.append(encoder.feed(time[cut], channel[cut], delays))
            writer.flush()
            path.with_stem(f"grown_{mode}_{end}").write_bytes(path.read_bytes())


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", list(RecordType), ids=lambda kind: kind.name)
def test_every_type_is_read_alike(found: Found, kind: RecordType, reader: str) -> None:
    got = found[kind.name][reader]
    shift = int(reader == "ptufile" and kind is RecordType.PICOHARP_T3)
    expected = read(kind, words(kind, events(kind)).tolist())
    photons = [[time, channel + shift, delay] for time, channel, delay in got["photons"]]
    if kind in T2:
        photons = [[time, channel, 0] for time, channel, _ in photons]
    assert photons == [list(row) for row in expected.photons]
    markers = [[time, bits & 15] for time, bits in got["markers"]]
    assert markers == [list(row) for row in expected.markers]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("mode", [2, 3])
def test_a_growing_file_is_read_alike_after_every_flush(
    found: Found, mode: int, reader: str
) -> None:
    time, channel, delay = (array.tolist() for array in _light(mode))
    expected = [[t, c, d * (mode - 2)] for t, c, d in zip(time, channel, delay, strict=True)]
    for end in GROWN:
        photons = found[f"grown_{mode}_{end}"][reader]["photons"]
        assert [[t, c, d * (mode - 2)] for t, c, d in photons] == expected[:end]


@pytest.mark.parametrize("reader", READERS)
def test_a_real_recording_is_read_alike(found: Found, shared: Path, reader: str) -> None:
    records = read_ptu(shared / "realdata" / f"{RECORDING}.ptu").records()
    photons = read(RecordType.HYDRAHARP2_T3, records.tolist()).photons
    assert found[RECORDING][reader]["photons"] == [list(row) for row in photons]
