"""Instrument response: from its width, from a profile, from a recorded line."""

from typing import Any, cast

import numpy as np
import pytest

from labctl.analysis import InstrumentResponse, NoiseModel, fit_peak, measure_response
from labctl.errors import AnalysisError


def test_from_width() -> None:
    assert InstrumentResponse.from_fwhm(0.2).gauss_fwhm_nm == 0.2
    assert InstrumentResponse.from_fwhm(0.2, "lorentz", error_nm=0.01).lorentz_fwhm_nm == 0.2
    assert InstrumentResponse(0.2, 0.1).fwhm_nm == pytest.approx(0.2586, abs=1e-3)


def test_a_profile_keeps_its_second_moment() -> None:
    offsets = np.linspace(-0.312, 0.312, 25)
    response = InstrumentResponse.from_profile(offsets, np.exp(-((offsets / 0.1) ** 2) / 2))
    assert response.sampled
    assert response.fwhm_nm == pytest.approx(0.1 * 2.3548, rel=0.01)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: InstrumentResponse(-0.1),
        lambda: InstrumentResponse(0.1, weights=(0.5, 0.5)),
        lambda: InstrumentResponse.from_fwhm(0.1, cast("Any", "box")),
        lambda: InstrumentResponse.from_profile(np.arange(3.0), np.zeros(3)),
    ],
)
def test_impossible_responses_are_refused(bad: Any) -> None:
    with pytest.raises(AnalysisError, match="instrument response"):
        bad()


def test_measured_from_a_line_without_width_of_its_own(
    record: Any, light: Any, recorder: Any
) -> None:
    noise = NoiseModel(12.0, 6.0, 500.0, 10.0, frames=5)
    lamp = light(lorentz_mev=0.0, wander_sd_mev=0.0)
    wavelength, counts = record(0, lamp, recorder())
    response = measure_response(counts, wavelength, noise, near_nm=531.05)
    # Response and the width of the pixel in quadrature.
    expected = np.hypot(0.228, 2.3548 * 0.104 / 12**0.5)
    assert response.gauss_fwhm_nm == pytest.approx(expected, rel=0.01)
    assert 0 < response.fwhm_error_nm < 0.002


def test_a_rectangular_slit_needs_its_profile() -> None:
    """A slit image that is no Gaussian: the sampled response fits, the Gaussian does not."""
    generator = np.random.default_rng(1)
    wavelength = 531.0 + np.linspace(-15.6, 15.496, 300)
    edges = np.append(wavelength - 0.052, wavelength[-1] + 0.052)
    energy = 2.334 + 1e-3 * 0.43 / 2 * np.tan(np.pi * (generator.random(300_000) - 0.5))
    air = 1239.8419843320026 / (1.00027821 * energy[energy > 0.5])
    electrons = np.histogram(air + 0.3 * (generator.random(air.size) - 0.5), edges)[0]
    counts = electrons + 20.0 + generator.normal(0.0, 3.0, 300)
    offsets = np.linspace(-0.26, 0.26, 41)
    # Slit of 0.3 nm and pixel of 0.104 nm: a trapezium.
    profile = np.clip((0.202 - np.abs(offsets)) / 0.104, 0.0, 1.0)
    noise = NoiseModel(1.0, 3.0)
    sampled = InstrumentResponse.from_profile(offsets, profile)
    right = fit_peak(counts, wavelength, noise, response=sampled, shape="lorentz")
    wrong = fit_peak(
        counts, wavelength, noise, response=InstrumentResponse(sampled.fwhm_nm), shape="lorentz"
    )
    assert right.lorentz_fwhm_mev.covers(0.43, 4)
    assert right.reduced_chi2 < 1.6 < wrong.reduced_chi2
