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
