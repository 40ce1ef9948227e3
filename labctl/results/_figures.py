"""Figures of analysed runs, drawn without a display."""

import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure

from labctl.errors import AnalysisError
from labctl.optics import air_nm_to_ev, density_per_ev
from labctl.results._analyze import RunAnalysis
from labctl.results._decay_figure import draw_decays, draw_lifetimes
from labctl.results._law_figure import DATA, INTRINSIC, draw_energies, draw_widths, zero_line
from labctl.results._manifold_figure import draw_manifold
from labctl.results._points import FittedPoint
from labctl.results._stark_figure import draw_stark
from labctl.results._warm_figure import draw_bands

__all__ = ["draw", "figure_png", "heading", "save_figure"]

_BORDER = 8.0


def save_figure(analysis: RunAnalysis, path: Path) -> Path:
    """Draw the analysis and write it as PNG; returns the path.

    Raises:
        AnalysisError: If nothing was fitted.
        OSError: If the file cannot be written.
    """
    picture = figure_png(analysis)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture)
    return path


def figure_png(analysis: RunAnalysis, dpi: int = 150) -> bytes:
    """Draw the analysis; returns the PNG.

    Raises:
        AnalysisError: If nothing was fitted that could be drawn.
    """
    buffer = io.BytesIO()
    draw(analysis).savefig(buffer, dpi=dpi, format="png")
    return buffer.getvalue()


def draw(analysis: RunAnalysis) -> Figure:
    """Return a figure: spectra and decays with their fits, laws of a series with residuals.

    Raises:
        AnalysisError: If nothing was fitted.
    """
    points = [point for point in analysis.points if point.fit is not None]
    parts = [
        *_spectra(analysis, points),
        *_manifold(analysis),
        *_bands(analysis),
        *_decays(analysis),
    ]
    if not parts:
        msg = f"run {analysis.run}: nothing was fitted that could be drawn"
        raise AnalysisError(msg)
    wide = sum(part.width for part in parts)
    tall = max(part.height for part in parts)
    figure = Figure(figsize=(wide, tall), layout="constrained")
    FigureCanvasAgg(figure)
    places = figure.subfigures(
        1, len(parts), width_ratios=tuple(part.width for part in parts), squeeze=False
    )
    for place, part in zip(places[0], parts, strict=True):
        part.draw(place)
    figure.suptitle(heading(analysis))
    return figure


class _Part(NamedTuple):
    """A column of the figure; sizes in inches."""

    width: float
    height: float
    draw: Callable[[SubFigure], object]


def _spectra(analysis: RunAnalysis, points: Sequence[FittedPoint]) -> list[_Part]:
    if not points:
        return []
    laws, stark = analysis.laws, analysis.stark
    if stark is not None and stark.points:
        return [
            _Part(5.6, 8.0, partial(_series, points=points)),
            _Part(5.9, 6.0, partial(draw_stark, stark=stark)),
        ]
    if laws is None:
        return [_Part(6.5, 6.0, partial(_single, points=points))]
    reported = [r.measured for r in analysis.results if r.quantity == "energy_4k"]

    def both(place: SubFigure) -> None:
        upper, lower = place.subfigures(2, 1)
        draw_widths(upper, points, laws)
        draw_energies(lower, points, laws, reported[0] if reported else None)

    return [_Part(5.6, 8.0, partial(_series, points=points)), _Part(5.9, 8.0, both)]


def _manifold(analysis: RunAnalysis) -> list[_Part]:
    found = analysis.manifold
    return [] if found is None else [_Part(7.0, 6.0, partial(draw_manifold, points=found.points))]


def _bands(analysis: RunAnalysis) -> list[_Part]:
    bands = analysis.bands
    return [_Part(6.5, 6.0, partial(draw_bands, bands=bands))] if bands else []


def _decays(analysis: RunAnalysis) -> list[_Part]:
    found = analysis.decays
    if found is None or not any(one.fit is not None for one in found.decays):
        return []
    if found.arrhenius is None and found.fluence is None:
        return [_Part(5.6, 6.0, partial(draw_decays, decays=found.decays))]

    def both(place: SubFigure) -> None:
        upper, lower = place.subfigures(2, 1)
        draw_decays(upper, found.decays)
        draw_lifetimes(lower, found)

    return [_Part(5.6, 8.0, both)]


def _single(place: SubFigure, points: Sequence[FittedPoint]) -> None:
    axes, below = place.subplots(2, 1, sharex=True, height_ratios=(4.0, 1.0))
    _stack(axes, points)
    _spectrum_residuals(below, points)


def _series(place: SubFigure, points: Sequence[FittedPoint]) -> None:
    axes = place.subplots()
    _stack(axes, points)
    axes.set_xlabel("photon energy / eV")


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
