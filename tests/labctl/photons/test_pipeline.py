"""Everything at once: real recordings to the count, any blocks, and blocks left out in a hurry."""

import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labctl.photons import (
    Analysis,
    BinnedDelays,
    Decays,
    Encoder,
    MarkerLog,
    MultiTau,
    PhotonBlock,
    PhotonPipeline,
    PtuDescription,
    PtuWriter,
    PulsedDelays,
    PulsedG2,
    PulsePairs,
    RecordType,
    Stream,
    Trace,
    WindowedG2,
    read_ptu,
    replay,
    warm_up,
)
from photon_streams import light, pieces, read

T2 = Stream(RecordType.GENERIC_T2, 1e-12)
T3 = Stream(RecordType.GENERIC_T3, 1e-7, 64e-12)


def all_of(stream: Stream) -> list[Any]:
    """Return every analysis that the stream allows."""
    found: list[Any] = [MultiTau(stream, 40 * stream.tick_s), Trace(stream, 1000 * stream.tick_s)]
    found += [WindowedG2(bin_ticks=16, half_bins=100), PulsedG2(), MarkerLog(stream)]
    if stream.mode == 3:
        found += [PulsedDelays(), PulsePairs(stream), Decays(stream)]
        found += [BinnedDelays(stream, 1000 * stream.tick_s, columns=8)]
    return found


def plain(thing: Any) -> Any:
    """Return a result as plain lists and numbers."""
    if isinstance(thing, np.ndarray):
        return thing.tolist()
    fields = getattr(thing, "__dataclass_fields__", None)
    return {name: plain(getattr(thing, name)) for name in fields} if fields else repr(thing)


def test_a_real_t3_recording(shared: Path) -> None:
    file = read_ptu(shared / "realdata" / "v20_t3.ptu")
    decays, peaks, trace = Decays(file.stream), PulsedG2(), Trace(file.stream, 0.01)
    books = replay(file, [decays, peaks, trace])
    assert (file.stream.record_type, file.flags) == (RecordType.HYDRAHARP2_T3, frozenset())
    assert file.stream.tick_s == pytest.approx(2.000016e-7)
    assert file.stream.delay_bin_s == pytest.approx(64e-12)
    assert (books.records, books.photons) == (106349, {0: 45012, 1: 32871})
    assert (books.overflow_records, books.overflows) == (28466, 48827)
    assert (books.markers, books.invalid_records, books.damaged) == (0, 0, False)
    counts = decays.result(channels=2).counts
    assert counts.sum(axis=1).tolist() == [45012, 32871]
    assert counts.argmax(axis=1).tolist() == [60, 66]
    assert counts.max(axis=1).tolist() == [138, 91]
    assert int((counts * np.arange(32768)).sum()) == 53332562
    got = trace.result()
    assert (got.counts.sum(axis=0) + got.rest).tolist() == [45012, 32871]
    assert peaks.result().counts.tolist() == pairs_by_pulse(file.records().tolist())


def pairs_by_pulse(records: list[int]) -> list[int]:
    """Return the peaks from -10 to 10 by looking up every pulse of every photon."""
    photons = read(RecordType.HYDRAHARP2_T3, records).photons
    second = Counter(sync for sync, channel, _ in photons if channel == 1)
    first = [sync for sync, channel, _ in photons if channel == 0]
    return [sum(second[sync + n] for sync in first) for n in range(-10, 11)]


class Sums(Analysis):
    """Adds up times, and keeps the first, the last and the smallest gap."""

    def __init__(self) -> None:
        self.total, self.ticks = 0, list[np.ndarray[Any, np.dtype[np.int64]]]()

    def feed(self, block: PhotonBlock) -> None:
        self.total += int(block.time_ticks.sum())
        self.ticks.append(block.time_ticks.copy())


def test_times_of_the_real_recordings(shared: Path) -> None:
    t3, t2 = Sums(), Sums()
    replay(read_ptu(shared / "realdata" / "v20_t3.ptu"), [t3])
    file = read_ptu(shared / "realdata" / "v20_t2.ptu")
    books = replay(file, [t2])
    syncs, ticks = np.concatenate(t3.ticks), np.concatenate(t2.ticks)
    assert (t3.total, syncs[0], syncs[-1]) == (1954058639942, 1569, 49999358)
    assert (books.records, books.photons) == (435319, {0: 305565})
    assert (books.overflow_records, books.overflows) == (129754, 149011)
    assert (ticks[0], ticks[-1]) == (24433765, 4999964931763)
    assert np.diff(ticks).min() == 81134
    rate_hz = 305565 / (ticks[-1] - ticks[0]) / file.stream.tick_s
    assert rate_hz == pytest.approx(61113.73, abs=0.5)


@pytest.mark.parametrize("stream", [T2, T3], ids=["T2", "T3"])
@given(cuts=st.lists(st.integers(0, 40_000), max_size=12), seed=st.integers(0, 3))
@settings(max_examples=12)
def test_no_result_depends_on_the_blocks(stream: Stream, cuts: list[int], seed: int) -> None:
    time, channel, delay = light(seed, 20_000, 40.0)
    channel[::97] = 64 + 5
    delay[::97] = 0
    records = Encoder(stream.mode).feed(time, channel, delay if stream.mode == 3 else None)
    whole = PhotonPipeline(stream, all_of(stream))
    whole.feed(records)
    cut = PhotonPipeline(stream, all_of(stream))
    for part in pieces(records, cuts):
        cut.feed(part)
    assert cut.books() == whole.books()
    for one, other in zip(cut.analyses, whole.analyses, strict=True):
        result: Any = one
        expected: Any = other
        assert plain(result.result()) == plain(expected.result())


def test_in_a_hurry_only_heavy_work_is_left_out(tmp_path: Path) -> None:
    time, channel, delay = light(0, 60_000, 20.0)
    records = Encoder(3).feed(time, channel, delay)
    peaks, decays = PulsedG2(), Decays(T3)
    about = PtuDescription(T3, datetime(2024, 1, 1, tzinfo=UTC), "MultiHarp", "1", 2, 1e7, 1.0)
    with PtuWriter(tmp_path / "a.ptu", about) as writer:
        pipeline = PhotonPipeline(T3, [peaks, decays], writer)
        for number, part in enumerate(np.array_split(records, 20)):
            pipeline.feed(part, hurry=number % 4 == 0)
    books = pipeline.books()
    assert sum(books.photons.values()) == decays.result().counts.sum() == 60_000
    assert books.hurried_records == len(records) // 4
    assert peaks.result().books.share == pytest.approx(0.75, abs=0.01)
    assert np.all(np.abs(peaks.result().g2 - 1) < 5 * peaks.result().g2_error)
    assert read_ptu(tmp_path / "a.ptu").records().tolist() == records.tolist()


def test_live_and_later_give_the_same(tmp_path: Path) -> None:
    time, channel, delay = light(4, 30_000, 25.0)
    live = PhotonPipeline(T3, all_of(T3))
    about = PtuDescription(T3, datetime(2024, 1, 1, tzinfo=UTC), "MultiHarp", "1", 2, 1e7, 1.0)
    with PtuWriter(tmp_path / "a.ptu", about) as writer:
        live.writer = writer
        encoder = Encoder(3)
        for part in range(0, 30_000, 1111):
            cut = slice(part, part + 1111)
            live.feed(encoder.feed(time[cut], channel[cut], delay[cut]))
        live.feed(encoder.advance(int(time[-1]) + 50_000))
    later = all_of(T3)
    assert replay(read_ptu(tmp_path / "a.ptu"), later) == live.books()
    for one, other in zip(live.analyses, later, strict=True):
        result: Any = one
        assert plain(result.result()) == plain(other.result())


def test_memory_does_not_grow_with_the_stream() -> None:
    """All but a trace, which has a row for each bin of time, need the memory of a block."""
    records = Encoder(3).feed(*light(0, 130_000, 20.0))
    analyses = [PulsedG2(), PulsedDelays(), PulsePairs(T3), Decays(T3), MultiTau(T3, 1e-6)]
    pipeline = PhotonPipeline(T3, analyses)
    pipeline.feed(records)
    tracemalloc.start()
    try:
        for _ in range(20):
            pipeline.feed(records)
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 100_000
    assert most < 8 << 20


def test_a_copied_block_can_be_fed_again() -> None:
    records = Encoder(3).feed(*light(0, 1000, 20.0))
    kept, one = PhotonPipeline(T3).decoder.feed(records).copy(), PulsedG2()
    one.feed(kept)
    direct = PhotonPipeline(T3, [again := PulsedG2()])
    direct.feed(records)
    assert plain(one.result()) == plain(again.result())


def test_what_takes_every_block_cannot_skip_one() -> None:
    pipeline = PhotonPipeline(T3)
    block = pipeline.decoder.feed(np.zeros(1, np.uint32))
    with pytest.raises(NotImplementedError, match="Decays"):
        Decays(T3).skip(block)


def test_kernels_are_compiled_once_and_refuse_other_numbers() -> None:
    """Nothing is compiled during an acquisition, whatever is fed."""
    warm_up()
    encode: Any = Encoder(3)
    with pytest.raises(TypeError):
        encode.feed(np.array([1.5]), np.zeros(1, np.uint8), np.zeros(1, np.uint16))
