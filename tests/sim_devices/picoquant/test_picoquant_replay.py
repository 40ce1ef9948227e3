"""Recorded files as the source, to the count of the recordings' agreed figures."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from labctl_sim.picoquant._replay import decode, read_ptu
from tcspc_bench import HIST, MODULES, T2, T3, TcspcBench

Make = Callable[..., TcspcBench]


def test_the_reader_gives_the_agreed_figures(shared: Path) -> None:
    t3 = read_ptu(shared / "realdata" / "v20_t3.ptu")
    assert list(np.bincount(t3.channels)) == [45012, 32871]
    assert (t3.ticks[0], t3.ticks[-1]) == (1569, 49999358)
    assert (t3.delays.sum(), t3.ticks.sum()) == (53332562, 1954058639942)
    t2 = read_ptu(shared / "realdata" / "v20_t2.ptu")
    assert list(np.bincount(t2.channels)) == [305565]
    assert (t2.ticks[0], t2.ticks[-1]) == (24433765, 4999964931763)


def test_a_t3_recording_comes_out_as_it_went_in(tcspc: Make, shared: Path) -> None:
    path = shared / "realdata" / "v20_t3.ptu"
    wanted = read_ptu(path)
    bench = tcspc("HH", replay=str(path))
    bench.open(T3)
    bench.run("SetBinning", 6)
    ticks, delays, channels = decode(bench.acquire(10_500, 0.5), bench.kind.model.form, t3=True)
    # Delays beyond the sync period belong to the next pulse here.
    period_bins = wanted.tick_s / wanted.bin_s
    inside = wanted.delays < int(period_bins)
    assert inside.mean() > 0.999
    assert np.array_equal(np.bincount(channels), np.bincount(wanted.channels))
    assert np.isin(wanted.ticks[inside], ticks).all()
    assert len(ticks) == len(wanted.ticks)
    same = delays[: len(delays)].sum()
    assert same == pytest.approx(wanted.delays.sum(), rel=2e-3)


def test_a_t2_recording_comes_out_as_it_went_in(tcspc: Make, shared: Path) -> None:
    path = shared / "realdata" / "v20_t2.ptu"
    wanted = read_ptu(path)
    bench = tcspc("HH", replay=str(path))
    bench.open(T2)
    ticks, _, channels = decode(bench.acquire(5500, 0.5), bench.kind.model.form, t3=False)
    assert np.array_equal(ticks, wanted.ticks)
    assert not channels.any()


def test_meters_tell_the_recording_s_rates(tcspc: Make, shared: Path) -> None:
    bench = tcspc("HH", replay=str(shared / "realdata" / "v20_t3.ptu"))
    bench.open(T3)
    assert bench.number("GetSyncRate") == 4999960
    # 45012 photons in 49999358 pulses at 4999960 per second.
    assert bench.number("GetCountRate", 0) == pytest.approx(45012 / 9.99995, abs=1)
    bench.run("SetInputCFD", 0, 1000, 10)
    assert bench.number("GetCountRate", 0) == 0
    _, _, channels = decode(bench.acquire(2000, 0.5), bench.kind.model.form, t3=True)
    assert set(channels) == {1}


@pytest.mark.parametrize(("prefix", "seen"), [("PH", {0}), ("MH", {0, 2, 3})])
def test_only_inputs_that_there_are_get_photons(
    tcspc: Make, tmp_path: Path, prefix: str, seen: set[int]
) -> None:
    # Photons of channels 0, 2, 3 and 6 in periods 1 to 4, at bin 5.
    words = [(channel << 25) | (5 << 10) | (k + 1) for k, channel in enumerate((0, 2, 3, 6))]
    path = written(tmp_path, 0x00010307, 1e-7, 4e-12, struct.pack("<4I", *words))
    for mode in (T3, HIST):
        bench = tcspc(prefix, replay=str(path))
        bench.open(mode)
        if mode == T3:
            _, _, channels = decode(bench.acquire(100), bench.kind.model.form, t3=True)
            assert set(channels) == seen
        else:
            bench.run("StartMeas", 100)
            bench.clock.advance(0.2)
            bench.run("StopMeas")
            inputs = range(1 if prefix == "PH" else 4)
            assert [int(bench.histogram(i).sum()) for i in inputs] == [
                int(i in seen) for i in inputs
            ]


def test_a_set_up_with_a_wrong_recording_is_refused_before_anything_moves(tmp_path: Path) -> None:
    path = written(tmp_path, 0x00010307, 1e-7, 5e-12)
    cases = {
        "": "",
        str(path): "",
        str(tmp_path / "none.ptu"): "there is no recording",
        str(tmp_path): "there is no recording",
        str(written(tmp_path, 0x0BAD0307, 1e-7, 5e-12)): "unknown kind 0x0bad0307",
        str(written(tmp_path, 0x00010307, 0.0, 5e-12)): "resolution that is not above 0",
        str(written(tmp_path, 0x00010307, 1e-7, 0.0)): "resolution that is not above 0",
        str(written(tmp_path, None, 1e-7, 5e-12)): "has no tag TTResultFormat_TTTRRecType",
    }
    for named, wanted in cases.items():
        problems = MODULES["MH"].truth_problems({}, {"replay": named})
        assert [key for key, _ in problems] == (["replay"] if wanted else []), named
        assert all(wanted in text for _, text in problems), problems


@pytest.mark.parametrize("data", [b"", b"PQTTTR\0\0" + bytes(8), b"PQHISTO\0" + bytes(100)])
def test_other_files_are_refused_by_name(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "other.ptu"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"other\.ptu"):
        read_ptu(path)


def tag(name: bytes, kind: int, value: bytes, more: bytes = b"") -> bytes:
    return struct.pack("<32siI8s", name, -1, kind, value) + more


def written(
    folder: Path, kind: int | None, tick_s: float, bin_s: float, records: bytes = b""
) -> Path:
    """Write the least that a T3 file has; ``kind`` None: without its tag."""
    whole, real = struct.Struct("<q").pack, struct.Struct("<d").pack
    data = b"PQTTTR\0\0" + b"1.0.00\0\0"
    if kind is not None:
        data += tag(b"TTResultFormat_TTTRRecType", 0x10000008, whole(kind))
    data += tag(b"MeasDesc_GlobalResolution", 0x20000008, real(tick_s))
    data += tag(b"MeasDesc_Resolution", 0x20000008, real(bin_s))
    path = folder / f"{len(list(folder.iterdir()))}.ptu"
    path.write_bytes(data + tag(b"Header_End", 0xFFFF0008, whole(0)) + records)
    return path


def test_a_tag_longer_than_its_value_is_skipped(tmp_path: Path) -> None:
    whole = struct.Struct("<q").pack
    data = b"PQTTTR\0\0" + b"1.0.00\0\0"
    data += tag(b"File_Comment", 0x4001FFFF, whole(8), b"eight by")
    data += tag(b"Measurement_Mode", 0x10000008, whole(2))
    data += tag(b"TTResultFormat_TTTRRecType", 0x10000008, whole(0x00010207))
    data += tag(b"MeasDesc_GlobalResolution", 0x20000008, struct.pack("<d", 5e-12))
    data += tag(b"MeasDesc_Resolution", 0x20000008, struct.pack("<d", 5e-12))
    data += tag(b"Header_End", 0xFFFF0008, whole(0))
    path = tmp_path / "small.ptu"
    path.write_bytes(data + struct.pack("<3I", 0xFE000002, 0x02000005, 0x00000009) + b"\1\2")
    found = read_ptu(path)
    assert list(found.ticks) == [2 * 2**25 + 5, 2 * 2**25 + 9]
    assert list(found.channels) == [1, 0]
