"""What the fit of a line returns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured

__all__ = ["Line", "PeakFit", "SatellitePrior"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class SatellitePrior:
    """What is known about a satellite line before the fit.

    Attributes:
        offset_mev: Energy minus that of the main line; an infinite error leaves it free.
        ratio: Area over that of the main line.
    """

    offset_mev: Measured
    ratio: Measured


@dataclass(frozen=True)
class Line:
    """A further line beside the main one, of the same shape.

    Attributes:
        energy_ev: Position in eV.
        offset_mev: Energy minus that of the main line.
        ratio: Area over that of the main line.
    """

    energy_ev: Measured
    offset_mev: Measured
    ratio: Measured


@dataclass(frozen=True, eq=False)
class PeakFit:
    """Result of `fit_peak`; errors are standard errors.

    Attributes:
        energy_ev: Position of the main line in eV.
        fwhm_observed_mev: FWHM with the instrument in it.
        fwhm_intrinsic_mev: FWHM after deconvolution of the response; None without a response.
        lorentz_fwhm_mev: Lorentzian (homogeneous) part of the intrinsic line.
        gauss_squared_mev2: Square of the FWHM of its Gaussian part; consistent with 0 where
            the Gaussian part is not resolved, and then possibly negative; error 0 if fixed.
        intrinsic_statistical_mev: Error of the intrinsic FWHM without that of the response.
        response_sensitivity_mev: Signed change of the intrinsic FWHM for one standard error of
            the response, common to all spectra of the grating.
        lorentz_sensitivity_mev: The same for the Lorentzian part.
        area_counts: Area of the main line in counts.
        area_electrons: Area in photo-electrons; the error of the camera's gain is in it.
        background_counts: Background (with bias) per pixel at the main line.
        lines: Further lines, by falling energy.
        shape: Intrinsic shape that was used.
        background: ``"constant"`` or ``"linear"``.
        reduced_chi2: Chi-square per degree of freedom.
        freedom: Degrees of freedom.
        probability: Of a larger chi-square.
        error_scale: Factor on all statistical errors because the chi-square was too large.
        flags: Words on what was unusual; empty if nothing was.
        excluded_pixels: Number of saturated or otherwise unusable pixels in the window.
        cosmic_rays: Number of pixels rejected as cosmic rays in the window.
        window: First and last pixel (exclusive) of the fit.
        model_counts: Expected counts in the window, shape (pixel,).
        offsets_covariance_mev2: Covariance of the offsets of ``lines``, shape (line, line).
    """

    energy_ev: Measured
    fwhm_observed_mev: Measured
    fwhm_intrinsic_mev: Measured | None
    lorentz_fwhm_mev: Measured
    gauss_squared_mev2: Measured
    intrinsic_statistical_mev: float
    response_sensitivity_mev: float
    lorentz_sensitivity_mev: float
    area_counts: Measured
    area_electrons: Measured
    background_counts: Measured
    lines: tuple[Line, ...]
    shape: str
    background: str
    reduced_chi2: float
    freedom: int
    probability: float
    error_scale: float
    flags: tuple[str, ...]
    excluded_pixels: int
    cosmic_rays: int
    window: tuple[int, int]
    model_counts: Vector
    offsets_covariance_mev2: Vector
