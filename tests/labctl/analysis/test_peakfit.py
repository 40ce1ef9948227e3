"""Fits of planted lines: what is found, what is left out, what is flagged, what is refused."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from labctl.analysis import InstrumentResponse, Measured, NoiseModel, SatellitePrior, fit_peak
from labctl.analysis._model import SpectrumModel
from labctl.errors import AnalysisError
from labctl.optics import ev_to_air_nm

NOISE = NoiseModel(12.0, 6.0, 500.0, 10.0, frames=5)
RESPONSE = InstrumentResponse(0.228, includes_pixel=False)
SATELLITES = ((-3.6, 0.03), (-6.3, 0.021), (-16.4, 0.4))


@pytest.fixture
def cold(record: Any, light: Any, recorder: Any) -> tuple[np.ndarray, np.ndarray]:
    return record(0, light(), recorder())


def test_the_planted_line_comes_back(cold: Any) -> None:
    wavelength, counts = cold
    fit = fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    assert fit.energy_ev.covers(2.334, 4)
    assert fit.lorentz_fwhm_mev.covers(0.43, 4)
    assert fit.area_electrons.covers(300_000.0, 4)
    assert fit.fwhm_observed_mev.value == pytest.approx(1.32, abs=0.02)
    assert fit.background_counts.covers(2500 + 20 * 10 / 12, 4)
    assert fit.fwhm_intrinsic_mev is not None
    assert fit.fwhm_intrinsic_mev.covers(0.539, 4)
    assert (fit.shape, fit.background, fit.flags) == ("voigt", "constant", ())
    assert fit.probability > 1e-3


@pytest.mark.parametrize("energy_ev", [2.331, 2.3355, 2.34])
@pytest.mark.parametrize("lorentz_mev", [0.43, 3.0, 10.4])
def test_moving_the_truth_moves_the_answer(
    record: Any, light: Any, recorder: Any, energy_ev: float, lorentz_mev: float
) -> None:
    planted = light(energy_ev=energy_ev, lorentz_mev=lorentz_mev)
    wavelength, counts = record(1, planted, recorder())
    fit = fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    assert fit.energy_ev.covers(energy_ev, 4)
    assert fit.lorentz_fwhm_mev.covers(lorentz_mev, 4)


def test_an_axis_that_runs_backwards_changes_nothing(cold: Any) -> None:
    wavelength, counts = cold
    forward = fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    backward = fit_peak(counts[::-1], wavelength[::-1], NOISE, response=RESPONSE)
    assert backward.energy_ev.value == pytest.approx(forward.energy_ev.value, abs=1e-8)
    assert backward.area_counts.value == pytest.approx(forward.area_counts.value, rel=1e-4)


def test_a_narrow_dispersion(record: Any, light: Any, recorder: Any) -> None:
    fine = recorder(nm_per_pixel=0.0143, response_fwhm_nm=0.068, pixels=1600)
    wavelength, counts = record(2, light(), fine)
    response = InstrumentResponse(0.068, includes_pixel=False)
    fit = fit_peak(counts, wavelength, NOISE, response=response)
    assert fit.lorentz_fwhm_mev.covers(0.43, 4)
    assert fit.fwhm_observed_mev.value == pytest.approx(0.66, abs=0.01)


@pytest.mark.parametrize("shape", ["lorentz", "gauss", "voigt"])
def test_a_chosen_shape_is_used(cold: Any, shape: Any) -> None:
    wavelength, counts = cold
    fit = fit_peak(counts, wavelength, NOISE, response=RESPONSE, shape=shape, find_satellites=False)
    assert fit.shape == shape
    if shape == "lorentz":
        assert fit.gauss_squared_mev2 == Measured(0.0, 0.0)
    if shape == "gauss":
        assert fit.lorentz_fwhm_mev == Measured(0.0, 0.0)
        assert "poor fit, errors scaled" in fit.flags
        assert fit.error_scale > 1


def test_without_response_no_intrinsic_width(cold: Any) -> None:
    wavelength, counts = cold
    fit = fit_peak(counts, wavelength, NOISE)
    assert fit.fwhm_intrinsic_mev is None
    assert fit.fwhm_observed_mev.value == pytest.approx(1.33, abs=0.02)


def test_error_of_the_response_reaches_the_intrinsic_width_only(cold: Any) -> None:
    wavelength, counts = cold
    unsure = dataclasses.replace(RESPONSE, fwhm_error_nm=0.004)
    fit = fit_peak(counts, wavelength, NOISE, response=unsure)
    sure = fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    assert fit.fwhm_intrinsic_mev is not None
    assert sure.fwhm_intrinsic_mev is not None
    wider = dataclasses.replace(RESPONSE, gauss_fwhm_nm=0.232)
    moved = fit_peak(counts, wavelength, NOISE, response=wider)
    assert moved.fwhm_intrinsic_mev is not None
    change = moved.fwhm_intrinsic_mev.value - sure.fwhm_intrinsic_mev.value
    assert fit.response_sensitivity_mev == pytest.approx(change, rel=0.25)
    assert fit.fwhm_intrinsic_mev.error > sure.fwhm_intrinsic_mev.error
    assert fit.energy_ev.error == pytest.approx(sure.energy_ev.error, rel=1e-3)


def test_satellites_are_found_and_carried(record: Any, light: Any, recorder: Any) -> None:
    wavelength, counts = record(3, light(satellites=SATELLITES), recorder())
    fit = fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    assert len(fit.lines) == 3
    for line, (offset, ratio) in zip(fit.lines, SATELLITES, strict=True):
        assert line.offset_mev.covers(offset, 4)
        assert line.ratio.covers(ratio, 4)
        assert line.energy_ev.covers(2.334 + 1e-3 * offset, 4)
    assert fit.lorentz_fwhm_mev.covers(0.43, 4)
    known = [SatellitePrior(line.offset_mev, line.ratio) for line in fit.lines]
    warm = light(lorentz_mev=6.0, satellites=SATELLITES)
    wavelength, counts = record(4, warm, recorder())
    hidden = fit_peak(counts, wavelength, NOISE, response=RESPONSE, satellites=known)
    assert hidden.lorentz_fwhm_mev.covers(6.0, 4)
    assert hidden.energy_ev.covers(2.334, 4)
    assert hidden.area_electrons.covers(300_000.0, 4)


def test_the_exciton_is_the_upper_of_two_strong_lines(
    record: Any, light: Any, recorder: Any
) -> None:
    wavelength, counts = record(5, light(satellites=((-14.0, 1.6),)), recorder())
    strongest = fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    exciton = fit_peak(counts, wavelength, NOISE, response=RESPONSE, exciton_share=0.25)
    assert strongest.energy_ev.covers(2.320, 4)
    assert exciton.energy_ev.covers(2.334, 4)
    assert exciton.lines[0].ratio.covers(1.6, 4)


def test_a_line_is_followed_near_a_given_energy(record: Any, light: Any, recorder: Any) -> None:
    wavelength, counts = record(6, light(satellites=((-40.0, 2.0),)), recorder())
    fit = fit_peak(counts, wavelength, NOISE, response=RESPONSE, near_ev=2.336)
    assert fit.energy_ev.covers(2.334, 4)
    with pytest.raises(AnalysisError, match="outside the spectrum"):
        fit_peak(counts, wavelength, NOISE, near_ev=1.5)


def test_a_cosmic_ray_on_the_wing_is_left_out(cold: Any) -> None:
    wavelength, counts = cold
    clean = fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    hit = counts.copy()
    hit[clean.window[0] + 20] += 9000.0
    fit = fit_peak(hit, wavelength, NOISE, response=RESPONSE)
    assert fit.cosmic_rays == 1
    assert "cosmic rays rejected" in fit.flags
    assert not fit.lines
    assert fit.energy_ev.value == pytest.approx(clean.energy_ev.value, abs=1e-6)


def test_saturated_pixels_are_left_out_and_flagged(cold: Any) -> None:
    wavelength, counts = cold
    noise = dataclasses.replace(NOISE, full_scale_counts=0.7 * counts.max() / 5)
    fit = fit_peak(np.minimum(counts, 0.7 * counts.max()), wavelength, noise, response=RESPONSE)
    assert fit.excluded_pixels >= 1
    assert "saturated or unusable pixels" in fit.flags
    assert fit.energy_ev.covers(2.334, 5)


def test_a_sloping_background_is_seen(cold: Any) -> None:
    wavelength, counts = cold
    tilted = counts + np.linspace(0.0, 3000.0, counts.size)
    fit = fit_peak(tilted, wavelength, NOISE, response=RESPONSE)
    assert fit.background == "linear"
    assert fit.energy_ev.covers(2.334, 5)
    level = fit_peak(
        tilted, wavelength, NOISE, response=RESPONSE, background="constant", find_satellites=False
    )
    assert level.background == "constant"
    assert level.reduced_chi2 > fit.reduced_chi2


def test_guessed_noise_takes_its_errors_from_the_scatter(cold: Any) -> None:
    wavelength, counts = cold
    right = fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    guess = dataclasses.replace(NOISE, electrons_per_count=2.0, assumed=True)
    fit = fit_peak(counts, wavelength, guess, response=RESPONSE)
    assert fit.energy_ev.error == pytest.approx(right.energy_ev.error, rel=0.5)
    assert "noise not calibrated, errors from the scatter" in fit.flags


def test_broad_lines_do_not_show_their_gaussian_part(
    record: Any, light: Any, recorder: Any
) -> None:
    wavelength, counts = record(7, light(lorentz_mev=10.4), recorder())
    fit = fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    assert fit.shape == "lorentz"
    assert "Gaussian part not resolved" in fit.flags


def test_darkness_and_unusable_data_are_refused(cold: Any) -> None:
    wavelength, counts = cold
    dark = 2500.0 + np.random.default_rng(0).normal(0.0, 14.0, 400)
    with pytest.raises(AnalysisError, match="no line"):
        fit_peak(dark, wavelength, NOISE)
    with pytest.raises(AnalysisError, match="do not match"):
        fit_peak(counts[:-1], wavelength, NOISE)
    with pytest.raises(AnalysisError, match="finite wavelengths"):
        fit_peak(counts, np.full(400, np.nan), NOISE)
    with pytest.raises(AnalysisError, match="usable"):
        fit_peak(np.full(400, np.nan), wavelength, NOISE)


def test_one_fit_needs_few_looks_at_the_model(cold: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Speed is measured in the benchmarks; what makes a fit slow is evaluating its model."""
    wavelength, counts = cold
    evaluate, looks = SpectrumModel.evaluate, [0]

    def counted(model: SpectrumModel, parameters: Any) -> Any:
        looks[0] += 1
        return evaluate(model, parameters)

    monkeypatch.setattr(SpectrumModel, "evaluate", counted)
    fit_peak(counts, wavelength, NOISE, response=RESPONSE)
    assert looks[0] < 250


def test_the_line_stands_where_the_light_is(record: Any, light: Any, recorder: Any) -> None:
    wavelength, counts = record(8, light(energy_ev=2.3338), recorder())
    peak_nm = wavelength[int(np.argmax(counts))]
    assert ev_to_air_nm(fit_peak(counts, wavelength, NOISE).energy_ev.value) == pytest.approx(
        peak_nm, abs=0.06
    )
