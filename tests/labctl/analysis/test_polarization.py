"""Polarization behind a turned analyser: closed forms, errors, what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from labctl.analysis import Measured, Polarization, between_axes_deg, fit_polarization
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]

ANGLES = np.arange(0.0, 360.0, 15.0)


def malus(angle_deg: float, degree: float = 1.0, extinction: float = 0.0) -> Vector:
    turn = np.radians(ANGLES - angle_deg)
    passed = extinction + (1.0 - extinction) * np.cos(turn) ** 2
    return 1000.0 * (degree * passed + (1.0 - degree) * 0.5 * (1.0 + extinction))


@given(st.floats(0.0, 179.9), st.floats(0.05, 1.0))
def test_a_dipole_comes_back(angle_deg: float, degree: float) -> None:
    found = fit_polarization(ANGLES, malus(angle_deg, degree), np.eye(ANGLES.size))
    apart = between_axes_deg(found.angle_deg, Measured(angle_deg, 0.0))
    assert apart.value == pytest.approx(0.0, abs=1e-6)
    assert found.degree.value == pytest.approx(degree, abs=1e-5)
    assert found.s1.value == pytest.approx(degree * math.cos(2 * math.radians(angle_deg)))
    assert found.s2.value == pytest.approx(degree * math.sin(2 * math.radians(angle_deg)))
    assert found.intensity.value == pytest.approx(1000.0)


def test_the_extinction_of_the_analyser_is_allowed_for() -> None:
    seen = malus(30.0, extinction=0.05)
    covariance = np.eye(ANGLES.size)
    assert fit_polarization(ANGLES, seen, covariance).degree.value < 0.91
    found = fit_polarization(ANGLES, seen, covariance, extinction=0.05)
    assert found.degree.value == pytest.approx(1.0, abs=1e-5)


def test_moving_an_angle_by_half_a_turn_changes_nothing() -> None:
    seen, covariance = malus(70.0, 0.4), np.eye(ANGLES.size)
    here = fit_polarization(ANGLES, seen, covariance)
    there = fit_polarization(ANGLES + 180.0, seen, covariance)
    assert there.angle_deg.value == pytest.approx(here.angle_deg.value)
    assert there.degree.value == pytest.approx(here.degree.value)


def pulls_of(degree: float, seeds: range) -> tuple[Vector, Vector, Vector]:
    expected = malus(40.0, degree)
    found: list[Polarization] = []
    for seed in seeds:
        seen = np.random.default_rng(seed).poisson(expected).astype(float)
        found.append(fit_polarization(ANGLES, seen, np.diag(expected)))
    s1 = degree * math.cos(math.radians(80.0))
    return (
        np.array([one.s1.pull(s1) for one in found]),
        np.array([one.degree.pull(degree) for one in found]),
        np.array([one.angle_deg.pull(40.0) for one in found]),
    )


def test_the_errors_are_honest() -> None:
    """400 seeds: mean of the pulls within 4 standard errors of 0, their sd within 4 of 1."""
    for pulls in pulls_of(0.5, range(400)):
        assert abs(pulls.mean()) < 4 / math.sqrt(400)
        assert abs(pulls.std() - 1.0) < 4 / math.sqrt(800)


def test_light_without_polarization_has_the_degree_0_within_its_error() -> None:
    """The length of two normal numbers is below 2.24 sigma in 92 % of all cases.

    400 seeds: at least 92 % less 4 standard deviations of a binomial number.
    """
    s1, degree, _ = pulls_of(0.0, range(400))
    assert np.mean(degree <= 2.0) > 0.92 - 4 * math.sqrt(0.92 * 0.08 / 400)
    assert abs(s1.mean()) < 4 / math.sqrt(400)


def test_a_law_that_does_not_hold_widens_the_errors() -> None:
    seen = malus(40.0)
    seen[3] *= 1.5
    found = fit_polarization(ANGLES, seen, np.eye(ANGLES.size))
    assert found.error_scale > 10
    assert found.degree.error > 10 * fit_polarization(ANGLES, malus(40.0), np.eye(24)).degree.error


@pytest.mark.parametrize(
    ("angles", "seen", "says"),
    [
        ([0.0, 45.0, 90.0], [1.0, 1.0, 1.0], "take more angles"),
        ([0.0, 90.0, 180.0, 270.0], [2.0, 1.0, 2.0, 1.0], "spread them over 180 deg"),
        ([0.0, 30.0, 60.0, 90.0, 120.0], [0.0, 0.0, 0.0, 0.0, 0.0], "no light"),
        ([0.0, 30.0, 60.0, 90.0, 120.0], [1.0, 1.0, math.nan, 1.0, 1.0], "do not tell"),
    ],
)
def test_what_tells_no_polarization_is_refused(
    angles: list[float], seen: list[float], says: str
) -> None:
    with pytest.raises(AnalysisError, match=says):
        fit_polarization(np.array(angles), np.array(seen), np.eye(len(angles)))


def test_axes_have_no_sense() -> None:
    assert between_axes_deg(Measured(175.0, 3.0), Measured(5.0, 4.0)) == Measured(10.0, 5.0)
    assert between_axes_deg(Measured(0.0, 0.0), Measured(90.0, 0.0)).value == 90.0
