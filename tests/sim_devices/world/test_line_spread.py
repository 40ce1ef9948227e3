"""Line spread: light is kept, widths are what they should be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.world import SpectrographState, SpectrographTruth
from labctl_sim.world._line_spread import blur, sharp_line

PIXELS = np.arange(200, dtype=np.float64)


@given(st.floats(60.0, 140.0), st.floats(0.0, 40.0), st.floats(0.7, 6.0))
def test_a_sharp_line_keeps_its_light_place_and_variance(
    centre: float, slit: float, sd: float
) -> None:
    shares = sharp_line(PIXELS, centre, slit, sd)
    mean = float(shares @ PIXELS)
    assert float(shares.sum()) == pytest.approx(1.0, abs=1e-9)
    assert mean == pytest.approx(centre, abs=2e-3)
    variance = float(shares @ (PIXELS - mean) ** 2)
    expected = sd**2 + max(slit, 1e-3) ** 2 / 12 + 1 / 12
    # Pixels sample the second moment; with a narrow blur it depends a little on the place.
    assert variance == pytest.approx(expected, rel=0.02)


@given(st.floats(60.0, 140.0), st.floats(0.0, 40.0), st.floats(0.5, 6.0))
def test_blur_of_a_node_equals_the_closed_form(centre: float, slit: float, sd: float) -> None:
    nodes = np.zeros(800)
    left = int(centre * 4)
    nodes[left] = 1.0
    blurred = blur(nodes, 4, slit, sd)[::4]
    assert float(blurred.sum()) == pytest.approx(1.0, abs=1e-4)
    exact = sharp_line(PIXELS, left / 4, slit, sd)
    # The blur undoes the triangle of `lorentz_shares`, which a lone node has not gone through.
    np.testing.assert_allclose(blurred, exact, atol=0.02 * float(exact.max()) / min(sd, 1.0) ** 2)


@given(st.lists(st.floats(0.0, 100.0), min_size=20, max_size=20), st.floats(0.5, 6.0))
def test_blur_conserves_flux(heights: list[float], sd: float) -> None:
    nodes = np.zeros(800)
    nodes[300:400:5] = heights
    total = float(blur(nodes, 4, 3.0, sd)[::4].sum())
    assert total == pytest.approx(sum(heights), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(("lines", "fwhm_mev"), [(300.0, 1.0), (1800.0, 0.3)])
def test_resolution_at_the_default_slit(lines: float, fwhm_mev: float) -> None:
    state = SpectrographState(SpectrographTruth())
    state.lines_per_mm, state.centre_nm = lines, 532.1
    mount = state.mount(16.0, 1600)
    assert mount is not None
    centre = mount.pixel(532.1)
    x = np.linspace(centre - 20, centre + 20, 40_001)
    slit = mount.slit_image_px(state.entrance_slit_um)
    shares = sharp_line(x, centre, slit, state.aberration_sd_um() / 16.0)
    wide = x[shares > shares.max() / 2]
    low, high = 1239.84 / mount.wavelength_nm(wide[[0, -1]])
    assert 1e3 * (low - high) == pytest.approx(fwhm_mev, rel=0.08)


def test_a_wider_slit_widens_the_line() -> None:
    widths = [float((sharp_line(PIXELS, 100.0, slit, 1.0) > 0.01).sum()) for slit in (1, 10, 30)]
    assert widths == sorted(widths)
    assert widths[2] > widths[0] + 20
