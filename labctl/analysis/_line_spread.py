"""Line spread of a spectrograph from many lamp lines at once: slit image and blur.

A sharp line is recorded as the rectangular image of the entrance slit, blurred by aberrations
(taken as Gaussian) and collected by pixels. One slit width and one blur, in nm, serve for all
lines, because the dispersion hardly changes over the detector; each line has its own position,
area and background.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import normal_cdf, solve
from labctl.analysis._measured import Measured
from labctl.analysis._response import InstrumentResponse
from labctl.errors import AnalysisError

__all__ = [
    "LampLineSample",
    "LineSpread",
    "below",
    "line_spread_response",
    "measure_line_spread",
    "residuals",
    "share",
]

Vector = NDArray[np.float64]

FWHM_PER_SD = 2.3548200450309493


@dataclass(frozen=True, eq=False)
class LampLineSample:
    """The pixels around one lamp line.

    Attributes:
        position_nm: At the pixel centres, shape (pixel,).
        counts: Shape (pixel,).
        variance: Of the counts, shape (pixel,).
    """

    position_nm: Vector
    counts: Vector
    variance: Vector


@dataclass(frozen=True)
class LineSpread:
    """Result of `measure_line_spread`, widths in nm.

    Attributes:
        slit_nm: Full width of the slit's image.
        blur_fwhm_nm: FWHM of the Gaussian blur.
        fwhm_nm: Of a recorded sharp line, pixel included, with standard error.
        reduced_chi2: Of the common fit.
        lines: Number of lines used.
    """

    slit_nm: float
    blur_fwhm_nm: float
    fwhm_nm: Measured
    reduced_chi2: float
    lines: int

    def response(self) -> InstrumentResponse:
        """Return the response for the fit of other lines; the fit adds the pixels itself."""
        return line_spread_response(self.slit_nm, self.blur_fwhm_nm, self.fwhm_nm.error)


def line_spread_response(
    slit_nm: float, blur_fwhm_nm: float, error_nm: float
) -> InstrumentResponse:
    """Return the response of a slit image and a Gaussian blur, without the pixels."""
    return InstrumentResponse(
        blur_fwhm_nm, fwhm_error_nm=error_nm, includes_pixel=False, slit_nm=slit_nm
    )


def measure_line_spread(lines: Sequence[LampLineSample]) -> LineSpread:
    """Fit one slit width and one blur to all lines.

    Args:
        lines: Pixels around well separated, unsaturated lines.

    Raises:
        AnalysisError: Fewer than three lines, or no convergence.
    """
    if len(lines) < 3:
        msg = f"the line spread needs at least three lamp lines, not {len(lines)}"
        raise AnalysisError(msg)
    pixel_nm = float(np.median([abs(np.diff(line.position_nm)).mean() for line in lines]))
    start = np.concatenate([[2.0 * pixel_nm, 0.5 * pixel_nm], *[_guess(line) for line in lines]])
    scale = np.concatenate([[pixel_nm, pixel_nm], *[_scale(line, pixel_nm) for line in lines]])
    lower = np.full(start.size, -np.inf)
    lower[:2] = 1e-3 * pixel_nm
    found = solve(
        lambda p: residuals(p, lines),
        start,
        lower,
        np.full(start.size, np.inf),
        scale=scale,
    )
    freedom = found.residuals.size - start.size
    chi2 = found.chi2 / max(freedom, 1)
    slit_nm, blur_sd_nm = float(found.parameters[0]), float(found.parameters[1])
    covariance = found.covariance[:2, :2] * max(chi2, 1.0)
    fwhm_nm = _recorded_fwhm(slit_nm, blur_sd_nm, pixel_nm)
    step = 1e-3 * pixel_nm
    gradient = np.array(
        [
            (_recorded_fwhm(slit_nm + step, blur_sd_nm, pixel_nm) - fwhm_nm) / step,
            (_recorded_fwhm(slit_nm, blur_sd_nm + step, pixel_nm) - fwhm_nm) / step,
        ]
    )
    error_nm = float(np.sqrt(gradient @ covariance @ gradient))
    return LineSpread(
        slit_nm, FWHM_PER_SD * blur_sd_nm, Measured(fwhm_nm, error_nm), chi2, len(lines)
    )


def _guess(line: LampLineSample) -> Vector:
    floor = float(np.min(line.counts))
    signal = line.counts - floor
    centre = float(signal @ line.position_nm / signal.sum())
    return np.array([centre, float(signal.sum()), floor])


def _scale(line: LampLineSample, pixel_nm: float) -> Vector:
    signal = float(np.sum(line.counts - np.min(line.counts)))
    return np.array([pixel_nm, max(signal, 1.0), max(float(np.max(line.counts)), 1.0)])


def residuals(parameters: Vector, lines: Sequence[LampLineSample]) -> tuple[Vector, Vector]:
    """Return what is left of the lines, over its error, and its derivatives.

    Args:
        parameters: Slit and standard deviation of the blur in nm, then centre in nm, area and
            background in counts of each line.
        lines: With n pixels in all.

    Returns:
        Shapes (n,) and (n, parameter).
    """
    slit_nm, blur_nm = float(parameters[0]), float(parameters[1])
    off: list[Vector] = []
    rows: list[Vector] = []
    for index, line in enumerate(lines):
        place = 2 + 3 * index
        centre, area, floor = parameters[place : place + 3]
        x = line.position_nm - centre
        pixel = np.abs(np.gradient(line.position_nm))
        light, by_x, by_slit, by_blur = share(x, pixel, slit_nm, blur_nm)
        sigma = np.sqrt(line.variance)
        jacobian = np.zeros((x.size, parameters.size))
        jacobian[:, 0], jacobian[:, 1] = area * by_slit, area * by_blur
        jacobian[:, place] = -area * by_x
        jacobian[:, place + 1], jacobian[:, place + 2] = light, 1.0
        off.append((area * light + floor - line.counts) / sigma)
        rows.append(jacobian / sigma[:, None])
    return np.concatenate(off), np.concatenate(rows)


def share(x: Vector, pixel: Vector, slit: float, blur: float) -> tuple[Vector, ...]:
    """Return the share of a line in each pixel, and its derivatives by x, slit and blur."""
    high, low = below(x + 0.5 * pixel, slit, blur), below(x - 0.5 * pixel, slit, blur)
    return tuple(a - b for a, b in zip(high, low, strict=True))


def below(x: Vector, slit: float, blur: float) -> tuple[Vector, ...]:
    """Return the part of a line below x, and its derivatives by x, slit and blur.

    With G the normal distribution and g its density, I(y) = y G(y/s) + s g(y/s) is the
    integral of G(y/s); the part is (I(x + w/2) - I(x - w/2)) / w.
    """
    high, low = (x + 0.5 * slit) / blur, (x - 0.5 * slit) / blur
    cdf_high, cdf_low = normal_cdf(high), normal_cdf(low)
    pdf_high, pdf_low = _density(high), _density(low)
    part = blur * (high * cdf_high + pdf_high - low * cdf_low - pdf_low) / slit
    by_x = (cdf_high - cdf_low) / slit
    by_slit = 0.5 * (cdf_high + cdf_low) / slit - part / slit
    by_blur = (pdf_high - pdf_low) / slit
    return part, by_x, by_slit, by_blur


def _density(z: Vector) -> Vector:
    return np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


def _recorded_fwhm(slit_nm: float, blur_nm: float, pixel_nm: float) -> float:
    """Return the width at half height of a sharp line as recorded, as a function of position."""
    reach = slit_nm + pixel_nm + 6 * blur_nm
    x = np.linspace(0.0, reach, 4001)
    profile = share(x, np.full_like(x, pixel_nm), slit_nm, blur_nm)[0]
    half = 0.5 * float(profile[0])
    return 2 * float(np.interp(-half, -profile, x))
