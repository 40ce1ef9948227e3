"""Cascades: closed forms against sums and drawn photons, and the four cases of E11."""

import math

import numpy as np
import pytest

from labctl.analysis import (
    Measured,
    auger_g2,
    cascade_statistics,
    monte_carlo,
    yield_ratio_from_g2,
)
from labctl.errors import AnalysisError


@pytest.mark.parametrize(("mean", "paper"), [(0.1, 0.051), (1.5, 0.069)])
def test_the_auger_limited_dot_of_feld_2024(mean: float, paper: float) -> None:
    g2 = float(auger_g2(np.array([mean]), 0.05)[0])
    assert g2 == pytest.approx(paper, abs=5e-4)
    general = cascade_statistics(mean, exciton=0.9, multiexciton=0.045, at_most=2)
    assert general.g2_zero == pytest.approx(g2, rel=1e-9)


def test_small_means_give_the_yield_ratio() -> None:
    means = np.geomspace(1e-8, 1e-1, 50)
    values = auger_g2(means, 0.3)
    assert values[0] == pytest.approx(0.3, rel=1e-6)
    # Both branches of P(N >= 2) meet, and g2 rises by about 1/3 of the mean times the ratio.
    assert np.all(np.diff(values) > 0)
    p2 = np.array([1 - math.exp(-m) * (1 + m) for m in (0.00999, 0.0101, 3.0)])
    p1 = -np.expm1(-np.array([0.00999, 0.0101, 3.0]))
    exact = 2 * p2 * 0.3 / (p1 + 0.3 * p2) ** 2
    np.testing.assert_allclose(auger_g2(np.array([0.00999, 0.0101, 3.0]), 0.3), exact, rtol=1e-9)


@pytest.mark.parametrize("mean", [1e-3, 0.1, 1.0, 5.0])
def test_the_weakly_confined_dot(mean: float) -> None:
    plain = cascade_statistics(mean)
    assert plain.g2_zero == pytest.approx(1.0, rel=1e-9)
    excited = -math.expm1(-mean)
    assert plain.x_to_xx == pytest.approx(excited / (mean - excited), rel=1e-6)
    filtered = cascade_statistics(mean, multiexciton=0.0)
    assert filtered.g2_zero == 0.0
    assert filtered.x_to_xx == math.inf
    leaking = cascade_statistics(mean, exciton=0.8, multiexciton=0.1)
    assert 0.0 < leaking.g2_zero < 1.0


def test_a_leaking_filter_against_drawn_photons() -> None:
    generator = np.random.default_rng(0)
    numbers = generator.poisson(1.0, 1_000_000)
    last = generator.binomial(np.minimum(numbers, 1), 0.8)
    photons = last + generator.binomial(np.maximum(numbers - 1, 0), 0.1)
    pairs = photons * (photons - 1)
    found = pairs.mean() / photons.mean() ** 2
    error = pairs.std() / 1000 / photons.mean() ** 2
    truth = cascade_statistics(1.0, exciton=0.8, multiexciton=0.1).g2_zero
    assert abs(found - truth) < 5 * error


@pytest.mark.parametrize("mean", [0.1, 1.0])
@pytest.mark.parametrize("yield_xx", [0.0, 1.0])
def test_the_four_cases_of_extended_data_8(mean: float, yield_xx: float) -> None:
    """Statistics of 10^6 pulses within 5 standard errors of the closed forms."""
    drawn = monte_carlo(mean, yield_xx, 1_000_000, 0)
    law = cascade_statistics(mean, multiexciton=yield_xx, at_most=4)
    assert drawn.g2_zero.covers(law.g2_zero, 5)
    assert drawn.g2[drawn.lag_pulses == 0] == pytest.approx(drawn.g2_zero.value)
    sides = drawn.g2[drawn.lag_pulses != 0]
    assert np.all(np.abs(sides - 1) < 0.15)
    if yield_xx == 0.0:
        assert drawn.x_to_xx is None
        assert drawn.g2_zero.value == 0.0
    else:
        assert drawn.x_to_xx is not None
        assert drawn.x_to_xx.covers(law.x_to_xx, 5)
        # Without the cut at four excitations it is 1; the cut leaves the paper's weak antibunching.
        assert 0.97 < law.g2_zero < 1.0


def test_errors_of_the_monte_carlo_are_honest() -> None:
    law = cascade_statistics(1.0, multiexciton=1.0, at_most=4)
    runs = [monte_carlo(1.0, 1.0, 20_000, seed) for seed in range(100)]
    g2 = np.array([run.g2_zero.pull(law.g2_zero) for run in runs])
    ratio = np.array([run.x_to_xx.pull(law.x_to_xx) for run in runs if run.x_to_xx])
    for pulls in (g2, ratio):
        assert len(pulls) == 100
        assert abs(pulls.mean()) < 0.4
        assert 0.75 < pulls.std() < 1.3


@pytest.mark.parametrize("mean", [1e-3, 0.1, 1.5])
def test_the_yield_ratio_is_the_inverse(mean: float) -> None:
    g2 = float(auger_g2(np.array([mean]), 0.29)[0])
    found = yield_ratio_from_g2(Measured(g2, 1e-3), Measured(mean, 0.0))
    assert found.value == pytest.approx(0.29, rel=1e-6)
    slope = (float(auger_g2(np.array([mean]), 0.2901)[0]) - g2) / 1e-4
    assert found.error == pytest.approx(1e-3 / slope, rel=1e-2)
    assert yield_ratio_from_g2(Measured(-1e-3, 1e-3), Measured(mean, 0.0)).value < 0


def test_what_is_no_cascade_is_an_error() -> None:
    with pytest.raises(AnalysisError, match="not that of an Auger-limited dot"):
        yield_ratio_from_g2(Measured(1.0, 0.1), Measured(1.0, 0.0))
    with pytest.raises(AnalysisError, match="negative"):
        cascade_statistics(-1.0)
    with pytest.raises(AnalysisError, match="no photon"):
        monte_carlo(1e-9, 1.0, 10, 0)
