"""Summing frames: cosmic rays, saturation, blinking."""

import numpy as np
import pytest

from labctl.analysis import NoiseModel, combine_frames
from labctl.errors import AnalysisError

NOISE = NoiseModel(1.0, 3.0, 100.0, frames=5)


def frames(seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    light = 400 * np.exp(-(((np.arange(200.0) - 90) / 3) ** 2))
    return 100 + generator.poisson(light, (5, 200)) + 3 * generator.standard_normal((5, 200))


def test_sum_without_anything_unusual() -> None:
    given = frames()
    found = combine_frames(given, NOISE)
    np.testing.assert_allclose(found.counts, given.sum(axis=0))
    assert found.usable.all()
    assert found.cosmic_rays == found.saturated_pixels == 0
    assert np.all(found.variance_scale == 1.0)


def test_a_cosmic_ray_is_replaced_by_the_other_frames() -> None:
    given = frames()
    clean = combine_frames(given, NOISE).counts
    given[2, 30] += 900.0
    given[4, 90] += 2000.0
    found = combine_frames(given, NOISE)
    assert found.cosmic_rays == 2
    assert np.flatnonzero(found.variance_scale > 1).tolist() == [30, 90]
    assert abs(found.counts[30] - clean[30]) < 100
    assert abs(found.counts[90] - clean[90]) < 250


def test_blinking_is_not_a_cosmic_ray() -> None:
    given = frames()
    given[1] = 100 + 1.4 * (given[1] - 100)
    assert combine_frames(given, NOISE).cosmic_rays == 0


def test_a_pixel_saturated_once_is_not_used() -> None:
    given = frames()
    given[3, 90] = 65535.0
    found = combine_frames(given, NOISE)
    assert not found.usable[90]
    assert found.saturated_pixels == 1


def test_the_number_of_frames_must_agree() -> None:
    with pytest.raises(AnalysisError, match="not 5 spectra"):
        combine_frames(frames()[:3], NOISE)


def register(
    generator: np.random.Generator, mean_e: np.ndarray | float, shape: tuple[int, int], gain: float
) -> np.ndarray:
    """Draw counts behind an EM register, 600 counts of bias, 3 of read noise, 5 e- per count."""
    electrons = generator.poisson(mean_e, shape)
    output = electrons + gain * generator.standard_gamma(electrons * (gain - 1) / gain)
    return np.rint(600.0 + output / 5.0 + 3.0 * generator.standard_normal(shape))


def em_noise(gain: float, count: int) -> NoiseModel:
    return NoiseModel(5.0, 3.0, 600.0, em_gain=gain, frames=count, full_scale_counts=1e9)


@pytest.mark.parametrize("count", [3, 5, 20])
@pytest.mark.parametrize("gain", [10.0, 300.0])
def test_the_tail_of_the_register_is_no_cosmic_ray(gain: float, count: int) -> None:
    pixels = 200_000
    light = np.tile([0.02, 0.3, 3.0, 100.0], pixels // 4)
    given = register(np.random.default_rng(0), light, (count, pixels), gain)
    # At one false rejection in 1e5 pixels, all six cases together would have twelve; none at all
    # has then a probability of 6e-6.
    assert combine_frames(given, em_noise(gain, count)).cosmic_rays == 0


def test_a_gain_that_is_a_fifth_higher_than_believed_rejects_nothing() -> None:
    given = register(np.random.default_rng(1), 0.3, (5, 200_000), 120.0)
    assert combine_frames(given, em_noise(100.0, 5)).cosmic_rays <= 1


@pytest.mark.parametrize("mean_e", [0.1, 10.0, 100.0])
@pytest.mark.parametrize("count", [3, 20])
def test_cosmic_rays_behind_the_register_are_found(count: int, mean_e: float) -> None:
    generator = np.random.default_rng(2)
    pixels, gain = 2000, 300.0
    given = register(generator, mean_e, (count, pixels), gain)
    clean = given.copy()
    struck = generator.integers(0, count, pixels)
    # 400 electrons: a quarter of what a muon leaves in a sensor.
    given[struck, np.arange(pixels)] += gain * generator.standard_gamma(400.0, pixels) / 5.0
    found = combine_frames(given, em_noise(gain, count))
    assert found.cosmic_rays == pixels
    left = np.delete(clean, 0, axis=0).sum(axis=0)[struck == 0] * count / (count - 1)
    np.testing.assert_allclose(found.counts[struck == 0], left)


def test_two_cosmic_rays_in_one_pixel_are_both_found() -> None:
    given = register(np.random.default_rng(3), 1.0, (5, 100), 300.0)
    given[[1, 3], 50] += 300.0 * 1500.0 / 5.0
    assert combine_frames(given, em_noise(300.0, 5)).cosmic_rays == 2


def test_blinking_behind_the_register_is_not_a_cosmic_ray() -> None:
    generator = np.random.default_rng(4)
    light = 0.3 + 400 * np.exp(-(((np.arange(20_000.0) - 90) / 3) ** 2))
    brightness = np.array([1.0, 1.6, 0.0, 1.0, 0.3])
    given = register(generator, brightness[:, None] * light, (5, 20_000), 300.0)
    assert combine_frames(given, em_noise(300.0, 5)).cosmic_rays == 0


@pytest.mark.parametrize("mean_e", [0.1, 1.0, 30.0])
def test_the_highest_counts_of_a_sum(mean_e: float) -> None:
    noise = em_noise(300.0, 5)
    sums = register(np.random.default_rng(5), mean_e, (5, 200_000), 300.0).sum(axis=0)
    expected = np.array(5 * (600.0 + 60.0 * mean_e))
    # Chernoff's bound of e^-16 allows 0.02 in 2e5.
    assert int((sums > noise.highest(expected)).sum()) == 0
    # It is no idle bound: eight standard deviations are passed where there is little light.
    eight = expected + 8 * np.sqrt(noise.variance(expected))
    assert (noise.highest(expected) > eight) == (mean_e < 3)
