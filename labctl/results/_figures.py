"""Figures of analysed runs, drawn without a display."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from labctl.errors import AnalysisError
from labctl.optics import air_nm_to_ev, density_per_ev
from labctl.results._analyze import RunAnalysis
from labctl.results._law_figure import DATA, INTRINSIC, draw_energies, draw_widths, zero_line
from labctl.results._points import FittedPoint

__all__ = ["draw", "heading", "save_figure"]

_BORDER = 8.0


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
    """Return a figure: spectra with their fits, and for a series both laws, with residuals.

    Raises:
        AnalysisError: If no spectrum was fitted.
    """
    points = [point for point in analysis.points if point.fit is not None]
    if not points:
        msg = f"run {analysis.run}: no fitted spectrum to draw"
        raise AnalysisError(msg)
    series = analysis.laws is not None
    figure = Figure(figsize=(11.5, 8.0) if series else (6.5, 6.0), layout="constrained")
    FigureCanvasAgg(figure)
    if analysis.laws is None:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4.0, 1.0))
        _stack(axes, points)
        _spectrum_residuals(below, points)
    else:
        left, right = figure.subfigures(1, 2, width_ratios=(1.0, 1.05))
        axes = left.subplots()
        _stack(axes, points)
        axes.set_xlabel("photon energy / eV")
        upper, lower = right.subfigures(2, 1)
        draw_widths(upper, points, analysis.laws)
        reported = [r.measured for r in analysis.results if r.quantity == "energy_4k"]
        draw_energies(lower, points, analysis.laws, reported[0] if reported else None)
    figure.suptitle(heading(analysis))
    return figure


def heading(analysis: RunAnalysis) -> str:
    """Return the title, sample and dot, and whether all this was simulated."""
    place = ", ".join(filter(None, (analysis.sample, analysis.dot and f"dot {analysis.dot}")))
    parts = [analysis.title or analysis.run, place, "simulated" if analysis.simulated else ""]
    return " – ".join(filter(None, parts))


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
        axes.plot(energy, data / top + level, ".", ms=2.5, color=DATA)
        axes.plot(energy, model / top + level, "-", lw=0.9, color=INTRINSIC)
        axes.annotate(_label(point), (1.0, level + 0.12), xycoords=("axes fraction", "data"),
                      ha="right", fontsize=8)  # fmt: skip
        half = max(4 * fit.fwhm_observed_mev.value, 12.0) * 1e-3
        low = min(low, max(fit.energy_ev.value - half, float(energy.min())))
        high = max(high, min(fit.energy_ev.value + half, float(energy.max())))
    axes.set_ylabel("intensity, scaled and shifted")
    axes.set_xlim(low, high)
    axes.set_yticks([])


def _spectrum_residuals(axes: Axes, points: Sequence[FittedPoint]) -> None:
    """Draw the data less the fit, in standard deviations; cosmic rays lie at the border."""
    zero_line(axes)
    for point in points:
        fit, spectrum = point.fit, point.spectrum
        if fit is None:
            continue
        window = slice(*fit.window)
        energy = air_nm_to_ev(spectrum.wavelength_nm[window])
        sigma = np.sqrt(spectrum.noise.variance(fit.model_counts))
        residuals = (spectrum.counts[window] - fit.model_counts) / sigma
        axes.plot(energy, np.clip(residuals, -_BORDER, _BORDER), ".", ms=3)
    axes.set_xlabel("photon energy / eV")


def _label(point: FittedPoint) -> str:
    read = point.spectrum.temperature_k
    return f"point {point.spectrum.point}" if read is None else f"{read.value:.1f} K"
