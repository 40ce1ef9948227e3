"""Exciton, trion, biexciton and replicas on a logarithmic scale."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from labctl.optics import air_nm_to_ev, density_per_ev
from labctl.results._law_figure import DATA, INTRINSIC
from labctl.results._manifold_results import FittedManifold

__all__ = ["draw_manifold"]

_DECADES_BELOW = 0.3
_SHORT = {"replica": "LO", "trion": "T", "biexciton": "XX"}


def draw_manifold(place: SubFigure, points: Sequence[FittedManifold]) -> tuple[Axes, ...]:
    """Draw each spectrum with its fit and the names of its lines; returns the axes."""
    heights = (1.0,) * len(points)
    drawn = (
        (place.subplots(),)
        if len(points) == 1
        else tuple(place.subplots(len(points), 1, sharex=True, height_ratios=heights))
    )
    for axes, point in zip(drawn, points, strict=True):
        _draw(axes, point)
    drawn[-1].set_xlabel("photon energy / eV")
    return drawn


def _draw(axes: Axes, point: FittedManifold) -> None:
    fit, spectrum = point.fit, point.spectrum
    window = slice(*fit.window)
    wavelength_nm = spectrum.wavelength_nm[window]
    energy_ev = air_nm_to_ev(wavelength_nm)
    base = fit.background_counts
    data = density_per_ev(spectrum.counts[window] - base, wavelength_nm)
    model = density_per_ev(fit.model_counts - base, wavelength_nm)
    top = float(model.max())
    axes.plot(energy_ev, data / top, ".", ms=2, color=DATA)
    axes.plot(energy_ev, model / top, "-", lw=0.9, color=INTRINSIC)
    for line in fit.lines:
        at_ev = fit.centre_ev.value - 1e-3 * line.below_mev.value
        height = float(np.interp(-at_ev, -energy_ev, model / top))
        axes.annotate(
            _SHORT[line.kind], (at_ev, 1.5 * height), xycoords="data", ha="center", fontsize=8
        )
    axes.set_yscale("log")
    axes.set_ylim(_DECADES_BELOW * max(float(model.min()) / top, 1e-5), 3.0)
    fluence = spectrum.peak_fluence_uj_cm2
    axes.set_title("" if fluence is None else f"{fluence:.3g} uJ/cm²", fontsize=8)
    axes.set_ylabel("intensity")
