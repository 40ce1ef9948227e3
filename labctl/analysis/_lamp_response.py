"""Instrument response from a recorded lamp or laser line."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._noise import NoiseModel
from labctl.analysis._peakfit import fit_peak
from labctl.analysis._response import InstrumentResponse
from labctl.optics import air_nm_to_ev, ev_to_air_nm, width_nm_to_mev

__all__ = ["measure_response"]

Vector = NDArray[np.float64]


def measure_response(
    counts: Vector,
    wavelength_nm: Vector,
    noise: NoiseModel,
    *,
    near_nm: float | None = None,
    shape: Literal["gauss", "voigt"] = "gauss",
) -> InstrumentResponse:
    """Measure the response from one line whose own width is negligible.

    The width is that of the recorded line, so the pixel is in it.

    Args:
        counts: Recorded spectrum, shape (pixel,), counts.
        wavelength_nm: At the pixel centres in air, shape (pixel,).
        noise: Noise model of the camera.
        near_nm: Where to look, in air; None takes the strongest line.
        shape: Profile to fit; ``voigt`` also finds Lorentzian wings.

    Raises:
        AnalysisError: No line, or no convergence.
    """
    near_ev = None if near_nm is None else air_nm_to_ev(near_nm)
    line = fit_peak(counts, wavelength_nm, noise, shape=shape, near_ev=near_ev)
    nm_per_mev = 1 / width_nm_to_mev(1.0, ev_to_air_nm(line.energy_ev.value))
    return InstrumentResponse(
        gauss_fwhm_nm=float(np.sqrt(max(line.gauss_squared_mev2.value, 0.0))) * nm_per_mev,
        lorentz_fwhm_nm=line.lorentz_fwhm_mev.value * nm_per_mev if shape == "voigt" else 0.0,
        fwhm_error_nm=line.fwhm_observed_mev.error * nm_per_mev,
    )
