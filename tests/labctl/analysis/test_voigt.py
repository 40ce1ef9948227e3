"""Profiles against closed forms and brute-force convolution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.analysis import gauss, lorentz, voigt, voigt_fwhm
from labctl.analysis._voigt import voigt_fwhm_gradient, voigt_with_derivatives

GRID = np.linspace(-60.0, 60.0, 240_001)


@pytest.mark.parametrize(("lorentz_fwhm", "gauss_fwhm"), [(1.0, 0.1), (1.0, 1.0), (0.1, 1.0)])
def test_area_is_one_but_for_the_lorentzian_wings(lorentz_fwhm: float, gauss_fwhm: float) -> None:
    area = np.trapezoid(voigt(GRID, lorentz_fwhm, gauss_fwhm), GRID)
    assert area == pytest.approx(1 - lorentz_fwhm / (np.pi * 60), abs=2e-6)


def test_limits_are_lorentz_and_gauss() -> None:
    x = np.linspace(-5, 5, 101)
    np.testing.assert_allclose(voigt(x, 1.3, 1e-4), lorentz(x, 1.3), rtol=1e-6)
    np.testing.assert_allclose(voigt(x, 0.0, 1.3), gauss(x, 1.3), atol=1e-15)
    np.testing.assert_array_equal(voigt(x, 1.3, 0.0), lorentz(x, 1.3))
    assert gauss(np.array([0.65]), 1.3)[0] == pytest.approx(gauss(np.array([0.0]), 1.3)[0] / 2)


def test_voigt_is_the_convolution_of_lorentz_and_gauss() -> None:
    step = GRID[1] - GRID[0]
    shifts = np.arange(-4.0, 4.0 + 1e-9, 0.01)
    weights = gauss(shifts, 1.1) * 0.01
    at = np.array([-3.0, -0.5, 0.0, 0.7, 2.0])
    summed = np.array([np.sum(weights * lorentz(x - shifts, 0.6)) for x in at])
    assert step < 0.01
    np.testing.assert_allclose(voigt(at, 0.6, 1.1), summed, rtol=1e-5)


@pytest.mark.parametrize("lorentz_fwhm", [0.6, 3.0])
def test_far_from_the_centre_it_is_their_convolution_to_ten_digits(lorentz_fwhm: float) -> None:
    """From 5.3 on another formula is used; the sum converges exponentially in its step."""
    step = 0.005
    shifts = np.linspace(-4.5, 4.5, 1801)
    weights = gauss(shifts, 1.1) * step
    for x in (-40.0, -5.3, 4.0, 5.25, 5.28, 5.29, 5.31, 6.0, 9.0, 40.0, 400.0):
        summed = float(weights @ lorentz(x - shifts, lorentz_fwhm))
        assert voigt(np.array([x]), lorentz_fwhm, 1.1)[0] == pytest.approx(summed, rel=1e-10)


@given(st.floats(0.01, 100.0))
def test_width_after_olivero_and_longbothum(ratio: float) -> None:
    """Within 0.03 % of the width found by search (the formula states 0.02 %)."""
    x = np.linspace(0.0, 2.0 * (1.0 + ratio), 40_001)
    profile = voigt(x, ratio, 1.0)
    first = int(np.argmax(profile < profile[0] / 2))
    steps = (profile[first - 1] - profile[0] / 2) / (profile[first - 1] - profile[first])
    half = x[1] * (first - 1 + float(steps))
    assert voigt_fwhm(ratio, 1.0) == pytest.approx(2 * half, rel=3e-4)


def test_derivatives_agree_with_differences() -> None:
    x, step = np.linspace(-4, 4, 41), 1e-5
    parts = voigt_with_derivatives(x, 0.7, 0.8)
    by_x = (voigt(x + step, 0.7, 0.8**0.5) - voigt(x - step, 0.7, 0.8**0.5)) / (2 * step)
    above, below = (voigt_with_derivatives(x, 0.7 + s, 0.8).value for s in (step, -step))
    wider, narrower = (voigt_with_derivatives(x, 0.7, 0.8 + s).value for s in (step, -step))
    np.testing.assert_allclose(parts.by_x, by_x, atol=1e-8)
    np.testing.assert_allclose(parts.by_lorentz_fwhm, (above - below) / (2 * step), atol=1e-8)
    np.testing.assert_allclose(
        parts.by_gauss_fwhm_squared, (wider - narrower) / (2 * step), atol=1e-8
    )


def test_slope_of_the_width_stays_finite_where_the_gaussian_part_vanishes() -> None:
    by_lorentz, by_square = voigt_fwhm_gradient(1.0, -0.1, 0.05)
    assert by_lorentz == pytest.approx(1.0, abs=1e-3)
    assert by_square == pytest.approx((voigt_fwhm(1.0, 0.05) - voigt_fwhm(1.0, 0.0)) / 0.05)
    assert voigt_fwhm(1.0, -0.1) == pytest.approx(1.0, abs=1e-3)
