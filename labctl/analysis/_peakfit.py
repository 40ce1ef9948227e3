"""Fit of the line of a quantum dot: the strategy around `Problem`.

The stated rules, in order:

1. The window reaches 30 meV or eight line widths to both sides of the line.
2. Further lines of the same shape are added one by one where the residuals show one with
   more than 5 sigma, at least 0.6 line widths away from all others, at most eight.
3. Pixels that stand out alone by more than 8 sigma and 15 % of the light in them, and by more
   than the tail of an EM register reaches, are cosmic rays and are left out.
4. Shape ``auto``: a Voigt profile; where the data cannot tell the Gaussian part of the
   line (error of its squared width above a quarter of that of the response), a Lorentzian.
5. Background ``auto``: linear while lines are looked for; constant in the end, unless that
   raises chi-square by more than 10.8 (one chance in a thousand).
6. If the fit is worse than one chance in a thousand, errors are scaled by the root of the
   reduced chi-square, and the result says so.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._measured import Measured
from labctl.analysis._model import FIRST_SATELLITE, make_axis
from labctl.analysis._noise import NoiseModel
from labctl.analysis._peak_report import report
from labctl.analysis._peak_result import PeakFit, SatellitePrior
from labctl.analysis._problem import GAUSS, LORENTZ, SLOPE, Fitted, Problem
from labctl.analysis._response import InstrumentResponse
from labctl.analysis._start import Start, find_start, matched_signal
from labctl.analysis._voigt import voigt, voigt_fwhm
from labctl.errors import AnalysisError
from labctl.optics import ev_to_nm, vacuum_nm

__all__ = ["Background", "Shape", "fit_peak"]

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shape = Literal["auto", "voigt", "lorentz", "gauss"]
Background = Literal["auto", "constant", "linear"]

_WINDOW_MEV = 30.0
_WINDOW_WIDTHS = 8.0
_WINDOW_PIXELS = 30
_SATELLITES = 8
_SATELLITE_SIGMAS = 5.0
_SATELLITE_WIDTHS = 0.6
_SPIKE_SIGMAS = 8.0
_SPIKE_SHARE = 0.15
_LINEAR_CHI2 = 10.8
_UNRESOLVED = 0.25
_FREE = Measured(0.0, np.inf)


def fit_peak(
    counts: Vector,
    wavelength_nm: Vector,
    noise: NoiseModel,
    *,
    response: InstrumentResponse | None = None,
    shape: Shape = "auto",
    background: Background = "auto",
    usable: Mask | None = None,
    variance_scale: Vector | None = None,
    near_ev: float | None = None,
    satellites: Sequence[SatellitePrior] = (),
    gauss_squared_mev2: Measured | None = None,
    find_satellites: bool = True,
    exciton_share: float | None = None,
    width_mev: float | None = None,
) -> PeakFit:
    """Fit the main line of a spectrum on the energy axis.

    Args:
        counts: Recorded counts (bias included), summed over frames, shape (pixel,).
        wavelength_nm: At the pixel centres, monotonic, in standard air, shape (pixel,).
        noise: From the calibration of the camera.
        response: From a lamp or laser line; without it no intrinsic width.
        shape: Intrinsic shape of the line.
        background: Its form.
        usable: Pixels that may be used, shape (pixel,); saturated ones are left out anyway.
        variance_scale: Extra factor on the variance, shape (pixel,).
        near_ev: Look for the line within 15 meV of this energy.
        satellites: Lines known beforehand; they are fitted with these priors.
        gauss_squared_mev2: Squared Gaussian FWHM known beforehand, for ``voigt`` and ``auto``.
        find_satellites: Add lines that the residuals show.
        exciton_share: The line of highest energy with at least this share of the strongest
            one's area becomes the main line; None takes the strongest.
        width_mev: Observed width to start from; None: that at half height (of all close lines).

    Raises:
        AnalysisError: No line, unusable data, or no convergence.
    """
    _check(counts, wavelength_nm)
    wavelength_nm = vacuum_nm(wavelength_nm)
    good = _usable(counts, noise, usable)
    scale = variance_scale if variance_scale is not None else np.ones(counts.size)
    start = _locate(counts, wavelength_nm, good, noise, near_ev)
    low, high = _window(wavelength_nm, start)
    inside = slice(low, high)
    axis = make_axis(wavelength_nm[inside], float(wavelength_nm[start.pixel]), response)
    problem = Problem(
        axis, counts[inside], good[inside], noise, scale[inside],
        _fixed(shape, background), tuple(satellites),
        gauss_squared_mev2 if shape in ("auto", "voigt") else None,
    )  # fmt: skip
    fitted = problem.fit(_first_guess(problem, start, shape, width_mev))
    problem, fitted = _explain(problem, fitted, find_satellites=find_satellites)
    problem, fitted, used_shape = _choose_shape(problem, fitted, shape, response)
    problem, fitted = _choose_background(problem, fitted, background)
    if exciton_share is not None and problem.priors:
        problem, fitted = _promote(problem, fitted, exciton_share)
    spikes = int(good[inside].sum() - problem.usable.sum())
    return report(problem, fitted, response, (low, high), used_shape, spikes)


def _usable(counts: Vector, noise: NoiseModel, usable: Mask | None) -> Mask:
    good = np.isfinite(counts) & ~noise.saturated(counts)
    good &= usable if usable is not None else True
    if int(good.sum()) < 20:
        msg = f"only {int(good.sum())} of {counts.size} pixels are usable"
        raise AnalysisError(msg)
    return good


def _check(counts: Vector, wavelength_nm: Vector) -> None:
    if counts.ndim != 1 or counts.shape != wavelength_nm.shape:
        msg = f"counts {counts.shape} and wavelengths {wavelength_nm.shape} do not match"
        raise AnalysisError(msg)
    if not np.all(np.isfinite(wavelength_nm)) or counts.size < 20:
        msg = "the spectrum needs at least 20 pixels with finite wavelengths"
        raise AnalysisError(msg)


def _locate(
    counts: Vector, wavelength_nm: Vector, good: Mask, noise: NoiseModel, near_ev: float | None
) -> Start:
    floor = float(np.sqrt(noise.floor_variance))
    if near_ev is None:
        return find_start(counts, good, floor)
    edges = ev_to_nm(near_ev + 0.015), ev_to_nm(near_ev - 0.015)
    part = (wavelength_nm > edges[0]) & (wavelength_nm < edges[1])
    if int((part & good).sum()) < 3:
        msg = f"{near_ev:.4f} eV lies outside the spectrum"
        raise AnalysisError(msg)
    whole = find_start(counts, good, floor)
    inside = np.flatnonzero(part)
    local = np.where(part & good, counts, -np.inf)[inside]
    smooth = np.convolve(np.pad(local, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    pixel = int(inside[int(np.argmax(np.nan_to_num(smooth, neginf=-np.inf)))])
    height = float(counts[pixel]) - whole.background
    return Start(pixel, whole.fwhm_pixels, max(height, floor), whole.background, whole.noise)


def _window(wavelength_nm: Vector, start: Start) -> tuple[int, int]:
    energy = 1e3 * ev_to_nm(wavelength_nm)
    pixel_mev = abs(float(np.gradient(energy)[start.pixel]))
    widths = _WINDOW_WIDTHS * start.fwhm_pixels
    half = max(widths, _WINDOW_MEV / pixel_mev, _WINDOW_PIXELS)
    low = max(int(start.pixel - half), 0)
    return low, min(int(start.pixel + half) + 1, wavelength_nm.size)


def _fixed(shape: Shape, background: Background) -> frozenset[int]:
    by_shape = {"lorentz": {GAUSS}, "gauss": {LORENTZ}}
    slope = {SLOPE} if background == "constant" else set[int]()
    return frozenset(by_shape.get(shape, set[int]()) | slope)


def _first_guess(problem: Problem, start: Start, shape: Shape, width_mev: float | None) -> Vector:
    axis = problem.axis
    width = width_mev or start.fwhm_pixels * axis.pixel_mev
    smallest = problem.smallest_gauss_squared_mev2
    gauss_squared = max((0.6 * width) ** 2 - axis.gauss_squared_mev2, 0.05 * width**2)
    lorentz = max(0.6 * width - axis.lorentz_mev, 0.1 * width)
    if shape == "lorentz":
        gauss_squared = 0.0 if axis.gauss_squared_mev2 > smallest else smallest
    if shape == "gauss":
        lorentz = 0.0
    area = 1.3 * start.height * start.fwhm_pixels
    known = [v for p in problem.priors for v in (p.offset_mev.value, p.ratio.value)]
    return np.array([0.0, lorentz, gauss_squared, area, start.background, 0.0, *known])


def _explain(problem: Problem, fitted: Fitted, *, find_satellites: bool) -> tuple[Problem, Fitted]:
    """Leave out cosmic rays and add lines until the residuals show neither.

    Cosmic rays are judged anew at each step: what looked like one beside a line that was
    not yet in the model is taken back once it is.
    """
    good = problem.usable
    for _ in range(3 * _SATELLITES):
        start = fitted.parameters
        usable = good & ~_spikes(problem, fitted, good)
        offset = None
        if find_satellites and len(problem.priors) < _SATELLITES:
            offset = _next_line(problem.changed(usable=usable), fitted)
        if offset is None and np.array_equal(usable, problem.usable):
            break
        problem = problem.changed(usable=usable)
        if offset is not None:
            problem = problem.changed(priors=(*problem.priors, SatellitePrior(_FREE, _FREE)))
            start = np.append(start, [offset, 0.05])
        fitted = problem.fit(start)
    return problem, fitted


def _kernel(problem: Problem, fitted: Fitted) -> Vector:
    """Return the line per pixel, about six widths long, normalised to its maximum."""
    pixel = problem.axis.pixel_mev
    half = int(min(max(4, 3 * _observed(problem, fitted) / pixel), problem.counts.size // 2 - 1))
    x = np.arange(-half, half + 1, dtype=np.float64) * pixel
    lorentz = max(fitted.parameters[1] + problem.axis.lorentz_mev, 0.0)
    total = fitted.parameters[2] + problem.axis.gauss_squared_mev2
    profile = voigt(x, lorentz, float(np.sqrt(total)))
    return profile / profile.max()


def _observed(problem: Problem, fitted: Fitted) -> float:
    lorentz = fitted.parameters[1] + problem.axis.lorentz_mev
    total = fitted.parameters[2] + problem.axis.gauss_squared_mev2
    return max(voigt_fwhm(lorentz, total), problem.axis.pixel_mev)


def _spikes(problem: Problem, fitted: Fitted, good: Mask) -> Mask:
    """Return pixels far above the model that are narrower than any line can be."""
    excess = np.where(good, problem.counts - fitted.model_counts, 0.0)
    kernel = _kernel(problem, fitted)
    narrowest = np.exp(-4 * np.log(2) * (problem.axis.pixel_mev / _response_width(problem)) ** 2)
    beside = (np.roll(excess, 1) + np.roll(excess, -1)) / 2
    shoulder = 0.6 * min(float(kernel[kernel.size // 2 + 1]), float(narrowest))
    light = fitted.model_counts - fitted.parameters[4]
    high = excess > np.maximum(_SPIKE_SIGMAS * fitted.sigma, _SPIKE_SHARE * light)
    if problem.noise.em_gain > 1:
        high &= problem.counts > problem.noise.highest(fitted.model_counts)
    return high & (beside < shoulder * excess)


def _response_width(problem: Problem) -> float:
    axis = problem.axis
    width = voigt_fwhm(axis.lorentz_mev, axis.gauss_squared_mev2)
    # Without a response: a line of less than 1.5 pixels is not a line.
    return max(width, 1.5 * axis.pixel_mev)


def _next_line(problem: Problem, fitted: Fitted) -> float | None:
    """Return the offset in meV of the most significant further line, or None."""
    residuals = np.where(problem.usable, problem.counts - fitted.model_counts, 0.0)
    significance = matched_signal(residuals, fitted.sigma, _kernel(problem, fitted))
    energy = problem.axis.energy_mev
    centre, width = fitted.parameters[0], _observed(problem, fitted)
    taken = [centre, *(centre + fitted.parameters[FIRST_SATELLITE::2])]
    distance = np.min(np.abs(energy[:, None] - np.array(taken)), axis=1)
    allowed = problem.usable & (distance > _SATELLITE_WIDTHS * width)
    allowed &= np.abs(energy - energy.mean()) < np.ptp(energy) / 2 - width
    best = int(np.argmax(np.where(allowed, significance, -np.inf)))
    if not (allowed[best] and significance[best] > _SATELLITE_SIGMAS):
        return None
    return float(energy[best] - centre)


def _choose_shape(
    problem: Problem, fitted: Fitted, shape: Shape, response: InstrumentResponse | None
) -> tuple[Problem, Fitted, str]:
    if shape != "auto":
        return problem, fitted, shape
    limit = _UNRESOLVED * problem.axis.gauss_squared_mev2
    if (
        response is None
        or problem.gauss_squared_mev2 is not None
        or fitted.error(GAUSS) <= limit
        or limit == 0
    ):
        return problem, fitted, "voigt"
    problem = problem.changed(fixed=problem.fixed | {GAUSS})
    start = fitted.parameters.copy()
    start[GAUSS] = 0.0
    return problem, problem.fit(start), "lorentz"


def _choose_background(
    problem: Problem, fitted: Fitted, background: Background
) -> tuple[Problem, Fitted]:
    if background != "auto":
        return problem, fitted
    level = problem.changed(fixed=problem.fixed | {SLOPE})
    start = fitted.parameters.copy()
    start[SLOPE] = 0.0
    flat = level.fit(start)
    if flat.chi2 - fitted.chi2 > _LINEAR_CHI2:
        return problem, fitted
    return level, flat


def _promote(problem: Problem, fitted: Fitted, share: float) -> tuple[Problem, Fitted]:
    """Make the line of highest energy among the strong ones the main line."""
    pairs = fitted.parameters[FIRST_SATELLITE:].reshape(-1, 2)
    offsets, ratios = np.append(pairs[:, 0], 0.0), np.append(pairs[:, 1], 1.0)
    strong = ratios >= share * ratios.max()
    chosen = int(np.argmax(np.where(strong, offsets, -np.inf)))
    if chosen == len(pairs):
        return problem, fitted
    parameters = fitted.parameters.copy()
    parameters[0] += offsets[chosen]
    parameters[3] *= ratios[chosen]
    others = [k for k in range(offsets.size) if k != chosen]
    moved = np.stack([offsets[others] - offsets[chosen], ratios[others] / ratios[chosen]], axis=1)
    parameters[FIRST_SATELLITE:] = moved.ravel()
    free = tuple(SatellitePrior(_FREE, _FREE) for _ in others)
    problem = problem.changed(priors=free)
    return problem, problem.fit(parameters)
