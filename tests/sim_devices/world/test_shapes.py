"""Shares of a line on an energy axis: number and mean energy are kept."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.world._shapes import lorentz_shares, urbach_density


@given(st.floats(2.29, 2.31), st.floats(1e-5, 0.01))
def test_shares_add_up_to_what_lies_on_the_axis(centre_ev: float, fwhm_ev: float) -> None:
    axis = np.linspace(2.5, 2.1, 3001)
    inside = sum(math.atan2(abs(end - centre_ev), fwhm_ev / 2) for end in (2.5, 2.1)) / math.pi
    total = float(lorentz_shares(axis, centre_ev, fwhm_ev).sum())
    assert total == pytest.approx(inside, abs=3e-5)


@given(st.floats(2.29, 2.31))
def test_a_line_between_two_nodes_keeps_its_place(centre_ev: float) -> None:
    axis = np.linspace(2.5, 2.1, 401)
    shares = lorentz_shares(axis, centre_ev, 1e-9)
    assert float(shares @ axis[1:-1]) == pytest.approx(centre_ev, abs=1e-7)
    assert np.count_nonzero(shares > 1e-5) <= 2


def test_on_a_fine_axis_the_shares_are_the_density() -> None:
    axis = np.linspace(2.32, 2.28, 8001)
    shares = lorentz_shares(axis, 2.3003, 0.002)
    step = axis[0] - axis[1]
    x = axis[1:-1] - 2.3003
    density = 0.001 / math.pi / (x * x + 1e-6)
    np.testing.assert_allclose(shares, density * step, rtol=1e-4)


def test_an_uneven_axis_keeps_the_light() -> None:
    axis = 1239.84 / np.linspace(450.0, 615.0, 1601)
    shares = lorentz_shares(axis, 2.3385, 0.0004)
    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-3)
    assert np.all(shares > 0.0)


def test_urbach_tail_has_unit_area_and_its_slope() -> None:
    energy_ev = np.linspace(1.5, 3.0, 300_001)
    density = urbach_density(energy_ev, 2.4, 0.075, 0.014)
    assert float(np.trapezoid(density, energy_ev)) == pytest.approx(1.0, abs=1e-6)
    deep = (energy_ev > 2.20) & (energy_ev < 2.30)
    slope = np.polyfit(energy_ev[deep], np.log(density[deep]), 1)[0]
    assert 1.0 / slope == pytest.approx(0.014, rel=1e-6)


def test_urbach_joins_without_a_step_or_a_kink() -> None:
    sd = 0.075 / math.sqrt(8 * math.log(2))
    join = 2.4 - sd**2 / 0.014
    x = join + np.array([-2e-6, -1e-6, 1e-6, 2e-6])
    density = urbach_density(x, 2.4, 0.075, 0.014)
    before, _, after = np.diff(density) / np.diff(x)
    assert before == pytest.approx(after, rel=1e-3)
