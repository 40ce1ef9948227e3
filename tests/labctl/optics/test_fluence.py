"""Definitions of excitation against the numbers of Zhu 2024."""

import math

import pytest

from labctl.optics import (
    mean_excitations,
    mean_power_w,
    peak_fluence_uj_cm2,
    pulse_energy_j,
    saturation_rate_hz,
)


def test_the_numbers_of_the_paper() -> None:
    assert pulse_energy_j(0.85, 2.4) == pytest.approx(19.2e-15, rel=2e-3)
    assert mean_power_w(0.85, 2.4, 1e7) == pytest.approx(0.192e-6, rel=2e-3)
    assert mean_excitations(0.85, 5.8e-13, 3.06) == pytest.approx(1.0, abs=0.01)


def test_peak_fluence_is_the_height_of_the_gaussian_with_this_energy() -> None:
    peak = peak_fluence_uj_cm2(1e-12, 2.0) * 1e-6 * 1e-8  # J per square micrometre
    radius_um = 1.0
    total = sum(
        peak * math.exp(-2 * (r / radius_um) ** 2) * 2 * math.pi * r * 1e-3
        for r in (1e-3 * (k + 0.5) for k in range(5000))
    )
    assert total == pytest.approx(1e-12, rel=1e-6)


def test_fluence_and_energy_are_inverse() -> None:
    assert peak_fluence_uj_cm2(pulse_energy_j(3.3, 1.7), 1.7) == pytest.approx(3.3, rel=1e-12)


def test_saturation() -> None:
    assert saturation_rate_hz(1.0, 1.1e6) == pytest.approx(1.1e6 * (1 - math.exp(-1)))
    assert saturation_rate_hz(1e-9, 1.0) == pytest.approx(1e-9)


def test_a_spot_without_size_is_refused() -> None:
    with pytest.raises(ValueError, match="spot diameter"):
        peak_fluence_uj_cm2(1e-12, 0.0)
