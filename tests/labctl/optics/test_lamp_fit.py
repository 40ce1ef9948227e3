"""Calibration from synthetic lamp spectra, and what it refuses."""

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from labctl.errors import AnalysisError
from labctl.optics import (
    GratingCalibration,
    LampLine,
    LampSettings,
    calibrate_from_lamp,
    find_lines,
    lamp_lines,
)

CASES = [(300.0, 585.0, "neon"), (300.0, 531.0, "neon"), (1800.0, 590.0, "neon"),
         (1800.0, 640.0, "neon"), (300.0, 760.0, "argon")]  # fmt: skip


def nominal(lines_per_mm: float) -> GratingCalibration:
    return GratingCalibration(lines_per_mm, 500.0, 17.2, 799.0, 16.0)


def instrument(lines_per_mm: float, seed: int) -> GratingCalibration:
    generator = np.random.default_rng([seed, round(lines_per_mm)])
    return dataclasses.replace(
        nominal(lines_per_mm),
        focal_length_mm=500 + generator.uniform(-5, 5),
        inclusion_angle_deg=17.2 + generator.uniform(-0.05, 0.05),
        detector_tilt_deg=generator.uniform(-1.4, 1.4),
        centre_pixel=799 + generator.uniform(-9, 9),
    )


def lamp_spectrum(
    grating: GratingCalibration, centre_nm: float, lamp: str, seed: int, jitter_pixels: float = 0.0
) -> NDArray[np.float64]:
    generator, jitter = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    pixels = np.arange(1600.0)
    light = np.full(1600, 400.0)
    for line in lamp_lines(lamp):
        centre = grating.pixel(np.array([line.wavelength_nm]), centre_nm)[0]
        centre += jitter_pixels * jitter.standard_normal()
        height = 3000.0 * np.sqrt(line.intensity / 100)
        light += height * np.exp(-4 * np.log(2) * ((pixels - centre) / 2.2) ** 2)
    return generator.poisson(light) + generator.normal(0.0, 5.0, 1600)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("lines_per_mm", "centre_nm", "lamp"), CASES)
def test_axis_is_right_within_half_a_pixel(
    lines_per_mm: float, centre_nm: float, lamp: str, seed: int
) -> None:
    truth = instrument(lines_per_mm, seed)
    counts = lamp_spectrum(truth, centre_nm, lamp, seed)
    settings = LampSettings(centre_nm, source=lamp, calibrated_at="2026-01-02T03:04:05+00:00")
    found = calibrate_from_lamp(counts, settings, lamp_lines(lamp), nominal(lines_per_mm))
    pixels = np.arange(0.0, 1600.0, 10.0)
    error_nm = np.abs(
        found.wavelength_nm(pixels, centre_nm) - truth.wavelength_nm(pixels, centre_nm)
    )
    assert error_nm.max() < 0.5 * truth.dispersion_nm_per_pixel(799.0, centre_nm)
    assert found.evidence.lines >= 4
    assert found.evidence.source == lamp
    assert found.evidence.calibrated_at.startswith("2026")
    stated = found.wavelength_error_nm(pixels, centre_nm)
    assert stated is not None
    assert np.all(error_nm < 5 * stated)


def test_regions_and_binning_are_in_sensor_coordinates() -> None:
    truth = instrument(300.0, 1)
    counts = lamp_spectrum(truth, 620.0, "neon", 1)[200:1500]
    part = calibrate_from_lamp(
        counts, LampSettings(620.0, x0=200), lamp_lines("neon"), nominal(300.0)
    )
    pixels = np.arange(200.0, 1500.0)
    error_nm = part.wavelength_nm(pixels, 620.0) - truth.wavelength_nm(pixels, 620.0)
    assert np.abs(error_nm).max() < 0.05


def test_several_exposures_determine_one_calibration() -> None:
    truth = instrument(1800.0, 2)
    centres = (585.0, 640.0)
    spectra = [lamp_spectrum(truth, centre, "neon", 3) for centre in centres]
    settings = [LampSettings(centre) for centre in centres]
    found = calibrate_from_lamp(spectra, settings, lamp_lines("neon"), nominal(1800.0))
    pixels = np.arange(1600.0)
    error_nm = found.wavelength_nm(pixels, 610.0) - truth.wavelength_nm(pixels, 610.0)
    assert np.abs(error_nm).max() < 0.007


@pytest.mark.parametrize("jitter_pixels", [0.0, 0.1])
def test_the_error_of_the_axis_follows_the_scatter_of_the_lines(jitter_pixels: float) -> None:
    """Whatever moves single lines counts, though each line alone is known far better."""
    truth = instrument(300.0, 1)
    where = np.array([799.0])
    pulls: list[float] = []
    quoted: list[float] = []
    for seed in range(20):
        counts = lamp_spectrum(truth, 585.0, "neon", seed, jitter_pixels)
        found = calibrate_from_lamp(counts, LampSettings(585.0), lamp_lines("neon"), nominal(300.0))
        error = found.wavelength_error_nm(where, 585.0)
        assert error is not None
        off = found.wavelength_nm(where, 585.0) - truth.wavelength_nm(where, 585.0)
        pulls.append(float(off[0] / error[0]))
        quoted.append(float(error[0]))
    # The standard deviation of 20 normal numbers has a standard deviation of 0.16.
    assert 0.5 < np.std(pulls) < 1.5
    assert abs(np.mean(pulls)) < 0.7
    assert np.median(quoted) < 0.5 * np.hypot(jitter_pixels, 0.02) * 0.107


def test_darkness_the_wrong_lamp_and_a_bare_region_are_refused() -> None:
    generator = np.random.default_rng(0)
    dark = 400 + generator.normal(0.0, 5.0, 1600)
    with pytest.raises(AnalysisError, match="lines found"):
        calibrate_from_lamp(dark, LampSettings(585.0), lamp_lines("neon"), nominal(300.0))
    argon = lamp_spectrum(nominal(300.0), 760.0, "argon", 0)
    with pytest.raises(AnalysisError):
        calibrate_from_lamp(argon, LampSettings(760.0), lamp_lines("neon"), nominal(300.0))


def test_an_ambiguous_assignment_is_refused() -> None:
    """Equally spaced lines fit as well one step further."""
    truth = nominal(300.0)
    table = [LampLine(550.0 + 1.5 * k, 100.0) for k in range(20)]
    pixels = np.arange(1600.0)
    counts = np.full(1600, 400.0) + np.random.default_rng(0).normal(0.0, 5.0, 1600)
    for line in table[4:14]:
        centre = truth.pixel(np.array([line.wavelength_nm]), 585.0)[0]
        counts += 3000 * np.exp(-4 * np.log(2) * ((pixels - centre) / 2.2) ** 2)
    with pytest.raises(AnalysisError, match="ambiguous"):
        calibrate_from_lamp(counts, LampSettings(585.0), table, nominal(300.0))


def test_lines_are_found_to_a_fiftieth_of_a_pixel_and_saturated_ones_left_out() -> None:
    pixels = np.arange(400.0)
    counts = 100 + np.random.default_rng(0).normal(0.0, 3.0, 400)
    centres = (50.3, 120.8, 200.0, 310.5)
    for centre in centres:
        counts += 2000 * np.exp(-4 * np.log(2) * ((pixels - centre) / 2.5) ** 2)
    found = find_lines(counts)
    np.testing.assert_allclose([line.pixel for line in found], centres, atol=0.02)
    np.testing.assert_allclose([line.fwhm_pixels for line in found], 2.5, rtol=0.03)
    counts[120:122] = 65535.0
    assert len(find_lines(counts, saturation_counts=65535.0)) == 3


def test_lamps() -> None:
    both = lamp_lines("mercury+argon")
    assert len(both) == len(lamp_lines("mercury")) + len(lamp_lines("argon"))
    assert [line.wavelength_nm for line in both] == sorted(line.wavelength_nm for line in both)
    with pytest.raises(AnalysisError, match="xenon"):
        lamp_lines("xenon")
