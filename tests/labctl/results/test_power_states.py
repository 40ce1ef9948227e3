"""Which points of a power series tell the saturation of a dot that may be off for whole points."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.analysis import Measured, auger_g2
from labctl.errors import AnalysisError
from labctl.results._heralded_results import yield_ratio_of_any_excitation
from labctl.results._power_states import BrightPoint, state_of_series
from labctl.results._saturation_results import PowerSeries, fit_power_series

P_SAT, FULL, RATE_MAX, OFF = 70.0, 120.0, 1.3e6, 0.15
POWERS = (7.0, 14.0, 28.0, 42.0, 70.0, 105.0)


def point(power: float, *, on: bool, seed: int = 0) -> BrightPoint:
    """A point of one second."""
    rate = -RATE_MAX * math.expm1(-power / P_SAT) * (1.0 if on else OFF)
    seen = float(np.random.default_rng([seed, int(10 * power)]).poisson(rate))
    return BrightPoint(power, Measured(seen, seen**0.5), None)


def series(powers: Sequence[float], on: Sequence[bool]) -> PowerSeries:
    points = [point(p, on=lit, seed=k) for k, (p, lit) in enumerate(zip(powers, on, strict=True))]
    return fit_power_series(points, FULL)


def test_a_dot_that_was_off_for_most_of_a_series_is_still_saturated_by_its_bright_points() -> None:
    # Off from the fourth point on and for the first three downwards.
    found = series((*POWERS, *POWERS), [place % 6 < 3 for place in range(12)])
    assert [one.power_w_cm2 for one in found.points] == [7.0, 7.0, 14.0, 14.0, 28.0, 28.0]
    assert not found.dim
    assert found.saturation.p_sat.covers(P_SAT, 4.0)
    assert found.saturation.p_sat.error < 20.0


def test_a_dot_that_was_off_for_the_whole_series_saturates_by_its_dim_points() -> None:
    powers = (105.0, 56.0, 28.0, 20.0, 28.0, 56.0, 105.0, 14.0)
    found = series(powers, [power == 14.0 for power in powers])
    assert found.dim
    assert len(found.points) == 7
    assert found.saturation.p_sat.covers(P_SAT, 4.0)
    assert found.saturation.p_sat.error < 0.1 * P_SAT


def test_the_brightest_state_that_three_powers_show_wins_over_a_larger_group() -> None:
    found = series((*POWERS, *POWERS, *POWERS), [*(True,) * 6, *(False,) * 12])
    assert not found.dim
    assert len(found.points) == 6
    assert found.saturation.rate_max_hz.covers(RATE_MAX, 4.0)


@pytest.mark.parametrize("lit", [(True, True, False, False), (True, False, False, True)])
def test_two_powers_of_each_state_tell_no_law(lit: Sequence[bool]) -> None:
    with pytest.raises(AnalysisError, match="fewer than 3 of 4 powers"):
        series((7.0, 28.0, 56.0, 105.0), lit)


@given(st.lists(st.booleans(), min_size=6, max_size=12), st.integers(0, 99))
def test_a_state_never_holds_points_of_another(lit: list[bool], seed: int) -> None:
    powers = (POWERS * 2)[: len(lit)]
    points = [point(p, on=on, seed=seed) for p, on in zip(powers, lit, strict=True)]
    bright = [one for one, on in zip(points, lit, strict=True) if on]
    dim = [one for one, on in zip(points, lit, strict=True) if not on]
    enough = [group for group in (bright, dim) if len({one.power_w_cm2 for one in group}) >= 3]
    if not enough:
        with pytest.raises(AnalysisError):
            state_of_series(points)
        return
    found = state_of_series(points)
    assert list(found.points) == sorted(enough[0], key=lambda one: one.power_w_cm2)
    assert found.dim == (enough[0] is dim and bool(bright))


def test_dim_counts_are_not_called_steady_because_they_are_few() -> None:
    # With 30 counts per point nothing is told apart that noise alone could have done.
    points = [
        BrightPoint(p, Measured(counts, counts**0.5), None)
        for p, counts in zip(POWERS, (14.0, 26.0, 40.0, 51.0, 60.0, 84.0), strict=True)
    ]
    assert len(state_of_series(points).points) == len(POWERS)


@pytest.mark.parametrize("mean", [0.05, 0.2, 1.0, 3.0])
def test_a_yield_ratio_without_a_power_series_has_an_error_that_covers_any(mean: float) -> None:
    g2 = Measured(float(auger_g2(np.array([mean]), 0.05)[0]), 1e-4)
    found = yield_ratio_of_any_excitation(g2)
    assert found.covers(0.05, 2.0)
    assert found.error < 0.25 * found.value
