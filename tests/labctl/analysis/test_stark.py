"""The parabola of a Stark sweep, beneath a line that wanders."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.analysis import StarkLaw, fit_stark
from labctl.errors import AnalysisError

Vector = NDArray[np.float64]

F_INT, HALF, E_V = 230.0, 3.3e-5, 2.34
FIELDS = np.array([0, 100, -100, 50, -50, 75, -75, 25, -25, 88, -88, 62, -62, 38, -38, 12, -12.0])


def every(period_s: float, count: int = FIELDS.size) -> Vector:
    return np.array([period_s * number for number in range(count)])


def energies(field: Vector, scale: float = 1.0) -> Vector:
    return E_V - 1e-3 * HALF * (field * scale + F_INT) ** 2


def wander(seed: int, time_s: Vector, sd_mev: float, tau_s: float) -> Vector:
    """An Ornstein-Uhlenbeck process, step by step."""
    rng = np.random.default_rng(seed)
    found = [sd_mev * rng.standard_normal()]
    for pause_s in np.diff(time_s):
        keep = math.exp(-float(pause_s) / tau_s)
        found.append(keep * found[-1] + sd_mev * math.sqrt(1.0 - keep**2) * rng.standard_normal())
    return np.array(found)


def swept(seed: int, accuracy: float = 0.05) -> StarkLaw:
    """Two sweeps of 17 points, 17 s apart, as the recipe takes them."""
    field = np.concatenate([FIELDS, FIELDS])
    time_s = every(17.0, field.size)
    rng = np.random.default_rng([seed, 1])
    scale = 1.0 + accuracy * rng.standard_normal()
    noise_mev = wander(seed, time_s, 0.05, 300.0) + 0.0025 * rng.standard_normal(field.size)
    energy_ev = energies(field, scale) + 1e-3 * noise_mev
    return fit_stark(field, energy_ev, np.full(field.size, 2.5e-6), time_s, accuracy)


def test_without_noise_it_is_the_law() -> None:
    error_ev = np.full(FIELDS.size, 1e-7)
    law = fit_stark(FIELDS, energies(FIELDS), error_ev, every(10.0), 0.0)
    assert law.internal_field_kv_cm.value == pytest.approx(F_INT, rel=1e-6)
    assert law.half_polarizability_mev_cm2_kv2.value == pytest.approx(HALF, rel=1e-6)
    # p = 2 c F_int; 1 meV/(kV/cm) = 1e-3 eV / (1e3 V/cm) = 1e-6 e cm = 10 e nm.
    assert law.dipole_e_nm.value == pytest.approx(20.0 * HALF * F_INT, rel=1e-6)
    assert law.vertex_ev.value == pytest.approx(E_V, abs=1e-9)
    assert law.zero_field_ev.value == pytest.approx(E_V - 1e-3 * HALF * F_INT**2, abs=1e-9)
    assert law(np.array([-F_INT]))[0] == pytest.approx(E_V, abs=1e-9)
    assert law.flags == ()


def test_the_gap_s_error_belongs_to_the_result() -> None:
    error_ev, time_s = np.full(FIELDS.size, 1e-8), every(10.0)
    law = fit_stark(FIELDS, energies(FIELDS), error_ev, time_s, 0.05)
    assert law.internal_field_kv_cm.error == pytest.approx(0.05 * F_INT, rel=0.01)
    assert law.half_polarizability_mev_cm2_kv2.error == pytest.approx(0.1 * HALF, rel=0.01)
    assert law.dipole_e_nm.error == pytest.approx(0.05 * law.dipole_e_nm.value, rel=0.01)


@pytest.mark.parametrize("quantity", ["internal field", "half polarizability", "dipole"])
def test_errors_cover_the_truth(quantity: str) -> None:
    """Pulls over seeds 0 to 39: their mean and standard deviation, at 3.5 standard errors."""
    pulls: list[float] = []
    for seed in range(40):
        law = swept(seed)
        measured, truth = {
            "internal field": (law.internal_field_kv_cm, F_INT),
            "half polarizability": (law.half_polarizability_mev_cm2_kv2, HALF),
            "dipole": (law.dipole_e_nm, 20.0 * HALF * F_INT),
        }[quantity]
        pulls.append(measured.pull(truth))
    assert abs(np.mean(pulls)) < 3.5 / math.sqrt(40)
    assert abs(np.std(pulls, ddof=1) - 1.0) < 3.5 / math.sqrt(80)


def test_the_wander_is_found() -> None:
    found = [swept(seed).wander_mev for seed in range(10)]
    assert 0.02 < float(np.mean(found)) < 0.2


def test_moving_the_truth_moves_the_answer() -> None:
    error_ev, time_s = np.full(FIELDS.size, 1e-7), every(10.0)
    law = fit_stark(FIELDS + 60.0, energies(FIELDS), error_ev, time_s, 0.0)
    assert law.internal_field_kv_cm.value == pytest.approx(F_INT - 60.0, rel=1e-6)


def test_a_short_sweep_says_that_it_is_too_short() -> None:
    field = 0.01 * FIELDS + np.arange(FIELDS.size)
    rng = np.random.default_rng(0)
    energy_ev = energies(field) + 1e-5 * rng.standard_normal(field.size)
    law = fit_stark(field, energy_ev, np.full(field.size, 1e-5), every(10.0), 0.0)
    assert "curvature" in law.flags[0]


@pytest.mark.parametrize(
    ("field", "error_ev"),
    [
        (np.array([0.0, 0.0, 50.0, 50.0, 100.0]), np.full(5, 1e-6)),
        (np.array([0.0, 25.0, 50.0, math.nan, 100.0]), np.full(5, 1e-6)),
        (np.array([0.0, 25.0, 50.0, 75.0, 100.0]), np.zeros(5)),
    ],
)
def test_what_allows_no_parabola(field: Vector, error_ev: Vector) -> None:
    with pytest.raises(AnalysisError):
        fit_stark(field, energies(field), error_ev, every(1.0, 5), 0.05)
