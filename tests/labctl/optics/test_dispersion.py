"""Fits of the dispersion, above all to a table that the vendor's software stored."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from labctl.errors import AnalysisError
from labctl.optics import GratingCalibration, fit_dispersion, read_spe

NOMINAL = GratingCalibration(150.0, 500.0, 17.2, 255.0, 16.0)
STARTS = [
    (500.0, 17.2, 0.0, 255.0),
    (505.0, 17.0, 1.0, 250.0),
    (490.0, 17.5, -1.5, 262.0),
    (510.0, 16.8, 2.0, 240.0),
    (480.0, 17.6, -3.0, 275.0),
    (500.0, 18.0, 5.0, 200.0),
]


def start_from(values: tuple[float, float, float, float]) -> GratingCalibration:
    focal, inclusion, tilt, centre = values
    return dataclasses.replace(
        NOMINAL,
        focal_length_mm=focal,
        inclusion_angle_deg=inclusion,
        detector_tilt_deg=tilt,
        centre_pixel=centre,
    )


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("starts", [1, 6])
def test_twelve_pixels_of_a_recorded_table_predict_the_others(
    shared: Path, start: tuple[float, float, float, float], starts: int
) -> None:
    table = read_spe(shared / "realdata" / "proem_sp2500_150g.spe").sensor_wavelength_nm
    assert table is not None
    used = np.linspace(0, 511, 12).round().astype(int)
    others = np.setdiff1d(np.arange(512), used)
    fit = fit_dispersion(used.astype(float), table[used], 600.0, start_from(start), starts=starts)
    predicted = fit.calibration.wavelength_nm(others.astype(float), 600.0)
    assert others.size == 500
    assert np.abs(predicted - table[others]).max() < 1e-9
    assert fit.calibration.centre_pixel == pytest.approx(255.0, abs=1e-6)


def test_parameters_are_those_of_the_planted_grating() -> None:
    truth = start_from((496.0, 17.3, 0.8, 251.0))
    pixels = np.linspace(0.0, 511.0, 15)
    fit = fit_dispersion(pixels, truth.wavelength_nm(pixels, 600.0), 600.0, NOMINAL)
    for name in ("focal_length_mm", "inclusion_angle_deg", "detector_tilt_deg", "centre_pixel"):
        assert getattr(fit.calibration, name) == pytest.approx(getattr(truth, name), abs=1e-4)
    assert fit.calibration.evidence.lines == 15
    assert fit.calibration.evidence.rms_nm < 1e-11


@pytest.mark.parametrize("seed", range(10))
def test_errors_of_the_axis_are_honest(seed: int) -> None:
    """Each of ten seeds within 4 sigma; the scatter over all of them is tested below."""
    assert abs(_axis_pull(seed)) < 4


def test_pulls_of_the_axis_have_unit_spread() -> None:
    pulls = np.array([_axis_pull(seed) for seed in range(60)])
    # Standard deviation of the standard deviation of 60 normal numbers: 0.09.
    assert 0.73 < pulls.std() < 1.27
    assert abs(pulls.mean()) < 0.4


def _axis_pull(seed: int) -> float:
    truth = start_from((496.0, 17.2, 0.3, 253.0))
    generator = np.random.default_rng(seed)
    pixels = np.sort(generator.uniform(0.0, 511.0, 20))
    sigma_nm = 0.004
    noisy = truth.wavelength_nm(pixels, 600.0) + sigma_nm * generator.standard_normal(20)
    fit = fit_dispersion(pixels, noisy, 600.0, NOMINAL, sigma_nm=sigma_nm, prior=True, starts=2)
    where = np.array([400.0])
    error = fit.calibration.wavelength_error_nm(where, 600.0)
    assert error is not None
    found = fit.calibration.wavelength_nm(where, 600.0) - truth.wavelength_nm(where, 600.0)
    return float(found[0] / error[0])


def test_noise_without_prior_knowledge_does_not_break_the_search() -> None:
    generator = np.random.default_rng(5)
    pixels = np.sort(generator.uniform(0.0, 511.0, 20))
    noisy = NOMINAL.wavelength_nm(pixels, 600.0) + 0.004 * generator.standard_normal(20)
    fit = fit_dispersion(pixels, noisy, 600.0, NOMINAL, sigma_nm=0.004)
    difference = fit.calibration.wavelength_nm(pixels, 600.0) - noisy
    assert np.abs(difference).max() < 0.02


def test_several_centres_are_fitted_together() -> None:
    truth = start_from((497.0, 17.3, 0.5, 254.0))
    pixels = np.tile(np.linspace(0.0, 511.0, 5), 2)
    centres = np.repeat([500.0, 750.0], 5)
    fit = fit_dispersion(pixels, truth.wavelength_nm(pixels, centres), centres, NOMINAL)
    where = np.arange(512.0)
    difference = fit.calibration.wavelength_nm(where, 600.0) - truth.wavelength_nm(where, 600.0)
    assert np.abs(difference).max() < 1e-8


def test_held_parameters_stay_and_have_no_error() -> None:
    truth = start_from((496.0, 17.2, 0.0, 251.0))
    pixels = np.linspace(0.0, 511.0, 4)
    fit = fit_dispersion(
        pixels, truth.wavelength_nm(pixels, 600.0), 600.0, NOMINAL,
        hold=("inclusion_angle_deg", "detector_tilt_deg"),
    )  # fmt: skip
    assert fit.calibration.inclusion_angle_deg == 17.2
    assert fit.standard_errors[1] == fit.standard_errors[2] == 0.0
    assert fit.calibration.focal_length_mm == pytest.approx(496.0, abs=1e-6)


def test_too_few_or_broken_lines_are_refused() -> None:
    with pytest.raises(AnalysisError, match="3 lines cannot determine 4 parameters"):
        fit_dispersion(np.arange(3.0), np.arange(3.0) + 500, 600.0, NOMINAL)
    with pytest.raises(AnalysisError, match="finite"):
        fit_dispersion(np.arange(5.0), np.full(5, np.nan), 600.0, NOMINAL)
    with pytest.raises(AnalysisError, match="do not match"):
        fit_dispersion(np.arange(5.0), np.arange(4.0), 600.0, NOMINAL)
