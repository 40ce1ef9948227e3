"""Peak areas of pulsed coincidences: closed forms, clicks drawn pulse by pulse, limits."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    Measured,
    Normalisation,
    PairBackground,
    background_from_bins,
    background_from_rates,
    pulsed_g2,
)
from labctl.errors import AnalysisError
from labctl.photons import PairBooks, PulsedDelaysResult, PulsedG2Result

Clicks = tuple[NDArray[np.int64], NDArray[np.int64]]
SEEDS = 60
LAGS = np.arange(-10, 11)


def peaks(clicks: Clicks) -> PulsedG2Result:
    a, b = clicks
    counts = [
        int(np.sum(a[: a.size - k] * b[k:]) if k >= 0 else np.sum(a[-k:] * b[: b.size + k]))
        for k in LAGS
    ]
    books = PairBooks(int(a.sum()), int(b.sum()), a.size, int(a.sum() + b.sum()), 0)
    return PulsedG2Result(LAGS, np.array(counts), books)


def dot(
    seed: int,
    pulses: int = 100_000,
    rate: float = 0.1,
    g2: float = 0.3,
    background: float = 0.0,
    on: NDArray[np.bool_] | None = None,
) -> Clicks:
    """Click detectors: with rates p the clicks of a pulse coincide with probability g2 p^2."""
    generator = np.random.default_rng(seed)
    draw = generator.random(pulses)
    both, one = g2 * rate**2, rate - g2 * rate**2
    a, b = draw < both + one, (draw < both) | ((draw >= both + one) & (draw < both + 2 * one))
    if on is not None:
        a, b = a & on, b & on
    noise = generator.random((2, pulses)) < background
    return (a | noise[0]).astype(np.int64), (b | noise[1]).astype(np.int64)


def pulls_of(measure: Callable[[int], Measured], truth: float) -> NDArray[np.float64]:
    return np.array([measure(seed).pull(truth) for seed in range(SEEDS)])


def honest(pulls: NDArray[np.float64]) -> bool:
    return bool(abs(pulls.mean()) < 0.4 and 0.75 < pulls.std() < 1.3)


def table(zero: int, side: int, photons: int = 10_000, pulses: int = 1_000_000) -> PulsedG2Result:
    counts = np.full(21, side)
    counts[10] = zero
    return PulsedG2Result(LAGS, counts, PairBooks(photons, photons, pulses, 2 * photons, 0))


def test_closed_form_of_areas_and_background() -> None:
    found = pulsed_g2(table(20, 100))
    # Shared clicks: n_a / M + n_b / M = 0.02 less of the relative variance, and 1/20 of it more.
    assert found.g2_zero.error / 0.2 == pytest.approx(np.sqrt(21 / 400 + 1 / 2000), rel=0.01)
    assert found.g2_zero.value == pytest.approx(0.2, rel=1e-4)
    assert found.g2_zero == found.g2_raw
    assert found.purity.value == pytest.approx(0.8, rel=1e-4)
    # Of 10 000 clicks 1000 are background: g = 1 - (1 - 0.2) / 0.9^2.
    background = PairBackground(Measured(1000.0, 0.0), Measured(1000.0, 0.0))
    corrected = pulsed_g2(table(20, 100), background=background)
    assert corrected.background_counts == pytest.approx(100 * (1 - 0.9**2))
    assert corrected.g2_zero.value == pytest.approx(1 - 0.8 / 0.9**2, rel=1e-3)
    assert corrected.g2_raw.value == found.g2_raw.value
    crossed = PairBackground(crosstalk=Measured(5e-4, 0.0))
    assert pulsed_g2(table(20, 100), background=crossed).crosstalk_counts == pytest.approx(10)
    assert pulsed_g2(table(20, 100), background=crossed).g2_zero.value == pytest.approx(0.1, 1e-3)


def test_errors_of_the_background_are_in_the_result() -> None:
    exact = PairBackground(Measured(500.0, 0.0), Measured(500.0, 0.0))
    vague = PairBackground(Measured(500.0, 100.0), Measured(500.0, 100.0))
    small, large = (
        pulsed_g2(table(20, 100), background=one).g2_zero.error for one in (exact, vague)
    )
    # d g2 / d b_a = -(1 - g2) (n_b - b_b) / M / (D - C), and the same for b.
    g2 = pulsed_g2(table(20, 100), background=exact).g2_zero.value
    expected = np.sqrt(2) * 100 * (1 - g2) * 9500 / 1e6 / (100 - 9.75)
    assert np.sqrt(large**2 - small**2) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("normalisation", ["sides", "rates"])
@pytest.mark.parametrize("rate", [0.02, 0.3])
@pytest.mark.parametrize("g2", [0.1, 1.0])
def test_honest_errors(normalisation: Normalisation, rate: float, g2: float) -> None:
    def measure(seed: int) -> Measured:
        return pulsed_g2(peaks(dot(seed, rate=rate, g2=g2)), normalisation=normalisation).g2_zero

    assert honest(pulls_of(measure, g2))


def test_poisson_light_gives_one() -> None:
    for seed in range(10):
        assert pulsed_g2(peaks(dot(seed, g2=1.0))).g2_zero.covers(1.0, 5)


def test_honest_with_a_background() -> None:
    """Background that is known from as many dark pulses, on a dot with g2(0) = 0.1."""

    def measure(seed: int) -> Measured:
        clicks = dot(seed, g2=0.1, background=0.03)
        dark = np.random.default_rng(1000 + seed).poisson(0.03 * 100_000, 2).astype(float)
        found = PairBackground(*(Measured(d, float(np.sqrt(d))) for d in dark))
        return pulsed_g2(peaks(clicks), background=found).g2_zero

    assert honest(pulls_of(measure, 0.1))


def test_side_peaks_take_blinking_away_and_rates_do_not() -> None:
    on = np.repeat(np.random.default_rng(7).random(1000) < 0.5, 300)
    clicks = dot(0, pulses=on.size, g2=0.1, on=on)
    sides = pulsed_g2(peaks(clicks))
    assert sides.g2_zero.covers(0.1, 5)
    assert sides.bunching.covers(1 / on.mean(), 5)
    assert "side peaks raised by blinking" in sides.flags
    rates = pulsed_g2(peaks(clicks), normalisation="rates")
    assert rates.g2_zero.covers(0.1 / on.mean(), 5)


def test_delays_are_summed_and_a_gate_is_only_fewer_photons() -> None:
    plain = table(20, 100)
    counts = np.stack([plain.counts // 2, plain.counts - plain.counts // 2], axis=1)
    delays = PulsedDelaysResult(LAGS, np.array([-8, 0]), counts, plain.books)
    assert pulsed_g2(delays).g2_zero == pulsed_g2(plain).g2_zero


def test_upper_limits_are_those_of_helene() -> None:
    """No background: the integral of a Poisson posterior; none seen gives 3.00 counts."""
    for zero, counts in ((0, 2.996), (1, 4.744), (3, 7.754)):
        # Side peaks known to 0.7 %: the limit in counts is what it is without an error.
        assert pulsed_g2(table(zero, 1000, 31_600)).upper_limit == pytest.approx(
            counts / 1000, rel=5e-3
        )
    empty = pulsed_g2(table(0, 1000))
    assert empty.g2_zero.value == 0.0
    assert empty.g2_zero.error == pytest.approx(1e-3, rel=0.01)
    assert empty.antibunched
    assert "zero peak not seen, use the limit" in empty.flags
    assert not pulsed_g2(table(4, 4)).antibunched


def test_the_limit_covers_the_truth() -> None:
    """95 % limits of a g2 of 0.02 at 8 expected pairs: above the truth in 87 of 100 at least."""
    generator = np.random.default_rng(0)
    limits = [
        pulsed_g2(table(int(generator.poisson(8)), 400, 20_000)).upper_limit for _ in range(100)
    ]
    assert np.sum(np.array(limits) > 0.02) >= 87


def test_flags() -> None:
    spilling = table(100, 1000)
    spilling.counts[[9, 11]] = 800
    assert (
        "neighbour peaks are low: the decay reaches into the next period"
        in pulsed_g2(spilling).flags
    )
    assert pulsed_g2(spilling, side_pulses=(2, 10)).g2_zero.value == pytest.approx(0.1, rel=1e-4)
    crossed = PairBackground(crosstalk=Measured(1e-3, 1e-4))
    assert any("cross-talk" in flag for flag in pulsed_g2(table(40, 100), background=crossed).flags)


def test_where_nothing_can_be_said() -> None:
    with pytest.raises(AnalysisError, match="no side peaks from 20 to 30"):
        pulsed_g2(table(1, 100), side_pulses=(20, 30))
    drowned = PairBackground(Measured(10_000.0, 100.0), Measured(10_000.0, 100.0))
    with pytest.raises(AnalysisError, match="after the background"):
        pulsed_g2(table(100, 100), background=drowned)
    with pytest.raises(AnalysisError, match="no photons"):
        pulsed_g2(table(0, 0, photons=0))


def test_background_from_rates_and_quiet_bins() -> None:
    rate = Measured(50.0, 2.0)
    found = background_from_rates((rate, rate), 100.0, gate_share=0.5)
    assert found.photons_a.value == pytest.approx(2500)
    assert found.photons_a.error == pytest.approx(100)
    late = Measured(40.0, 10.0)
    more = background_from_rates((rate, rate), 100.0, late_afterpulses=(late, late))
    assert more.photons_b.value == pytest.approx(5040)
    decay = np.full(1000, 4.0)
    decay[100:200] += 1e4
    quiet = background_from_bins(decay, 2 * decay, (0, 100), (100, 500))
    assert quiet.photons_a.value == pytest.approx(1600)
    assert quiet.photons_a.error == pytest.approx(4 * 20)
    assert quiet.photons_b.value == pytest.approx(3200)
    with pytest.raises(AnalysisError, match="no stretch"):
        background_from_bins(decay, decay, (100, 100), (0, 1000))
