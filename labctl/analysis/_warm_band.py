"""The broad band of a dot at room temperature: maximum, width and the slope of its red tail.

Nothing is said of the band as a whole. Its top, above half of the maximum, is fitted with a
Gaussian; its red tail, below a twentieth of the maximum, with ``I(E) = A exp(E / E_U)`` per photon
energy (Urbach tail), both on one constant background. A parabola in the logarithm of the tail tells
whether the tail is one exponential.

Where the efficiency of grating and camera was measured it is taken out. Else it may change by so
much per nm (assumed). What is not known of it moves maximum and slope alike for all spectra; that
is in the errors.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import Solution, chi2_probability, solve
from labctl.analysis._measured import Measured
from labctl.analysis._noise import NoiseModel
from labctl.errors import AnalysisError
from labctl.optics import ev_to_nm, vacuum_nm

__all__ = ["WarmBand", "fit_warm_band"]

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shape = Callable[[Vector, Vector], tuple[Vector, Vector]]

TOP_SHARE, TAIL_SHARE = 0.5, 0.05
_RESPONSE_PER_NM = 0.003
_SMOOTH = 9
_ROUNDS = 8
_FWHM_PER_SD = float(np.sqrt(8 * np.log(2)))
_LEAST_HEIGHT = 10.0
_CURVED = 3.3
_POOR = 1e-3


@dataclass(frozen=True, eq=False)
class WarmBand:
    """Result of `fit_warm_band`.

    Attributes:
        peak_energy_ev: Maximum of the band per photon energy, in eV.
        peak_statistical_ev: Its error without that of the efficiency, which all spectra share.
        fwhm_mev: FWHM of the Gaussian that the top of the band is, in meV.
        urbach_mev: Slope energy E_U of the red tail in meV; None if the tail is lost in the noise.
        area_counts: Counts of the band above the background, in the sensor.
        background_counts: Level beneath the band.
        tail_ev: Where the tail begins.
        flags: Words on what was unusual.
        model_counts: Counts of top and tail where they were fitted, NaN elsewhere, shape (pixel,).
    """

    peak_energy_ev: Measured
    peak_statistical_ev: float
    fwhm_mev: Measured
    urbach_mev: Measured | None
    area_counts: Measured
    background_counts: Measured
    tail_ev: float
    flags: tuple[str, ...]
    model_counts: Vector


def fit_warm_band(
    counts: Vector,
    wavelength_nm: Vector,
    noise: NoiseModel,
    *,
    usable: Mask | None = None,
    variance_scale: Vector | None = None,
    efficiency: Vector | None = None,
    efficiency_error_per_nm: float = _RESPONSE_PER_NM,
) -> WarmBand:
    """Fit top and red tail of a broad band.

    Args:
        counts: Recorded counts (bias included), summed over frames, shape (pixel,).
        wavelength_nm: At the pixel centres in air, shape (pixel,).
        noise: From the calibration of the camera.
        usable: Pixels that may be used, shape (pixel,).
        variance_scale: Extra factor on the variance, shape (pixel,).
        efficiency: Relative efficiency at the pixels, shape (pixel,); None: not measured.
        efficiency_error_per_nm: Uncertainty of its relative change per nm.

    Raises:
        AnalysisError: No band, or its top lies at the edge of the camera.
    """
    data = _data(counts, wavelength_nm, noise, usable, variance_scale)
    if efficiency is not None:
        data = replace(data, width_mev=data.width_mev * efficiency)
    data = replace(data, unknown_per_nm=efficiency_error_per_nm)
    rough = _rough(data)
    background = _background(data, rough)
    top = data.part(np.abs(data.energy_mev - rough.peak_mev) < rough.half_mev)
    core = _fit(
        top, _gaussian, np.array([rough.peak_mev, rough.half_mev, rough.height]), background
    )
    peak, sd = float(core.parameters[0]), abs(float(core.parameters[1]))
    scale, per_mev = _scale(core, top.counts.size), _response_per_mev(data, peak)
    errors = scale * np.sqrt(np.diag(core.covariance))
    tail, urbach, words = _tail(data, rough, background)
    return WarmBand(
        peak_energy_ev=Measured(
            data.reference_ev + 1e-3 * peak, 1e-3 * float(np.hypot(errors[0], sd**2 * per_mev))
        ),
        peak_statistical_ev=1e-3 * float(errors[0]),
        fwhm_mev=Measured(_FWHM_PER_SD * sd, _FWHM_PER_SD * float(errors[1])),
        urbach_mev=urbach,
        area_counts=_area(data, background),
        background_counts=background,
        tail_ev=data.reference_ev + 1e-3 * rough.tail_mev,
        flags=(*(("top is no Gaussian, errors scaled",) if scale > 1 else ()), *words),
        model_counts=_drawn(data, top, core, tail, background),
    )


@dataclass(frozen=True, eq=False)
class _Data:
    """Pixels on the energy axis, in meV above a reference.

    ``width_mev`` is that of the pixels, times the efficiency, so that a density of photons times
    it gives counts.
    """

    counts: Vector
    energy_mev: Vector
    width_mev: Vector
    sigma_of: Callable[[Vector, Mask], Vector]
    usable: Mask
    chosen: Mask
    reference_ev: float
    unknown_per_nm: float = 0.0

    def part(self, chosen: Mask) -> "_Data":
        keep = chosen & self.usable
        return _Data(
            self.counts[keep], self.energy_mev[keep], self.width_mev[keep],
            self.sigma_of, self.usable[keep], keep, self.reference_ev, self.unknown_per_nm,
        )  # fmt: skip

    def sigma(self, expected: Vector) -> Vector:
        return self.sigma_of(expected, self.chosen)


@dataclass(frozen=True)
class _Rough:
    """Before any fit: maximum, half width above half of it, start of the tail, in meV."""

    peak_mev: float
    half_mev: float
    tail_mev: float
    height: float
    level: float


def _data(
    counts: Vector,
    wavelength_nm: Vector,
    noise: NoiseModel,
    usable: Mask | None,
    variance_scale: Vector | None,
) -> _Data:
    vacuum = vacuum_nm(wavelength_nm)
    energy = ev_to_nm(vacuum)
    good = np.isfinite(counts) & ~noise.saturated(counts)
    good &= usable if usable is not None else True
    scale = variance_scale if variance_scale is not None else np.ones(counts.size)
    reference_ev = float(np.median(energy))

    def sigma_of(expected: Vector, chosen: Mask) -> Vector:
        return np.sqrt(noise.variance(expected) * scale[chosen])

    return _Data(
        counts, 1e3 * (energy - reference_ev), 1e3 * np.abs(np.gradient(energy)),
        sigma_of, good, np.ones(counts.size, dtype=bool), reference_ev,
    )  # fmt: skip


def _rough(data: _Data) -> _Rough:
    filled = np.interp(
        np.arange(data.counts.size), np.flatnonzero(data.usable), data.counts[data.usable]
    )
    padded = np.pad(filled, _SMOOTH // 2, mode="edge")
    smooth = np.convolve(padded, np.ones(_SMOOTH) / _SMOOTH, mode="valid")
    level = float(np.quantile(filled, 0.1))
    density = (smooth - level) / data.width_mev
    top = int(np.argmax(density))
    height = float(density[top])
    noise = float(data.sigma_of(np.array([level]), np.arange(data.counts.size) == 0)[0])
    if not height * data.width_mev[top] > _LEAST_HEIGHT * noise / _SMOOTH**0.5:
        msg = "no band: nothing stands ten standard deviations above the background"
        raise AnalysisError(msg)
    energy = data.energy_mev
    above = np.abs(energy[density > TOP_SHARE * height] - energy[top])
    half = float(np.quantile(above, 0.9))
    if min(energy[top] - energy.min(), energy.max() - energy[top]) < 2 * half:
        msg = "the maximum of the band lies at the edge of the camera; move the centre"
        raise AnalysisError(msg)
    red = (density < TAIL_SHARE * height) & (energy < energy[top] - half)
    tail = float(energy[red].max()) if red.any() else float(energy.min())
    return _Rough(float(energy[top]), half, tail, height, level)


def _background(data: _Data, rough: _Rough) -> Measured:
    """Return the level per pixel: of the fifth of the pixels that is farthest from the band."""
    away = np.abs(data.energy_mev - rough.peak_mev)
    far = data.part(away > np.quantile(away, 0.8))
    sigma = far.sigma(np.full(far.counts.size, rough.level))
    return Measured(float(far.counts.mean()), float(np.sqrt(np.sum(sigma**2))) / far.counts.size)


def _gaussian(parameters: Vector, energy_mev: Vector) -> tuple[Vector, Vector]:
    """Return the density and its derivatives by maximum, standard deviation and height."""
    x = (energy_mev - parameters[0]) / parameters[1]
    shape = np.exp(-(x**2) / 2)
    value = parameters[2] * shape
    slopes = (value * x / parameters[1], value * x**2 / parameters[1], shape)
    return value, np.stack(slopes, axis=1)


def _exponential(parameters: Vector, energy_mev: Vector) -> tuple[Vector, Vector]:
    """Return the density and its derivatives by inverse slope energy, height and curvature."""
    value = parameters[1] * np.exp(parameters[0] * energy_mev + parameters[2] * energy_mev**2)
    slopes = (value * energy_mev, value / parameters[1], value * energy_mev**2)
    return value, np.stack(slopes, axis=1)


def _fit(data: _Data, shape: Shape, start: Vector, background: Measured, free: int = 3) -> Solution:
    """Fit a density and the background, which is known already, with the model's variance."""
    given = np.append(start, background.value)
    places = [*range(free), start.size]

    def expected(values: Vector) -> tuple[Vector, Vector]:
        full = given.copy()
        full[places] = values
        density, slopes = shape(full[:-1], data.energy_mev)
        columns = np.column_stack([slopes * data.width_mev[:, None], np.ones(density.size)])
        return density * data.width_mev + full[-1], columns[:, places]

    sigma = data.sigma(np.maximum(data.counts, background.value))

    def evaluate(values: Vector) -> tuple[Vector, Vector]:
        model, columns = expected(values)
        known = np.zeros((1, len(places)))
        known[0, -1] = 1 / background.error
        residuals = np.append(
            (model - data.counts) / sigma, (values[-1] - background.value) * known[0, -1]
        )
        return residuals, np.vstack([columns / sigma[:, None], known])

    limit = np.full(len(places), np.inf)
    found = given[places]
    steps = np.maximum(np.abs(found), 1e-3)
    solution = solve(evaluate, found, -limit, limit, scale=steps)
    for _ in range(_ROUNDS):
        sigma = data.sigma(expected(solution.parameters)[0])
        before, solution = (
            solution,
            solve(evaluate, solution.parameters, -limit, limit, scale=steps),
        )
        errors = np.sqrt(np.diag(solution.covariance))
        if np.all(np.abs(solution.parameters - before.parameters) < 2e-3 * errors):
            break
    return solution


def _scale(solution: Solution, pixels: int) -> float:
    """Return the factor on the errors of a poor fit."""
    freedom = pixels - solution.parameters.size + 1
    poor = chi2_probability(solution.chi2, freedom) < _POOR
    return float(np.sqrt(solution.chi2 / freedom)) if poor else 1.0


def _response_per_mev(data: _Data, at_mev: float) -> float:
    """Return the relative change of the efficiency per meV that is not known."""
    energy_ev = data.reference_ev + 1e-3 * at_mev
    return data.unknown_per_nm * 1e-3 * ev_to_nm(energy_ev) / energy_ev


def _tail(
    data: _Data, rough: _Rough, background: Measured
) -> tuple[tuple[_Data, Vector] | None, Measured | None, tuple[str, ...]]:
    """Return what was fitted with the density's parameters, the slope energy, and words."""
    part = data.part(data.energy_mev < rough.tail_mev)
    if part.counts.size < 10:
        return None, None, ("the red tail lies beyond the camera",)
    # Counted from where the tail begins, so that height and slope are not tied to each other.
    shifted = _Data(
        part.counts, part.energy_mev - rough.tail_mev, part.width_mev,
        part.sigma_of, part.usable, part.chosen, part.reference_ev,
    )  # fmt: skip
    start = np.array([1.5 / rough.half_mev, TAIL_SHARE * rough.height, 0.0])
    found = _fit(shifted, _exponential, start, background, free=2)
    slope, error = float(found.parameters[0]), float(np.sqrt(found.covariance[0, 0]))
    if not slope > 5 * error:
        return None, None, ("the red tail is lost in the noise",)
    scale = _scale(found, part.counts.size)
    bent = _fit(shifted, _exponential, np.append(found.parameters[:2], 0.0), background)
    curved = abs(float(bent.parameters[2])) > _CURVED * scale * float(
        np.sqrt(bent.covariance[2, 2])
    )
    urbach = 1 / slope
    # Of a curved tail the slope at its beginning is another one; the difference is an error.
    bend = abs(1 / float(bent.parameters[0]) - urbach) if curved else 0.0
    by_response = urbach**2 * _response_per_mev(data, rough.tail_mev)
    total = float(np.sqrt((scale * error * urbach**2) ** 2 + by_response**2 + bend**2))
    words = ("the red tail is no single exponential",) if curved else ()
    return (shifted, found.parameters[:2]), Measured(urbach, total), words


def _area(data: _Data, background: Measured) -> Measured:
    keep = data.usable
    light = data.counts[keep] - background.value
    sigma = data.sigma_of(np.maximum(data.counts, background.value), data.chosen)[keep]
    error = np.hypot(np.sqrt(np.sum(sigma**2)), background.error * keep.sum())
    return Measured(float(light.sum()), float(error))


def _drawn(
    data: _Data,
    top: _Data,
    core: Solution,
    tail: tuple[_Data, Vector] | None,
    background: Measured,
) -> Vector:
    drawn = np.full(data.counts.size, np.nan)
    drawn[top.chosen] = _gaussian(core.parameters[:3], top.energy_mev)[0] * top.width_mev
    if tail is not None:
        part, parameters = tail
        density, _ = _exponential(np.append(parameters, 0.0), part.energy_mev)
        drawn[part.chosen] = density * part.width_mev
    return drawn + background.value
