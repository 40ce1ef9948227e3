"""Dispersion, blaze, polarization, air."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.world import SpectrographState, SpectrographTruth
from labctl_sim.world._air import air_index
from labctl_sim.world._grating import Mount, behind_mirror, blaze_rel, grating_polarization_rel


def mount(**changes: float) -> Mount:
    keys = {
        "lines_per_mm": 150.0,
        "centre_nm": 600.0,
        "focal_length_mm": 495.689762,
        "inclusion_deg": 17.205198,
        "tilt_deg": -0.021240,
        "pixel_um": 16.0,
        "centre_px": 255.0,
    }
    return Mount.at(**(keys | changes))


def test_the_vendors_own_wavelength_table() -> None:
    # The calibrated ends of a ProEM 512 behind a SP-2-500i (protocol notes, section 3).
    ends = mount().wavelength_nm(np.array([0.0, 511.0]))
    np.testing.assert_allclose(ends, [546.132178, 653.991058], atol=1e-6)


def test_the_pixel_on_the_axis_sees_the_centre_wavelength() -> None:
    assert mount().wavelength_nm(np.array([255.0]))[0] == pytest.approx(600.0, rel=1e-12)


@given(
    st.sampled_from([150.0, 300.0, 1800.0]),
    st.floats(400.0, 650.0),
    st.floats(-2.0, 2.0),
    st.floats(-800.0, 800.0),
)
def test_pixel_is_the_inverse_of_wavelength(
    lines: float, centre_nm: float, tilt_deg: float, away_px: float
) -> None:
    here = mount(lines_per_mm=lines, centre_nm=centre_nm, tilt_deg=tilt_deg)
    wavelength_nm = here.wavelength_nm(np.array([255.0 + away_px]))[0]
    assert here.pixel(float(wavelength_nm)) == pytest.approx(255.0 + away_px, abs=1e-7)


def test_dispersion_at_the_centre_is_the_derivative() -> None:
    here = mount(lines_per_mm=300.0, centre_nm=531.0, tilt_deg=1.0)
    low, high = here.wavelength_nm(np.array([254.999, 255.001]))
    expected = here.groove_nm * math.cos(here.beta0_rad) * math.cos(math.radians(1.0))
    expected *= 16.0 / (495.689762e3)
    assert (high - low) / 0.002 == pytest.approx(expected, rel=1e-6)


def test_wavelengths_that_do_not_leave_the_grating() -> None:
    assert math.isnan(mount(lines_per_mm=1800.0).pixel(2000.0))
    with pytest.raises(ValueError, match="cannot diffract"):
        mount(lines_per_mm=1800.0, centre_nm=1200.0)


def test_a_state_out_of_reach_or_a_mirror_has_no_mount() -> None:
    state = SpectrographState(SpectrographTruth())
    assert state.mount(16.0, 1600) is not None
    state.lines_per_mm, state.centre_nm = 1800.0, 1200.0
    assert state.mount(16.0, 1600) is None
    state.lines_per_mm = 0.0
    assert state.mount(16.0, 1600) is None


def test_truth_differs_from_the_data_sheet_for_each_grating() -> None:
    truth = SpectrographTruth()
    assert truth.focal_length_mm == 499.1
    offsets = [truth.of_grating("centre_offset_px", lines) for lines in (300.0, 1800.0, 150.0)]
    assert len({*offsets, 0.0}) == 4


def test_uncalibrated_wavelengths_are_wrong() -> None:
    state = SpectrographState(SpectrographTruth())
    true_mount = state.mount(16.0, 1600)
    assert true_mount is not None
    believed = mount(
        lines_per_mm=300.0,
        centre_nm=531.0,
        focal_length_mm=500.0,
        inclusion_deg=17.2,
        tilt_deg=0.0,
        centre_px=799.0,
    )
    pixels = np.arange(1600.0)
    wrong_nm = true_mount.wavelength_nm(pixels) - believed.wavelength_nm(pixels)
    assert 0.1 < float(np.max(np.abs(wrong_nm))) < 1.5


def test_blaze_has_its_maximum_where_it_says() -> None:
    wavelengths = np.linspace(400.0, 700.0, 3001)
    efficiency = blaze_rel(wavelengths, 500.0)
    assert wavelengths[int(np.argmax(efficiency))] == pytest.approx(500.0, abs=0.1)
    assert efficiency.max() == pytest.approx(1.0)
    assert blaze_rel(np.array([1000.0]), 500.0)[0] == pytest.approx((2 / math.pi) ** 2)


@given(st.floats(1.0, 5.0))
def test_grating_polarization_means_nothing_to_unpolarized_light(ratio: float) -> None:
    s, p = grating_polarization_rel(90.0, ratio), grating_polarization_rel(0.0, ratio)
    assert s / p == pytest.approx(ratio)
    assert (s + p) / 2 == pytest.approx(1.0)


@given(st.floats(0.5, 2.0), st.floats(0.0, 360.0), st.floats(0.0, 360.0))
def test_a_mirror_passes_amplitudes(ratio: float, dipole_deg: float, analyser_deg: float) -> None:
    """Jones: amplitudes along x and y times 1 and sqrt(ratio), then along the analyser."""
    dipole, axis = math.radians(dipole_deg), math.radians(analyser_deg)
    along_x = math.cos(dipole) * math.cos(axis)
    along_y = math.sqrt(ratio) * math.sin(dipole) * math.sin(axis)
    expected = 2.0 / (1.0 + ratio) * (along_x + along_y) ** 2
    ((share, turned_deg),) = behind_mirror(dipole_deg, ratio)
    assert turned_deg is not None
    turned = math.radians(turned_deg - analyser_deg)
    assert share * math.cos(turned) ** 2 == pytest.approx(expected, abs=1e-9)


def test_a_mirror_shares_unpolarized_light() -> None:
    assert behind_mirror(None, 1.0) == ((1.0, None),)
    shares = dict(behind_mirror(None, 1.5))
    assert sum(shares) == pytest.approx(1.0)
    assert set(shares.values()) == {0.0, 90.0}
    assert max(shares) / min(shares) == pytest.approx(1.5)


def test_index_of_air() -> None:
    # Sodium D2: 589.1583 nm in vacuum is 588.9950 nm in air; mercury green 546.2268 and 546.0750.
    vacuum = np.array([589.15833, 546.22675])
    np.testing.assert_allclose(vacuum / air_index(vacuum), [588.99509, 546.07500], atol=1e-4)
