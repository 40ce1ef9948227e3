"""Times of switches to a fraction of the interval between photons, and endless power laws."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    DwellLaw,
    DwellSequence,
    IntensityLevels,
    Switches,
    find_change_points,
    fit_dwells,
    group_levels,
    locate_switches,
)

Vector = NDArray[np.float64]

TICK_S, LENGTH_S, ON_HZ, OFF_HZ = 1e-7, 4.0, 50_000.0, 8_000.0


def telegraph(
    seed: int, *, on_first: bool = True
) -> tuple[NDArray[np.int64], Vector, NDArray[np.bool_]]:
    """Arrival ticks of a telegraph without short dwells, its edges, the state between them."""
    rng = np.random.default_rng([seed, 3])
    edges = np.concatenate([[0.0], np.cumsum(0.0015 + rng.exponential(0.02, 1000))])
    edges = np.append(edges[edges < LENGTH_S], LENGTH_S)
    on = (np.arange(edges.size - 1) % 2 == 0) == on_first
    counts = rng.poisson(np.diff(edges) * np.where(on, ON_HZ, OFF_HZ))
    times = np.repeat(edges[:-1], counts) + np.repeat(np.diff(edges), counts) * rng.random(
        int(counts.sum())
    )
    return (np.sort(times) / TICK_S).astype(np.int64), edges, on


def located(ticks: NDArray[np.int64], length_s: float = LENGTH_S) -> Switches:
    levels = group_levels(find_change_points(ticks, TICK_S))
    return locate_switches(ticks, TICK_S, levels, length_s)


def test_pulls_of_switches_and_of_the_on_fraction() -> None:
    of_switches: list[float] = []
    of_fractions: list[float] = []
    for seed in range(25):
        ticks, edges, on = telegraph(seed)
        found = located(ticks)
        share = float(np.diff(edges)[on].sum()) / LENGTH_S
        of_fractions.append(found.on_fraction().pull(share))
        if found.time_s.size == edges.size - 2:
            of_switches += list((found.time_s - edges[1:-1]) / found.error_s)
    assert len(of_switches) > 4000
    assert abs(np.mean(of_switches)) < 3 / np.sqrt(len(of_switches))
    assert 0.85 < np.std(of_switches) < 1.15
    assert abs(np.mean(of_fractions)) < 0.4 + 3 / np.sqrt(25)
    assert 0.6 < np.std(of_fractions) < 1.4


def test_change_points_make_off_dwells_too_long_and_the_mean_does_not() -> None:
    ticks, edges, on = telegraph(0)
    levels = group_levels(find_change_points(ticks, TICK_S))
    raw = levels.dwells()
    found = located(ticks).dwells()
    truth_s = np.diff(edges)
    assert raw.on.size == found.on.size == truth_s.size
    late_s = (raw.duration_s - truth_s)[~on][1:-1].mean()
    # One interval of the bright level at each end.
    assert late_s == pytest.approx(2 / ON_HZ, rel=0.5)
    assert abs((found.duration_s - truth_s)[~on].mean()) < 0.2 * late_s


@pytest.mark.parametrize("on_first", [True, False])
def test_calm_photons_belong_to_their_state(on_first: bool) -> None:
    ticks, edges, on = telegraph(1, on_first=on_first)
    found = located(ticks)
    assert found.on_first == on_first
    calm = found.calm(ticks, TICK_S)
    truth = on[np.searchsorted(edges, (ticks + 0.5) * TICK_S) - 1]
    sure = calm.state >= 0
    assert np.mean(truth[sure] != (calm.state[sure] == 1)) < 1e-4
    assert calm.counts.tolist() == [np.sum(calm.state == 0), np.sum(calm.state == 1)]
    assert calm.lasting_s.sum() > 0.95 * LENGTH_S
    assert calm.rate_hz(on=True).covers(ON_HZ, 4.0)
    assert calm.rate_hz(on=False).covers(OFF_HZ, 4.0)


def test_a_burst_is_no_level_that_moves_the_threshold() -> None:
    ticks, _, _ = telegraph(2)
    levels = group_levels(find_change_points(ticks, TICK_S))
    low, high = levels.span_hz
    assert (low, high) == pytest.approx((OFF_HZ, ON_HZ), rel=0.05)
    burst = IntensityLevels(
        (*levels.rate_hz, levels.rate_hz[-1].scaled(800.0)),
        (*levels.share, 0.0),
        np.concatenate([[2], levels.level[1:]]),
        levels.bic,
        levels.points,
    )
    first = float(levels.points.counts[0]) / float(levels.points.counts.sum())
    assert first < 0.01
    assert burst.span_hz == (low, high)


def power_law_dwells(seed: int, count: int) -> DwellSequence:
    """Both states t^-1.6 from 1 ms to 10 s, begun in the middle of nothing."""
    uniform = np.random.default_rng([seed, 4]).random(count)
    low, high = 1e-3**-0.6, 10.0**-0.6
    lasting_s: Vector = (low + uniform * (high - low)) ** (1 / -0.6)
    return DwellSequence(lasting_s, np.arange(count) % 2 == 0)


def test_an_end_that_is_not_seen_does_not_bend_the_exponent() -> None:
    fits = [fit_dwells(power_law_dwells(seed, 100), on=False) for seed in range(40)]
    exponents = [fit.best.exponent for fit in fits]
    pulls = np.array([one.pull(1.6) for one in exponents if one is not None])
    assert pulls.size >= 39
    assert sum(fit.best.law is DwellLaw.POWER for fit in fits) >= 34
    assert abs(pulls.mean()) < 0.4 + 3 / np.sqrt(40)
    assert 0.6 < pulls.std() < 1.4


def test_the_exponent_of_an_endless_law_is_that_of_its_closed_form() -> None:
    dwells = power_law_dwells(0, 401)
    fit = next(f for f in fit_dwells(dwells, on=False).fits if f.law is DwellLaw.POWER)
    complete_s = dwells.complete_s(on=False)
    # The shortest does not count, it is where the law begins (Hill's estimator).
    logs = np.log(complete_s / complete_s.min())
    assert fit.exponent is not None
    assert fit.exponent.value == pytest.approx(1 + (logs.size - 1) / logs.sum(), rel=1e-3)
    assert fit.exponent.error == pytest.approx(
        (fit.exponent.value - 1) / np.sqrt(logs.size - 1), rel=0.02
    )
