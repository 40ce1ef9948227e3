"""Fit of an exciton with its trion, biexciton and phonon replicas; how many lines there are.

The stated rules, in order:

1. The exciton's strong lines (fine structure, at most three) are found first, within 3.3 meV of the
   strongest, with the width of that held.
2. What the residuals show further is added, the most significant first. Within 3.3 meV of the
   strongest line that is a further line of the exciton. Below the exciton three shapes are tried at
   each place: a copy of the exciton (replica), a single line (trion), the mirror image (biexciton);
   that with the highest significance counts. Without fine structure the three are one, and a line
   is called a replica until its growth with the fluence tells otherwise. Where shapes differ,
   replicas are looked for up to 30 meV: phonons of the lattice of lead halides have less.
3. A line is there if chi-square falls by more than 30 with it (5.5 sigma); what falls below that
   once all others are in the model is taken out again.
4. If the fit is worse than one chance in a thousand, errors are scaled by the root of the reduced
   chi-square, and the result says so.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import FINE, chi2_probability
from labctl.analysis._manifold_model import Kind, ManifoldModel
from labctl.analysis._measured import Measured
from labctl.analysis._model import FIRST_SATELLITE, make_axis
from labctl.analysis._noise import NoiseModel
from labctl.analysis._problem import GAUSS, LORENTZ, SLOPE, Fitted, Problem
from labctl.analysis._propagate import propagate
from labctl.analysis._response import InstrumentResponse
from labctl.analysis._start import Start, find_start, matched_signal
from labctl.analysis._voigt import voigt, voigt_fwhm
from labctl.errors import AnalysisError
from labctl.optics import ev_to_nm, vacuum_nm

__all__ = ["DETECTED_CHI2", "ManifoldFit", "ManifoldLine", "fit_manifold"]

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

DETECTED_CHI2 = 30.0
"""By so much chi-square must fall for a line to be there."""
_CORE_MEV = 3.3
_BLUE_MEV, _RED_MEV = 12.0, 60.0
_MOST_LINES = 8
_HIGHEST_PHONON_MEV = 30.0
_NEAREST_WIDTHS = 1.5
_APART_WIDTHS = 0.8
_MOST_OF: dict[Kind, int] = {"exciton": 2, "replica": 6, "trion": 1, "biexciton": 1}
_STRONG = 0.15
_LEVEL = 4
_SEARCH_ROUNDS = 2
_SEARCH_TOLERANCE = 1e-5
"""Of fits that only tell which lines are there; the last one is as fine as any."""
_ROUNDS = 8
_POOR = 1e-3


@dataclass(frozen=True)
class ManifoldLine:
    """One thing at lower energy than the exciton.

    Attributes:
        kind: What its shape says it is.
        below_mev: Energy of the phonon, or binding energy, in meV.
        ratio: Huang-Rhys factor of a replica, area over that of the whole exciton otherwise.
    """

    kind: Kind
    below_mev: Measured
    ratio: Measured


@dataclass(frozen=True, eq=False)
class ManifoldFit:
    """Result of `fit_manifold`.

    Attributes:
        centre_ev: Mean energy of the exciton's lines in eV.
        offsets_mev: Of the exciton's lines against their mean, shape (line,), falling area.
        splitting_mev: Mean distance of neighbouring lines of the exciton,
            ``((E2 - E1) + (E3 - E2)) / 2`` of a triplet; None of a single line.
        shares: Of the exciton's light in each, shape (line,).
        area_counts: Of all zero-phonon lines of the exciton.
        lines: Replicas, trion and biexciton, by rising distance.
        limit: Smallest area of a further single line, against the exciton, that would have been
            found at the most unfavourable place of the window.
        reach_mev: Distance below the exciton to which was looked.
        reduced_chi2: Chi-square per degree of freedom.
        error_scale: Factor on all errors because chi-square was too large.
        flags: Words on what was unusual.
        window: First and last pixel (exclusive) of the fit.
        model_counts: Expected counts in the window, shape (pixel,).
        background_counts: Level beneath the exciton.
    """

    centre_ev: Measured
    offsets_mev: Vector
    splitting_mev: Measured | None
    shares: Vector
    area_counts: Measured
    lines: tuple[ManifoldLine, ...]
    limit: float
    reach_mev: float
    reduced_chi2: float
    error_scale: float
    flags: tuple[str, ...]
    window: tuple[int, int]
    model_counts: Vector
    background_counts: float
    state: "_State" = field(repr=False)

    def of(self, kind: Kind) -> list[ManifoldLine]:
        """Return the lines of one kind, by rising distance."""
        return [line for line in self.lines if line.kind == kind]

    def renamed(self, kinds: Mapping[float, Kind]) -> "tuple[tuple[Kind, ...], Vector]":
        """Return kinds and parameters for other spectra of the dot.

        Args:
            kinds: New kind of the line with exactly this ``below_mev``.
        """
        parameters = self.state.fitted.parameters
        places = range(FIRST_SATELLITE, parameters.size, 2)
        known = zip(self.state.problem.kinds, places, strict=True)
        named: list[Kind] = [kinds.get(float(parameters[place]), kind) for kind, place in known]
        return tuple(named), parameters.copy()


@dataclass(frozen=True, eq=False)
class _ManifoldProblem(Problem):
    """A problem whose model is a manifold."""

    kinds: tuple[Kind, ...] = ()

    def model(self) -> ManifoldModel:
        """Return the manifold."""
        return ManifoldModel(self.axis, self.kinds)


@dataclass(frozen=True, eq=False)
class _State:
    """A problem and its fit."""

    problem: _ManifoldProblem
    fitted: Fitted

    @property
    def parameters(self) -> Vector:
        return self.fitted.parameters

    def refitted(
        self, kinds: tuple[Kind, ...], start: Vector, rounds: int = _SEARCH_ROUNDS
    ) -> "_State":
        tolerance = FINE if rounds > _SEARCH_ROUNDS else _SEARCH_TOLERANCE
        problem = dataclasses.replace(
            self.problem, kinds=kinds, most_rounds=rounds, tolerance=tolerance
        )
        return _State(problem, problem.fit(start))

    def width_mev(self) -> float:
        axis, parameters = self.problem.axis, self.parameters
        lorentz = float(parameters[1]) + axis.lorentz_mev
        total = float(parameters[2]) + axis.gauss_squared_mev2
        return max(voigt_fwhm(lorentz, total), axis.pixel_mev)


def fit_manifold(
    counts: Vector,
    wavelength_nm: Vector,
    noise: NoiseModel,
    *,
    response: InstrumentResponse | None = None,
    usable: Mask | None = None,
    variance_scale: Vector | None = None,
    like: "tuple[tuple[Kind, ...], Vector] | None" = None,
) -> ManifoldFit:
    """Fit all lines of one spectrum.

    Args:
        counts: Recorded counts (bias included), summed over frames, shape (pixel,).
        wavelength_nm: At the pixel centres in air, shape (pixel,).
        noise: From the calibration of the camera.
        response: From a lamp line.
        usable: Pixels that may be used, shape (pixel,).
        variance_scale: Extra factor on the variance, shape (pixel,).
        like: Kinds and starting parameters from another spectrum of the dot
            (`ManifoldFit.renamed`): no lines are looked for, and none is taken out.

    Raises:
        AnalysisError: No line, unusable data, or no convergence.
    """
    good = np.isfinite(counts) & ~noise.saturated(counts)
    good &= usable if usable is not None else True
    scale = variance_scale if variance_scale is not None else np.ones(counts.size)
    start = _start(counts, noise, good)
    vacuum = vacuum_nm(wavelength_nm)
    energy_mev = 1e3 * ev_to_nm(vacuum)
    away = energy_mev - energy_mev[start.pixel]
    inside = np.flatnonzero((away > -_RED_MEV) & (away < _BLUE_MEV))
    low, high = int(inside[0]), int(inside[-1]) + 1
    window = slice(low, high)
    problem = _ManifoldProblem(
        make_axis(vacuum[window], float(vacuum[start.pixel]), response),
        counts[window], good[window], noise, scale[window],
        frozenset({SLOPE}), (), None, _SEARCH_ROUNDS, _SEARCH_TOLERANCE,
    )  # fmt: skip
    if like is None:
        state = _pruned(_explained(_exciton(problem, start)))
    else:
        state = _alike(problem, start, like)
    return _report(state.refitted(state.problem.kinds, state.parameters, _ROUNDS), (low, high))


def _start(counts: Vector, noise: NoiseModel, good: Mask) -> Start:
    if int(good.sum()) < 20:
        msg = f"only {int(good.sum())} of {counts.size} pixels are usable"
        raise AnalysisError(msg)
    return find_start(counts, good, float(np.sqrt(noise.floor_variance)))


def _exciton(problem: _ManifoldProblem, start: Start) -> _State:
    """Return the exciton's strong lines, found with the width of the strongest line held.

    A free width would grow over all of them.
    """
    axis = problem.axis
    width = start.fwhm_pixels * axis.pixel_mev
    lorentz = max(0.6 * width - axis.lorentz_mev, 0.1 * width)
    gauss_squared = max((0.6 * width) ** 2 - axis.gauss_squared_mev2, 0.05 * width**2)
    area = 1.3 * start.height * start.fwhm_pixels
    first = np.array([0.0, lorentz, gauss_squared, area, start.background, 0.0])
    held = dataclasses.replace(problem, fixed=problem.fixed | {LORENTZ, GAUSS, _LEVEL})
    state = _State(held, held.fit(first))
    for _ in range(_MOST_OF["exciton"]):
        found = _next_line(state, "exciton")
        if found is None or found[2] < _STRONG:
            break
        pair = np.append(state.parameters, found[1:])
        state = state.refitted((*state.problem.kinds, "exciton"), pair)
    free = dataclasses.replace(problem, kinds=state.problem.kinds)
    return _State(free, free.fit(state.parameters))


def _alike(
    problem: _ManifoldProblem, start: Start, like: tuple[tuple[Kind, ...], Vector]
) -> _State:
    """Fit with known lines, from wherever the strongest pixel may be in the exciton."""
    problem = dataclasses.replace(problem, kinds=like[0])
    model, parameters = problem.model(), like[1].copy()
    parameters[4] = start.background
    inverse = 1 / problem.sigma(problem.counts) ** 2 * problem.usable
    best, least = parameters, np.inf
    for offset in model.exciton(parameters)[0].tolist():
        tried = parameters.copy()
        tried[0], tried[3] = -offset, 1.0
        shape = model.evaluate(tried)[0] - start.background
        light = problem.counts - start.background
        tried[3] = float((inverse * shape) @ light) / float((inverse * shape) @ shape)
        chi2 = float(inverse @ (light - tried[3] * shape) ** 2)
        if chi2 < least:
            best, least = tried, chi2
    return _State(problem, problem.fit(best))


def _explained(state: _State) -> _State:
    """Add lines until the residuals show none."""
    for _ in range(_MOST_LINES):
        found = _next_line(state)
        if found is None:
            break
        kind, below_mev, ratio = found
        kinds = (*state.problem.kinds, kind)
        state = state.refitted(kinds, np.append(state.parameters, [below_mev, ratio]))
    return state


def _next_line(state: _State, only: Kind | None = None) -> tuple[Kind, float, float] | None:
    """Return kind, distance and area of the most significant further line, or None."""
    problem, fitted = state.problem, state.fitted
    model = problem.model()
    offsets, areas = model.exciton(fitted.parameters)
    centre = float(offsets.mean())
    residuals = np.where(problem.usable, problem.counts - fitted.model_counts, 0.0)
    energy_mev = problem.axis.energy_mev - fitted.parameters[0]
    best, least = None, float(np.sqrt(DETECTED_CHI2))
    for kind, shape in _shapes(state, offsets, areas).items():
        if only not in (None, kind):
            continue
        allowed = _beside(state, offsets) if kind == "exciton" else _below(state, offsets)
        if kind == "replica" and areas.size > 1:
            allowed = allowed & (energy_mev > -_HIGHEST_PHONON_MEV)
        signal = np.where(allowed, matched_signal(residuals, fitted.sigma, shape), 0.0)
        place = int(np.argmax(signal))
        if signal[place] <= least:
            continue
        least = float(signal[place])
        at_mev = float(energy_mev[place])
        below = {
            "exciton": at_mev,
            "replica": -at_mev,
            "trion": centre - at_mev,
            "biexciton": 2 * centre - at_mev,
        }
        light = float(residuals @ _placed(shape, place, residuals.size)) / float(shape @ shape)
        best = (kind, below[kind], max(light / _height(state), 1e-4))
    return best


def _shapes(state: _State, offsets: Vector, areas: Vector) -> dict[Kind, Vector]:
    """Return the shapes of a copy, a single line and the mirror image, on the main line's pixel.

    Each is normalised so that its main line, or the single line, has a maximum of 1.
    """
    kinds, single = state.problem.kinds, (np.zeros(1), np.ones(1))
    every: dict[Kind, tuple[Vector, Vector]] = {"exciton": single, "replica": (offsets, areas)}
    if areas.size > 1:
        every |= {"trion": single, "biexciton": (-offsets, areas)}
    return {
        kind: _kernel(state, *lines)
        for kind, lines in every.items()
        if kinds.count(kind) < _MOST_OF[kind]
    }


def _kernel(state: _State, offsets: Vector, areas: Vector) -> Vector:
    axis, parameters = state.problem.axis, state.parameters
    reach = np.abs(offsets).max() + 3 * state.width_mev()
    half = int(min(reach / axis.pixel_mev, state.problem.counts.size // 2 - 1))
    # Pixels of a falling energy axis go from high to low energy.
    sign = -1.0 if axis.energy_mev[-1] < axis.energy_mev[0] else 1.0
    x = sign * np.arange(-half, half + 1, dtype=np.float64) * axis.pixel_mev
    lorentz = max(float(parameters[1]) + axis.lorentz_mev, 0.0)
    gauss = float(np.sqrt(parameters[2] + axis.gauss_squared_mev2))
    top = float(voigt(np.zeros(1), lorentz, gauss)[0])
    return areas @ voigt(x - offsets[:, None], lorentz, gauss) / top


def _height(state: _State) -> float:
    """Return the counts of the exciton's main line in its highest pixel."""
    return float(np.max(state.fitted.model_counts)) - float(state.parameters[4])


def _placed(shape: Vector, place: int, size: int) -> Vector:
    """Return a shape with its middle at a pixel."""
    spread = np.zeros(size)
    half = shape.size // 2
    low, high = max(place - half, 0), min(place + half + 1, size)
    spread[low:high] = shape[low - place + half : high - place + half]
    return spread


def _beside(state: _State, offsets: Vector) -> Mask:
    """Return where a further line of the exciton may lie."""
    away = state.problem.axis.energy_mev - float(state.parameters[0])
    apart = np.min(np.abs(away[:, None] - offsets), axis=1) > _APART_WIDTHS * state.width_mev()
    return apart & (np.abs(away) < _CORE_MEV)


def _below(state: _State, offsets: Vector) -> Mask:
    """Return where the main line of something further may lie: below the exciton's lines."""
    axis, centre = state.problem.axis, float(state.parameters[0])
    width = state.width_mev()
    below = axis.energy_mev - centre < float(offsets.min()) - _NEAREST_WIDTHS * width
    return below & (axis.energy_mev > float(axis.energy_mev.min()) + 2 * width)


def _pruned(state: _State) -> _State:
    """Take out the least significant line until all are significant."""
    while state.problem.kinds:
        ratios = np.arange(FIRST_SATELLITE + 1, state.parameters.size, 2)
        errors = np.array([state.fitted.error(int(k)) for k in ratios])
        chi2 = (state.parameters[ratios] / np.maximum(errors, 1e-12)) ** 2
        weakest = int(np.argmin(chi2))
        if chi2[weakest] > DETECTED_CHI2:
            break
        kinds = state.problem.kinds[:weakest] + state.problem.kinds[weakest + 1 :]
        start = np.delete(state.parameters, [ratios[weakest] - 1, ratios[weakest]])
        state = state.refitted(kinds, start)
    return state


def _report(state: _State, window: tuple[int, int]) -> ManifoldFit:
    problem, fitted = state.problem, state.fitted
    reduced = fitted.chi2 / max(fitted.freedom, 1)
    poor = chi2_probability(fitted.chi2, fitted.freedom) < _POOR and reduced > 1
    scale = float(np.sqrt(reduced)) if poor or problem.noise.assumed else 1.0
    model, parameters = problem.model(), fitted.parameters
    covariance = scale**2 * fitted.covariance
    offsets, areas = model.exciton(parameters)

    def measured(place: int) -> Measured:
        return Measured(float(parameters[place]), float(np.sqrt(covariance[place, place])))

    centre = propagate(lambda p: float(p[0]) + model.centre_mev(p), parameters, covariance)
    area = propagate(lambda p: float(p[3] * model.exciton(p)[1].sum()), parameters, covariance)
    lines = [
        ManifoldLine(kind, measured(place), measured(place + 1))
        for k, kind in enumerate(problem.kinds)
        for place in (FIRST_SATELLITE + 2 * k,)
        if kind != "exciton"
    ]
    return ManifoldFit(
        centre_ev=Measured(problem.axis.reference_ev + 1e-3 * centre.value, 1e-3 * centre.error),
        offsets_mev=offsets - offsets.mean(),
        splitting_mev=_splitting_mev(model, parameters, covariance),
        shares=areas / areas.sum(),
        area_counts=area,
        lines=tuple(sorted(lines, key=lambda line: line.below_mev.value)),
        limit=_limit(state, area.value, scale),
        reach_mev=-float(problem.axis.energy_mev.min() - parameters[0]),
        reduced_chi2=reduced,
        error_scale=scale,
        flags=_flags(state, scale),
        window=window,
        model_counts=fitted.model_counts,
        background_counts=float(parameters[4]),
        state=state,
    )


def _splitting_mev(model: ManifoldModel, parameters: Vector, covariance: Vector) -> Measured | None:
    """Return the mean distance of neighbouring lines of the exciton; None of a single line."""
    lines = model.exciton(parameters)[0].size
    if lines < 2:
        return None
    return propagate(
        lambda p: float(np.ptp(model.exciton(p)[0])) / (lines - 1), parameters, covariance
    )


def _limit(state: _State, area: float, scale: float) -> float:
    """Return the smallest relative area of a single line that is found anywhere."""
    problem = state.problem
    shape = _kernel(state, np.zeros(1), np.ones(1))
    information = np.convolve(1 / state.fitted.sigma**2, shape**2, mode="same")
    allowed = _below(state, problem.model().exciton(state.parameters)[0])
    if not allowed.any() or area <= 0:
        return float("nan")
    height = scale * float(np.sqrt(DETECTED_CHI2 / information[allowed].min()))
    return height * float(shape.sum()) / area


def _flags(state: _State, scale: float) -> tuple[str, ...]:
    problem, fitted = state.problem, state.fitted
    lines: Sequence[Kind] = [kind for kind in problem.kinds if kind != "exciton"]
    texts = {
        "saturated or unusable pixels": bool((~problem.usable).any()),
        "poor fit, errors scaled": scale > 1 and not problem.noise.assumed,
        "noise not calibrated, errors from the scatter": problem.noise.assumed,
        "parameter at its bound": bool(fitted.at_bound.any()),
        "as many lines as are looked for": len(lines) >= _MOST_LINES,
    }
    return tuple(text for text, present in texts.items() if present)
