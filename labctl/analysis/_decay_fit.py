"""Fit of a decay with the measured instrument response: the strategy around `DecayProblem`.

The stated rules, in order:

1. Exact Poisson likelihood of the counts per bin, response and exponentials folded on the laser's
   period, what is left of earlier pulses included.
2. The shift between response and decay is free within a tenth of the response's width plus five
   standard errors of its position, and half of what the grating's spread differs by, unless bounds
   are given.
3. ``auto`` tries one exponential, two, one that is fed by another, and one at the end of a cascade,
   and takes the smallest BIC.
4. Where the noise of the response adds more than a twentieth to the variance of any bin, bins weigh
   as much as their variance allows (quasi-likelihood), the same for all models.
5. Errors are those of the expected information, and the noise of the response is propagated
   through the fit; where a parameter is at or near a bound, or the lifetime is known to less than
   15 %, the lifetime's error is the root mean square of those to both sides of the profile.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import _decay_kernels as decays
from labctl.analysis import _likelihood_kernels as likelihoods
from labctl.analysis._decay_model import FED, MONO, TWO, Grid, Shape, cascade_shape
from labctl.analysis._decay_noise import Errors, errors_of, noise_share, sharpened
from labctl.analysis._decay_problem import BACKGROUND, SHAPE, DecayProblem, Fitted
from labctl.analysis._decay_report import report
from labctl.analysis._decay_result import DecayCandidate, DecayFit
from labctl.analysis._decay_stretched import STRETCHED
from labctl.analysis._irf import Irf, IrfResponse, TimingConfiguration
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["DecayModel", "fit_decay", "warm_up_decays"]

Vector = NDArray[np.float64]
DecayModel = Literal["auto", "mono", "fed", "biexponential", "stretched", "cascade"]

LEAK = Measured(0.02, 0.02)
AUGER = Measured(0.5, 0.5)
_MEAN, _LEAK, _AUGER = SHAPE + 1, SHAPE + 2, SHAPE + 3
_SHIFT_SHARE, _SHIFT_SIGMAS = 0.1, 5.0
_ROUGH = 0.5
_FEWEST_BINS, _FEWEST_COUNTS = 10, 30
_TRIED = ("mono", "fed", "biexponential", "cascade")
_STARTS: Mapping[str, Sequence[tuple[float, ...]]] = {
    "mono": ((1.0,),),
    "fed": ((0.9, 0.3, 0.5),),
    "biexponential": ((1.3, 0.3, 0.7), (3.0, 0.2, 0.2)),
    "stretched": ((0.9, 0.9),),
    "cascade": ((0.9, 1.0, 0.0, 0.5), (0.8, 6.0, 0.02, 0.5)),
}


class Tried(NamedTuple):
    """A model at its maximum of the likelihood."""

    problem: DecayProblem
    fitted: Fitted
    errors: Errors


def fit_decay(
    counts: Vector,
    bin_ps: float,
    irf: Irf,
    *,
    model: DecayModel = "auto",
    period_ps: float | None = None,
    background: Measured | None = None,
    window_ps: tuple[float, float] | None = None,
    shift_bounds_ps: tuple[float, float] | None = None,
    mean_excitations: Measured | None = None,
    leak: Measured | None = LEAK,
    auger: Measured | None = AUGER,
    exponent: float = 2.0,
    configuration: TimingConfiguration | None = None,
) -> DecayFit:
    """Fit counts per delay.

    Args:
        counts: Histogram, shape (bin,), whole numbers of counts.
        bin_ps: Width of a bin, as that of the response.
        irf: Measured response on the same time axis.
        model: For the cascade see `cascade_areas`.
        period_ps: Of the laser; None: what is left of earlier pulses is neglected.
        background: Counts per bin, known beforehand; an error of 0 holds it. None: free.
        window_ps: Part of the histogram that is fitted, at most one period; a tail without the
            rise is a window that begins late.
        shift_bounds_ps: Of the shift between response and decay; None: as the response allows.
        mean_excitations: Per pulse, for the cascade; None: free.
        leak: Counted share of a multiexciton photon relative to one of the exciton, for the
            cascade; the default is assumed for a slit around the exciton's line, and matters
            little for the lifetime. None: free.
        auger: Share of pulses with more than two excitations that keep only two, for the cascade;
            by default all that lies between none and all of them is as likely.
        exponent: p of the levels' lifetimes ``tau / k^p``, assumed.
        configuration: With which the decay was measured: the response is brought to its
            wavelength where it can be (`Irf.at`), and warned of where it is foreign.

    Raises:
        AnalysisError: Unusable data, or no convergence.
    """
    warnings: tuple[str, ...] = ()
    if configuration is not None:
        irf = irf.at(configuration)
        warnings = irf.foreign(configuration)
    response = irf.response
    grid = _grid(counts, bin_ps, irf, response, period_ps, window_ps)
    part = np.asarray(counts, dtype=np.float64)[grid.first_bin : grid.first_bin + grid.bins]
    if not _FEWEST_COUNTS <= part.sum() < math.inf or part.min() < 0:
        msg = f"the decay holds {part.sum():.0f} counts, at least {_FEWEST_COUNTS} are needed"
        raise AnalysisError(msg)
    known = {} if background is None else {BACKGROUND: background}
    bounds = shift_bounds_ps or _shift_bounds(response)
    base = DecayProblem(part, grid, MONO, bounds, np.ones(part.size), known)
    given = {_MEAN: mean_excitations, _LEAK: leak, _AUGER: auger}
    cascade = {index: value for index, value in given.items() if value is not None}
    names = _TRIED if model == "auto" else (model,)
    tried = _try(base, names, cascade_shape(exponent), known | cascade, response)
    best, candidates = _choose(tried, float(part.sum()))
    return report(best.problem, best.fitted, best.errors, candidates, warnings, irf.adapted)


def _shift_bounds(response: IrfResponse) -> tuple[float, float]:
    position = response.sd_ps / math.sqrt(response.total)
    room = _SHIFT_SHARE * response.fwhm_ps + _SHIFT_SIGMAS * position + response.moved_ps
    return -room, room


def _grid(
    counts: Vector,
    bin_ps: float,
    irf: Irf,
    response: IrfResponse,
    period_ps: float | None,
    window_ps: tuple[float, float] | None,
) -> Grid:
    if not math.isclose(bin_ps, irf.bin_ps, rel_tol=1e-9):
        msg = f"bins of {bin_ps} ps do not match the response's of {irf.bin_ps} ps"
        raise AnalysisError(msg)
    begin_ps, end_ps = window_ps or (0.0, math.inf)
    period = math.inf if period_ps is None else period_ps
    first = max(math.ceil(begin_ps / bin_ps - 1e-9), 0)
    most = counts.size if math.isinf(period) else first + math.floor(period / bin_ps + 1e-9)
    last = int(min(counts.size, most, end_ps / bin_ps + 1e-9))
    if last - first < _FEWEST_BINS or response.first_bin >= last:
        msg = f"the window of the fit holds {max(last - first, 0)} bins after the response began"
        raise AnalysisError(msg)
    light = sharpened(response.counts) / response.total
    return Grid(light, response.first_bin - 1, first, last - first, bin_ps, period)


def _try(
    base: DecayProblem,
    names: Sequence[str],
    cascade: Shape,
    known: Mapping[int, Measured],
    response: IrfResponse,
) -> list[Tried]:
    """Fit one exponential, whatever was asked for, and from there the others."""
    shapes: dict[str, Shape] = {one.name: one for one in (MONO, FED, TWO, STRETCHED, cascade)}
    rough = base.fit(_start(base, response), _ROUGH)
    share = noise_share(base, rough, response)
    if share is not None:
        base = replace(base, weights=1 / (1 + share))
    mono = base.fit(rough.parameters) if "mono" in names else rough
    found: list[Tried] = []
    for name in names:
        problem, fitted = base, mono
        if name != "mono":
            problem = base.changed(shapes[name], known if name == "cascade" else base.known)
            fitted = _best(problem, mono.parameters, known)
        found.append(Tried(problem, fitted, errors_of(problem, fitted, response)))
    return found


def _best(problem: DecayProblem, mono: Vector, known: Mapping[int, Measured]) -> Fitted:
    """Fit from each start until one ends inside the bounds."""
    best: Fitted | None = None
    for scale, *others in _STARTS[problem.shape.name]:
        start = np.array([*mono[:SHAPE], scale * mono[SHAPE], *others])
        for index, value in known.items():
            if index < len(start) and problem.known.get(index) is value:
                start[index] = value.value
        fitted = problem.fit(start)
        if best is None or fitted.point.cost < best.point.cost:
            best = fitted
        if best.converged and not np.any(best.at_bound[SHAPE:]):
            break
    if best is None:
        msg = f"no start for a {problem.shape.name} decay"
        raise AnalysisError(msg)
    return best


def _start(problem: DecayProblem, response: IrfResponse) -> Vector:
    """Return background, shift 0, light and mean delay above a tenth of the peak."""
    counts, grid = problem.counts, problem.grid
    before = counts[: max(response.first_bin - grid.first_bin, 0)]
    level = float(before.mean()) if before.size >= _FEWEST_BINS else _low(counts)
    if BACKGROUND in problem.known:
        level = problem.known[BACKGROUND].value
    level = min(level, 0.9 * float(counts.mean()))
    width = max(round(response.fwhm_ps / grid.bin_ps), 1)
    smooth = np.convolve(counts, np.ones(width) / width, mode="same") - level
    peak = int(np.argmax(smooth))
    below = np.flatnonzero(smooth[peak:] < 0.1 * smooth[peak])
    last = peak + (int(below[0]) if below.size else counts.size - peak)
    times_ps = (grid.first_bin + np.arange(last) + 0.5) * grid.bin_ps
    light = np.maximum(counts[:last] - level, 0.0)
    delay = float(light @ times_ps) / max(float(light.sum()), 1e-9)
    begin_ps = max(response.centre_ps, float(times_ps[0]))
    tau_ps = max(1.3 * (delay - begin_ps), 0.3 * grid.bin_ps, 0.1 * response.fwhm_ps)
    return np.array([level, 0.0, max(float((counts - level).sum()), 1.0), tau_ps])


def _low(counts: Vector) -> float:
    part = np.sort(counts)[: max(counts.size // 5, 1)]
    return float(part.mean())


def _choose(tried: Sequence[Tried], counts: float) -> tuple[Tried, tuple[DecayCandidate, ...]]:
    candidates = [_candidate(one, counts) for one in tried]
    order = sorted(range(len(tried)), key=lambda k: candidates[k].bic)
    return tried[order[0]], tuple(candidates[k] for k in order)


def _candidate(tried: Tried, counts: float) -> DecayCandidate:
    likelihood = -tried.fitted.point.cost
    free = int((~tried.problem.held).sum())
    # What is known beforehand is not a parameter that the counts must pay for.
    free -= sum(known.error > 0 for known in tried.problem.known.values())
    bic = free * math.log(counts) - 2 * likelihood
    return DecayCandidate(tried.problem.shape.name, free, likelihood, bic)


def warm_up_decays() -> None:
    """Compile the kernels of ``fit_decay``, or load them from the cache: before light is let in."""
    for one in (decays.convolve_modes, decays.mode_taps, decays.correlate_modes):
        one.compile()
    for one in (decays.fall_of_modes, likelihoods.likelihood, likelihoods.fill_logs):
        one.compile()
    for one in (likelihoods.fill_moments, likelihoods.mark_pushing, likelihoods.search_step):
        one.compile()
