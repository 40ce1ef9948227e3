"""Pairs of photons against all pairs, for light of any density, in any blocks."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from labctl.photons import (
    Analysis,
    Decoder,
    Encoder,
    PulsedDelays,
    PulsedG2,
    RecordType,
    Stream,
    WindowedG2,
)
from photon_streams import light, pieces

T2 = Stream(RecordType.GENERIC_T2, 1e-12)
T3 = Stream(RecordType.GENERIC_T3, 1e-7, 64e-12)
Photons = tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint16]]
A = TypeVar("A", bound=Analysis)

gaps = st.lists(st.integers(0, 3) | st.integers(0, 30) | st.integers(0, 4000), max_size=60)
seeds = st.integers(0, 1000)
cuts = st.lists(st.integers(0, 200), max_size=5)


def photons(gaps: Sequence[int], seed: int) -> Photons:
    rng = np.random.default_rng(seed)
    time, size = np.cumsum(np.array(gaps, np.int64)), len(gaps)
    channel = rng.integers(0, 4, size).astype(np.uint8)
    return time, channel, rng.integers(0, 100, size).astype(np.uint16)


def fed(analysis: A, stream: Stream, light: Photons, cuts: Sequence[int] = ()) -> A:
    """Feed photons in blocks that are cut at these records."""
    time, channel, delay = light
    records = Encoder(stream.mode).feed(time, channel, delay if stream.mode == 3 else None)
    one = Decoder(stream)
    for part in pieces(records, cuts):
        analysis.feed(one.feed(part))
    return analysis


def all_pairs(light: Photons, a: set[int], b: set[int]) -> list[tuple[int, int]]:
    """Return (difference of time, difference of delay), b minus a, of every pair."""
    rows = list(zip(*(array.tolist() for array in light), strict=True))
    first = [(time, delay) for time, channel, delay in rows if channel in a]
    second = [(time, delay) for time, channel, delay in rows if channel in b]
    return [(t - s, e - d) for s, d in first for t, e in second]


@pytest.mark.parametrize("dense", [False, True])
@given(gaps=gaps, seed=seeds, cuts=cuts, window=st.integers(1, 40))
def test_peaks_are_all_pairs_of_pulses(
    dense: bool, gaps: list[int], seed: int, cuts: list[int], window: int
) -> None:
    light = photons(gaps, seed)
    one = PulsedG2(((0, 2), 1), max_pulses=window)
    _choose(one, dense)
    got = fed(one, T3, light, cuts).result()
    counted = Counter(pulses for pulses, _ in all_pairs(light, {0, 2}, {1}))
    assert got.counts.tolist() == [counted[n] for n in range(-window, window + 1)]
    assert got.books.photons_a == np.isin(light[1], (0, 2)).sum()
    assert got.books.photons_b == (light[1] == 1).sum()
    assert got.books.covered_ticks == (light[0][-1] if gaps else 0)
    assert (got.books.share, got.books.crowded) == (1.0, 0)


def _choose(one: Any, dense: bool) -> None:
    """Let only one of the two kernels count: which one is quicker must not matter."""
    count = one._count

    def counted(end: int, _: bool) -> int:
        found: int = count(end, dense)
        return found

    one._count = counted


@pytest.mark.parametrize("dense", [False, True])
@given(gaps=gaps, seed=seeds, cuts=cuts, width=st.integers(1, 17), half=st.integers(1, 50))
def test_the_window_holds_all_pairs_by_lag(
    dense: bool, gaps: list[int], seed: int, cuts: list[int], width: int, half: int
) -> None:
    light = photons(gaps, seed)
    one = WindowedG2((0, (1, 3)), bin_ticks=width, half_bins=half)
    _choose(one, dense)
    got = fed(one, T2, light, cuts).result()
    counted = Counter(lag // width for lag, _ in all_pairs(light, {0}, {1, 3}))
    assert got.counts.tolist() == [counted[k] for k in range(-half, half)]
    assert got.lag_ticks.tolist() == [k * width for k in range(-half, half)]


@given(gaps=gaps, seed=seeds, cuts=cuts, width=st.integers(1, 40), end=st.integers(1, 100))
def test_delays_are_kept_beside_the_pulses(
    gaps: list[int], seed: int, cuts: list[int], width: int, end: int
) -> None:
    light = photons(gaps, seed)
    one = PulsedDelays(max_pulses=5, delay_bins=end, bins_per_column=width)
    got = fed(one, T3, light, cuts).result()
    kept = light[2] < end
    pairs = all_pairs((light[0][kept], light[1][kept], light[2][kept]), {0}, {1})
    counted = Counter((n, delay // width) for n, delay in pairs)
    columns = (got.delay_bins // width).tolist()
    assert got.counts.tolist() == [[counted[n, c] for c in columns] for n in range(-5, 6)]
    assert got.counts.sum() == sum(abs(n) <= 5 for n, _ in pairs)


@given(gaps=gaps, seed=seeds, first=st.integers(0, 99), width=st.integers(0, 99))
def test_a_gate_keeps_only_its_delays(gaps: list[int], seed: int, first: int, width: int) -> None:
    time, channel, delay = light = photons(gaps, seed)
    kept = (delay >= first) & (delay < first + width)
    gated = fed(PulsedG2(gate_bins=(first, first + width)), T3, light).result()
    alone = fed(PulsedG2(), T3, (time[kept], channel[kept], delay[kept])).result()
    assert gated.counts.tolist() == alone.counts.tolist()
    assert gated.books.photons_a == alone.books.photons_a


def test_lags_far_beyond_32_bits_fall_into_the_right_bin() -> None:
    width, half = 3_000_000_019, 40_000
    time = np.array([0, 7 * width - 1, 7 * width, 39_999 * width + 1, 40_000 * width], np.int64)
    channel = np.array([0, 1, 1, 1, 1], np.uint8)
    light = time, channel, np.zeros(5, np.uint16)
    got = fed(WindowedG2(bin_ticks=width, half_bins=half), T2, light).result()
    assert (np.flatnonzero(got.counts) - half).tolist() == [6, 7, 39_999]


def test_a_block_can_be_larger_than_a_read() -> None:
    light_ = light(0, 200_000, 5.0)
    whole = fed(PulsedG2(), T3, light_).result()
    parts = fed(PulsedG2(), T3, light_, range(0, 400_000, 10_007)).result()
    assert whole.counts.tolist() == parts.counts.tolist()
    assert whole.books == parts.books


@pytest.mark.parametrize("mean_gap", [2.0, 50.0, 3000.0])
def test_poisson_light_is_uncorrelated(mean_gap: float) -> None:
    """Within 5 sigma in every peak and bin, and in their sums."""
    time, channel, delay = light(1, 300_000, mean_gap)
    peaks = fed(PulsedG2(), T3, (time, channel, delay)).result()
    window = fed(WindowedG2(bin_ticks=50, half_bins=20), T2, (time, channel, delay)).result()
    for got in (peaks, window):
        enough = got.expected > 25
        pulls = (got.counts - got.expected) / np.sqrt(got.expected)
        assert np.all(np.abs(pulls[enough]) < 5)
        total = got.counts.sum() - got.expected.sum()
        assert abs(total) < 5 * np.sqrt(got.expected.sum())


def test_antibunched_light_has_an_empty_middle() -> None:
    pulses = np.arange(0, 60_000, 3)
    channel = np.random.default_rng(0).integers(0, 2, len(pulses)).astype(np.uint8)
    light = pulses, channel, np.zeros(len(pulses), np.uint16)
    got = fed(PulsedG2(), T3, light).result()
    assert got.g2[10] == 0
    assert got.g2_error[10] == pytest.approx(1 / got.expected[10])
    assert got.g2[13] == pytest.approx(3.0, abs=5 * got.g2_error[13])


def test_blocks_left_out_are_told() -> None:
    light_ = light(2, 90_000, 6.0)
    records = Encoder(3).feed(*light_)
    decoder, one = Decoder(T3), PulsedG2()
    for number, part in enumerate(np.array_split(records, 30)):
        block = decoder.feed(part)
        one.skip(block) if number % 3 == 1 else one.feed(block)
    got = one.result()
    assert got.books.seen == 90_000
    assert got.books.share == pytest.approx(2 / 3, rel=0.01)
    assert np.all(np.abs(got.g2 - 1) < 5 * got.g2_error)


def test_photons_in_an_impossible_crowd_are_left_out() -> None:
    """Damaged data with everything at one time must neither hang nor fill the memory."""
    light = np.full(50_000, 7), np.arange(50_000, dtype=np.uint8) % 2, np.zeros(50_000, np.uint16)
    whole = fed(PulsedG2(), T3, light).result()
    assert whole.books.crowded == 50_000 - 1024
    assert whole.counts.sum() == 512 * 512
    parts = fed(PulsedG2(), T3, light, range(0, 50_000, 777)).result()
    assert parts.counts.tolist() == whole.counts.tolist()
    window = fed(WindowedG2(bin_ticks=1, half_bins=5), T2, light).result()
    assert window.counts.sum() == 512 * 512


def test_times_that_decrease_cannot_lead_out_of_a_table() -> None:
    rng = np.random.default_rng(3)
    records = rng.integers(0, 1 << 26, 20_000).astype(np.uint32)
    for dense in (False, True):
        one = PulsedG2(max_pulses=1)
        _choose(one, dense)
        whole = Decoder(T3)
        one.feed(whole.feed(records))
        cut = PulsedG2(max_pulses=1)
        decoder = Decoder(T3)
        for part in np.array_split(records, 13):
            cut.feed(decoder.feed(part))
        assert cut.result().counts.tolist() == one.result().counts.tolist()


def test_sides_must_differ() -> None:
    for sides in [(0, 0), ((0, 1), 1), ((), 1)]:
        with pytest.raises(ValueError, match="different"):
            PulsedG2(sides)
    with pytest.raises(ValueError, match="no such channel"):
        PulsedG2((0, 200))
    with pytest.raises(ValueError, match="at least one bin"):
        WindowedG2(bin_ticks=0, half_bins=1)
