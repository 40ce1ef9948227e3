"""Lorentz, Gauss and Voigt profiles of unit area, their derivatives and widths.

The Voigt profile is ``Re w(z) / (s sqrt(2 pi))`` with the Faddeeva function w and
``z = (x + i g) / (s sqrt 2)``, s the Gaussian standard deviation and g the Lorentzian half
width at half maximum.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import faddeeva

__all__ = [
    "GAUSS_FWHM_PER_SD",
    "Profile",
    "gauss",
    "lorentz",
    "voigt",
    "voigt_fwhm",
    "voigt_fwhm_gradient",
    "voigt_with_derivatives",
]

Vector = NDArray[np.float64]

GAUSS_FWHM_PER_SD = 2.3548200450309493
_A = 0.5346
_B = 0.2166


def lorentz(x: Vector, fwhm: float) -> Vector:
    """Return the Lorentzian of unit area at ``x`` from its centre."""
    half = fwhm / 2
    return half / np.pi / (x**2 + half**2)


def gauss(x: Vector, fwhm: float) -> Vector:
    """Return the Gaussian of unit area at ``x`` from its centre."""
    sd = fwhm / GAUSS_FWHM_PER_SD
    return np.exp(-((x / sd) ** 2) / 2) / (sd * np.sqrt(2 * np.pi))


def voigt(x: Vector, lorentz_fwhm: float, gauss_fwhm: float) -> Vector:
    """Return the Voigt profile of unit area at ``x`` from its centre."""
    if gauss_fwhm == 0:
        return lorentz(x, lorentz_fwhm)
    return voigt_with_derivatives(x, lorentz_fwhm, gauss_fwhm**2).value


class Profile(NamedTuple):
    """A Voigt profile and its derivatives by position and by both width parameters."""

    value: Vector
    by_x: Vector
    by_lorentz_fwhm: Vector
    by_gauss_fwhm_squared: Vector


def voigt_with_derivatives(x: Vector, lorentz_fwhm: float, gauss_fwhm_squared: float) -> Profile:
    """Return the Voigt profile and its derivatives.

    The derivative by the Gaussian variance is half the second derivative by position (the
    profile obeys the equation of diffusion); ``w' = -2 z w + 2 i / sqrt(pi)`` gives both.

    Args:
        x: Distance from the centre, any shape.
        lorentz_fwhm: FWHM of the Lorentzian part, unit of ``x``; slightly negative values
            continue the profile analytically.
        gauss_fwhm_squared: Square of the FWHM of the Gaussian part, positive.
    """
    sd = np.sqrt(gauss_fwhm_squared) / GAUSS_FWHM_PER_SD
    scale = 1 / (sd * np.sqrt(2))
    z = (x + 0.5j * lorentz_fwhm) * scale
    w = faddeeva(z)
    first = -2 * z * w + 2j / np.sqrt(np.pi)
    second = -2 * w - 2 * z * first
    norm = scale / np.sqrt(np.pi)
    return Profile(
        norm * w.real,
        norm * scale * first.real,
        norm * scale * -first.imag / 2,
        norm * scale**2 * second.real / 2 / GAUSS_FWHM_PER_SD**2,
    )


def voigt_fwhm(lorentz_fwhm: float, gauss_fwhm_squared: float) -> float:
    """Return the FWHM of a Voigt profile from its Lorentzian FWHM and squared Gaussian FWHM.

    J. J. Olivero and R. L. Longbothum, J. Quant. Spectrosc. Radiat. Transfer 17, 233 (1977),
    ``0.5346 L + sqrt(0.2166 L^2 + G^2)``, good to 0.02 %.  A negative square (noise made the
    line narrower than the instrument) counts as 0.
    """
    square = max(gauss_fwhm_squared, 0.0)
    return _A * lorentz_fwhm + float(np.sqrt(_B * lorentz_fwhm**2 + square))


def voigt_fwhm_gradient(
    lorentz_fwhm: float, gauss_fwhm_squared: float, square_error: float = 0.0
) -> tuple[float, float]:
    """Return the derivatives of `voigt_fwhm` by its two arguments.

    The FWHM bends sharply where the square goes through 0, so with a given error of the
    square the derivative is the mean slope over one standard error to both sides, or to the
    upper side where that is larger.
    """
    square = max(gauss_fwhm_squared, 0.0)
    root = float(np.sqrt(_B * lorentz_fwhm**2 + square))
    by_lorentz = _A + _B * lorentz_fwhm / root if root > 0 else 1.0
    if square_error <= 0:
        return by_lorentz, 0.5 / root if root > 0 else 0.0
    here, above, below = (
        voigt_fwhm(lorentz_fwhm, square + step) for step in (0.0, square_error, -square_error)
    )
    return by_lorentz, max((above - below) / 2, above - here) / square_error
