"""Fit of the four dispersion parameters to known wavelengths at known pixels."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError
from labctl.optics._fit import minimise
from labctl.optics._grating import PARAMETERS, GratingCalibration, grating_equation

__all__ = ["DispersionFit", "fit_dispersion"]

Vector = NDArray[np.float64]

# How far the true values of an instrument lie from its data sheet: seven calibrated SPE
# files and the manuals' half-angle and detector-angle tables stay within these.
_SPREAD = {
    "focal_length_mm": 5.0,
    "inclusion_angle_deg": 0.3,
    "detector_tilt_deg": 2.0,
    "centre_pixel": 20.0,
}


_FAR = 1e6


@dataclass(frozen=True)
class DispersionFit:
    """Result of `fit_dispersion`.

    Attributes:
        calibration: With the lines, residuals and covariance in its evidence.
        covariance: Of the four `PARAMETERS`, shape (4, 4), in mm, deg, deg, pixel.
        residuals_nm: Given minus fitted wavelength, shape (n,).
        standard_errors: Of the four parameters; 0 for those held fixed.
        starts_agreeing: How many of the starts ended at this minimum.
        chi2: Sum of the squared residuals in units of the given errors, nominal values left out.
        freedom: Lines less what they determine of the parameters: with nominal values as weak
            measurements a parameter that the lines hardly determine takes less than one.
    """

    calibration: GratingCalibration
    covariance: Vector
    residuals_nm: Vector
    standard_errors: Vector
    starts_agreeing: int
    chi2: float
    freedom: float


def fit_dispersion(
    pixels: Vector,
    wavelengths_nm: Vector,
    centre_nm: float | Vector,
    nominal: GratingCalibration,
    *,
    sigma_nm: float | Vector | None = None,
    hold: Sequence[str] = (),
    prior: bool = False,
    starts: int = 6,
    seed: int = 0,
) -> DispersionFit:
    """Fit focal length, inclusion angle, detector tilt and centre pixel.

    Several starts around ``nominal`` guard against a local minimum.  With ``prior`` the
    nominal values count as measurements with the usual spread between instrument and data
    sheet; a few lamp lines then determine what they can and leave the rest where it was.

    Args:
        pixels: Positions on the full sensor, 0-based, shape (n,).
        wavelengths_nm: Known wavelengths there, shape (n,).
        centre_nm: Centre wavelength, one for all or one per line.
        nominal: Starting values and the fixed geometry (grooves, order, pitch).
        sigma_nm: Standard error of each wavelength at its pixel; None takes it from the
            scatter of the residuals.
        hold: Names of parameters that keep their nominal value.
        prior: Use the nominal values as weak measurements.
        starts: Number of starting points.
        seed: Seed of the starting points.

    Raises:
        AnalysisError: Too few lines, values that are not finite, or no convergence.
    """
    free = [name for name in PARAMETERS if name not in hold]
    _check(pixels, wavelengths_nm, free, prior=prior)
    sigma = np.broadcast_to(np.asarray(1.0 if sigma_nm is None else sigma_nm), pixels.shape)
    problem = _Problem(pixels, wavelengths_nm, centre_nm, nominal, sigma, free, prior)
    solutions = [problem.solve(start) for start in problem.starts(starts, seed)]
    finite = [s for s in solutions if math.isfinite(s[0])]
    if not finite:
        msg = "the dispersion fit did not converge from any start"
        raise AnalysisError(msg)
    best = min(finite, key=lambda s: s[0])
    # Two minima are the same if their sums of squares agree to 1 % or to rounding.
    limit = best[0] * 1.01 + 1e-18 * pixels.size
    agreeing = sum(s[0] <= limit for s in finite)
    return _report(problem, best[1], best[2], agreeing, scaled=sigma_nm is None)


def _check(pixels: Vector, wavelengths_nm: Vector, free: list[str], *, prior: bool) -> None:
    if pixels.shape != wavelengths_nm.shape or pixels.ndim != 1:
        msg = f"{pixels.shape} pixels do not match {wavelengths_nm.shape} wavelengths"
        raise AnalysisError(msg)
    if not (np.all(np.isfinite(pixels)) and np.all(np.isfinite(wavelengths_nm))):
        msg = "pixels and wavelengths must be finite"
        raise AnalysisError(msg)
    needed = 2 if prior else len(free)
    if pixels.size < needed:
        msg = f"{pixels.size} lines cannot determine {len(free)} parameters, need {needed}"
        raise AnalysisError(msg)


@dataclass(frozen=True)
class _Problem:
    pixels: Vector
    wavelengths_nm: Vector
    centre_nm: float | Vector
    nominal: GratingCalibration
    sigma_nm: Vector
    free: list[str]
    prior: bool

    @property
    def start(self) -> Vector:
        return np.array([getattr(self.nominal, name) for name in self.free])

    @property
    def scale(self) -> Vector:
        return np.array([_SPREAD[name] for name in self.free])

    def starts(self, number: int, seed: int) -> list[Vector]:
        generator = np.random.default_rng(seed)
        shifts = generator.uniform(-1.0, 1.0, (max(number - 1, 0), len(self.free)))
        return [self.start, *(self.start + shift * self.scale for shift in shifts)]

    def residuals(self, parameters: NDArray[Any]) -> NDArray[Any]:
        values = dict(zip(self.free, parameters, strict=True))
        full = tuple(values.get(name, getattr(self.nominal, name)) for name in PARAMETERS)
        groove = self.nominal.groove_nm / self.nominal.order
        sine = np.asarray(self.centre_nm) / (2 * groove * np.cos(np.radians(np.real(full[1]) / 2)))
        if not np.all(np.abs(sine) < 1):
            # The grating cannot stand like this; the search turns back.
            return np.full(self.pixels.size + (parameters.size if self.prior else 0), _FAR)
        model = grating_equation(
            self.pixels, self.centre_nm, full, groove, self.nominal.pixel_pitch_um
        )
        data = (model - self.wavelengths_nm) / self.sigma_nm
        if not self.prior:
            return data
        return np.concatenate([data, (parameters - self.start) / self.scale])

    def solve(self, start: Vector) -> tuple[float, Vector, Vector]:
        found, residuals, jacobian = minimise(self.residuals, start, self.scale)
        return float(residuals @ residuals), found, jacobian


def _report(
    problem: _Problem, found: Vector, jacobian: Vector, agreeing: int, *, scaled: bool
) -> DispersionFit:
    count = problem.pixels.size
    residuals = problem.residuals(found)[:count]
    residuals_nm, chi2 = -residuals * problem.sigma_nm, float(residuals @ residuals)
    covariance = _covariance(jacobian, problem.scale)
    by_lines = jacobian[:count]
    freedom = count - float(np.trace(by_lines @ covariance @ by_lines.T))
    if scaled:
        covariance = covariance * chi2 / max(freedom, 1.0)
    full = np.zeros((4, 4))
    places = [PARAMETERS.index(name) for name in problem.free]
    full[np.ix_(places, places)] = covariance
    evidence = dataclasses.replace(
        problem.nominal.evidence,
        pixels=tuple(map(float, problem.pixels)),
        wavelengths_nm=tuple(map(float, problem.wavelengths_nm)),
        residuals_nm=tuple(map(float, residuals_nm)),
        covariance=tuple(tuple(map(float, row)) for row in full),
    )
    values = dict(zip(problem.free, map(float, found), strict=True))
    calibration = dataclasses.replace(problem.nominal, **values, evidence=evidence)
    errors = np.sqrt(np.diag(full))
    return DispersionFit(calibration, full, residuals_nm, errors, agreeing, chi2, freedom)


def _covariance(jacobian: Vector, scale: Vector) -> Vector:
    scaled = jacobian * scale
    return np.linalg.pinv(scaled.T @ scaled, rcond=1e-18) * np.outer(scale, scale)
