"""A recorded spectrum shines in the place of the sample's dot."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from labctl_sim.world import Emccd, Recorded, World, recorded_problems
from labctl_sim.world._types import FloatArray

Maker = Callable[..., World]
LINES_NM = (524.3, 531.0, 537.9)
PLAIN = {"cosmic_rays_per_cm2_min": 0.0, "dark_e_s": 0.0, "induced_charge_e": 0.0}
REGION: dict[str, Any] = {"shutter_open": True, "roi": (0, 1600, 0, 200), "binning": (1, 200)}
READOUT: dict[str, Any] = {"em_gain": 1, "quality": "LowNoise", "adc_mhz": 0.1, "analog_gain": 3}


def lines(step_nm: float = 0.1, rate: float = 2e4) -> Recorded:
    """Three Gaussian lines on a uniform axis, sum of each ``rate``."""
    wavelength_nm = np.arange(515.0, 547.0, step_nm)
    shape = np.zeros_like(wavelength_nm)
    for centre_nm in LINES_NM:
        bell = np.exp(-0.5 * ((wavelength_nm - centre_nm) / 0.25) ** 2)
        shape += rate * bell / bell.sum()
    return Recorded(wavelength_nm, shape)


@pytest.fixture
def shining(make_world: Maker) -> Callable[..., tuple[World, Emccd]]:
    def make(recorded: Recorded | None = None, **options: Any) -> tuple[World, Emccd]:
        world = make_world(recorded=recorded or lines(), **options)
        world.table.laser_on = world.table.shutter_open = True
        return world, world.camera(PLAIN)

    return make


Shining = Callable[..., tuple[World, Emccd]]


def wavelength_nm(camera: Emccd) -> FloatArray:
    mount = camera.optics().mount
    assert mount is not None
    return mount.wavelength_nm(np.arange(1600.0))


def test_all_electrons_arrive(shining: Shining) -> None:
    _, camera = shining()
    assert camera.electron_rate_per_column().sum() == pytest.approx(6e4, rel=1e-12)


@pytest.mark.parametrize(("lines_per_mm", "centre_nm"), [(300.0, 531.0), (300.0, 560.0)])
def test_lines_lie_where_they_were_recorded(
    shining: Shining, lines_per_mm: float, centre_nm: float
) -> None:
    world, camera = shining()
    world.spectrograph.lines_per_mm, world.spectrograph.centre_nm = lines_per_mm, centre_nm
    rate, axis_nm = camera.electron_rate_per_column(), wavelength_nm(camera)
    for line_nm in LINES_NM:
        near = np.abs(axis_nm - line_nm) < 2.0
        found_nm = np.average(axis_nm[near], weights=rate[near])
        # Neighbouring lines reach in by nothing; a pixel's light counts as even across it.
        assert found_nm == pytest.approx(line_nm, abs=2e-3)
        assert rate[near].sum() == pytest.approx(2e4, rel=1e-6)


def test_the_finer_grating_shows_a_part_of_it(shining: Shining) -> None:
    world, camera = shining()
    world.spectrograph.lines_per_mm, world.spectrograph.centre_nm = 1800.0, 543.0
    axis_nm = wavelength_nm(camera)
    low_nm = axis_nm[0] - 0.5 * (axis_nm[1] - axis_nm[0])
    high_nm = axis_nm[-1] + 0.5 * (axis_nm[-1] - axis_nm[-2])
    part = lines().between(np.array([low_nm, high_nm]))[0]
    assert 1e4 < part < 5e4
    assert camera.electron_rate_per_column().sum() == pytest.approx(part, rel=1e-3)
    world.spectrograph.centre_nm = 700.0
    assert camera.electron_rate_per_column().sum() == 0.0


def test_the_sum_is_kept_over_any_edges() -> None:
    rng = np.random.default_rng(0)
    recorded = Recorded(np.cumsum(rng.uniform(0.01, 2.0, 300)), rng.uniform(0.0, 9.0, 300))
    edges_nm = np.sort(np.concatenate(([-5.0, 700.0], rng.uniform(0.0, 300.0, 500))))
    assert recorded.between(edges_nm).sum() == pytest.approx(recorded.electrons_per_s.sum())
    own_nm = 0.5 * (recorded.wavelength_nm[1:] + recorded.wavelength_nm[:-1])
    np.testing.assert_allclose(recorded.between(own_nm), recorded.electrons_per_s[1:-1])


def test_it_goes_with_the_excitation_and_the_exposure(shining: Shining, clock: Any) -> None:
    world, camera = shining()
    clock.s = 10.0
    world.table.shutter_open = False
    clock.s = 20.0
    for start_s, exposure_s, lit_s in ((2.0, 4.0, 4.0), (8.0, 4.0, 2.0), (12.0, 5.0, 0.0)):
        expected = camera.expected_electrons(start_s=start_s, exposure_s=exposure_s, **REGION)
        assert expected.sum() == pytest.approx(lit_s * 6e4, rel=1e-6, abs=1e-9)


def test_it_goes_with_the_fluence_and_leaves_with_the_stage(shining: Shining) -> None:
    world, camera = shining()
    world.table.attenuation_rel = 0.25
    assert camera.electron_rate_per_column().sum() == pytest.approx(1.5e4)
    world.stage_um = (3.0, 0.0, 0.0)
    assert camera.electron_rate_per_column().sum() < 1e-6


def test_filters_slit_and_analyser_act_on_it(shining: Shining) -> None:
    world, camera = shining()
    world.table.edge_filter_nm = 534.0
    rate, axis_nm = camera.electron_rate_per_column(), wavelength_nm(camera)
    assert rate[axis_nm > 536.0].sum() < 0.1 * 2e4
    assert rate[axis_nm < 526.0].sum() == pytest.approx(2e4, rel=1e-3)
    world.table.edge_filter_nm = None
    world.spectrograph.entrance_slit_um = 8.0
    narrow = math.erf(8 / (2 * math.sqrt(2) * 8)) / math.erf(20 / (2 * math.sqrt(2) * 8))
    assert camera.electron_rate_per_column().sum() == pytest.approx(6e4 * narrow)
    world.spectrograph.entrance_slit_um = 20.0
    world.table.analyser_deg = 0.0
    along = camera.electron_rate_per_column().sum()
    world.table.analyser_deg = 90.0
    assert camera.electron_rate_per_column().sum() == pytest.approx(1.2 * along, rel=1e-3)


def test_no_light_of_the_dot_is_added(shining: Shining) -> None:
    dark = Recorded(np.array([530.0, 531.0]), np.zeros(2))
    world, camera = shining(dark)
    assert camera.electron_rate_per_column().sum() == 0.0
    assert world.truth()["energy_ev"] is None
    world.table.lamp = "neon"
    assert camera.electron_rate_per_column().sum() > 1e4


def test_noise_is_that_of_the_camera(shining: Shining) -> None:
    _, camera = shining(lines(rate=2e5))
    gain = camera.truth.electrons_per_adu("LowNoise", 0.1, 3)
    frames = np.array([
        camera.render(frame=number, start_s=0.0, exposure_s=1.0, **READOUT, **REGION)[0]
        for number in range(200)
    ]).astype(np.float64)  # fmt: skip
    mean_e = camera.expected_electrons(start_s=0.0, exposure_s=1.0, **REGION)[0]
    bright = mean_e > 100.0
    variance_e = gain**2 * frames.var(axis=0, ddof=1)[bright]
    expected = mean_e[bright] + camera.truth.read_noise_e("LowNoise", 0.1) ** 2 + gain**2 / 12.0
    ratio = variance_e / expected
    # 199 degrees of freedom: each ratio to sqrt(2 / 199); the mean of n columns to 1/sqrt(n) of it.
    assert ratio.mean() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 199 / bright.sum()))
    mean = gain * (frames.mean(axis=0)[bright] - camera.truth.bias_adu)
    pulls = (mean - mean_e[bright]) / np.sqrt(expected / 200)
    assert float(np.abs(pulls.mean())) < 4 / math.sqrt(bright.sum())


@pytest.mark.parametrize(
    ("block", "path", "words"),
    [
        ({"wavelength_nm": [1.0, 2.0]}, (), "'electrons_per_s' is missing"),
        ({"wavelength_nm": [1.0], "electrons_per_s": [1.0]}, (), "at least two"),
        ({"wavelength_nm": [1.0, 2.0], "electrons_per_s": [1.0]}, (), "2 wavelengths and 1"),
        ({"wavelength_nm": [2.0, 1.0], "electrons_per_s": [1, 1]}, ("wavelength_nm",), "rise"),
        ({"wavelength_nm": [1.0, 2.0], "electrons_per_s": [1, -1]}, ("electrons_per_s",), "negat"),
        ({"wavelength_nm": "1 2", "electrons_per_s": [1, 1]}, ("wavelength_nm",), "finite"),
        (
            {"wavelength_nm": [1.0, math.nan], "electrons_per_s": [1, 1]},
            ("wavelength_nm",),
            "finit",
        ),
        ({"wavelength_nm": [1, 2], "electrons_per_s": [1, "x"]}, ("electrons_per_s",), "finite"),
        ({"wavelength_nm": [1, 2], "electrons_per_s": [[1], [1]]}, ("electrons_per_s",), "finite"),
        ({"wavelength_nm": [1, 2], "electrons_per_s": [1, 1], "x": 1}, ("x",), "unknown key"),
    ],
)
def test_what_is_no_spectrum_is_refused(
    block: dict[str, Any], path: tuple[str, ...], words: str
) -> None:
    ((found, text),) = recorded_problems(block)
    assert found == path
    assert words in text
    with pytest.raises(ValueError, match=words):
        Recorded.read(block)


def test_plain_lists_are_read() -> None:
    recorded = Recorded.read({"wavelength_nm": [500, 501.5], "electrons_per_s": [1, 2]})
    assert recorded.wavelength_nm.tolist() == [500.0, 501.5]
    assert recorded.electrons_per_s.dtype == np.float64
