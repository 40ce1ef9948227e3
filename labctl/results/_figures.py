"""Figures of analysed runs, drawn without a display."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from labctl.analysis import Measured
from labctl.errors import AnalysisError
from labctl.optics import air_nm_to_ev, density_per_ev
from labctl.results._analyze import RunAnalysis
from labctl.results._points import FittedPoint
from labctl.results._temperature_results import TemperatureLaws

__all__ = ["draw", "save_figure"]

Vector = NDArray[np.float64]

_DATA, _INTRINSIC, _LAW = "#1f4e79", "#c55a11", "#444444"


def save_figure(analysis: RunAnalysis, path: Path) -> Path:
    """Draw the analysis and write it as PNG; returns the path.

    Raises:
        AnalysisError: If no spectrum was fitted.
        OSError: If the file cannot be written.
    """
    figure = draw(analysis)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150, format="png")
    return path


def draw(analysis: RunAnalysis) -> Figure:
    """Return a figure: stacked spectra with their fits, and for a series both laws.

    Raises:
        AnalysisError: If no spectrum was fitted.
    """
    points = [point for point in analysis.points if point.fit is not None]
    if not points:
        msg = f"run {analysis.run}: no fitted spectrum to draw"
        raise AnalysisError(msg)
    series = analysis.laws is not None
    figure = Figure(figsize=(11.0, 6.5) if series else (6.0, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    if analysis.laws is None:
        _stack(figure.add_subplot(1, 1, 1), points)
    else:
        grid = figure.add_gridspec(2, 2, width_ratios=(1.1, 1.0))
        _stack(figure.add_subplot(grid[:, 0]), points)
        _widths(figure.add_subplot(grid[0, 1]), points, analysis.laws)
        _energies(figure.add_subplot(grid[1, 1]), points, analysis.laws)
    figure.suptitle(analysis.title or analysis.run)
    return figure


def _stack(axes: Axes, points: Sequence[FittedPoint]) -> None:
    """Draw the spectra per eV, each scaled to its maximum, coldest at the bottom."""
    low, high = np.inf, -np.inf
    for level, point in enumerate(points):
        fit = point.fit
        if fit is None:
            continue
        first, last = fit.window
        wavelength = point.spectrum.wavelength_nm[first:last]
        energy = air_nm_to_ev(wavelength)
        base = fit.background_counts.value
        data = density_per_ev(point.spectrum.counts[first:last] - base, wavelength)
        model = density_per_ev(fit.model_counts - base, wavelength)
        top = float(np.max(model))
        axes.plot(energy, data / top + level, ".", ms=2.5, color=_DATA)
        axes.plot(energy, model / top + level, "-", lw=0.9, color=_INTRINSIC)
        axes.annotate(_label(point), (1.0, level + 0.12), xycoords=("axes fraction", "data"),
                      ha="right", fontsize=8)  # fmt: skip
        half = max(4 * fit.fwhm_observed_mev.value, 12.0) * 1e-3
        low = min(low, max(fit.energy_ev.value - half, float(energy.min())))
        high = max(high, min(fit.energy_ev.value + half, float(energy.max())))
    axes.set(xlabel="photon energy / eV", ylabel="intensity, scaled and shifted")
    axes.set_xlim(low, high)
    axes.set_yticks([])


def _label(point: FittedPoint) -> str:
    read = point.spectrum.temperature_k
    return f"point {point.spectrum.point}" if read is None else f"{read.value:.1f} K"


def _widths(axes: Axes, points: Sequence[FittedPoint], laws: TemperatureLaws) -> None:
    observed = [p.fit.fwhm_observed_mev for p in points if p.fit is not None]
    lorentz = [p.fit.lorentz_fwhm_mev for p in points if p.fit is not None]
    temperature = _temperatures(points)
    _errorbar(axes, temperature, observed, "o", _DATA, "observed")
    _errorbar(axes, temperature, lorentz, "s", _INTRINSIC, "intrinsic")
    if laws.linewidth is not None:
        grid = _grid(temperature)
        axes.plot(grid, laws.linewidth.fit(grid), "-", lw=1, color=_LAW, label="law")
    axes.set(xlabel="temperature / K", ylabel="FWHM / meV")
    axes.legend(frameon=False, fontsize=8)


def _energies(axes: Axes, points: Sequence[FittedPoint], laws: TemperatureLaws) -> None:
    energy = [p.fit.energy_ev for p in points if p.fit is not None]
    temperature = _temperatures(points)
    _errorbar(axes, temperature, energy, "o", _DATA, "peak")
    law = laws.energy
    if law is not None:
        grid = _grid(temperature)
        axes.plot(grid, law.offset_ev + 1e-3 * law.fit(grid), "-", lw=1, color=_LAW, label="law")
    axes.set(xlabel="temperature / K", ylabel="peak energy / eV")
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.legend(frameon=False, fontsize=8)


def _temperatures(points: Sequence[FittedPoint]) -> list[Measured]:
    reads = [p.spectrum.temperature_k for p in points]
    return [read if read is not None else Measured(np.nan, 0.0) for read in reads]


def _grid(temperature: Sequence[Measured]) -> Vector:
    values = np.array([t.value for t in temperature])
    return np.linspace(float(np.nanmin(values)), float(np.nanmax(values)), 200)


def _errorbar(
    axes: Axes,
    temperature: Sequence[Measured],
    values: Sequence[Measured],
    marker: str,
    colour: str,
    label: str,
) -> None:
    axes.errorbar(
        [t.value for t in temperature],
        [v.value for v in values],
        xerr=[t.error for t in temperature],
        yerr=[v.error for v in values],
        fmt=marker, ms=4, lw=0.8, capsize=2, color=colour, label=label,
    )  # fmt: skip
