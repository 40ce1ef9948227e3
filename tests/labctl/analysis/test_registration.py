"""Movement between pictures: right within its error, and refused where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labctl.analysis import register_images
from labctl.errors import AnalysisError
from pictures import structure

SHAPE = (160, 200)


def test_movement_has_an_honest_error() -> None:
    """20 movements up to 40 pixels: errors below 0.2 px, pulls of standard deviation 1 +- 0.4."""
    pulls: list[float] = []
    for seed in range(20):
        x, y = np.random.default_rng(seed).uniform(-40.0, 40.0, 2)
        first = structure(seed, SHAPE, (0.0, 0.0), 2 * seed)
        second = structure(seed, SHAPE, (float(x), float(y)), 2 * seed + 1)
        found = register_images(first, second)
        assert abs(found.x_px.value - x) < 0.2
        assert abs(found.y_px.value - y) < 0.2
        assert found.correlation > 0.6 > found.rival
        pulls += [found.x_px.pull(float(x)), found.y_px.pull(float(y))]
    # 40 values: the standard error of the standard deviation is 11 %.
    assert np.std(pulls) == pytest.approx(1.0, abs=0.4)


def test_pictures_of_different_places_are_not_registered() -> None:
    for seed in range(10):
        with pytest.raises(AnalysisError, match=r"nothing in common|several places"):
            register_images(
                structure(seed, SHAPE, (0.0, 0.0), seed),
                structure(seed + 100, SHAPE, (0.0, 0.0), seed + 1),
            )


def test_a_lattice_fits_at_several_places() -> None:
    y, x = np.mgrid[:160, :200]
    lattice = 500.0 + 100.0 * np.sin(2.0 * np.pi * x / 20.0) * np.sin(2.0 * np.pi * y / 20.0)
    noise = np.random.default_rng(0).standard_normal((2, 160, 200))
    with pytest.raises(AnalysisError, match="several places"):
        register_images(lattice + noise[0], lattice + noise[1])


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(AnalysisError, match="cannot be compared"):
        register_images(np.zeros((64, 64)), np.zeros((64, 65)))
    with pytest.raises(AnalysisError, match="too small"):
        register_images(np.zeros((20, 64)), np.zeros((20, 64)))
    with pytest.raises(AnalysisError, match="no structure"):
        register_images(np.full((64, 64), 7.0), np.full((64, 64), 7.0))


@settings(max_examples=12, deadline=None)
@given(st.integers(-50, 50), st.integers(-50, 50))
def test_whole_pixels_are_exact(x: int, y: int) -> None:
    whole = structure(7, (300, 340), (0.0, 0.0), 7)
    first, second = whole[60:240, 60:280], whole[60 - y : 240 - y, 60 - x : 280 - x]
    found = register_images(first, second)
    assert (found.x_px.value, found.y_px.value) == pytest.approx((x, y), abs=0.03)
    back = register_images(second, first)
    assert back.x_px.value == pytest.approx(-found.x_px.value, abs=0.02)
