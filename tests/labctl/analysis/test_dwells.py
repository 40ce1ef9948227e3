"""Dwell times: ON fraction, laws, their choice, bins, ends."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import DwellLaw, DwellSequence, LawFit, fit_dwells
from labctl.analysis._dwell_laws import DwellData
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]

MEAN_S, EXPONENT, SHORTEST_S, LONGEST_S, CUTOFF_S = 0.1, 1.6, 0.01, 5.0, 1.0


def draw(rng: np.random.Generator, law: DwellLaw, count: int) -> Vector:
    if law is DwellLaw.EXPONENTIAL:
        return rng.exponential(MEAN_S, count)
    if law is DwellLaw.ENDED_POWER:
        slope = 1 - EXPONENT
        low, high = SHORTEST_S**slope, LONGEST_S**slope
        return (low + rng.random(count) * (high - low)) ** (1 / slope)
    # A power law, of which a dwell is kept with the chance of the cutoff.
    found: Vector = SHORTEST_S * (1 + rng.pareto(EXPONENT - 1, 8 * count))
    kept: Vector = found[rng.random(8 * count) < np.exp(-found / CUTOFF_S)]
    return kept[:count]


def sequence(seed: int, law: DwellLaw, bin_s: float = 0.0, count: int = 600) -> DwellSequence:
    lasting: Vector = draw(np.random.default_rng(seed), law, count)
    on: NDArray[np.bool_] = np.arange(count) % 2 == 0
    state: NDArray[np.bool_]
    if bin_s == 0.0:
        return DwellSequence(lasting, on)
    ends = np.cumsum(lasting)
    middles = (np.arange(int(ends[-1] / bin_s)) + 0.5) * bin_s
    state = on[np.minimum(np.searchsorted(ends, middles), lasting.size - 1)]
    return DwellSequence.of(state, np.full(state.size, bin_s), bin_s)


def of(fits: tuple[LawFit, ...], law: DwellLaw) -> LawFit:
    return next(fit for fit in fits if fit.law is law)


def honest(pulls: list[float]) -> None:
    """Mean and deviation of pulls, within two deviations of both for so few seeds."""
    spare = 1 / np.sqrt(len(pulls))
    assert abs(np.mean(pulls)) < 0.4 + spare
    assert 0.75 - spare < np.std(pulls) < 1.3 + spare


def test_stretches_of_one_state_are_joined() -> None:
    on = np.array([True, True, False, True, True, True, False])
    found = DwellSequence.of(on, np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]))
    assert list(found.duration_s) == [3.0, 4.0, 56.0, 64.0]
    assert list(found.on) == [True, False, True, False]
    assert list(found.complete_s(True)) == [56.0]
    assert list(found.complete_s(False)) == [4.0]
    assert list(found.unfinished_s(False)) == [64.0]
    assert found.unfinished_s(True).size == 0
    assert found.on_fraction().value == pytest.approx(59 / 127)


def test_the_error_of_the_on_fraction_without_switches_is_not_a_number() -> None:
    for on in ([True], [True, False], [False, True, False]):
        state = np.array(on)
        found = DwellSequence(np.ones(state.size), state).on_fraction()
        assert np.isnan(found.error)


@pytest.mark.parametrize(
    ("law", "longest"), [(DwellLaw.EXPONENTIAL, 20.0), (DwellLaw.CUT_POWER, 60.0)]
)
def test_pulls_of_the_on_fraction(law: DwellLaw, longest: float) -> None:
    # ON dwells are three times longer than OFF dwells.
    pulls: list[float] = []
    for seed in range(100):
        whole = sequence(seed, law, count=2000)
        lasting = whole.duration_s * np.where(whole.on, 3.0, 1.0)
        ends = np.cumsum(lasting)
        last = int(np.searchsorted(ends, longest))
        cut = np.append(lasting[:last], longest - (ends[last] - lasting[last]))
        pulls.append(DwellSequence(cut, whole.on[: last + 1]).on_fraction().pull(0.75))
    honest(pulls)


@pytest.mark.parametrize("bin_s", [0.0, 0.005])
@pytest.mark.parametrize("law", [DwellLaw.ENDED_POWER, DwellLaw.CUT_POWER])
def test_pulls_of_exponent_and_end(law: DwellLaw, bin_s: float) -> None:
    fits = [
        fit_dwells(sequence(seed, law, bin_s), True, shortest_s=0.02).fits for seed in range(30)
    ]
    exponents = [fit.exponent for fit in (of(one, law) for one in fits) if fit.exponent]
    assert len(exponents) == 30
    honest([exponent.pull(EXPONENT) for exponent in exponents])
    # A cutoff is a factor: its logarithm is what is nearly normal.
    truth = LONGEST_S if law is DwellLaw.ENDED_POWER else CUTOFF_S
    times = [of(one, law).time_s for one in fits]
    honest([float(np.log(time.value / truth)) * time.value / time.error for time in times])


@pytest.mark.parametrize("bin_s", [0.0, 0.002])
def test_pulls_of_the_mean_of_a_telegraph(bin_s: float) -> None:
    law = DwellLaw.EXPONENTIAL
    found = [fit_dwells(sequence(seed, law, bin_s), False) for seed in range(30)]
    honest([of(one.fits, law).time_s.pull(MEAN_S) for one in found])
    assert sum(one.best.law is law for one in found) >= 28
    assert all(one.fits[0].aic <= one.fits[1].aic <= one.fits[2].aic for one in found)


def test_a_power_law_is_told_from_a_telegraph() -> None:
    for seed in range(10):
        found = fit_dwells(sequence(seed, DwellLaw.ENDED_POWER), True)
        assert found.best.law is not DwellLaw.EXPONENTIAL
        assert found.advantage > 4


def test_the_closed_form_of_the_exponential_law() -> None:
    # Memoryless: the mean is the sum of all times beyond the shortest over the complete dwells.
    lasting = np.array([9.0, 0.5, 0.2, 0.1, 0.7, 0.3, 0.9, 0.2, 0.4, 0.3, 0.6])
    lasting = np.concatenate([lasting, lasting[1:], lasting[1:], [1.0]])
    on = np.arange(lasting.size) % 2 == 0
    found = fit_dwells(DwellSequence(lasting, on), False, shortest_s=0.15)
    complete = lasting[1:-1][~on[1:-1]]
    complete = complete[complete > 0.15]
    unfinished = lasting[-1:] if not on[-1] else lasting[:0]
    mean = (np.sum(complete - 0.15) + np.sum(unfinished - 0.15)) / complete.size
    fit = of(found.fits, DwellLaw.EXPONENTIAL)
    assert fit.time_s.value == pytest.approx(mean, rel=1e-3)
    assert fit.time_s.error == pytest.approx(mean / np.sqrt(complete.size), rel=0.02)
    assert found.dwells == complete.size


def test_the_binned_law_is_normalised() -> None:
    # All numbers of bins from the shortest on have together the probability 1.
    whole = np.arange(4, 60_000, dtype=np.float64)
    data = DwellData(whole / 4, whole[:0], 0.25)
    single = [DwellData(data.complete[k : k + 1], whole[:0], 0.25) for k in range(0, 2000)]
    chances = [np.exp(one.log_likelihood(2.4, 50.0)) for one in single]
    assert sum(chances) == pytest.approx(1.0, abs=1e-4)


def test_dwells_too_short_for_a_bin_raise_a_flag() -> None:
    found = fit_dwells(sequence(0, DwellLaw.EXPONENTIAL, 0.02, count=2000), True)
    assert any("too short to be seen" in flag for flag in found.flags)
    assert not fit_dwells(sequence(0, DwellLaw.EXPONENTIAL, 0.001), True).flags


def test_few_dwells_are_refused() -> None:
    with pytest.raises(AnalysisError, match="too few"):
        fit_dwells(sequence(0, DwellLaw.EXPONENTIAL, count=12), True)
