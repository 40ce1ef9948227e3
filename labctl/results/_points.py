"""Fits of all spectra of a run, the coldest first, so that warm spectra know their satellites."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labctl.analysis import (
    CombinedFrames,
    Measured,
    PeakFit,
    SatellitePrior,
    combine_frames,
    fit_peak,
)
from labctl.errors import AnalysisError
from labctl.optics import ev_to_air_nm, width_nm_to_mev
from labctl.results._source import StoredSpectrum

__all__ = [
    "FittedPoint",
    "axis_error_ev",
    "combined_frames",
    "distance_error_mev",
    "fit_points",
    "fit_series",
]

_EXCITON_SHARE = 0.25
# How far satellites may differ between temperatures: their energies hardly move against the
# main line, their strengths follow the occupation of the phonons.
_OFFSET_MEV = 0.1
_RATIO = 0.1
# How far the squared Gaussian width of the line (spectral diffusion) may differ, relative.
_GAUSS = 0.5


@dataclass(frozen=True, eq=False)
class FittedPoint:
    """A spectrum and its fit.

    Attributes:
        spectrum: As stored.
        fit: None if the spectrum allowed none.
        warnings: Of the data and of the fit.
    """

    spectrum: StoredSpectrum
    fit: PeakFit | None
    warnings: tuple[str, ...]

    @property
    def axis_error_ev(self) -> float:
        """Standard error of the energy axis at the line, common to all points; 0 without fit."""
        return 0.0 if self.fit is None else axis_error_ev(self.spectrum, self.fit.energy_ev.value)

    @property
    def energy_ev(self) -> Measured | None:
        """Absolute peak energy: the error of the axis is in it."""
        return None if self.fit is None else self.fit.energy_ev.plus_systematic(self.axis_error_ev)


def axis_error_ev(spectrum: StoredSpectrum, energy_ev: float) -> float:
    """Return the standard error of the energy axis of a spectrum at an energy, eV."""
    line_nm = ev_to_air_nm(energy_ev)
    pixel = int(np.argmin(np.abs(spectrum.wavelength_nm - line_nm)))
    return 1e-3 * width_nm_to_mev(float(spectrum.axis_error_nm[pixel]), line_nm)


def distance_error_mev(spectrum: StoredSpectrum, energy_ev: float, below_mev: float) -> float:
    """Return the standard error of an energy difference by that of the energy axis, meV.

    Both ends lie on one axis: what moves them alike does not count.

    Args:
        spectrum: With the errors of its axis.
        energy_ev: The upper end.
        below_mev: How far below the lower end lies.
    """
    ends_nm = [ev_to_air_nm(energy_ev), ev_to_air_nm(energy_ev - 1e-3 * below_mev)]
    rising = np.argsort(spectrum.wavelength_nm)
    axis_nm, modes_nm = spectrum.wavelength_nm[rising], spectrum.axis_modes_nm[:, rising]
    places = np.interp(ends_nm, axis_nm, np.arange(axis_nm.size, dtype=np.float64))
    pixel = np.minimum(places.astype(np.int64), axis_nm.size - 2)
    moved_nm = modes_nm[:, pixel] + (places - pixel) * (modes_nm[:, pixel + 1] - modes_nm[:, pixel])
    return width_nm_to_mev(float(np.linalg.norm(moved_nm[:, 1] - moved_nm[:, 0])), ends_nm[0])


def fit_points(spectra: Sequence[StoredSpectrum]) -> list[FittedPoint]:
    """Fit each spectrum on its own."""
    return [_fit(spectrum) for spectrum in spectra]


def fit_series(spectra: Sequence[StoredSpectrum]) -> list[FittedPoint]:
    """Fit spectra of one dot at several temperatures, returned in order of temperature.

    The main line is followed from one temperature to the next; satellite lines that the
    coldest spectrum shows are carried along with the freedom that phonons need, because at
    higher temperatures the main line covers them.  So is the Gaussian part of its width, which a
    broad line hides: left out, it would count as homogeneous.
    """
    ordered = sorted(spectra, key=_temperature)
    done: list[FittedPoint] = []
    near_ev: float | None = None
    satellites: tuple[SatellitePrior, ...] = ()
    gauss: Measured | None = None
    for spectrum in ordered:
        point = _fit(spectrum, near_ev, satellites, gauss)
        done.append(point)
        if point.fit is None:
            continue
        if near_ev is None:
            satellites, gauss = _carried(point.fit), _diffusion(point.fit)
        near_ev = point.fit.energy_ev.value
    return done


def _temperature(spectrum: StoredSpectrum) -> float:
    return spectrum.temperature_k.value if spectrum.temperature_k else np.inf


def _fit(
    spectrum: StoredSpectrum,
    near_ev: float | None = None,
    satellites: tuple[SatellitePrior, ...] = (),
    gauss: Measured | None = None,
) -> FittedPoint:
    try:
        combined = combined_frames(spectrum)
        fit = fit_peak(
            combined.counts,
            spectrum.wavelength_nm,
            spectrum.noise,
            response=spectrum.response,
            usable=combined.usable,
            variance_scale=combined.variance_scale,
            near_ev=near_ev,
            satellites=satellites,
            gauss_squared_mev2=gauss if spectrum.response is not None else None,
            exciton_share=None if satellites else _EXCITON_SHARE,
        )
    except AnalysisError as error:
        text = f"point {spectrum.point}: not fitted: {error}"
        return FittedPoint(spectrum, None, (*spectrum.warnings, text))
    rejected = fit.cosmic_rays + combined.cosmic_rays
    texts = [f"point {spectrum.point}: {flag}" for flag in fit.flags if "cosmic" not in flag]
    if rejected:
        texts.append(f"point {spectrum.point}: {rejected} cosmic ray values rejected")
    return FittedPoint(spectrum, fit, (*spectrum.warnings, *texts))


def combined_frames(spectrum: StoredSpectrum) -> CombinedFrames:
    """Return the sum of the frames of a spectrum, without cosmic rays where frames tell them."""
    frames = spectrum.frames
    if frames is not None and frames.shape[0] == spectrum.noise.frames:
        return combine_frames(frames, spectrum.noise)
    size = spectrum.counts.size
    saturated = spectrum.noise.saturated(spectrum.counts)
    return CombinedFrames(spectrum.counts, ~saturated, np.ones(size), 0, int(saturated.sum()))


def _carried(fit: PeakFit) -> tuple[SatellitePrior, ...]:
    return tuple(
        SatellitePrior(
            line.offset_mev.plus_systematic(_OFFSET_MEV),
            line.ratio.plus_systematic(_RATIO * abs(line.ratio.value)),
        )
        for line in fit.lines
    )


def _diffusion(fit: PeakFit) -> Measured | None:
    """Return what the squared Gaussian width of one spectrum tells of the others, in meV^2."""
    found = fit.gauss_squared_mev2
    if fit.shape != "voigt" or fit.fwhm_intrinsic_mev is None:
        return None
    return found.plus_systematic(_GAUSS * abs(found.value))
