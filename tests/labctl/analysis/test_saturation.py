"""Saturation and purity: planted FAPbBr3 numbers, honest errors, dead time."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    Measured,
    auger_g2,
    dead_time_corrected,
    fit_purity_series,
    fit_saturation,
    pulses_blocked,
)
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]
P_SAT, RATE_HZ = 70.0, 1.1e6
POWER = P_SAT * np.array([0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.25, 1.5])
SEEDS = 60


def rates(power: Vector, q: float = 0.0) -> Vector:
    x = power / P_SAT
    p1 = 1 - np.exp(-x)
    return RATE_HZ * (p1 + q * (p1 - x * np.exp(-x)))


def honest(pulls: list[float]) -> bool:
    return bool(abs(np.mean(pulls)) < 0.4 and 0.75 < np.std(pulls) < 1.3)


def test_exact_rates_give_the_planted_numbers() -> None:
    errors = 1e-3 * rates(POWER)
    found = fit_saturation(POWER, rates(POWER), errors)
    assert found.p_sat.value == pytest.approx(70.0, rel=1e-5)
    assert found.rate_max_hz.value == pytest.approx(1.1e6, rel=1e-5)
    assert found.efficiency(1e7).value == pytest.approx(0.11, rel=1e-5)
    assert found.mean_excitations(7.0).value == pytest.approx(0.1, rel=1e-5)
    assert not found.flags
    dark = fit_saturation(POWER, rates(POWER) + 3000, errors, with_dark=True)
    assert dark.dark_hz is not None
    assert dark.dark_hz.value == pytest.approx(3000, rel=1e-3)
    assert dark.p_sat.value == pytest.approx(70.0, rel=1e-4)


def test_photons_of_the_biexciton_move_the_plain_law() -> None:
    errors = 1e-3 * rates(POWER)
    plain = fit_saturation(POWER, rates(POWER, 0.29), errors)
    assert plain.p_sat.value > 75
    right = fit_saturation(POWER, rates(POWER, 0.29), errors, yield_ratio=Measured(0.29, 0.0))
    assert right.p_sat.value == pytest.approx(70.0, rel=1e-5)
    vague = fit_saturation(POWER, rates(POWER, 0.29), errors, yield_ratio=Measured(0.29, 0.1))
    assert vague.p_sat.error > 2 * right.p_sat.error


def test_errors_are_honest_in_rate_and_power() -> None:
    """Two percent in power, half a percent in rate."""
    p_sat: list[float] = []
    rate_max: list[float] = []
    for seed in range(SEEDS):
        generator = np.random.default_rng(seed)
        power = POWER * (1 + 0.02 * generator.standard_normal(POWER.size))
        rate = rates(POWER) * (1 + 0.005 * generator.standard_normal(POWER.size))
        found = fit_saturation(power, rate, 0.005 * rate, power_error=0.02 * power)
        p_sat.append(found.p_sat.pull(P_SAT))
        rate_max.append(found.rate_max_hz.pull(RATE_HZ))
    assert honest(p_sat)
    assert honest(rate_max)


def test_the_scale_of_the_power_is_an_error_of_its_own() -> None:
    errors = 1e-3 * rates(POWER)
    plain = fit_saturation(POWER, rates(POWER), errors)
    scaled = fit_saturation(POWER, rates(POWER), errors, power_scale_rel=0.05)
    assert scaled.p_sat.error == pytest.approx(np.hypot(plain.p_sat.error, 3.5), rel=1e-6)
    assert scaled.rate_max_hz == plain.rate_max_hz


def test_below_saturation_it_says_so() -> None:
    low = POWER[:4]
    assert fit_saturation(low, rates(low), 0.01 * rates(low)).flags


def test_purity_of_feld_2024() -> None:
    """q = 0.05: purity 95 % at a tenth of saturation, 92 to 93 % at one and a half."""
    truth = auger_g2(POWER / P_SAT, 0.05)
    found = fit_purity_series(POWER, truth, np.full(8, 1e-4), Measured(P_SAT, 0.0))
    assert found.yield_ratio.value == pytest.approx(0.05, rel=1e-6)
    assert [one.value for one in found.purity] == pytest.approx([0.949, 0.931], abs=1e-3)


def test_errors_of_the_purity_are_honest() -> None:
    pulls: list[list[float]] = []
    for seed in range(SEEDS):
        generator = np.random.default_rng(seed)
        errors = np.full(8, 0.004)
        g2 = auger_g2(POWER / P_SAT, 0.04) + errors * generator.standard_normal(8)
        p_sat = Measured(P_SAT + 5 * float(generator.standard_normal()), 5.0)
        found = fit_purity_series(POWER, g2, errors, p_sat)
        truths = auger_g2(np.array([0.1, 1.5]), 0.04).tolist()
        pulls.append([found.yield_ratio.pull(0.04), found.g2_zero[0].pull(truths[0])])
    for column in zip(*pulls, strict=True):
        assert honest(list(column))


def test_dead_time_of_steady_light() -> None:
    true = np.array([1e4, 1e6, 5e6])
    measured = true / (1 + true * 77e-9)
    np.testing.assert_allclose(dead_time_corrected(measured, 77e-9), true)
    with pytest.raises(AnalysisError, match="no such rate"):
        dead_time_corrected(np.array([2e7]), 77e-9)


def test_dead_time_under_pulses() -> None:
    """Shorter than the period nothing is lost; longer, whole pulses are."""
    rate = np.array([1e6])
    assert dead_time_corrected(rate, 77e-9, rep_rate_hz=1e7)[0] == 1e6
    assert dead_time_corrected(rate, 77e-9, rep_rate_hz=4e7)[0] == pytest.approx(1e6 / (1 - 3 / 40))


def test_a_slow_decay_reaches_out_of_the_dead_time() -> None:
    """Against photons drawn one by one: 20 ns decay, 77 ns dead time, 100 ns period."""
    generator = np.random.default_rng(0)
    pulses, probability = 2_000_000, 0.3
    lit = np.flatnonzero(generator.random(pulses) < probability)
    times_ns = np.sort(lit * 100.0 + generator.exponential(20.0, lit.size))
    clicks, ready = 0, 0.0
    for time_ns in times_ns.tolist():
        if time_ns >= ready:
            clicks, ready = clicks + 1, time_ns + 77.0
    rate = np.array([clicks / (pulses * 1e-7)])
    found = dead_time_corrected(rate, 77e-9, rep_rate_hz=1e7, lifetime_s=20e-9)[0]
    # The loss is 3 %; photons of one pulse that hide those of the next and of each other are
    # taken to first order, hence a fifth of the loss.
    assert abs(found - 3e6) < 0.2 * (3e6 - rate[0])
    assert pulses_blocked(77e-9, 1e-7, 20e-9) == pytest.approx(0.5 * np.exp(-23 / 20), abs=0.01)


def test_what_cannot_be_fitted() -> None:
    with pytest.raises(AnalysisError, match="cannot determine"):
        fit_saturation(POWER[:1], rates(POWER[:1]), np.ones(1))
    with pytest.raises(AnalysisError, match="errors must be positive"):
        fit_saturation(POWER, rates(POWER), np.zeros(8))
    with pytest.raises(AnalysisError, match="must be positive"):
        fit_purity_series(POWER, POWER, POWER, Measured(0.0, 1.0))
