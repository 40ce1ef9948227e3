"""Thresholds on binned traces."""

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import threshold_trace
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]

BIN_S = 0.01


def trace(
    seed: int, means_s: tuple[float, float], levels: tuple[float, float], end_s: float = 20.0
) -> tuple[NDArray[np.int64], Vector]:
    """Counts per bin of a telegraph that begins ON, and how much of each bin was ON."""
    rng = np.random.default_rng(seed)
    on = np.arange(20_000) % 2 == 0
    mean_s = np.array([means_s[1], means_s[0]])[on.astype(np.int64)]
    dwells = mean_s * rng.exponential(1.0, 20_000)
    edges = np.concatenate([[0.0], np.cumsum(dwells)])
    lit = np.concatenate([[0.0], np.cumsum(dwells * on)])
    bins = np.arange(0.0, end_s + BIN_S / 2, BIN_S)
    share = np.diff(np.interp(bins, edges, lit)) / BIN_S
    return rng.poisson(levels[1] + (levels[0] - levels[1]) * share), share


def test_pulls_of_the_on_fraction_and_of_the_levels() -> None:
    by_threshold: list[float] = []
    by_mean: list[float] = []
    bright: list[float] = []
    for seed in range(100):
        counts, _ = trace(seed, (0.2, 0.1), (700.0, 100.0))
        found = threshold_trace(counts, BIN_S)
        by_threshold.append(found.on_fraction.pull(2 / 3))
        by_mean.append(found.on_fraction_by_mean.pull(2 / 3))
        bright.append(found.on_counts.value - 700)
        assert not found.flags
    # 100 pulls: the mean has a deviation of 0.1.
    for pulls in (by_threshold, by_mean):
        assert abs(np.mean(pulls)) < 0.4
        assert 0.75 < np.std(pulls) < 1.3
    # Dark dwells shorter than half a bin take 0.5 % of the ON light at most.
    assert -3.5 < np.mean(bright) < 0.5


@pytest.mark.parametrize("rule", ["valley", "otsu", 250.0])
def test_the_time_above_a_threshold_is_corrected_for_its_place(
    rule: Literal["valley", "otsu"] | float,
) -> None:
    off: list[float] = []
    for seed in range(20):
        counts, share = trace(seed, (0.2, 0.1), (700.0, 100.0))
        off.append(threshold_trace(counts, BIN_S, rule).on_fraction.value - float(share.mean()))
    # Seven switches in a second, each right to a third of a bin: 0.002 for 20 s.
    assert abs(np.mean(off)) < 0.0025


def test_the_valley_is_the_middle_or_where_both_are_as_likely() -> None:
    rng = np.random.default_rng(0)
    apart = np.concatenate([rng.poisson(100, 500), rng.poisson(700, 1500)])
    assert threshold_trace(apart, BIN_S).threshold_counts == pytest.approx(400, abs=3)
    near = np.concatenate([rng.poisson(10, 20_000), rng.poisson(30, 60_000)])
    found = threshold_trace(near, BIN_S)
    as_likely = (20 + np.log(20 / 60)) / np.log(3)
    assert found.threshold_counts == pytest.approx(as_likely, abs=0.2)
    wrong = np.mean(np.concatenate([near[:20_000] > as_likely, near[20_000:] <= as_likely]))
    assert found.overlap == pytest.approx(float(wrong), rel=0.3)


def test_levels_that_overlap_raise_a_flag() -> None:
    counts, _ = trace(0, (0.2, 0.1), (20.0, 8.0))
    assert any("overlap" in flag for flag in threshold_trace(counts, BIN_S).flags)


def test_dwells_shorter_than_a_bin_show_in_the_mean() -> None:
    counts, share = trace(0, (0.05, 0.002), (700.0, 0.0))
    found = threshold_trace(counts, BIN_S, 350.0)
    assert found.on_fraction.value > float(share.mean()) + 0.01


def test_steady_light_is_on() -> None:
    found = threshold_trace(np.random.default_rng(0).poisson(500, 3000), BIN_S)
    assert found.on_fraction.value == 1.0
    assert np.isnan(found.on_fraction.error)
    assert found.flags == ("one level only: nothing is OFF",)
    assert found.on_counts.covers(500, 4)
    constant = threshold_trace(np.full(10, 7), BIN_S)
    assert constant.on_fraction.value == 1.0


def test_too_few_bins_are_refused() -> None:
    with pytest.raises(AnalysisError, match="too few"):
        threshold_trace(np.array([1, 2]), BIN_S)
