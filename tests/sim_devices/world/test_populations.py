"""Excitation statistics, yields, replicas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.sample import Dot, Excitation, Laws, Quenching, Replicas
from labctl_sim.world._populations import (
    local_heating_k,
    mean_excitations,
    photons_per_pulse,
    relative_yield,
)
from labctl_sim.world._replicas import franck_condon, huang_rhys_factors, replicas


def dot(**keys: object) -> Dot:
    return Dot.model_validate({"edge_length": "30 nm", "lifetime": "180 ps", **keys})


def test_the_papers_fluence_makes_one_excitation() -> None:
    assert mean_excitations(Excitation(), dot(), 0.85, 405.0) == pytest.approx(1.0, abs=0.01)


def test_cross_section_scales_with_volume_unless_given() -> None:
    full = mean_excitations(Excitation(), dot(), 0.85, 405.0)
    small = mean_excitations(Excitation(), dot(edge_length="15 nm"), 0.85, 405.0)
    own = mean_excitations(Excitation(), dot(cross_section="2.9e-13 cm^2"), 0.85, 405.0)
    assert small == pytest.approx(full / 8)
    assert own == pytest.approx(full / 2, rel=1e-9)


@given(st.floats(0.001, 20.0))
def test_weak_regime_emits_every_excitation(mean: float) -> None:
    bright = dot(regime="weak", exciton_yield=1.0, multiexciton_yield=1.0)
    assert sum(photons_per_pulse(bright, mean)) == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("regime", ["weak", "auger"])
@pytest.mark.parametrize("mean", [0.1, 1.0, 3.0])
def test_photons_per_pulse_against_drawn_pulses(regime: str, mean: float) -> None:
    drawn = np.random.default_rng(0).poisson(mean, 200_000)
    more = np.maximum(drawn - 1, 0) if regime == "weak" else drawn >= 2
    emitter = dot(regime=regime, exciton_yield=0.9, multiexciton_yield=0.3)
    exciton, others = photons_per_pulse(emitter, mean)
    for expected, sample in ((exciton / 0.9, drawn >= 1), (others / 0.3, more)):
        error = float(np.std(sample)) / math.sqrt(200_000)
        assert expected == pytest.approx(float(np.mean(sample)), abs=4 * error)


@given(st.floats(0.01, 50.0))
def test_pulsed_saturation(power_rel: float) -> None:
    emitter = dot(regime="auger", exciton_yield=0.11, multiexciton_yield=0.0)
    rate_hz = 1e7 * photons_per_pulse(emitter, power_rel).exciton
    assert rate_hz == pytest.approx(1.1e6 * (1 - math.exp(-power_rel)), rel=1e-9)


def test_yield_is_one_when_cold_and_above_ninety_percent_at_four_kelvin() -> None:
    assert relative_yield(Quenching(), 4.0) == pytest.approx(1.0, abs=1e-9)
    by_hand = 1.0 / (1.0 + 6.0 * math.exp(-20.0 / (0.08617333262 * 77.0)))
    assert relative_yield(Quenching(), 77.0) == pytest.approx(by_hand, rel=1e-12)


def test_heating_falls_with_the_bath() -> None:
    law = Laws().excitation
    assert local_heating_k(law, 2.0, 4.0) == pytest.approx(0.8)
    assert local_heating_k(law, 2.0, 40.0) == pytest.approx(0.08)


@given(st.floats(0.0, 2.0))
def test_franck_condon_factors_add_up_to_one(strength: float) -> None:
    assert math.fsum(franck_condon(strength, n) for n in range(40)) == pytest.approx(1.0)


def test_first_replica_is_huang_rhys_times_the_zero_phonon_line() -> None:
    assert franck_condon(0.07, 1) / franck_condon(0.07, 0) == pytest.approx(0.07)


def test_strength_grows_for_small_dots() -> None:
    small, large = (huang_rhys_factors(Replicas(), length, 1.0) for length in (7.0, 28.0))
    np.testing.assert_allclose(small, 4.0 * np.array(large))
    assert all(0.01 <= strength <= 0.1 for strength in [*small, *large])


@pytest.mark.parametrize("length_nm", [7.0, 13.0, 30.0])
def test_replicas_keep_the_light(length_nm: float) -> None:
    copies = replicas(Replicas(), length_nm)
    assert copies[0].shift_mev == 0.0
    assert copies[0].weight == max(copy.weight for copy in copies)
    assert math.fsum(copy.weight for copy in copies) == pytest.approx(1.0, abs=5e-3)


def test_no_coupling_leaves_one_line() -> None:
    assert replicas(Replicas(), 7.0, factor=0.0) == [(0.0, 1.0)]
