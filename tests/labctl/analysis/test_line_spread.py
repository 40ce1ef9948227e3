"""Line spread from lamp lines: synthetic lines whose slit and blur are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    InstrumentResponse,
    LampLineSample,
    NoiseModel,
    fit_peak,
    measure_line_spread,
)
from labctl.analysis._line_spread import below, residuals, share
from labctl.errors import AnalysisError

Floats = NDArray[np.float64]

PIXEL_NM = 0.1
SLIT_NM, BLUR_SD_NM = 0.16, 0.07
READ_NOISE = 2.0


def by_counting(x: Floats, slit_nm: float, blur_nm: float, pixel_nm: float) -> Floats:
    """Return the share of a line per pixel by summing Gaussians over slit and pixel."""
    parts = (np.arange(400) + 0.5) / 400 - 0.5
    slit, pixel = np.meshgrid(slit_nm * parts, pixel_nm * parts)
    places = (slit + pixel).ravel()
    density = np.exp(-0.5 * ((x[:, None] - places) / blur_nm) ** 2) / (blur_nm * np.sqrt(2 * np.pi))
    return pixel_nm * density.mean(axis=1)


def lines(rng: np.random.Generator, areas: Floats) -> list[LampLineSample]:
    found: list[LampLineSample] = []
    for area in areas.tolist():
        position_nm = 600.0 + PIXEL_NM * np.arange(-7.0, 8.0)
        x = position_nm - 600.0 - PIXEL_NM * rng.uniform(-0.5, 0.5)
        pixel = np.full_like(x, PIXEL_NM)
        light: Floats = np.maximum(area * share(x, pixel, SLIT_NM, BLUR_SD_NM)[0], 0.0)
        counts = rng.poisson(light).astype(np.float64) + rng.normal(5.0, READ_NOISE, x.size)
        found.append(LampLineSample(position_nm, counts, READ_NOISE**2 + light))
    return found


def test_a_line_falls_into_pixels_as_counting_says() -> None:
    x = np.linspace(-0.35, 0.35, 15)
    found = share(x, np.full_like(x, PIXEL_NM), SLIT_NM, BLUR_SD_NM)[0]
    assert found == pytest.approx(by_counting(x, SLIT_NM, BLUR_SD_NM, PIXEL_NM), abs=1e-5)


@pytest.mark.parametrize("index", [1, 2, 3])
def test_derivatives_of_the_share_are_those_of_finite_differences(index: int) -> None:
    x, step = np.linspace(-0.4, 0.4, 41), 1e-6
    by_x, by_slit, by_blur = (step * (index == k) for k in (1, 2, 3))
    ahead = below(x + by_x, SLIT_NM + by_slit, BLUR_SD_NM + by_blur)[0]
    behind = below(x - by_x, SLIT_NM - by_slit, BLUR_SD_NM - by_blur)[0]
    slope = (ahead - behind) / (2 * step)
    assert below(x, SLIT_NM, BLUR_SD_NM)[index] == pytest.approx(slope, abs=1e-6)


def test_jacobian_of_the_common_fit_is_that_of_finite_differences() -> None:
    samples = lines(np.random.default_rng(0), np.array([3e3, 1e4, 3e4]))
    start = np.array([SLIT_NM, BLUR_SD_NM, *(3 * [600.01, 1e4, 4.0])])
    _, jacobian = residuals(start, samples)
    for k in range(start.size):
        step = np.zeros_like(start)
        step[k] = 1e-6 * abs(start[k])
        ahead, behind = (residuals(start + sign * step, samples)[0] for sign in (1.0, -1.0))
        slope = (ahead - behind) / (2 * step[k])
        assert jacobian[:, k] == pytest.approx(slope, rel=1e-4, abs=1e-4 * np.abs(slope).max())


def test_pulls_of_the_width_are_those_of_a_normal_distribution() -> None:
    areas = np.array([2e4, 5e4, 1e4, 8e4, 3e4, 4e4])
    spreads = [measure_line_spread(lines(np.random.default_rng(seed), areas)) for seed in range(60)]
    x = np.linspace(0.0, 0.4, 201)
    profile = by_counting(x, SLIT_NM, BLUR_SD_NM, PIXEL_NM)
    fwhm_nm = 2 * float(np.interp(-0.5 * float(profile[0]), -profile, x))
    pulls: Floats = np.array([spread.fwhm_nm.pull(fwhm_nm) for spread in spreads])
    # Sixty pulls: the mean is uncertain by 0.13, the standard deviation by 9 % (3.3 sigma each).
    assert abs(pulls.mean()) < 0.43
    assert 0.7 < pulls.std(ddof=1) < 1.3
    assert float(np.mean([spread.reduced_chi2 for spread in spreads])) == pytest.approx(
        1.0, abs=0.07
    )
    assert {spread.lines for spread in spreads} == {6}


def test_slit_and_blur_come_apart_where_there_is_light() -> None:
    areas = np.full(10, 1e6)
    spread = measure_line_spread(lines(np.random.default_rng(0), areas))
    assert spread.slit_nm == pytest.approx(SLIT_NM, rel=0.02)
    assert spread.blur_fwhm_nm == pytest.approx(2.3548 * BLUR_SD_NM, rel=0.02)


def test_its_response_describes_a_sharp_line_that_was_not_used() -> None:
    areas = np.full(10, 1e6)
    response = measure_line_spread(lines(np.random.default_rng(1), areas)).response()
    assert isinstance(response, InstrumentResponse)
    wavelength_nm = 530.0 + PIXEL_NM * np.arange(-60.0, 61.0)
    x = wavelength_nm - 530.02
    light = 1e6 * by_counting(x, SLIT_NM, BLUR_SD_NM, PIXEL_NM)
    counts = light + 50.0 + np.random.default_rng(2).normal(0.0, np.sqrt(light + 25.0))
    noise = NoiseModel(1.0, 5.0, bias_counts=50.0, full_scale_counts=1e9)
    fit = fit_peak(counts, wavelength_nm, noise, response=response, find_satellites=False)
    assert abs(fit.gauss_squared_mev2.value) < 4 * fit.gauss_squared_mev2.error
    assert abs(fit.lorentz_fwhm_mev.value) < 4 * fit.lorentz_fwhm_mev.error


def test_fewer_than_three_lines_are_refused() -> None:
    two = lines(np.random.default_rng(0), np.array([1e4, 1e4]))
    with pytest.raises(AnalysisError, match="at least three lamp lines, not 2"):
        measure_line_spread(two)
