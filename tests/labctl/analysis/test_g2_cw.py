"""Continuous excitation: closed forms of the shape, Poissonian histograms, real arrival times."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    Measured,
    fit_cw_g2,
    gaussian_pair_response,
    pair_response,
    two_sided_decay,
)
from labctl.errors import AnalysisError
from labctl.photons import PairBooks, WindowedG2Result

Vector = NDArray[np.float64]
TICK_S = 1e-12
BIN_TICKS = 128
HALF = 300
LAGS = np.arange(-HALF, HALF) * BIN_TICKS


def smeared(law: "Law", fwhm_ps: float) -> Vector:
    """Bin means of the law behind a Gaussian, on a grid of 4 ps: nothing shared with the fit."""
    first, end = int(LAGS[0]) - 2000, int(LAGS[-1]) + BIN_TICKS + 2000
    fine: Vector = np.arange(first, end, 4, dtype=np.float64) + 2.0
    values = law(fine)
    if fwhm_ps > 0:
        sd = fwhm_ps / 2.3548
        steps = np.arange(-1600, 1601, 4)
        kernel = np.exp(-0.5 * (steps / sd) ** 2)
        values = np.convolve(values, kernel / kernel.sum(), "same")
    inside = values[500 : 500 + 2 * HALF * BIN_TICKS // 4]
    return inside.reshape(2 * HALF, -1).mean(axis=1)


class Law:
    def __init__(self, depth: float, tau_ps: float, bunching: float = 0.0, slow_ps: float = 1e4):
        self.numbers = depth, tau_ps, bunching, slow_ps

    def __call__(self, lag_ps: Vector) -> Vector:
        depth, tau, bunching, slow = self.numbers
        far = np.abs(lag_ps)
        return 1 - depth * np.exp(-far / tau) + bunching * np.exp(-far / slow)


def histogram(law: Law, seed: int | None, per_bin: float = 100.0, fwhm_ps: float = 300.0):
    mean = per_bin * smeared(law, fwhm_ps)
    counts = mean if seed is None else np.random.default_rng(seed).poisson(mean)
    covered = 10**14
    photons = round(math.sqrt(per_bin * covered / BIN_TICKS))
    books = PairBooks(photons, photons, covered, 2 * photons, 0)
    return WindowedG2Result(LAGS, np.asarray(np.rint(counts), np.int64), BIN_TICKS, books)


RESPONSE = gaussian_pair_response(300e-12, BIN_TICKS * TICK_S)


def test_bin_means_of_the_two_sided_exponential() -> None:
    begins = np.arange(-40.0, 40.0)
    fine = (begins[:, None] + (np.arange(2000) + 0.5) / 2000).ravel()
    expected = np.exp(-np.abs(fine) / 3.0).reshape(80, -1).mean(axis=1)
    np.testing.assert_allclose(two_sided_decay(begins, 3.0), expected, rtol=1e-6)
    # A beginning of lag zero within a bin: split there, not averaged.
    split = two_sided_decay(np.array([-0.25]), 2.0)[0]
    assert split == pytest.approx(2 * (2 - math.exp(-0.125) - math.exp(-0.375)))


def test_responses_of_pairs() -> None:
    one = np.zeros(9)
    one[2] = 3.0
    other = np.zeros(9)
    other[6] = 5.0
    both = pair_response(one, other)
    assert both.size == 17
    assert np.flatnonzero(both).tolist() == [8 + 4]
    assert RESPONSE.sum() == pytest.approx(1.0)
    for sd_bins in (0.0, 0.3, 0.7, 1.0, 4.0):
        shares = gaussian_pair_response(2.3548200450309493 * sd_bins, 1.0)
        place = np.arange(shares.size) - shares.size // 2
        assert shares.sum() == pytest.approx(1.0)
        assert shares @ place**2 == pytest.approx(sd_bins**2, rel=5e-3)


def test_the_planted_numbers_come_back() -> None:
    found = fit_cw_g2(histogram(Law(0.9, 2000.0), None, 1e6), TICK_S, response=RESPONSE)
    assert found.g2_zero.value == pytest.approx(0.1, abs=3e-3)
    assert found.antibunching_ns.value == pytest.approx(2.0, rel=3e-3)
    assert found.bunching is None
    assert found.scale.value == pytest.approx(1.0, rel=1e-3)


def test_the_response_matters() -> None:
    """Antibunching as fast as the detectors: filled up without deconvolution."""
    data = histogram(Law(1.0, 300.0), None, 1e6)
    assert fit_cw_g2(data, TICK_S).g2_zero.value > 0.1
    assert fit_cw_g2(data, TICK_S, response=RESPONSE).g2_zero.value == pytest.approx(0, abs=0.02)


def test_errors_are_honest() -> None:
    law = Law(0.85, 3000.0)
    fits = [fit_cw_g2(histogram(law, seed), TICK_S, response=RESPONSE) for seed in range(40)]
    for pulls in (
        np.array([fit.g2_zero.pull(0.15) for fit in fits]),
        np.array([fit.antibunching_ns.pull(3.0) for fit in fits]),
    ):
        assert abs(pulls.mean()) < 0.4
        assert 0.75 < pulls.std() < 1.3
    assert np.mean([fit.probability > 0.01 for fit in fits]) > 0.9


def test_bunching_beside_antibunching() -> None:
    law = Law(1.3, 1500.0, 0.4, 9000.0)
    found = fit_cw_g2(histogram(law, 0, 2000.0), TICK_S, response=RESPONSE, with_bunching=True)
    assert found.bunching is not None
    assert found.bunching_ns is not None
    assert found.g2_zero.covers(0.1, 5)
    assert found.bunching.covers(0.4, 5)
    assert found.bunching_ns.covers(9.0, 5)
    assert found.g2_zero.error < 0.05
    assert not found.flags


def test_the_background_deepens_the_dip() -> None:
    rho = Measured(0.8, 0.02)
    plain = fit_cw_g2(histogram(Law(0.72, 2000.0), 0, 1000.0), TICK_S, response=RESPONSE)
    found = fit_cw_g2(
        histogram(Law(0.72, 2000.0), 0, 1000.0), TICK_S, response=RESPONSE, signal_share=rho
    )
    assert found.g2_zero.value == pytest.approx(1 - plain.depth.value / 0.8)
    assert found.g2_zero.covers(0.1, 5)
    expected = math.hypot(plain.depth.error / 0.8, plain.depth.value / 0.8**2 * 0.02)
    assert found.g2_zero.error == pytest.approx(expected, rel=1e-3)


def test_cables_of_unequal_length() -> None:
    data = histogram(Law(0.9, 2000.0), None, 1e5)
    moved = WindowedG2Result(LAGS + 10 * BIN_TICKS, data.counts, BIN_TICKS, data.books)
    zero_s = 10 * BIN_TICKS * TICK_S
    found = fit_cw_g2(moved, TICK_S, response=RESPONSE, zero_s=zero_s)
    assert found.g2_zero.value == pytest.approx(0.1, abs=0.01)


def test_poisson_light() -> None:
    flat = fit_cw_g2(histogram(Law(0.0, 1000.0), 0), TICK_S, response=RESPONSE)
    assert "antibunching not significant" in flat.flags
    assert flat.scale.value == pytest.approx(1.0, abs=0.05)


def test_what_cannot_be_fitted() -> None:
    data = histogram(Law(0.9, 2000.0), 0)
    with pytest.raises(AnalysisError, match="odd number"):
        fit_cw_g2(data, TICK_S, response=np.ones(4))
    empty = WindowedG2Result(LAGS, np.zeros(2 * HALF, np.int64), BIN_TICKS, data.books)
    with pytest.raises(AnalysisError, match="cannot be fitted"):
        fit_cw_g2(empty, TICK_S)
