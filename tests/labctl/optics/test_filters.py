"""Edges by angle and densities by wavelength: values typed from the maker's note, closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.optics import (
    EdgeFacts,
    edge_angle_deg,
    edge_wavelength_nm,
    long_pass_density,
    short_pass_density,
)

FACTS = EdgeFacts(561.0, 1.92)


@pytest.mark.parametrize(
    ("angle_deg", "ratio"),
    [(0, 1.0), (10, 0.9959), (20, 0.9840), (30, 0.9655), (40, 0.9423), (50, 0.9170), (60, 0.8925)],
)
def test_the_edge_at_an_angle(angle_deg: float, ratio: float) -> None:
    assert edge_wavelength_nm(angle_deg, FACTS) / 561.0 == pytest.approx(ratio, abs=6e-5)
    assert edge_wavelength_nm(-angle_deg, FACTS) == edge_wavelength_nm(angle_deg, FACTS)


@given(st.floats(0.0, 85.0), st.floats(1.1, 3.0), st.floats(-20.0, 20.0))
def test_the_angle_of_an_edge(tilt_deg: float, index: float, offset_deg: float) -> None:
    facts = EdgeFacts(565.0, index, offset_deg)
    edge_nm = edge_wavelength_nm(offset_deg + tilt_deg, facts)
    again_nm = edge_wavelength_nm(edge_angle_deg(edge_nm, facts), facts)
    assert again_nm == pytest.approx(edge_nm, abs=1e-9)
    assert edge_angle_deg(edge_nm, facts) == pytest.approx(offset_deg + tilt_deg, abs=1e-4)


@pytest.mark.parametrize("edge_nm", [561.1, 450.0, 0.0, -1.0, float("nan"), float("inf")])
def test_an_edge_out_of_reach(edge_nm: float) -> None:
    with pytest.raises(ValueError, match="no tilt brings the edge from 561 nm"):
        edge_angle_deg(edge_nm, FACTS)


def test_the_edge_is_as_wide_as_it_is_called() -> None:
    passed = 10.0 ** -short_pass_density([528.25, 530.0, 531.75], 530.0, 3.5, 6.0)
    assert passed == pytest.approx([0.9, 0.5, 0.1], rel=1e-5)
    passed = 10.0 ** -long_pass_density([528.25, 530.0, 531.75], 530.0, 3.5, 6.0)
    assert passed == pytest.approx([0.1, 0.5, 0.9], rel=1e-5)


def test_density_far_from_the_edge() -> None:
    density = short_pass_density([1e-3, 405.0, 700.0, 1e6], 530.0, 3.5, 5.0)
    assert density.shape == (4,)
    assert density.dtype == np.float64
    assert density == pytest.approx([0.0, 0.0, 5.0, 5.0], abs=1e-9)
    assert float(long_pass_density(405.0, 450.0, 4.0, 6.0)) == pytest.approx(6.0)


@given(st.floats(450.0, 600.0), st.floats(0.0, 50.0))
def test_short_and_long_pass_are_mirror_images(edge_nm: float, off_nm: float) -> None:
    short = short_pass_density(edge_nm + off_nm, edge_nm, 3.5, 5.0)
    assert short == pytest.approx(long_pass_density(edge_nm - off_nm, edge_nm, 3.5, 5.0))
