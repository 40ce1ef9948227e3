"""E13, E17, E18: the band of a dot at room temperature: its tail, its colour, its stability."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Measured, WarmBand, fit_warm_band
from labctl.errors import AnalysisError
from labctl.optics import ev_to_air_nm, width_nm_to_mev
from labctl.results._points import combined_frames
from labctl.results._result import Cell, ExperimentResult, ResultTable
from labctl.results._source import StoredSpectrum
from labctl.results._warnings import summarized

__all__ = ["FittedBand", "fit_bands", "stability_results", "warm_results"]

Vector = NDArray[np.float64]

_UNITS = {
    "point": "",
    "time": "s",
    "peak_energy": "eV",
    "peak_energy_error": "eV",
    "peak_energy_statistical_error": "eV",
    "fwhm": "meV",
    "fwhm_error": "meV",
    "urbach_energy": "meV",
    "urbach_energy_error": "meV",
    "area": "counts",
    "area_error": "counts",
    "flags": "",
}
_S_PER_H = 3600.0


@dataclass(frozen=True, eq=False)
class FittedBand:
    """A spectrum and its band."""

    spectrum: StoredSpectrum
    fit: WarmBand

    @property
    def peak_energy_ev(self) -> Measured:
        """Maximum in eV; the error of the wavelength axis is in it."""
        line_nm = ev_to_air_nm(self.fit.peak_energy_ev.value)
        pixel = int(np.argmin(np.abs(self.spectrum.wavelength_nm - line_nm)))
        error_nm = float(self.spectrum.axis_error_nm[pixel])
        return self.fit.peak_energy_ev.plus_systematic(1e-3 * width_nm_to_mev(error_nm, line_nm))


def _efficiency(spectrum: StoredSpectrum) -> dict[str, Any]:
    """Return the measured efficiency for the fit; nothing where it was not measured."""
    known = spectrum.efficiency
    if known is None:
        return {}
    return {
        "efficiency": known.relative(spectrum.wavelength_nm),
        "efficiency_error_per_nm": known.error_per_nm,
    }


def fit_bands(spectra: Sequence[StoredSpectrum]) -> tuple[list[FittedBand], tuple[str, ...]]:
    """Fit the band of each spectrum; returns what could be fitted, and warnings.

    Raises:
        AnalysisError: No spectrum has a band.
    """
    found: list[FittedBand] = []
    warnings: list[str] = []
    for spectrum in spectra:
        combined = combined_frames(spectrum)
        warnings += spectrum.warnings
        try:
            fit = fit_warm_band(
                combined.counts,
                spectrum.wavelength_nm,
                spectrum.noise,
                usable=combined.usable,
                variance_scale=combined.variance_scale,
                **_efficiency(spectrum),
            )
        except AnalysisError as error:
            warnings.append(f"point {spectrum.point}: {error}")
            continue
        found.append(FittedBand(spectrum, fit))
        warnings += [f"point {spectrum.point}: {flag}" for flag in fit.flags]
    if not found:
        raise AnalysisError("; ".join(summarized(warnings)))
    return found, summarized(warnings)


def warm_results(
    bands: Sequence[FittedBand], experiment: str, warnings: tuple[str, ...]
) -> list[ExperimentResult]:
    """Return maximum, width and slope energy of the tail of each spectrum (E17, E18)."""
    tables = (_table(bands),)
    found: list[ExperimentResult] = []
    for band in bands:
        fit, point = band.fit, band.spectrum.point
        quantities = [("peak_energy", band.peak_energy_ev, "eV"), ("fwhm", fit.fwhm_mev, "meV")]
        if fit.urbach_mev is not None:
            quantities.append(("urbach_energy", fit.urbach_mev, "meV"))
        found += [
            ExperimentResult(experiment, name, m.value, m.error, unit, point, tables, warnings)
            for name, m, unit in quantities
        ]
    return found


def stability_results(
    bands: Sequence[FittedBand],
    zeros: Mapping[int, Measured],
    warnings: tuple[str, ...],
) -> list[ExperimentResult]:
    """Return drift of the maximum, change of the light, and g2(0) before and after (E13).

    Both follow straight lines in time, fitted with an extra scatter where the points scatter by
    more than their errors.

    Args:
        bands: Of the spectra, in the order of time.
        zeros: g2(0) by point; that of the last point before the first spectrum and of the first
            after the last one are used.
        warnings: To give along.
    """
    tables = (_table(bands),)
    found: list[ExperimentResult] = []

    def tell(quantity: str, measured: Measured, unit: str) -> None:
        found.append(
            ExperimentResult(
                "E13", quantity, measured.value, measured.error, unit, None, tables, warnings
            )
        )

    if len(bands) >= 3:
        time_s = np.array([band.spectrum.time_s or math.nan for band in bands])
        hours = (time_s - time_s[0]) / _S_PER_H
        peaks = [band.fit.peak_energy_ev.value for band in bands]
        errors = [band.fit.peak_statistical_ev for band in bands]
        drift = _line(hours, 1e3 * np.array(peaks), 1e3 * np.array(errors))
        light = [band.fit.area_counts for band in bands]
        first = float(np.mean([one.value for one in light]))
        rate = _line(
            hours,
            np.array([one.value for one in light]) / first,
            np.array([one.error for one in light]) / first,
        )
        span_h = float(hours[-1])
        tell("light_time", Measured(span_h, 0.0), "h")
        tell("peak_drift", drift.scaled(span_h), "meV")
        tell("peak_drift_rate", drift, "meV/h")
        tell("intensity_change", rate.scaled(span_h), "")
    start, end = bands[0].spectrum.point, bands[-1].spectrum.point
    before = [point for point in zeros if point < start]
    after = [point for point in zeros if point > end]
    if before:
        tell("g2_zero_before", zeros[max(before)], "")
    if after:
        tell("g2_zero_after", zeros[min(after)], "")
    return found


def _line(x: Vector, y: Vector, error: Vector) -> Measured:
    """Return the slope of a weighted line; its error grows where the points scatter more."""
    weights = 1 / error**2
    middle = float(weights @ x / weights.sum())
    away = x - middle
    norm = float(weights @ away**2)
    slope = float((weights * away) @ y) / norm
    level = float(weights @ y / weights.sum())
    residuals = y - level - slope * away
    chi2 = float(weights @ residuals**2) / max(len(x) - 2, 1)
    return Measured(slope, math.sqrt(max(chi2, 1.0) / norm))


def _table(bands: Sequence[FittedBand]) -> ResultTable:
    rows: list[tuple[Cell, ...]] = []
    for band in bands:
        fit, peak = band.fit, band.peak_energy_ev
        tail = (
            (None, None) if fit.urbach_mev is None else (fit.urbach_mev.value, fit.urbach_mev.error)
        )
        rows.append(
            (
                band.spectrum.point, band.spectrum.time_s, peak.value, peak.error,
                fit.peak_statistical_ev, fit.fwhm_mev.value, fit.fwhm_mev.error, *tail,
                fit.area_counts.value, fit.area_counts.error, "; ".join(fit.flags),
            )
        )  # fmt: skip
    return ResultTable("bands", _UNITS, tuple(rows))
