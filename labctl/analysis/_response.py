"""Instrument response: the recorded shape of an infinitely narrow line."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._voigt import voigt_fwhm
from labctl.errors import AnalysisError

__all__ = ["InstrumentResponse"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class InstrumentResponse:
    """Response of one grating, slit and exit, from a recorded lamp or laser line.

    A Voigt profile, convolved with the image of the slit and a sampled profile where there is
    one.  Widths are in nm, because the
    image of the slit has nearly the same width in nm everywhere on the detector.

    Attributes:
        gauss_fwhm_nm: Gaussian part.
        lorentz_fwhm_nm: Lorentzian part.
        fwhm_error_nm: Standard error of the width, common to all spectra it is used for.
        includes_pixel: Whether the width is that of a *recorded* line, which the pixels have
            already broadened (the default); if not, the fit integrates over each pixel.
        offsets_nm: Positions of a sampled profile about its centre of mass.
        weights: Of each position, sum 1.
        slit_nm: Full width of the rectangular image of the entrance slit.
    """

    gauss_fwhm_nm: float
    lorentz_fwhm_nm: float = 0.0
    fwhm_error_nm: float = 0.0
    includes_pixel: bool = True
    offsets_nm: tuple[float, ...] = (0.0,)
    weights: tuple[float, ...] = (1.0,)
    slit_nm: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative widths and a profile whose parts do not match.

        Raises:
            AnalysisError: Says what is wrong.
        """
        widths = (self.gauss_fwhm_nm, self.lorentz_fwhm_nm, self.slit_nm, self.fwhm_error_nm)
        if not min(widths) >= 0:
            msg = "instrument response: widths and their error must not be negative"
            raise AnalysisError(msg)
        if len(self.offsets_nm) != len(self.weights) or abs(sum(self.weights) - 1) > 1e-9:
            msg = "instrument response: one weight per offset, summing to 1"
            raise AnalysisError(msg)

    @classmethod
    def from_fwhm(
        cls,
        fwhm_nm: float,
        shape: Literal["gauss", "lorentz"] = "gauss",
        *,
        error_nm: float = 0.0,
        includes_pixel: bool = True,
    ) -> "InstrumentResponse":
        """Build a response from the width and shape that a calibration states.

        Raises:
            AnalysisError: If the shape is unknown.
        """
        if shape not in ("gauss", "lorentz"):
            msg = f"instrument response: shape {shape!r} is neither gauss nor lorentz"
            raise AnalysisError(msg)
        gauss_nm, lorentz_nm = (fwhm_nm, 0.0) if shape == "gauss" else (0.0, fwhm_nm)
        return cls(gauss_nm, lorentz_nm, error_nm, includes_pixel)

    @classmethod
    def from_profile(
        cls, offsets_nm: Vector, counts: Vector, *, error_nm: float = 0.0
    ) -> "InstrumentResponse":
        """Build a response from a recorded profile, background subtracted, evenly sampled.

        The samples are joined by narrow Gaussians as wide as their spacing, which would
        broaden the profile; its second moment is kept by contracting the offsets.

        Raises:
            AnalysisError: If the profile is empty or not positive in sum.
        """
        total = float(counts.sum())
        if counts.size < 3 or not total > 0:
            msg = "instrument response: the profile needs at least three samples of light"
            raise AnalysisError(msg)
        weights = counts / total
        centred = offsets_nm - float(weights @ offsets_nm)
        variance = float(weights @ centred**2)
        spacing = float(np.abs(np.diff(offsets_nm)).mean())
        join_sd = spacing / 2
        shrink = np.sqrt(max(1 - join_sd**2 / variance, 0.25)) if variance > 0 else 1.0
        return cls(
            join_sd * 2.3548200450309493, 0.0, error_nm, True,
            tuple(map(float, centred * shrink)), tuple(map(float, weights)),
        )  # fmt: skip

    @property
    def sampled(self) -> bool:
        """Whether a sampled profile is part of the response."""
        return len(self.weights) > 1

    @property
    def fwhm_nm(self) -> float:
        """FWHM without the pixel (slit and sampled profile by their second moment)."""
        weights, offsets = np.array(self.weights), np.array(self.offsets_nm)
        spread = float(weights @ (offsets - weights @ offsets) ** 2) + self.slit_nm**2 / 12
        square = self.gauss_fwhm_nm**2 + 8 * np.log(2) * max(spread, 0.0)
        return voigt_fwhm(self.lorentz_fwhm_nm, square)

    def widened(self, change_nm: float) -> "InstrumentResponse":
        """Return a response whose Gaussian part is wider by ``change_nm``."""
        return dataclasses.replace(self, gauss_fwhm_nm=self.gauss_fwhm_nm + change_nm)
