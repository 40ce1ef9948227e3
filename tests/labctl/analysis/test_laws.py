"""Laws against temperature: closed forms, honest errors, errors on both axes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import (
    BOLTZMANN_MEV_PER_K,
    Measured,
    bose_einstein,
    fit_energy_law,
    fit_linewidth_law,
)
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]

T = np.array([4.0, 10, 20, 30, 40, 50, 60, 70, 80, 90])


def width(temperature_k: Vector, gamma_lo: float = 56.7) -> Vector:
    phonons = 1 / (np.exp(16 / (0.08617333262 * temperature_k)) - 1)
    return 0.35 + 0.02 * temperature_k + gamma_lo * phonons


def shift(temperature_k: Vector) -> Vector:
    coth = 1 / np.tanh(16 / (2 * 0.08617333262 * temperature_k))
    return 0.3 * temperature_k - 6 * (coth - 1)


def energy(temperature_k: Vector) -> Vector:
    return 2.34 + 1e-3 * (shift(temperature_k) - shift(np.array([4.0])))


def test_occupation() -> None:
    half = 16 / (BOLTZMANN_MEV_PER_K * np.log(3.0))
    assert bose_einstein(16.0, np.array([half]))[0] == pytest.approx(0.5)


def test_exact_points_give_the_planted_parameters() -> None:
    law = fit_linewidth_law(T, width(T), np.full(10, 1e-8))
    found = (law.gamma_0_mev, law.sigma_mev_per_k, law.gamma_lo_mev, law.e_lo_mev)
    assert [m.value for m in found] == pytest.approx([0.35, 0.02, 56.7, 16.0], rel=1e-4)
    np.testing.assert_allclose(law.fit(T), width(T), rtol=1e-5)
    moved = fit_energy_law(T, energy(T), np.full(10, 1e-8))
    numbers = (moved.energy_4k_ev, moved.a_mev_per_k, moved.b_mev, moved.e_ph_mev)
    assert [m.value for m in numbers] == pytest.approx([2.34, 0.3, 6.0, 16.0], rel=1e-4)


def test_moving_the_truth_moves_the_answer() -> None:
    law = fit_linewidth_law(T, width(T, gamma_lo=40.0), np.full(10, 1e-8))
    assert law.gamma_lo_mev.value == pytest.approx(40.0, rel=1e-3)


def test_errors_of_the_linewidth_law_are_honest() -> None:
    errors, errors_k = np.hypot(0.005, 0.01 * width(T)), np.full(10, 0.02)
    truths = (0.35, 0.02, 56.7, 16.0)
    pulls: list[list[float]] = []
    for seed in range(100):
        generator = np.random.default_rng(seed)
        read_k = T + errors_k * generator.standard_normal(10)
        values = width(T) + errors * generator.standard_normal(10)
        law = fit_linewidth_law(read_k, values, errors**2, errors_k)
        found = (law.gamma_0_mev, law.sigma_mev_per_k, law.gamma_lo_mev, law.e_lo_mev)
        pulls.append([m.pull(t) for m, t in zip(found, truths, strict=True)])
    _check_honest(np.array(pulls))


@pytest.mark.parametrize("wander_mev", [0.0, 0.05])
def test_errors_of_the_energy_law_are_honest(wander_mev: float) -> None:
    errors = np.hypot(0.002, 0.002 * width(T))
    truths = (2.34, 0.3, 6.0, 16.0)
    pulls: list[list[float]] = []
    wander: list[float] = []
    for seed in range(100):
        generator = np.random.default_rng(seed)
        noise = np.hypot(errors, wander_mev) * generator.standard_normal(10)
        law = fit_energy_law(T, energy(T) + 1e-3 * noise, errors**2)
        found = (law.energy_4k_ev, law.a_mev_per_k, law.b_mev, law.e_ph_mev)
        pulls.append([m.pull(t) for m, t in zip(found, truths, strict=True)])
        wander.append(law.wander_mev)
    _check_honest(np.array(pulls))
    assert np.median(wander) == pytest.approx(wander_mev, abs=0.02)


def _check_honest(pulls: Vector) -> None:
    assert np.all(np.abs(pulls.mean(axis=0)) < 0.4)
    assert np.all((pulls.std(axis=0) > 0.75) & (pulls.std(axis=0) < 1.3))
    within_95, within_68 = (np.abs(pulls) < 1.96).sum(axis=0), (np.abs(pulls) < 1.0).sum(axis=0)
    assert np.all((within_95 >= 88) & (within_68 >= 54) & (within_68 <= 82))


def test_errors_of_temperature_count() -> None:
    small = fit_linewidth_law(T, width(T), np.full(10, 1e-4))
    large = fit_linewidth_law(T, width(T), np.full(10, 1e-4), np.full(10, 0.5))
    assert large.gamma_lo_mev.error > 1.5 * small.gamma_lo_mev.error


def test_what_all_points_share_does_not_average_out() -> None:
    own, common = np.full(10, 1e-4), np.full(10, 0.05)
    law = fit_linewidth_law(T, width(T), np.diag(own) + np.outer(common, common))
    assert law.gamma_0_mev.error == pytest.approx(np.hypot(0.05, 0.009), abs=0.004)


def test_errors_along_the_bent_valley_are_where_chi_square_has_grown_by_one() -> None:
    """Both ends of the valley, each found by fits with the energy held there."""
    variance = np.full(10, 0.05**2)
    law = fit_energy_law(T, energy(T), variance)
    ends: list[Measured] = []
    for outermost in (8.0, 30.0):
        inner, outer = 16.0, outermost
        for _ in range(40):
            middle = (inner + outer) / 2
            held = fit_energy_law(T, energy(T), variance, hold={"energy": middle})
            inner, outer = (middle, outer) if held.fit.chi2 < 1 else (inner, middle)
        ends.append(fit_energy_law(T, energy(T), variance, hold={"energy": inner}).b_mev)
    squares = [(end.value - 6.0) ** 2 + end.error**2 for end in ends]
    assert law.b_mev.error == pytest.approx(np.sqrt(np.mean(squares)), rel=0.02)
    # The curvature at the minimum alone would say less.
    assert law.b_mev.error > 0.5 * np.sqrt(law.fit.covariance[2, 2])


def test_a_scatter_from_few_points_widens_the_errors_as_student_t() -> None:
    """Six degrees of freedom: 2.447 instead of 1.960 standard errors hold 95 %."""
    wander = 0.05 * np.random.default_rng(0).standard_normal(10)
    law = fit_energy_law(T, energy(T) + 1e-3 * wander, np.full(10, 1e-8))
    known = fit_energy_law(
        T, energy(T) + 1e-3 * wander, np.full(10, law.wander_mev**2), hold={"energy": 16.0}
    )
    unknown = fit_energy_law(T, energy(T) + 1e-3 * wander, np.full(10, 1e-8), hold={"energy": 16.0})
    # Held energy leaves seven degrees of freedom: t = 2.3646.
    widening = 2.3646 / 1.95996 * unknown.wander_mev / law.wander_mev
    assert unknown.b_mev.error / known.b_mev.error == pytest.approx(widening, rel=0.01)


def test_held_parameters_and_few_points() -> None:
    few = T[[0, 4, 9]]
    with pytest.raises(AnalysisError, match="3 temperatures cannot determine 4"):
        fit_linewidth_law(few, width(few), np.full(3, 1e-4))
    held = fit_linewidth_law(few, width(few), np.full(3, 1e-4), hold={"energy": 16.0})
    assert held.gamma_lo_mev.value == pytest.approx(56.7, rel=1e-6)
    assert held.e_lo_mev == Measured(16.0, 0.0)
    assert "as many points as parameters" in held.fit.flags
    with pytest.raises(AnalysisError, match="no parameter gamma"):
        fit_linewidth_law(T, width(T), np.full(10, 1e-4), hold={"gamma": 1.0})


def test_impossible_points_are_refused() -> None:
    with pytest.raises(AnalysisError, match="positive"):
        fit_linewidth_law(np.append(T[:-1], 0.0), width(T), np.full(10, 1e-4))
    with pytest.raises(AnalysisError, match="errors of the points"):
        fit_linewidth_law(T, width(T), np.zeros(10))


def test_an_undetermined_phonon_is_said_to_be_so() -> None:
    cold = np.array([4.0, 5.0, 6.0, 7.0, 8.0, 9.0])
    values = width(cold) + 1e-3 * np.random.default_rng(0).standard_normal(6)
    law = fit_linewidth_law(cold, values, np.full(6, 1e-6))
    assert "phonon energy not determined" in law.fit.flags
