"""Pile-up and dead time against simulated counting and closed forms."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    Irf,
    correct_pile_up,
    dead_time_share,
    fit_decay,
    pile_up,
)
from labctl.errors import AnalysisError

BIN_PS, BINS, TAU_PS, PULSE_PS = 16.0, 1024, 1000.0, 800.0
SYNCS = 2_000_000


def first_photons(seed: int, per_sync: float) -> NDArray[np.float64]:
    """Histogram of a module that keeps the first photon of each sync."""
    draw = np.random.default_rng(seed)
    photons = draw.poisson(per_sync * SYNCS)
    syncs = draw.integers(0, SYNCS, photons)
    times = PULSE_PS + draw.exponential(TAU_PS, photons) + draw.normal(0.0, 21.0, photons)
    order = np.lexsort((times, syncs))
    first = np.append(True, np.diff(syncs[order]) > 0)
    found = np.histogram(times[order][first], np.arange(BINS + 1) * BIN_PS)[0]
    return found.astype(np.float64)


def lifetime(counts: NDArray[np.float64]) -> float:
    draw = np.random.default_rng(99)
    times = PULSE_PS + draw.normal(0.0, 21.0, 500_000)
    seen = np.histogram(times, np.arange(BINS + 1) * BIN_PS)[0].astype(np.float64)
    irf = Irf(counts=seen, bin_ps=BIN_PS)
    return fit_decay(counts, BIN_PS, irf, model="mono").lifetime_ps.value


def test_pile_up_shortens_by_the_known_amount_and_the_correction_cures_it() -> None:
    """The first of n photons comes after tau / n in the mean; n is Poissonian and not 0."""
    per_sync = 0.2
    counts = first_photons(0, per_sync)
    numbers = np.arange(1, 20)
    chances = np.exp(-per_sync) * per_sync**numbers / np.cumprod(numbers.astype(float))
    known = TAU_PS * float((chances / numbers).sum() / chances.sum())
    assert known == pytest.approx(0.951 * TAU_PS, rel=0.01)
    delays = (np.arange(BINS) + 0.5) * BIN_PS - PULSE_PS
    error = TAU_PS / counts.sum() ** 0.5
    assert counts @ delays / counts.sum() == pytest.approx(known, abs=5.0 * error)
    assert lifetime(counts) == pytest.approx(known, rel=0.01)
    cured = correct_pile_up(counts, SYNCS)
    assert lifetime(cured.counts) == pytest.approx(TAU_PS, abs=5.0 * 1.2 * error)
    assert cured.counts.sum() == pytest.approx(per_sync * SYNCS, rel=0.005)


def test_the_errors_of_corrected_counts() -> None:
    pulls = [
        (cured.counts[100:200].sum() - expected) / np.sqrt((cured.errors[100:200] ** 2).sum())
        for seed in range(20)
        for cured in [correct_pile_up(bin_by_bin(seed, 0.3), SYNCS)]
        for expected in [0.3 * SYNCS * share_of_bins()]
    ]
    # 20 seeds: 4 sigma of the mean, 99.9 % of the standard deviation.
    assert abs(np.mean(pulls)) < 0.9
    assert 0.5 < np.std(pulls) < 1.6


def share_of_bins() -> float:
    """Share of the light of an exponential in bins 100 to 200."""
    begin, end = 100 * BIN_PS - PULSE_PS, 200 * BIN_PS - PULSE_PS
    return float(np.exp(-begin / TAU_PS) - np.exp(-end / TAU_PS))


def bin_by_bin(seed: int, per_sync: float) -> NDArray[np.float64]:
    """The same without jitter: of the syncs that are left, each counts with some chance."""
    draw, left, found = np.random.default_rng(seed), SYNCS, np.zeros(BINS)
    edges = np.maximum(np.arange(BINS + 1) * BIN_PS - PULSE_PS, 0.0)
    chances = -np.expm1(per_sync * np.diff(np.exp(-edges / TAU_PS)))
    for number, chance in enumerate(chances):
        found[number] = draw.binomial(left, chance)
        left -= int(found[number])
    return found


def test_one_count_per_sync_per_bin_is_exact() -> None:
    """S syncs: half count in the first bin, half of the rest in the second: ln 2 each."""
    cured = correct_pile_up(np.array([500.0, 250.0, 0.0]), 1000)
    assert cured.counts == pytest.approx([1000 * np.log(2), 1000 * np.log(2), 0.0])
    assert cured.scale == pytest.approx([2 * np.log(2), 4 * np.log(2), 4.0])
    assert cured.errors == pytest.approx([1000 * (1 / 1000) ** 0.5, 1000 * (1 / 500) ** 0.5, 0.0])


def test_the_warning_comes_above_five_per_cent() -> None:
    assert pile_up(0.0).lost_share == 0.0
    assert pile_up(0.05).warning == ""
    found = pile_up(0.0501)
    assert found.warning.startswith("pile-up: 5.0 counts per 100 syncs")
    assert found.photons_per_sync == pytest.approx(0.0514, abs=1e-4)
    assert found.lost_share == pytest.approx(1 - 0.0501 / found.photons_per_sync)


def test_dead_time() -> None:
    """A true rate R is seen as R / (1 + R t), of which R t / (1 + R t) is lost."""
    true_hz, dead_ns = 1e6, 77.0
    seen_hz = true_hz / (1 + true_hz * dead_ns * 1e-9)
    assert dead_time_share(seen_hz, dead_ns) == pytest.approx(1 - seen_hz / true_hz)


def test_impossible_numbers_are_refused() -> None:
    for counts_per_sync in (-0.1, 1.0, float("nan")):
        with pytest.raises(AnalysisError):
            pile_up(counts_per_sync)
    with pytest.raises(AnalysisError):
        dead_time_share(2e7, 77.0)
    with pytest.raises(AnalysisError):
        correct_pile_up(np.array([600.0, 400.0]), 1000)
    with pytest.raises(AnalysisError):
        correct_pile_up(np.array([-1.0, 4.0]), 1000)
