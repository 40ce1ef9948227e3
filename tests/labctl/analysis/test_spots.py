"""Spots: positions and light with honest errors, few false ones, neighbours apart."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labctl.analysis import ImageNoise, Spot, find_spots, measure_image_noise, spot_threshold
from labctl.errors import AnalysisError
from pictures import COUNTS_PER_ELECTRON, PSF_PX, dotted, spot

FWHM_PX = 2.3548 * PSF_PX
Place = tuple[float, float, float]


def found(seed: int, places: list[Place], false_spots: float = 0.01) -> list[Spot]:
    frames = dotted(seed, places)
    noise = measure_image_noise(frames, COUNTS_PER_ELECTRON)
    return find_spots(frames.mean(axis=0), noise, PSF_PX, false_spots=false_spots)


def nearest(spots: list[Spot], place: Place) -> tuple[float, Spot]:
    away = [math.hypot(s.x_px.value - place[0], s.y_px.value - place[1]) for s in spots]
    best = int(np.argmin(away))
    return away[best], spots[best]


def test_positions_and_light_have_honest_errors() -> None:
    """10 pictures of 30 spots: all found, none invented, pulls of standard deviation 1 +- 0.13."""
    pulls: list[tuple[float, float, float]] = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        places = [
            (x + rng.uniform(-5, 5), y + rng.uniform(-5, 5), rng.uniform(400, 3000))
            for x in range(30, 220, 37)
            for y in range(25, 180, 33)
        ]
        spots = found(seed, places)
        assert len(spots) == len(places)
        for place in places:
            away, one = nearest(spots, place)
            assert away < 1.5
            counts = one.counts.pull(place[2] * COUNTS_PER_ELECTRON)
            pulls.append((one.x_px.pull(place[0]), one.y_px.pull(place[1]), counts))
    table = np.array(pulls)
    # 300 values: the standard error of a standard deviation is 4 %, that of a mean 6 %.
    assert np.all(np.abs(table.std(axis=0) - 1.0) < 0.13)
    assert np.all(np.abs(table.mean(axis=0)) < 0.2)


def test_false_spots_are_as_many_as_tolerated() -> None:
    """20 pictures with 0.5 tolerated each: 10 expected, Poisson; 3 to 20 at four sigma."""
    number = sum(len(found(seed, [], false_spots=0.5)) for seed in range(20))
    assert 2 <= number <= 22


def test_threshold_follows_the_closed_form() -> None:
    """Fewer tolerated, more pixels, sharper spots: higher."""
    usual = spot_threshold(10**6, 1.6, 0.01)
    assert 5.5 < usual < 6.5
    assert spot_threshold(10**6, 1.6, 1e-4) > usual > spot_threshold(10**4, 1.6, 0.01)
    assert spot_threshold(10**6, 1.0, 0.01) > usual
    density = 10**6 / (2.0 * 1.6**2) / (2.0 * math.pi) ** 1.5
    assert density * usual * math.exp(-0.5 * usual**2) == pytest.approx(0.01, rel=1e-6)


@pytest.mark.parametrize("apart", [1.05, 1.5, 2.0])
def test_neighbours_more_than_one_width_apart_are_told_apart(apart: float) -> None:
    """Of 40 spots in pairs at least 39 are found within a pixel, and at most 2 invented."""
    rng = np.random.default_rng(0)
    places: list[Place] = []
    for x in range(30, 220, 45):
        for y in range(25, 170, 42):
            angle, second = rng.uniform(0.0, 2.0 * math.pi), rng.uniform(1000, 2000)
            step = apart * FWHM_PX
            places += [
                (float(x), float(y), 2000.0),
                (x + step * math.cos(angle), y + step * math.sin(angle), second),
            ]
    spots = found(1, places)
    assert sum(nearest(spots, place)[0] < 1.0 for place in places) >= len(places) - 1
    assert len(spots) <= len(places) + 2


def test_a_hot_pixel_is_no_spot() -> None:
    frames = dotted(0, [(60.0, 70.0, 1500.0)])
    frames[:, 100, 100] += 500.0
    frames[:, 101, 150] += 60.0
    noise = measure_image_noise(frames, COUNTS_PER_ELECTRON)
    spots = find_spots(frames.mean(axis=0), noise, PSF_PX)
    assert [(round(s.x_px.value), round(s.y_px.value)) for s in spots] == [(60, 70)]
    assert spots[0].confidence > 0.999


def test_noise_of_frames_is_that_of_their_mean() -> None:
    """Read noise 9 and 20 to 30 electrons of light, by five frames, half a count each."""
    frames = dotted(3, [])
    noise = measure_image_noise(frames)
    light = frames.mean() - 50.0
    expected = (81.0 + light / COUNTS_PER_ELECTRON) * COUNTS_PER_ELECTRON**2 / 5.0 + 1.0 / 60.0
    # The median pixel stands for all; light differs by +-20 % over the picture.
    assert noise.floor_variance == pytest.approx(expected, rel=0.05)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(AnalysisError, match="at least two frames"):
        measure_image_noise(np.zeros((1, 30, 30)))
    with pytest.raises(AnalysisError, match="the frames are equal"):
        measure_image_noise(np.zeros((2, 30, 30)))
    with pytest.raises(AnalysisError, match="too small for spots"):
        find_spots(np.zeros((20, 20)), ImageNoise(1.0), 1.6)


@settings(max_examples=15, deadline=None)
@given(st.floats(20.0, 100.0), st.floats(20.0, 100.0), st.floats(100.0, 1e5), st.floats(1.0, 2.5))
def test_a_noiseless_spot_is_found_where_it_is(
    x: float, y: float, counts: float, sd: float
) -> None:
    image = 100.0 + spot((121, 121), x, y, counts, sd)
    spots = find_spots(image, ImageNoise(1e-4), sd)
    best = spots[0]
    assert best.x_px.value == pytest.approx(x, abs=0.02)
    assert best.y_px.value == pytest.approx(y, abs=0.02)
    assert best.counts.value == pytest.approx(counts, rel=0.02)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 60), st.integers(0, 80))
def test_moving_the_picture_moves_the_spots(down: int, right: int) -> None:
    frames = dotted(5, [(60.0, 50.0, 1500.0), (66.0, 56.0, 1200.0)], frames=2)
    noise = measure_image_noise(frames, COUNTS_PER_ELECTRON)
    image = frames.mean(axis=0)
    moved = np.full(image.shape, float(np.median(image)))
    moved[30 + down : 90 + down, 40 + right : 100 + right] = image[30:90, 40:100]
    still = np.full(image.shape, float(np.median(image)))
    still[30:90, 40:100] = image[30:90, 40:100]
    for before, after in zip(
        find_spots(still, noise, PSF_PX)[:2], find_spots(moved, noise, PSF_PX)[:2], strict=True
    ):
        assert after.x_px.value - before.x_px.value == pytest.approx(right, abs=0.1)
        assert after.y_px.value - before.y_px.value == pytest.approx(down, abs=0.1)


@pytest.mark.parametrize("apart_px", [2.7, 3.5, 4.3, 5.1])
def test_a_bright_neighbour_on_a_coarse_map_draws_no_spot_away(apart_px: float) -> None:
    """A map in steps of two standard deviations: windows of one spot reach into the next one."""
    psf_px, rows, columns = 0.53, np.arange(12.0)[:, None], np.arange(12.0)[None, :]
    for seed in range(10):
        rng = np.random.default_rng(seed)
        y, x = rng.uniform(3.0, 4.0, 2)
        turn = rng.uniform(0.0, math.pi / 2)
        places = [(y, x), (y + apart_px * math.sin(turn), x + apart_px * math.cos(turn))]
        light = np.full((12, 12), 20.0)
        for (row, column), counts in zip(places, (4000.0, 600.0), strict=True):
            square = (rows - row) ** 2 + (columns - column) ** 2
            light += counts / (2 * math.pi * psf_px**2) * np.exp(-0.5 * square / psf_px**2)
        noise = ImageNoise(20.0, 1.0)
        spots = find_spots(rng.poisson(light).astype(np.float64), noise, psf_px)
        assert len(spots) == 2, seed
        for one, (row, column) in zip(spots, places, strict=True):
            assert math.hypot(one.y_px.value - row, one.x_px.value - column) < 0.3
