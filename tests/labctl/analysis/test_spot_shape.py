"""Size of a spot: a Gaussian of known axes seen through known optics, with noise of known size."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import ImageScale, Measured, SpotShape, measure_spot, spot_size
from labctl.errors import AnalysisError

Image = NDArray[np.float64]

NOISE, PER_COUNT = 1.5, 0.1
SIZE = (90, 110)


def pictures(seed: int, spread: Image, height: float, column: float = 55.3) -> tuple[Image, Image]:
    """Return bright and dark frames: read noise, and 10 electrons per count of light."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    away = np.stack([columns - column, rows - 44.6], axis=-1)
    square = np.einsum("yxi,ij,yxj->yx", away, np.linalg.inv(spread), away)
    light = height * np.exp(-0.5 * square)
    bright = rng.poisson(light / PER_COUNT, (4, *SIZE)) * PER_COUNT
    dark = 6.0 + NOISE * rng.standard_normal((2, 4, *SIZE))
    return bright + dark[0], dark[1]


def measured(seed: int, spread: Image, height: float = 400.0) -> SpotShape:
    # A pixel adds the variance of a square.
    return measure_spot(*pictures(seed, spread + np.eye(2) / 12.0, height), 6.0)


def test_moments_of_a_turned_ellipse_come_out_with_honest_errors() -> None:
    """Ten seeds: pulls of three moments within 1 +- 0.6 and a mean below 1, chi-square 1 +- 0.1."""
    spread = np.array([[50.0, 6.0], [6.0, 38.0]])
    found = [measured(seed, spread) for seed in range(10)]
    pulls = [
        (one.moments_px2 - np.array([50.0, 6.0, 38.0])) / np.sqrt(np.diag(one.covariance))
        for one in found
    ]
    assert np.all(np.abs(np.std(pulls, axis=0, ddof=1) - 1.0) < 0.6)
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 1.0)
    assert all(one.reduced_chi2 == pytest.approx(1.0, abs=0.1) for one in found)


@pytest.mark.parametrize("mirrored", [True, False])
def test_the_blur_is_taken_out_and_the_axes_are_those_of_the_stage(mirrored: bool) -> None:
    """0.7 and 0.5 um along x and y, 0.2 um blur, a picture turned by 20 degrees: exactly."""
    exact, blur_um = Measured(0.1, 0.0), Measured(0.2, 0.0)
    scale = ImageScale(exact, Measured(20.0, 0.0), mirrored, 0.0)
    turn = scale.matrix_px()
    spread = turn @ np.diag([0.7**2 + 0.2**2, 0.5**2 + 0.2**2]) @ turn.T
    moments = np.array([spread[0, 0], spread[0, 1], spread[1, 1]])
    place = measured(0, np.diag([40.0, 40.0])).place
    shape = SpotShape(place, moments, np.diag([1.0, 1.0, 1.0]), 1.0)
    size = spot_size(shape, scale, blur_um)
    assert size.x_um.value == pytest.approx(2.8)
    assert size.y_um.value == pytest.approx(2.0)
    assert size.diameter_um.value == pytest.approx(math.sqrt(2.8 * 2.0))


def test_errors_of_scale_and_blur_count() -> None:
    """A round spot of 0.6 um: 2 % of scale on the seen 0.6325 um, 0.05 um on a blur of 0.2 um."""
    shape = measured(0, np.diag([40.0, 40.0]))
    exact = SpotShape(shape.place, np.array([40.0, 0.0, 40.0]), np.zeros((3, 3)), 1.0)
    scale = ImageScale(Measured(0.1, 0.002), Measured(0.0, 0.0), False, 0.0)
    size = spot_size(exact, scale, Measured(0.2, 0.05))
    by_scale, by_blur = 0.4 * 0.02 / 0.6, 0.2 * 0.05 / 0.6
    assert size.diameter_um.value == pytest.approx(2.4)
    assert size.diameter_um.error == pytest.approx(4.0 * math.hypot(by_scale, by_blur), rel=1e-3)


def test_pictures_that_do_not_tell_the_size_are_refused() -> None:
    scale = ImageScale(Measured(0.1, 0.0), Measured(0.0, 0.0), False, 0.0)
    with pytest.raises(AnalysisError, match="hardly wider than that of a point"):
        spot_size(measured(0, np.diag([40.0, 40.0])), scale, Measured(0.5, 0.05))
    with pytest.raises(AnalysisError, match="edge of the picture"):
        measure_spot(*pictures(0, np.diag([36.0, 36.0]), 400.0, 8.0), 6.0)
    wide = pictures(0, np.diag([196.0, 196.0]), 400.0)
    with pytest.raises(AnalysisError, match="reaches beyond the edge of the picture"):
        measure_spot(*wide, 8.0)
    with pytest.raises(AnalysisError, match="there is no spot"):
        measured(0, np.diag([40.0, 40.0]), 0.05)
