"""Wavelength calibration from a recorded lamp: find, assign, fit, and refuse what is unsure."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.errors import AnalysisError
from labctl.optics._assign import assign_lines, nearest
from labctl.optics._dispersion import DispersionFit, fit_dispersion
from labctl.optics._grating import GratingCalibration
from labctl.optics._lamps import LampLine
from labctl.optics._lines import find_lines

__all__ = ["LampSettings", "calibrate_from_lamp"]

Vector = NDArray[np.float64]

_ROUNDS = 8
_FIRST_MATCH_PIXELS = 2.5
_MATCH_PIXELS = 1.0
# What a line's own error leaves out, where too few lines were found to see it: its shape against
# the pixels, and the table.
_ASSUMED_PIXELS = 0.01
_TABLE_ERROR_NM = 2e-4
_SCATTER_ROUNDS = 2
_ROUNDING = 1e-12
_STARTS = 6
_FEWEST_FREEDOM = 5.0


@dataclass(frozen=True)
class LampSettings:
    """How a lamp spectrum was taken.

    Attributes:
        centre_nm: Centre wavelength of the spectrograph.
        x0: First column of the region of interest on the full sensor.
        binning: Columns per super-pixel.
        saturation_counts: Lines that reach this are not used.
        tolerance_nm: Largest error of the nominal dispersion that is searched.
        source: Name of the lamp, for the record.
        calibrated_at: Date and time, ISO 8601 with offset, for the record.
    """

    centre_nm: float
    x0: int = 0
    binning: int = 1
    saturation_counts: float = np.inf
    tolerance_nm: float = 2.0
    source: str = "lamp"
    calibrated_at: str = ""

    def sensor_pixels(self, index: Vector) -> Vector:
        """Return coordinates on the full sensor of (fractional) indices of the spectrum."""
        return self.x0 + self.binning * (index + 0.5) - 0.5


def calibrate_from_lamp(
    counts: Vector | Sequence[Vector],
    settings: LampSettings | Sequence[LampSettings],
    lines: Sequence[LampLine],
    nominal: GratingCalibration,
    *,
    minimum_lines: int = 4,
) -> GratingCalibration:
    """Calibrate a grating from one or more lamp spectra.

    The nominal dispersion predicts each line to within ``tolerance_nm``; the assignment
    that explains most lines wins, and only if no other one comes near.  Then the
    parameters are fitted with the nominal values as weak measurements, and the lines are
    assigned again with the fitted dispersion until nothing changes.  How well the lines are
    known follows from their scatter about the fit where there are enough of them.

    Args:
        counts: One spectrum, shape (n,), or several taken at different centres.
        settings: Of each spectrum.
        lines: Lines of the lamp, see `lamp_lines`.
        nominal: Data-sheet values.
        minimum_lines: Fewer assigned lines per spectrum are refused.

    Returns:
        The calibration; its evidence has lines, residuals, covariance, source and date.

    Raises:
        AnalysisError: Too few lines, an ambiguous assignment, or lines that the grating
            equation cannot explain.
    """
    several = list(counts) if not isinstance(counts, np.ndarray) else [counts]
    taken = [settings] if isinstance(settings, LampSettings) else list(settings)
    exposures = [_exposure(c, s, minimum_lines) for c, s in zip(several, taken, strict=True)]
    if not exposures:
        msg = "no lamp spectrum was given"
        raise AnalysisError(msg)
    table = np.sort(np.array([line.wavelength_nm for line in lines]))
    chosen = [_first_assignment(e, table, nominal, minimum_lines) for e in exposures]
    return _refine(exposures, chosen, table, nominal, minimum_lines)


@dataclass(frozen=True)
class _Exposure:
    """Lines found in one spectrum: coordinates on the full sensor, errors, heights."""

    settings: LampSettings
    pixels: Vector
    errors: Vector
    heights: Vector

    def unblended(self, table: Vector, calibration: GratingCalibration) -> Vector:
        """Return the table without pairs that this exposure cannot separate."""
        limit = 3 * self.nm_per_pixel(calibration)
        gaps = np.diff(table, prepend=-np.inf, append=np.inf)
        return table[(gaps[:-1] > limit) & (gaps[1:] > limit)]

    def nm_per_pixel(self, calibration: GratingCalibration) -> float:
        middle = float(np.median(self.pixels))
        local = calibration.dispersion_nm_per_pixel(middle, self.settings.centre_nm)
        return abs(local) * self.settings.binning


def _exposure(counts: Vector, settings: LampSettings, minimum: int) -> _Exposure:
    found = find_lines(counts, saturation_counts=settings.saturation_counts)
    if len(found) < minimum:
        msg = f"only {len(found)} lines found at {settings.centre_nm} nm, need {minimum}"
        raise AnalysisError(f"{msg}; expose longer, or choose a centre with more lines")
    pixels = settings.sensor_pixels(np.array([line.pixel for line in found]))
    errors = np.array([line.pixel_error for line in found]) * settings.binning
    return _Exposure(settings, pixels, errors, np.array([line.height for line in found]))


def _first_assignment(
    exposure: _Exposure, table: Vector, nominal: GratingCalibration, minimum: int
) -> Vector:
    """Return the wavelength of each found line, NaN where unassigned."""
    predicted = nominal.wavelength_nm(exposure.pixels, exposure.settings.centre_nm)
    usable = exposure.unblended(table, nominal)
    if usable.size < minimum:
        msg = f"the line table has only {usable.size} separate lines, need {minimum}"
        raise AnalysisError(msg)
    index = assign_lines(
        predicted,
        exposure.heights,
        usable,
        tolerance_nm=exposure.settings.tolerance_nm,
        match_nm=_FIRST_MATCH_PIXELS * exposure.nm_per_pixel(nominal),
        minimum=minimum,
    )
    return np.where(index >= 0, usable[index], np.nan)


def _refine(
    exposures: list[_Exposure],
    chosen: list[Vector],
    table: Vector,
    nominal: GratingCalibration,
    minimum: int,
) -> GratingCalibration:
    for _ in range(_ROUNDS):
        fit = _fit(exposures, chosen, nominal)
        again = [_reassign(e, table, fit) for e in exposures]
        for exposure, wavelengths in zip(exposures, again, strict=True):
            _enough(wavelengths, exposure.settings, minimum)
        if all(np.array_equal(a, c, equal_nan=True) for a, c in zip(again, chosen, strict=True)):
            return _dated(fit.calibration, exposures)
        chosen = again
    msg = "the assignment of lamp lines does not settle; check lamp, grating and centre"
    raise AnalysisError(msg)


def _fit(
    exposures: list[_Exposure], chosen: list[Vector], nominal: GratingCalibration
) -> DispersionFit:
    """Return the fit with errors that follow from the scatter of the lines about it.

    A line's own error tells neither what its shape does on the pixels nor how good the table
    is.  The scatter shows both, and where the own errors are too large.
    """
    used = [np.isfinite(wavelengths) for wavelengths in chosen]
    pairs = list(zip(exposures, used, strict=True))
    pixels = np.concatenate([e.pixels[u] for e, u in pairs])
    wavelengths_nm = np.concatenate([w[u] for w, u in zip(chosen, used, strict=True)])
    centres_nm = np.concatenate([np.full(int(u.sum()), e.settings.centre_nm) for e, u in pairs])
    sigma_nm = np.concatenate([_assumed_nm(e, nominal)[u] for e, u in pairs])

    def fitted(scale: float, starts: int) -> DispersionFit:
        return fit_dispersion(
            pixels, wavelengths_nm, centres_nm, nominal,
            sigma_nm=scale * sigma_nm, prior=True, starts=starts,
        )  # fmt: skip

    scale, fit = 1.0, fitted(1.0, _STARTS)
    for _ in range(_SCATTER_ROUNDS):
        if fit.freedom < _FEWEST_FREEDOM:
            break
        # A variance from n degrees of freedom makes Student's t of the pulls; n - 2 for n
        # gives the errors the variance that t has.
        scale *= math.sqrt(max(fit.chi2, _ROUNDING) / (fit.freedom - 2))
        fit = fitted(scale, 1)
    return fit


def _assumed_nm(exposure: _Exposure, nominal: GratingCalibration) -> Vector:
    """Return the errors of all lines as far as they are known before the fit."""
    settings = exposure.settings
    pixels = np.hypot(exposure.errors, _ASSUMED_PIXELS * settings.binning)
    step_nm = exposure.nm_per_pixel(nominal) / settings.binning
    return np.hypot(pixels * step_nm, _TABLE_ERROR_NM)


def _reassign(exposure: _Exposure, table: Vector, fit: DispersionFit) -> Vector:
    predicted = fit.calibration.wavelength_nm(exposure.pixels, exposure.settings.centre_nm)
    usable = exposure.unblended(table, fit.calibration)
    limit = _MATCH_PIXELS * exposure.nm_per_pixel(fit.calibration)
    index, _ = nearest(predicted, usable, limit)
    return np.where(index >= 0, usable[index], np.nan)


def _enough(wavelengths: Vector, settings: LampSettings, minimum: int) -> None:
    count, found = int(np.isfinite(wavelengths).sum()), wavelengths.size
    if count < minimum or count < 0.5 * found:
        msg = f"only {count} of {found} lines at {settings.centre_nm} nm agree with the fit"
        raise AnalysisError(f"{msg}; check lamp, grating and centre")


def _dated(calibration: GratingCalibration, exposures: list[_Exposure]) -> GratingCalibration:
    settings = exposures[0].settings
    evidence = dataclasses.replace(
        calibration.evidence, source=settings.source, calibrated_at=settings.calibrated_at
    )
    return dataclasses.replace(calibration, evidence=evidence)
