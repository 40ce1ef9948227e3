"""Energy and wavelength, in vacuum and air, and the Jacobian between the axes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.optics import (
    HC_EV_NM,
    air_nm_to_ev,
    air_refractive_index,
    density_per_ev,
    density_per_nm,
    ev_to_air_nm,
    ev_to_nm,
    nm_to_ev,
    pixel_edges,
    vacuum_nm,
    width_nm_to_mev,
)


def test_hc_is_the_codata_value() -> None:
    assert pytest.approx(1239.841984, abs=1e-6) == HC_EV_NM


@given(st.floats(200.0, 2000.0))
def test_energy_and_wavelength_are_inverse(wavelength_nm: float) -> None:
    assert ev_to_nm(nm_to_ev(wavelength_nm)) == pytest.approx(wavelength_nm, rel=1e-14)


@given(st.floats(300.0, 1500.0))
def test_air_and_vacuum_are_inverse(wavelength_nm: float) -> None:
    assert ev_to_air_nm(air_nm_to_ev(wavelength_nm)) == pytest.approx(wavelength_nm, rel=1e-11)


def test_index_of_air_at_the_helium_neon_line() -> None:
    # Standard air has 1.0002765 at the red line of a helium-neon laser.
    assert air_refractive_index(632.99) == pytest.approx(1.0002765, abs=5e-8)
    assert vacuum_nm(632.81646) == pytest.approx(632.81646 * 1.0002765, abs=5e-5)


def test_area_is_the_same_on_both_axes() -> None:
    wavelength = np.linspace(500.0, 560.0, 6001)
    density = np.exp(-(((wavelength - 531.0) / 4.0) ** 2))
    energy = nm_to_ev(wavelength)
    on_energy = density_per_ev(density, wavelength)
    areas = np.trapezoid(density, wavelength), np.trapezoid(on_energy[::-1], energy[::-1])
    assert areas[1] == pytest.approx(areas[0], rel=1e-6)
    np.testing.assert_allclose(density_per_nm(on_energy, energy), density, rtol=1e-12)


def test_narrow_width_in_mev() -> None:
    wavelength_nm, width_nm = 531.0, 0.01
    low, high = nm_to_ev(wavelength_nm + width_nm / 2), nm_to_ev(wavelength_nm - width_nm / 2)
    assert width_nm_to_mev(width_nm, wavelength_nm) == pytest.approx(1e3 * (high - low), rel=1e-8)


def test_edges_of_even_and_uneven_pixels() -> None:
    np.testing.assert_allclose(pixel_edges(np.array([1.0, 2.0, 3.0])), [0.5, 1.5, 2.5, 3.5])
    np.testing.assert_allclose(pixel_edges(np.array([4.0, 2.0, 1.0])), [5.0, 3.0, 1.5, 0.5])


@pytest.mark.parametrize("centres", [[1.0], [1.0, 1.0], [1.0, 2.0, 1.5]])
def test_edges_refuse_what_is_not_monotonic(centres: list[float]) -> None:
    with pytest.raises(ValueError, match="monotonic"):
        pixel_edges(np.array(centres))
