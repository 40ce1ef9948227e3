"""Change points: false alarms, power, regions, ties; levels on top of them."""

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import change_false_alarm, find_change_points, group_levels
from labctl.analysis._change_kernels import strongest_change
from labctl.analysis._critical import critical_statistics
from labctl.analysis._crossing import SMALL
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]
Ticks = NDArray[np.int64]

TICK_S = 1e-9


def ticks(intervals_s: Vector) -> Ticks:
    """Arrival times of photons with these intervals, the first at 0."""
    return np.round(np.concatenate([[0.0], np.cumsum(intervals_s)]) / TICK_S).astype(np.int64)


def statistic(time: Ticks) -> Vector:
    """The standardised, weighted ratio of the paper, written down a second time."""
    n = len(time) - 1
    k = np.arange(1, n)
    share = (time[1:-1] - time[0]) / (time[-1] - time[0])
    ratio = 2 * k * np.log(k / (n * share)) + 2 * (n - k) * np.log((n - k) / (n * (1 - share)))
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n))])
    squares = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n) ** 2)])
    before, after = harmonic[n - 1] - harmonic[k - 1], harmonic[n - 1] - harmonic[n - k - 1]
    mean = 2 * k * (np.log(k / n) + before) + 2 * (n - k) * (np.log((n - k) / n) + after)
    here, there = squares[n - 1] - squares[k - 1], squares[n - 1] - squares[n - k - 1]
    both = np.pi**2 / 6 - squares[n - 1]
    variance = 4 * (k**2 * here + (n - k) ** 2 * there - 2 * k * (n - k) * both)
    return (ratio - mean) / np.sqrt(variance) + 0.5 * np.log(4 * k * (n - k) / n**2)


def telegraph(
    seed: int, means_s: tuple[float, float], rates_hz: tuple[float, float], end_s: float
) -> tuple[Ticks, Vector, float]:
    """Photons (ticks) of a telegraph that begins ON, its switches (s) and its ON share."""
    rng = np.random.default_rng(seed)
    dwells = np.where(
        np.arange(4000) % 2 == 0,
        rng.exponential(means_s[0], 4000),
        rng.exponential(means_s[1], 4000),
    )
    edges = np.concatenate([[0.0], np.cumsum(dwells)])
    edges = np.minimum(edges[: np.searchsorted(edges, end_s) + 1], end_s)
    lasting = np.diff(edges)
    counts = rng.poisson(lasting * np.where(np.arange(lasting.size) % 2 == 0, *rates_hz))
    within = rng.random(int(counts.sum())) * np.repeat(lasting, counts)
    photons = np.sort(np.repeat(edges[:-1], counts) + within)
    return np.round(photons / TICK_S).astype(np.int64), edges[1:-1], lasting[::2].sum() / end_s


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [30, 500, 3000])
def test_the_kernel_finds_the_largest_statistic(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    faster = np.where(np.arange(n) < n // 3, 1.0, 1.0 + seed / 2)
    time = ticks(rng.exponential(1e-4, n) / faster)
    wanted = statistic(time)
    change, found = strongest_change(time, 0, n, 1, 0.0, SMALL)
    assert found == pytest.approx(max(wanted.max(), 0.0), rel=1e-5, abs=1e-5)
    assert wanted.max() < 0 or change == np.argmax(wanted) + 1


def test_the_exact_false_alarm_for_two_intervals() -> None:
    # V is uniform; the statistic is largest at its ends and 0 <= |V - 1/2| <= 1/2.
    for limit in (0.5, 2.0, 5.0):
        share = np.linspace(1e-7, 0.5, 400_001)
        ratio = -np.log(4 * share * (1 - share))
        deviation = 2 * sqrt(2 * (np.pi**2 / 6) - 4 * (np.pi**2 / 6 - 1))
        value = (2 * ratio - (4 - 4 * np.log(2))) / deviation
        expected = 2 * float(np.interp(-limit, -value, share))
        assert change_false_alarm(limit, 2) == pytest.approx(expected, rel=1e-4)


def test_the_exact_false_alarm_against_chance() -> None:
    # 4000 streams: within 4 standard deviations.
    rng = np.random.default_rng(0)
    for n in (10, 60, 300):
        largest = np.array([statistic(ticks(rng.exponential(1e-3, n))).max() for _ in range(4000)])
        for limit in (2.0, 3.5, 5.0):
            chance = change_false_alarm(limit, n)
            allowed = 4 * sqrt(chance * (1 - chance) / 4000)
            assert abs(np.mean(largest > limit) - chance) < allowed


@pytest.mark.parametrize("false_alarm", [0.2, 0.05, 0.01, 1e-4, 1e-6, 3e-8])
@pytest.mark.parametrize("n", [8, 20, 100, 700, 1000])
def test_the_table_is_the_exact_law(false_alarm: float, n: int) -> None:
    found = change_false_alarm(critical_statistics(false_alarm)(n), n)
    assert found == pytest.approx(false_alarm, rel=0.03)


def test_beyond_the_table_false_alarms_are_no_more() -> None:
    # The table is rounded to 0.005, that is to 0.4 % of a probability.
    assert change_false_alarm(critical_statistics(0.01)(20_000), 20_000) < 0.01 * 1.004


def test_false_alarms_of_one_window() -> None:
    # 400 constant streams at 5 %: 20 +- 4.4.
    rng = np.random.default_rng(1)
    found = [
        find_change_points(ticks(rng.exponential(1e-4, 800)), TICK_S, fewest=1).photon.size > 0
        for _ in range(400)
    ]
    assert abs(sum(found) - 20) < 4 * 4.4


def test_false_alarms_of_a_long_stream() -> None:
    # The bound is over all tests of a stream: 20 of 100 at most, within 4 deviations.
    rng = np.random.default_rng(2)
    found = [
        find_change_points(ticks(rng.exponential(1e-4, 20_000)), TICK_S, significance=0.2).photon
        for _ in range(100)
    ]
    assert sum(one.size > 0 for one in found) < 20 + 4 * sqrt(16)


@pytest.mark.parametrize("ratio", [1.2, 1.35, 1.5, 2.0])
def test_the_power_lies_between_that_of_known_and_of_unknown_place(ratio: float) -> None:
    # 200 + 200 photons: the logarithm of the ratio is known to sqrt(2 / 200). At most the power of
    # a test at 5 % that knows the place; at least that the place itself exceeds the critical value.
    rng = np.random.default_rng(3)
    rates = np.repeat([1.0, ratio], 200)
    found = [
        find_change_points(ticks(rng.exponential(1e-4, 400) / rates), TICK_S).photon.size > 0
        for _ in range(200)
    ]
    z = float(np.log(ratio)) * 10
    needed = sqrt(1 + sqrt(2) * critical_statistics(0.05)(400))
    most, least = NormalDist().cdf(z - 1.96), NormalDist().cdf(z - needed)
    slack = 4 * sqrt(0.25 / 200)
    assert least - slack < np.mean(found) < most + slack


def test_regions_cover_the_change_at_least_as_often_as_stated() -> None:
    rng = np.random.default_rng(4)
    covered: dict[float, list[bool]] = {0.683: [], 0.95: []}
    for _ in range(300):
        before = rng.exponential(1e-4, 300)
        time = ticks(np.concatenate([before, rng.exponential(1e-4 / 1.8, 300)]))
        switch_s = time[300] * TICK_S
        for confidence, list_ in covered.items():
            found = find_change_points(time, TICK_S, confidence=confidence)
            if found.photon.size == 1:
                list_.append(bool(found.region_s[0, 0] <= switch_s <= found.region_s[0, 1]))
    for confidence, list_ in covered.items():
        assert len(list_) > 250
        assert np.mean(list_) > confidence - 4 * sqrt(confidence * (1 - confidence) / len(list_))


def test_switches_of_a_telegraph_are_found_where_they_are() -> None:
    time, switches_s, _ = telegraph(0, (0.1, 0.05), (70e3, 10e3), 5.0)
    found = find_change_points(time, TICK_S)
    nearest = np.abs(found.time_s[:, None] - switches_s).min(axis=1)
    # Ten photons of the darker level.
    assert np.mean(nearest < 1e-3) > 0.99
    assert abs(found.photon.size - switches_s.size) <= 0.05 * switches_s.size
    assert found.counts.sum() == time.size - 1
    assert found.duration_s.sum() == pytest.approx((time[-1] - time[0]) * TICK_S)
    assert np.all(found.statistic >= found.critical)
    assert found.segment_of.size == time.size
    assert np.all(np.bincount(found.segment_of)[:-1] == found.counts[:-1])


def test_a_short_dark_dwell_amid_a_long_bright_one() -> None:
    rng = np.random.default_rng(5)
    gaps = rng.exponential(1e-5, 50_000)
    gaps[25_000:25_006] = rng.exponential(1e-4, 6) + 1e-4
    found = find_change_points(ticks(gaps), TICK_S)
    assert list(found.photon) == [25_000, 25_006]


def test_photons_of_one_tick_do_not_disturb() -> None:
    rng = np.random.default_rng(6)
    time = np.cumsum(rng.geometric(0.02, 20_000))
    twice = np.sort(np.concatenate([time, time[::50]]))
    assert find_change_points(twice, 1e-7).photon.size == 0


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(AnalysisError, match="too few"):
        find_change_points(np.arange(3), TICK_S)
    with pytest.raises(AnalysisError, match="order"):
        find_change_points(np.array([0, 5, 4, 9, 10, 11, 12]), TICK_S)
    with pytest.raises(ValueError, match="between"):
        find_change_points(np.arange(30), TICK_S, significance=0.5)


def test_two_levels_are_found_and_their_shares_and_rates_are_right() -> None:
    pulls: list[float] = []
    rates: list[float] = []
    for seed in range(20):
        time, _, _ = telegraph(seed, (0.1, 0.05), (20e3, 3e3), 6.0)
        levels = group_levels(find_change_points(time, TICK_S))
        assert len(levels.rate_hz) == 2
        pulls.append(levels.dwells().on_fraction().pull(2 / 3))
        rates.append(levels.rate_hz[1].pull(20e3))
        assert sum(levels.share) == pytest.approx(1.0)
    # 20 pulls: the mean has a deviation of 0.22, the deviation one of 0.16.
    assert abs(np.mean(pulls)) < 0.4 + 2 * 0.22
    assert 0.75 - 2 * 0.16 < np.std(pulls) < 1.3 + 2 * 0.16
    # A few photons on the wrong side of each switch: 1 % of the rate at most.
    assert abs(np.mean(rates)) < 2


def test_three_levels_and_one() -> None:
    rng = np.random.default_rng(7)
    order = rng.integers(0, 3, 120)
    rates = (5e3, 20e3, 60e3)
    gaps = [rng.exponential(1 / rates[int(level)], 1000) for level in order]
    levels = group_levels(find_change_points(ticks(np.concatenate(gaps)), TICK_S))
    found = [rate.value for rate in levels.rate_hz]
    assert found == pytest.approx([5e3, 20e3, 60e3], rel=0.02)
    single = group_levels(find_change_points(ticks(rng.exponential(1e-4, 5000)), TICK_S))
    assert len(single.rate_hz) == 1
    assert single.rate_hz[0].covers(1e4, 4)
    assert single.dwells().on_fraction().value == 1.0
