"""The grating equation: known numbers, inverse, regions, files."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from labctl.optics import CalibrationEvidence, GratingCalibration

SP2500 = GratingCalibration(
    lines_per_mm=150.0,
    focal_length_mm=495.689762,
    inclusion_angle_deg=17.205198,
    detector_tilt_deg=-0.021240,
    centre_pixel=255.0,
    pixel_pitch_um=16.0,
)


def test_the_ends_of_a_calibrated_detector() -> None:
    ends = SP2500.wavelength_nm(np.array([0.0, 511.0]), 600.0)
    np.testing.assert_allclose(ends, [546.132178, 653.991058], atol=2e-6)
    assert SP2500.dispersion_nm_per_pixel(255.0, 600.0) == pytest.approx(0.21108, abs=1e-5)


def test_nominal_values_are_wrong_by_the_known_amount() -> None:
    nominal = dataclasses.replace(
        SP2500, focal_length_mm=500.0, inclusion_angle_deg=17.2, detector_tilt_deg=0.0
    )
    pixels = np.arange(512.0)
    error = np.abs(nominal.wavelength_nm(pixels, 600.0) - SP2500.wavelength_nm(pixels, 600.0))
    assert error.max() == pytest.approx(0.465, abs=0.001)


def test_centre_pixel_has_the_centre_wavelength() -> None:
    for order in (1, 2):
        grating = dataclasses.replace(SP2500, order=order)
        assert grating.wavelength_nm(np.array([255.0]), 500.0)[0] == pytest.approx(500.0)


@given(
    st.sampled_from([150.0, 300.0, 600.0, 1800.0]),
    st.floats(400.0, 650.0),
    st.floats(-3.0, 3.0),
    st.floats(0.0, 1599.0),
)
def test_pixel_and_wavelength_are_inverse(
    lines_per_mm: float, centre_nm: float, tilt_deg: float, pixel: float
) -> None:
    grating = GratingCalibration(lines_per_mm, 500.0, 17.2, 799.0, 16.0, tilt_deg)
    wavelength = grating.wavelength_nm(np.array([pixel]), centre_nm)
    assert grating.pixel(wavelength, centre_nm)[0] == pytest.approx(pixel, abs=1e-6)


def test_what_is_not_diffracted_has_no_pixel() -> None:
    assert np.isnan(SP2500.pixel(np.array([1e5]), 600.0)[0])


def test_impossible_centre_and_geometry_are_refused() -> None:
    grating = GratingCalibration(1800.0, 500.0, 17.2, 799.0, 16.0)
    with pytest.raises(ValueError, match="cannot turn"):
        grating.wavelength_nm(np.array([0.0]), 1200.0)
    with pytest.raises(ValueError, match="focal_length_mm"):
        dataclasses.replace(grating, focal_length_mm=0.0)


def test_a_region_is_a_slice_and_binning_the_mean() -> None:
    whole = SP2500.wavelength_nm(np.arange(512.0), 600.0)
    np.testing.assert_array_equal(SP2500.region_nm(100, 50, 600.0), whole[100:150])
    binned = SP2500.region_nm(100, 51, 600.0, binning=5)
    np.testing.assert_allclose(binned, whole[100:150].reshape(-1, 5).mean(axis=1), rtol=1e-14)


def test_file_round_trip() -> None:
    evidence = CalibrationEvidence(
        "2026-01-02T03:04:05+00:00", "neon lamp", "150/mm", "side",
        (1.5, 2.5), (540.0, 541.0), (1e-4, -1e-4), ((1.0, 0.0), (0.0, 1.0)),
    )  # fmt: skip
    calibration = dataclasses.replace(SP2500, evidence=evidence)
    text = json.dumps(calibration.to_dict())
    assert GratingCalibration.from_dict(json.loads(text)) == calibration
    assert evidence.lines == 2
    assert evidence.rms_nm == pytest.approx(1e-4)
    with pytest.raises(TypeError):
        GratingCalibration.from_dict({**calibration.to_dict(), "unknown": 1})


def test_error_of_the_axis_follows_from_the_covariance() -> None:
    assert SP2500.wavelength_error_nm(np.array([255.0]), 600.0) is None
    covariance = np.zeros((4, 4))
    covariance[3, 3] = 0.25  # half a pixel
    rows = tuple(tuple(map(float, row)) for row in covariance)
    calibration = dataclasses.replace(SP2500, evidence=CalibrationEvidence(covariance=rows))
    error = calibration.wavelength_error_nm(np.array([0.0, 255.0]), 600.0)
    assert error is not None
    assert error[1] == pytest.approx(0.5 * 0.21108, rel=1e-4)


def test_what_moves_the_whole_axis_is_no_error_of_a_distance() -> None:
    """Half a pixel of the centre moves both ends alike; the focal length stretches them apart."""
    where = np.array([200.0, 300.0])
    apart_nm = float(np.ptp(SP2500.wavelength_nm(where, 600.0)))
    moved = _modes_nm(3, 0.5, where)
    assert abs(moved[1] - moved[0]) < 1e-3 * abs(moved[0])
    stretched = _modes_nm(0, 0.01 * SP2500.focal_length_mm, where)
    assert abs(stretched[1] - stretched[0]) == pytest.approx(0.01 * apart_nm, rel=0.01)


def _modes_nm(parameter: int, sigma: float, where: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the one mode that is left where a single parameter has an error."""
    variances = [sigma**2 if k == parameter else 0.0 for k in range(4)]
    rows = tuple(tuple(map(float, row)) for row in np.diag(variances))
    calibration = dataclasses.replace(SP2500, evidence=CalibrationEvidence(covariance=rows))
    modes = calibration.wavelength_modes_nm(where, 600.0)
    assert modes is not None
    return modes[np.any(modes != 0.0, axis=1)][0]
