"""E01: peak energy, widths, area and background of each spectrum."""

from collections.abc import Sequence

from labctl.analysis import Measured, PeakFit
from labctl.results._points import FittedPoint
from labctl.results._result import Cell, ExperimentResult, ResultTable

__all__ = ["PEAK_UNITS", "peak_table", "spectrum_results", "temperature_cells"]

PEAK_UNITS = {
    "point": "",
    "temperature_set": "K",
    "temperature": "K",
    "temperature_error": "K",
    "energy": "eV",
    "energy_error": "eV",
    "energy_statistical_error": "eV",
    "fwhm_observed": "meV",
    "fwhm_observed_error": "meV",
    "fwhm_intrinsic": "meV",
    "fwhm_intrinsic_error": "meV",
    "fwhm_deconvolved": "meV",
    "fwhm_deconvolved_error": "meV",
    "area": "electrons",
    "area_error": "electrons",
    "background": "counts",
    "background_error": "counts",
    "reduced_chi2": "",
    "further_lines": "",
    "shape": "",
    "flags": "",
}
"""Columns of the table of peaks and their units.

``fwhm_intrinsic`` is the homogeneous (Lorentzian) width of the line, which the linewidth law is
about; ``fwhm_deconvolved`` also contains the Gaussian part that spectral diffusion adds.
"""


def peak_table(name: str, points: Sequence[FittedPoint]) -> ResultTable:
    """Return one row per point; None where the spectrum allowed no fit."""
    return ResultTable(name, PEAK_UNITS, tuple(_row(point) for point in points))


def spectrum_results(points: Sequence[FittedPoint]) -> list[ExperimentResult]:
    """Return the quantities of E01 for each point."""
    tables = (peak_table("spectra", points),)
    return [
        ExperimentResult(
            experiment="E01",
            quantity=quantity,
            value=measured.value,
            standard_error=measured.error,
            unit=unit,
            point=point.spectrum.point,
            tables=tables,
            warnings=point.warnings,
        )
        for point in points
        if point.fit is not None
        for quantity, measured, unit in _quantities(point, point.fit)
    ]


def temperature_cells(point: FittedPoint) -> tuple[Cell, Cell, Cell]:
    """Return set temperature, read temperature and its error in K."""
    read = point.spectrum.temperature_k
    return (
        point.spectrum.temperature_set_k,
        None if read is None else read.value,
        None if read is None else read.error,
    )


def _quantities(point: FittedPoint, fit: PeakFit) -> list[tuple[str, Measured, str]]:
    found = [
        ("peak_energy", fit.energy_ev.plus_systematic(point.axis_error_ev), "eV"),
        ("fwhm_observed", fit.fwhm_observed_mev, "meV"),
        ("area", fit.area_electrons, "electrons"),
        ("background", fit.background_counts, "counts"),
    ]
    if fit.fwhm_intrinsic_mev is not None:
        found.insert(2, ("fwhm_intrinsic", fit.lorentz_fwhm_mev, "meV"))
        found.insert(3, ("fwhm_deconvolved", fit.fwhm_intrinsic_mev, "meV"))
    return found


def _row(point: FittedPoint) -> tuple[Cell, ...]:
    head = (point.spectrum.point, *temperature_cells(point))
    fit = point.fit
    if fit is None:
        return (*head, *(None,) * 15, "not fitted", "not fitted")
    energy = fit.energy_ev.plus_systematic(point.axis_error_ev)
    measured = (
        fit.fwhm_observed_mev,
        fit.lorentz_fwhm_mev if fit.fwhm_intrinsic_mev is not None else None,
        fit.fwhm_intrinsic_mev,
        fit.area_electrons,
        fit.background_counts,
    )
    cells: list[Cell] = [energy.value, energy.error, fit.energy_ev.error]
    for quantity in measured:
        cells += [None, None] if quantity is None else [quantity.value, quantity.error]
    return (*head, *cells, fit.reduced_chi2, len(fit.lines), fit.shape, "; ".join(fit.flags))
