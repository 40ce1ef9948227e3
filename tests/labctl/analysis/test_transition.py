"""Energy through a structural transition: closed forms, honest errors, refusals."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import fit_transition_law
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]

T = np.array([5.5, *range(20, 120, 20), *range(120, 182, 6), 190.0, 200.0])
MIDPOINT_K, WIDTH_K, SHIFT_MEV = 151.0, 6.0, 12.0
LOGISTIC_5 = 2.9444389791664403


def energy(temperature_k: Vector, shift_mev: float = SHIFT_MEV) -> Vector:
    phonons = 1 / (np.exp(16 / (0.08617333262 * temperature_k)) - 1)
    step = 1 / (1 + np.exp(-(temperature_k - MIDPOINT_K) / WIDTH_K))
    return 2.3 + 1e-3 * (0.3 * temperature_k - 12 * phonons - shift_mev * step)


def test_exact_points_give_the_planted_parameters() -> None:
    law = fit_transition_law(T, energy(T), np.full(T.size, 1e-8))
    found = (law.midpoint_k, law.width_k, law.red_shift_mev)
    planted = [MIDPOINT_K, WIDTH_K, SHIFT_MEV]
    assert [one.value for one in found] == pytest.approx(planted, rel=1e-4)
    assert law.onset_k.value == pytest.approx(MIDPOINT_K - LOGISTIC_5 * WIDTH_K, rel=1e-4)
    assert law.end_k.value == pytest.approx(MIDPOINT_K + LOGISTIC_5 * WIDTH_K, rel=1e-4)
    np.testing.assert_allclose(law(T), energy(T), rtol=1e-8)
    assert law.flags == ()


def test_errors_are_honest_with_a_line_that_wanders() -> None:
    nominal = 0.02 + 0.1 * T / 200
    pulls: list[list[float]] = []
    for seed in range(100):
        generator = np.random.default_rng(seed)
        noisy = energy(T) + 1e-3 * generator.normal(0.0, np.hypot(nominal, 0.1))
        law = fit_transition_law(T, noisy, nominal**2)
        pulls.append(
            [
                law.midpoint_k.pull(MIDPOINT_K),
                law.onset_k.pull(MIDPOINT_K - LOGISTIC_5 * WIDTH_K),
                law.red_shift_mev.pull(SHIFT_MEV),
            ]
        )
    table = np.array(pulls)
    # Standard errors of mean and standard deviation of 100 pulls: 0.1 and 0.07.
    assert np.all(np.abs(table.mean(axis=0)) < 0.4)
    assert np.all((table.std(axis=0) > 0.75) & (table.std(axis=0) < 1.3))


def test_a_line_without_a_transition_has_none() -> None:
    generator = np.random.default_rng(0)
    plain = energy(T, shift_mev=0.0) + 1e-3 * generator.normal(0.0, 0.1, T.size)
    with pytest.raises(AnalysisError, match="no transition"):
        fit_transition_law(T, plain, np.full(T.size, 0.01))


def test_a_blue_shift_is_no_red_one() -> None:
    with pytest.raises(AnalysisError, match="no transition"):
        fit_transition_law(T, energy(T, shift_mev=-SHIFT_MEV), np.full(T.size, 0.01))


def test_too_few_points_are_refused() -> None:
    with pytest.raises(AnalysisError, match="too few"):
        fit_transition_law(T[:8], energy(T[:8]), np.full(8, 0.01))


def test_errors_of_temperature_count() -> None:
    exact = fit_transition_law(T, energy(T), np.full(T.size, 1e-4))
    vague = fit_transition_law(T, energy(T), np.full(T.size, 1e-4), np.full(T.size, 0.1))
    assert vague.midpoint_k.error > 1.5 * exact.midpoint_k.error
