"""Traces, FLID inputs, pulses, markers, decays and multi-tau against slow definitions."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from labctl.photons import (
    Analysis,
    BinnedDelays,
    Decays,
    Decoder,
    Encoder,
    MarkerLog,
    MultiTau,
    PulsePairs,
    RecordType,
    Stream,
    Trace,
)
from photon_streams import Event, light, pieces, words

T2 = Stream(RecordType.GENERIC_T2, 1e-12)
T3 = Stream(RecordType.GENERIC_T3, 1e-7, 64e-12)
PT3 = Stream(RecordType.PICOHARP_T3, 1e-7, 64e-12)
Photons = tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint16]]

gaps = st.lists(st.integers(0, 3) | st.integers(0, 3000), min_size=1, max_size=60)
seeds = st.integers(0, 1000)
cuts = st.lists(st.integers(0, 200), max_size=5)


def photons(gaps: Sequence[int], seed: int) -> Photons:
    rng = np.random.default_rng(seed)
    size = len(gaps)
    channel = rng.integers(0, 4, size).astype(np.uint8)
    delay = rng.integers(0, 100, size).astype(np.uint16)
    return np.cumsum(np.array(gaps, np.int64)), channel, delay


def feed(analyses: Sequence[Analysis], light: Photons, cuts: Sequence[int] = ()) -> None:
    decoder = Decoder(T3)
    for part in pieces(Encoder(3).feed(*light), cuts):
        block = decoder.feed(part)
        for analysis in analyses:
            analysis.feed(block)


@given(gaps=gaps, seed=seeds, cuts=cuts, width=st.integers(1, 500))
def test_a_trace_counts_in_bins(gaps: list[int], seed: int, cuts: list[int], width: int) -> None:
    time, channel, _ = made = photons(gaps, seed)
    trace, flid = Trace(T3, width * 1e-7, [2, 0]), BinnedDelays(T3, width * 1e-7, channels=[1])
    feed([trace, flid], made, cuts)
    got, binned = trace.result(), flid.result()
    rows, edges = int(time[-1]) // width, np.arange(int(time[-1]) // width + 2) * width
    for column, number in enumerate([2, 0]):
        counts = np.histogram(time[channel == number], edges)[0]
        assert [*got.counts[:, column], got.rest[column]] == counts.tolist()
    assert len(got.begin_s) == rows == len(binned.counts)
    assert binned.counts.tolist() == np.histogram(time[channel == 1], edges)[0][:rows].tolist()


def test_the_width_of_a_bin_is_what_it_really_is() -> None:
    trace = Trace(Stream(RecordType.GENERIC_T3, 2.000016e-7), 0.01)
    assert trace.result().bin_s == 50_000 * 2.000016e-7
    assert Trace(T2, 1e-15).result().bin_s == 1e-12


@given(gaps=gaps, seed=seeds, cuts=cuts, columns=st.integers(0, 9))
def test_delays_are_summed_and_counted_in_bins(
    gaps: list[int], seed: int, cuts: list[int], columns: int
) -> None:
    time, channel, delay = made = photons(gaps, seed)
    flid = BinnedDelays(T3, 100e-7, channels=[0, 3], gate_bins=(10, 70), columns=columns)
    feed([flid], made, cuts)
    got = flid.result()
    kept = np.isin(channel, (0, 3)) & (delay >= 10) & (delay < 70)
    edges = np.arange(len(got.counts) + 1) * 100
    inside = kept & (time < edges[-1])
    sums = np.histogram(time[inside], edges, weights=delay[inside] - 10.0)[0]
    assert got.delay_sum_bins.tolist() == sums.tolist()
    assert got.decays.shape == (len(got.counts), columns)
    if columns:
        assert got.decays.sum(axis=1).tolist() == got.counts.tolist()
        width = round(got.column_s / 64e-12)
        column = (delay[inside] - 10) // width
        assert got.decays.sum(axis=0).tolist() == np.bincount(column, minlength=columns).tolist()
    bright = got.counts > 0
    mean_ns = (got.delay_sum_bins[bright] / got.counts[bright] + 0.5) * 0.064
    assert got.mean_delay_ns[bright] == pytest.approx(mean_ns)
    assert np.isnan(got.mean_delay_ns[~bright]).all()


def test_a_trace_ends_where_memory_would() -> None:
    """Damaged data claim days of darkness; the trace says how many photons it left out."""
    trace = Trace(T3, 1e-7)
    feed([trace], (np.array([5, 1 << 40]), np.zeros(2, np.uint8), np.zeros(2, np.uint16)))
    got = trace.result()
    assert (got.counts[5, 0], got.counts.sum(), got.outside) == (1, 1, 1)


@given(gaps=gaps, seed=seeds, cuts=cuts)
def test_decays_are_histograms_of_delays(gaps: list[int], seed: int, cuts: list[int]) -> None:
    _, channel, delay = made = photons(gaps, seed)
    decays = Decays(T3)
    feed([decays], made, cuts)
    got = decays.result(channels=4, delay_bins=100)
    for number in range(4):
        expected = np.bincount(delay[channel == number], minlength=100)
        assert got.counts[number].tolist() == expected.tolist()
    assert got.delay_ns[10] == pytest.approx(0.64)


def test_decays_outlast_their_counters() -> None:
    """Counters of 32 bits are emptied in time; nothing is lost or counted twice."""
    _, _, delay = made = photons([5] * 60, 0)
    decays, opened = Decays(T3), list[int]()
    emptied = _inside(decays, "_transfer")
    for _ in range(3):
        feed([decays], made)
        assert decays.result().counts.sum() == 60 * (len(opened) + 1)
        emptied()
        opened.append(1)
    expected = 3 * np.bincount(delay, minlength=100)
    assert decays.result(4, 100).counts.sum(axis=0).tolist() == expected.tolist()


def _inside(thing: Any, name: str) -> Any:
    return getattr(thing, name)


def test_decays_of_a_picoharp() -> None:
    records = words(
        RecordType.PICOHARP_T3, [Event(5, 1, 4095), Event(70_000, 4, 3), Event(70_001, bits=9)]
    )
    decays = Decays(PT3)
    decays.feed_records(records)
    got = decays.result(channels=15).counts
    assert (got[1, 4095], got[4, 3], got.sum()) == (1, 1, 2)


def test_only_t3_has_delays() -> None:
    with pytest.raises(ValueError, match="T3"):
        Decays(T2)
    with pytest.raises(ValueError, match="T3"):
        PulsePairs(T2)
    with pytest.raises(ValueError, match="T3"):
        BinnedDelays(T2, 1.0)


def slow_pulses(made: Photons) -> tuple[Counter[str], list[list[int]]]:
    by_pulse: dict[int, list[tuple[int, int]]] = {}
    for time, channel, delay in zip(*(array.tolist() for array in made), strict=True):
        if channel in (0, 1):
            by_pulse.setdefault(time, []).append((channel, delay))
    kinds: Counter[str] = Counter()
    rows: list[list[int]] = [[], [], [], []]
    for found in by_pulse.values():
        sides, delays = {side for side, _ in found}, sorted(delay for _, delay in found)
        kind = ["", "single", "pair" if len(sides) == 2 else "same", "more"][min(3, len(found))]
        kinds[kind] += 1
        if kind == "single":
            rows[0] += delays
        if kind == "pair":
            for row, value in zip(rows[1:], (*delays, delays[1] - delays[0]), strict=True):
                row.append(value)
    return kinds, rows


@given(gaps=st.lists(st.integers(0, 1), min_size=1, max_size=80), seed=seeds, cuts=cuts)
def test_pulses_are_sorted(gaps: list[int], seed: int, cuts: list[int]) -> None:
    made = photons(gaps, seed)
    pairs = PulsePairs(T3)
    feed([pairs], made, cuts)
    got, again = pairs.result(delay_bins=100), pairs.result(delay_bins=100)
    kinds, rows = slow_pulses(made)
    numbers = got.pulses_single, got.pulses_pair, got.pulses_same_side, got.pulses_more
    assert numbers == tuple(kinds[kind] for kind in ("single", "pair", "same", "more"))
    decays = got.single, got.first, got.second, got.second_after_first
    for decay, values in zip(decays, rows, strict=True):
        assert decay.tolist() == np.bincount(values, minlength=100).tolist()
    assert again.pulses_single == got.pulses_single
    assert got.pulses_total == made[0][-1]


def test_markers_are_kept_with_their_inputs() -> None:
    made = [Event(5, bits=1), Event(9, 2), Event(2000, bits=3), Event(5000, bits=8)]
    records, decoder = words(RecordType.GENERIC_T3, made), Decoder(T3)
    log = MarkerLog(T3)
    for part in np.array_split(records, 4):
        log.feed(decoder.feed(part))
    got = log.result()
    assert got.time_ticks.tolist() == [5, 2000, 5000]
    assert got.bits.tolist() == [1, 3, 8]
    assert got.time_s(1).tolist() == pytest.approx([5e-7, 2e-4])
    assert got.time_s(4).tolist() == pytest.approx([5e-4])
    with pytest.raises(ValueError, match="1 to 4"):
        got.time_s(0)


def slow_multitau(
    time: NDArray[np.int64], a: NDArray[np.bool_], b: NDArray[np.bool_], width: int, levels: int
) -> list[int]:
    found: list[int] = []
    for level in range(levels):
        bins = time // (width << level)
        size = int(bins.max(initial=0)) + 1
        first, second = (np.bincount(bins[side], minlength=size) for side in (a, b))
        for lag in range(8 if level else 0, 16):
            total = int((first[: size - lag] * second[lag:]).sum()) if lag < size else 0
            itself = int((a & b).sum()) if lag == 0 else 0
            found.append(total - itself)
    return found


@given(gaps=gaps, seed=seeds, cuts=cuts, width=st.integers(1, 50), levels=st.integers(1, 8))
def test_multi_tau_is_the_correlation_of_binned_counts(
    gaps: list[int], seed: int, cuts: list[int], width: int, levels: int
) -> None:
    time, channel, _ = made = photons(gaps, seed)
    cross = MultiTau(T3, width * 1e-7, a=[0], b=[1, 2], levels=levels)
    auto = MultiTau(T3, width * 1e-7, a=[0, 3], levels=levels)
    feed([cross, auto], made, cuts)
    a, b, both = channel == 0, np.isin(channel, (1, 2)), np.isin(channel, (0, 3))
    assert cross.result().pairs.tolist() == slow_multitau(time, a, b, width, levels)
    assert auto.result().pairs.tolist() == slow_multitau(time, both, both, width, levels)
    assert cross.result().pairs.tolist() == cross.result().pairs.tolist()


def test_multi_tau_of_poisson_light_is_one() -> None:
    made = light(0, 200_000, 40.0)
    one = MultiTau(T3, 1e-7, a=[0], b=[1], levels=12)
    feed([one], made)
    got = one.result()
    rare = got.width_s < 100e-7
    pulls = (got.g2 - 1)[rare] * np.sqrt(got.expected[rare])
    assert np.all(np.abs(pulls) < 5)
    assert got.g2 == pytest.approx(1.0, abs=0.05)


def test_multi_tau_finds_the_period_of_blinking() -> None:
    """Light that is on in every other stretch: 2 at short lags, 0 after one stretch."""
    time, channel, delay = light(0, 200_000, 40.0)
    on = (time // 100_000) % 2 == 0
    one = MultiTau(T3, 1e-7, levels=16)
    feed([one], (time[on], channel[on], delay[on]))
    got = one.result()
    assert got.g2[(got.lag_s > 1e-6) & (got.lag_s < 1e-4)] == pytest.approx(2.0, abs=0.1)
    assert got.g2[np.argmin(np.abs(got.lag_s - 1e-2))] < 0.3


def test_multi_tau_over_a_gap_expects_no_lags_across_it() -> None:
    made = light(1, 100_000, 40.0)
    one, decoder = MultiTau(T3, 1e-7, levels=12), Decoder(T3)
    for number, part in enumerate(np.array_split(Encoder(3).feed(*made), 9)):
        block = decoder.feed(part)
        one.skip(block) if number in (0, 3, 4) else one.feed(block)
    got = one.result()
    assert np.count_nonzero(got.stretches_s) == 2
    assert got.stretches_s.sum() == pytest.approx(6 / 9 * 0.4, rel=0.02)
    rare = got.width_s < 100e-7
    pulls = (got.g2 - 1)[rare] * np.sqrt(got.expected[rare])
    assert np.all(np.abs(pulls) < 5)
    assert got.g2[~rare] == pytest.approx(1.0, abs=0.05)


def test_multi_tau_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match="levels"):
        MultiTau(T3, 1e-6, levels=31)
    with pytest.raises(ValueError, match="different"):
        MultiTau(T3, 1e-6, a=[0], b=[0])
