"""Where lines lie and how wide they are, against the closed forms and the papers' numbers."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl_sim.sample import (
    Binding,
    Broadening,
    Laws,
    PhaseTransition,
    Sizing,
    Stark,
    ThermalShift,
)
from labctl_sim.world._line_energy import (
    binding_mev,
    logistic,
    phase_shift_mev,
    sizing_energy_ev,
    stark_shift_mev,
    thermal_shift_mev,
)
from labctl_sim.world._line_spread import observed_fwhm_px
from labctl_sim.world._linewidth import FWHM_PER_SD, homogeneous_fwhm_mev


def test_thirty_nanometres_have_the_papers_energy() -> None:
    assert 2.335 <= sizing_energy_ev(Sizing(), 30.0) <= 2.340


def test_sizing_is_the_inverse_square() -> None:
    energy_ev = sizing_energy_ev(Sizing(), 7.0)
    assert energy_ev == pytest.approx(2.333 + 0.090)
    assert sizing_energy_ev(Sizing(), 14.0) - 2.333 == pytest.approx(0.090 / 4)


def test_biexciton_binding_goes_through_both_ends() -> None:
    assert binding_mev(Laws().biexciton, 30.0) == pytest.approx(14.0, abs=1e-3)
    assert binding_mev(Laws().biexciton, 7.0) == pytest.approx(40.0, abs=1e-3)


def test_trion_binding_goes_through_both_ends() -> None:
    assert binding_mev(Laws().trion, 30.0) == pytest.approx(6.0, abs=1e-3)
    assert binding_mev(Laws().trion, 7.0) == pytest.approx(20.0, abs=1e-3)


@given(st.floats(1.0, 50.0))
def test_binding_grows_for_smaller_dots(length_nm: float) -> None:
    law = Binding.model_validate({"bulk": "5 meV", "confinement": "20 meV"})
    assert binding_mev(law, length_nm) > binding_mev(law, length_nm * 1.1)


def test_thermal_shift_against_the_formula_by_hand() -> None:
    k = 0.08617333262
    coth = 1.0 / math.tanh(16.0 / (2 * k * 90.0))
    low = 1.0 / math.tanh(16.0 / (2 * k * 4.0))
    by_hand = 0.30 * 86.0 - 6.0 * (coth - low)
    assert thermal_shift_mev(ThermalShift(), 90.0) == pytest.approx(by_hand, rel=1e-9)


def test_thermal_shift_is_zero_at_four_kelvin_and_blue_up_to_ninety() -> None:
    shifts = [thermal_shift_mev(ThermalShift(), float(t)) for t in range(4, 91)]
    assert shifts[0] == 0.0
    assert all(b > a for a, b in pairwise(shifts))


def test_phase_transition_is_a_red_logistic_step() -> None:
    law = PhaseTransition()
    assert phase_shift_mev(None, 10.0, 300.0) == 0.0
    assert phase_shift_mev(law, 10.0, 150.0) == pytest.approx(-6.0)
    assert phase_shift_mev(law, 10.0, 130.0) > -0.5
    assert phase_shift_mev(law, 10.0, 170.0) < -11.5


def test_small_dots_go_through_the_transition_earlier() -> None:
    law = PhaseTransition.model_validate({"size_slope": "10 K"})
    assert phase_shift_mev(law, 7.0, 140.0) == pytest.approx(-6.0)


@given(st.floats(-1e6, 1e6))
def test_logistic_never_overflows(x: float) -> None:
    assert 0.0 <= logistic(x) <= 1.0
    assert logistic(x) + logistic(-x) == pytest.approx(1.0)


def test_stark_parabola_has_its_vertex_at_minus_the_internal_field() -> None:
    fields = np.linspace(-600.0, 200.0, 801)
    shifts = [stark_shift_mev(Stark(), float(field)) for field in fields]
    curve = np.polyfit(fields, np.array(shifts), 2)
    assert curve[0] == pytest.approx(-3.3e-5, rel=1e-6)
    assert -curve[1] / (2 * curve[0]) == pytest.approx(-230.0, rel=1e-6)
    assert stark_shift_mev(Stark(), 0.0) == 0.0


@pytest.mark.parametrize(("temperature_k", "fwhm_mev"), [(4.0, 0.43), (90.0, 10.4)])
def test_linewidth_has_the_intrinsic_values_of_the_series(
    temperature_k: float, fwhm_mev: float
) -> None:
    assert homogeneous_fwhm_mev(Broadening(), temperature_k) == pytest.approx(fwhm_mev, rel=2e-3)


def test_linewidth_against_the_formula_by_hand() -> None:
    bose = 1.0 / (math.exp(16.0 / (0.08617333262 * 60.0)) - 1.0)
    by_hand = 0.35 + 0.02 * 60.0 + 56.7 * bose
    assert homogeneous_fwhm_mev(Broadening(), 60.0) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("lorentz", [0.05, 0.43, 1.0, 3.0, 10.4])
def test_a_lorentzian_through_a_gaussian_has_the_voigt_width(lorentz: float) -> None:
    # Olivero and Longbothum 1977: right to 0.02 %.
    voigt = 0.5346 * lorentz + math.sqrt(0.2166 * lorentz**2 + 1.0)
    observed = observed_fwhm_px(lorentz, 1.0 / FWHM_PER_SD, 0.0, pixel_px=0.0)
    assert observed == pytest.approx(voigt, rel=2.5e-4)


def test_widths_of_pure_shapes() -> None:
    assert observed_fwhm_px(0.0, 1.0, 0.0, 0.0) == pytest.approx(FWHM_PER_SD, rel=1e-5)
    assert observed_fwhm_px(3.0, 0.0, 0.0, 0.0) == pytest.approx(3.0, rel=1e-4)
