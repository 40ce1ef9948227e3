"""Bands at room temperature on a logarithmic scale, with top and tail as they were fitted."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import SubFigure

from labctl.optics import air_nm_to_ev, density_per_ev
from labctl.results._law_figure import DATA, INTRINSIC
from labctl.results._warm_results import FittedBand

__all__ = ["draw_bands"]

_LEAST = 1e-4
_SEPARATE = 3.0


def draw_bands(place: SubFigure, bands: Sequence[FittedBand]) -> None:
    """Draw every band, each three times lower than the one before."""
    axes = place.subplots()
    lowest = 1.0
    for number, band in enumerate(bands):
        fit, wavelength_nm = band.fit, band.spectrum.wavelength_nm
        energy_ev, base = air_nm_to_ev(wavelength_nm), fit.background_counts.value
        data = density_per_ev(band.spectrum.counts - base, wavelength_nm)
        model = density_per_ev(fit.model_counts - base, wavelength_nm)
        scale = float(np.nanmax(model)) * _SEPARATE**number
        axes.plot(energy_ev, np.maximum(data / scale, _LEAST / 1e3), ".", ms=2, color=DATA)
        axes.plot(energy_ev, model / scale, "-", lw=1.2, color=INTRINSIC)
        lowest = _LEAST / _SEPARATE**number
    axes.set_yscale("log")
    axes.set_ylim(lowest, 2.0)
    axes.set_xlabel("photon energy / eV")
    axes.set_ylabel("intensity, scaled and shifted")
