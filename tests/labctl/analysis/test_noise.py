"""Noise model against simulated cameras; photon transfer with and without cosmic rays."""

import numpy as np
import pytest

from labctl.analysis import NoiseModel, excess_noise_factor, photon_transfer
from labctl.errors import AnalysisError


def test_excess_noise() -> None:
    assert excess_noise_factor(1.0) == 1.0
    assert excess_noise_factor(1000.0) == pytest.approx(2.0, abs=0.03)
    assert 1.0 < excess_noise_factor(2.0) < excess_noise_factor(10.0) < 2.0


@pytest.mark.parametrize(("gain", "frames", "rows"), [(1.0, 1, 1), (50.0, 3, 1), (1.0, 4, 5)])
def test_variance_of_simulated_pixels(gain: float, frames: int, rows: int) -> None:
    generator = np.random.default_rng(0)
    noise = NoiseModel(3.0, 4.0, 600.0, gain, frames, rows, excess=2.0 if gain > 1 else 1.0)
    mean_electrons, trials = 90.0, 40_000
    electrons = generator.poisson(mean_electrons, trials).astype(float)
    if gain > 1:
        electrons = generator.gamma(electrons, gain)
    reads = frames * rows
    counts = electrons / 3.0 + 600.0 * reads + 4.0 * reads**0.5 * generator.standard_normal(trials)
    expected = mean_electrons * noise.counts_per_electron + noise.bias_sum_counts
    stated = noise.variance(np.array([expected]))[0] - reads / 12
    # Standard deviation of a sample variance: sqrt(2/n), and more for the skewed gain.
    assert counts.var() == pytest.approx(stated, rel=5 * np.sqrt(3 / trials))
    assert counts.mean() == pytest.approx(expected, rel=1e-2)


def test_saturation_of_a_sum() -> None:
    noise = NoiseModel(1.0, 1.0, frames=2, full_scale_counts=1000.0)
    np.testing.assert_array_equal(noise.saturated(np.array([1900.0, 1970.0])), [False, True])


@pytest.mark.parametrize("field", ["electrons_per_count", "em_gain", "frames", "rows"])
def test_impossible_values_are_named(field: str) -> None:
    values: dict[str, float] = {"electrons_per_count": 1.0, "read_noise_counts": 1.0, field: 0}
    with pytest.raises(AnalysisError, match=field):
        NoiseModel(**values)  # pyright: ignore[reportArgumentType]


def frames_of(seed: int, *, cosmic: bool) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    light = np.geomspace(1.0, 20_000.0, 1600)
    shape = (20, 1600)
    bright = generator.poisson(light, shape) / 1.9 + 600 + 1.7 * generator.standard_normal(shape)
    dark = 600 + 1.7 * generator.standard_normal(shape)
    if cosmic:
        for frames in (bright, dark):
            hits = generator.integers(0, 20, 12), generator.integers(0, 1600, 12)
            frames[hits] += generator.exponential(800.0, 12)
    return np.rint(bright), np.rint(dark)


@pytest.mark.parametrize("cosmic", [False, True])
def test_photon_transfer_is_honest(cosmic: bool) -> None:
    pulls: list[tuple[float, float]] = []
    for seed in range(30):
        found = photon_transfer(*frames_of(seed, cosmic=cosmic))
        noise = (1.7**2 + 1 / 12) ** 0.5
        pulls.append((found.electrons_per_count.pull(1.9), found.read_noise_counts.pull(noise)))
        assert found.bias_counts.value == pytest.approx(600.0, abs=0.05)
    mean, spread = np.mean(pulls, axis=0), np.std(pulls, axis=0)
    # Three standard deviations of mean (0.18) and spread (0.13) of 30 normal numbers.
    assert np.all(np.abs(mean) < 0.55)
    assert np.all((spread > 0.6) & (spread < 1.4))


def test_photon_transfer_refuses_darkness_and_single_frames() -> None:
    bright, dark = frames_of(0, cosmic=False)
    with pytest.raises(AnalysisError, match="does not grow"):
        photon_transfer(dark, dark[::-1])
    with pytest.raises(AnalysisError, match="two light"):
        photon_transfer(bright[:1], dark)
