"""The bright triplet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.sample import Dot, FineStructure, Orientation
from labctl_sim.world._fine_structure import (
    boltzmann_shares,
    dipole_axes,
    offsets_mev,
    sublevels,
)

ANGLE = st.floats(-360.0, 360.0)


def dot(**keys: object) -> Dot:
    return Dot.model_validate({"edge_length": "30 nm", "lifetime": "180 ps", **keys})


def orientation(azimuth: float, tilt: float, spin: float) -> dict[str, str]:
    return {"azimuth": f"{azimuth} deg", "tilt": f"{tilt} deg", "spin": f"{spin} deg"}


def test_the_mean_splitting_is_that_of_the_paper() -> None:
    low, middle, high = offsets_mev(FineStructure(), dot())
    assert ((middle - low) + (high - middle)) / 2 == pytest.approx(1.06)
    assert low + middle + high == pytest.approx(0.0, abs=1e-12)


@given(ANGLE, ANGLE, ANGLE)
def test_dipoles_stay_orthogonal_unit_vectors(a: float, b: float, c: float) -> None:
    axes = dipole_axes(Orientation.model_validate(orientation(a, b, c)))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)


@given(ANGLE, ANGLE, ANGLE)
def test_equal_populations_collect_one_in_every_orientation(a: float, b: float, c: float) -> None:
    levels = sublevels(FineStructure(), dot(orientation=orientation(a, b, c)))
    assert sum(level.weight for level in levels) == pytest.approx(1.0)


def test_upright_dot_shows_crossed_lines_and_hides_the_third() -> None:
    first, second, third = sublevels(FineStructure(), dot(orientation=orientation(20, 0, 0)))
    assert (first.angle_deg, second.angle_deg) == (pytest.approx(20.0), pytest.approx(110.0))
    assert third.weight == pytest.approx(0.0, abs=1e-12)


def test_random_directions_collect_one_in_the_mean() -> None:
    rng = np.random.default_rng(0)
    total = 0.0
    for _ in range(500):
        tilt = np.degrees(np.arccos(rng.uniform(-1, 1)))
        turned = orientation(rng.uniform(0, 360), float(tilt), rng.uniform(0, 360))
        levels = sublevels(FineStructure(), dot(orientation=turned, populations=[1, 0, 0]))
        total += levels[0].weight
    # 1.5 sin^2 has a standard deviation of 0.45; four standard errors of 500 are 0.08.
    assert total / 500 == pytest.approx(1.0, abs=0.08)


def test_populations_are_not_thermalised_unless_told_so() -> None:
    assert boltzmann_shares((-1.0, 0.0, 1.0), None) == (1 / 3, 1 / 3, 1 / 3)
    low, middle, high = boltzmann_shares((-1.0, 0.0, 1.0), 4.0)
    assert middle / low == pytest.approx(np.exp(-1.0 / (0.08617333262 * 4.0)))
    assert low + middle + high == pytest.approx(1.0)
