"""Spot, collection, filters, analyser, lamps."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.world import LAMPS
from labctl_sim.world._collection import collection_rel, edge_transmission, malus, spot_rel
from labctl_sim.world._lamps import lamp_lines


def test_spot_falls_to_e_minus_two_at_half_its_diameter() -> None:
    assert spot_rel(1.2, 0.0, (2.4, 2.4)) == pytest.approx(math.exp(-2.0))
    assert spot_rel(0.0, 0.0, (2.4, 2.4)) == 1.0


def test_collection_is_gaussian_in_both_directions() -> None:
    assert collection_rel(0.35, 0.0, 0.35, 0.8) == pytest.approx(math.exp(-0.5))
    assert collection_rel(0.0, 1.6, 0.35, 0.8) == pytest.approx(math.exp(-2.0))
    assert collection_rel(0.35, 0.8, 0.35, 0.8) == pytest.approx(math.exp(-1.0))


@pytest.mark.parametrize("long_pass", [True, False])
def test_edge_filter_goes_from_ten_to_ninety_percent_in_its_width(long_pass: bool) -> None:
    at = np.array([531.0 - 1.75, 531.0, 531.0 + 1.75])
    seen = edge_transmission(at, 531.0, 3.5, long_pass=long_pass, density=6.0)
    expected = [0.1, 0.5, 0.9] if long_pass else [0.9, 0.5, 0.1]
    np.testing.assert_allclose(seen, expected, atol=1e-6)


def test_edge_filter_blocks_down_to_its_density() -> None:
    seen = edge_transmission(np.array([405.0]), 450.0, 4.0, long_pass=True, density=6.0)
    assert seen[0] == pytest.approx(1e-6, rel=1e-3)


@given(st.floats(0.0, 360.0), st.floats(0.0, 180.0))
def test_malus(angle: float, dipole: float) -> None:
    passed = malus(angle, dipole)
    assert passed + malus(angle + 90.0, dipole) == pytest.approx(1.0 + 1e-4)
    assert 1e-4 * 0.999 <= passed <= 1.0


def test_lamps_rank_their_lines() -> None:
    for lamp in set(LAMPS) - {"halogen"}:  # which is white
        lines = lamp_lines(lamp)
        assert max(line.strength for line in lines) == 1.0
        assert [line.air_nm for line in lines] == sorted(line.air_nm for line in lines)
    with pytest.raises(ValueError, match="neon, mercury, argon"):
        lamp_lines("xenon")


@pytest.mark.parametrize(
    ("lamp", "wavelength_nm"),
    [("neon", 585.24878), ("neon", 640.2248), ("mercury", 546.0750), ("argon", 763.5106)],
)
def test_well_known_lines(lamp: str, wavelength_nm: float) -> None:
    assert wavelength_nm in [line.air_nm for line in lamp_lines(lamp)]
