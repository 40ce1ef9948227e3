"""From parameters to the result: quantities with errors, goodness, words."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._decay_model import Modes, ModeShape
from labctl.analysis._decay_noise import Errors, goodness_of
from labctl.analysis._decay_problem import BACKGROUND, LIGHT, SHAPE, SHIFT, DecayProblem, Fitted
from labctl.analysis._decay_result import DecayCandidate, DecayComponent, DecayFit, Goodness
from labctl.analysis._decay_stretched import mean_delay_ps
from labctl.analysis._measured import Measured
from labctl.analysis._propagate import propagate

__all__ = ["one_over_e_ps", "report"]

Vector = NDArray[np.float64]

_UNCERTAIN = 0.15
_CLOSE_SIGMAS = 2.0
_POOR_Z = 3.1
_LIGHT_WEIGHT = 0.5
_ZOOMS, _ZOOM = 4, 64
_SHOWN = 3


def report(
    problem: DecayProblem,
    fitted: Fitted,
    errors: Errors,
    candidates: tuple[DecayCandidate, ...],
    warnings: tuple[str, ...],
) -> DecayFit:
    """Put everything together."""
    name, p, covariance = problem.shape.name, fitted.parameters, errors.covariance

    def measured(index: int) -> Measured:
        return Measured(float(p[index]), math.sqrt(max(float(covariance[index, index]), 0.0)))

    lifetime = _derived(_lifetime(name), p, covariance)
    method = "fisher"
    if name in ("mono", "fed", "cascade") and _doubtful(problem, fitted, covariance):
        own = _profile(problem, fitted, lifetime.error)
        response = float(errors.response[SHAPE, SHAPE])
        lifetime = Measured(lifetime.value, math.sqrt(own**2 + response))
        method = "profile"
    if not lifetime.error > 0:
        lifetime = Measured(lifetime.value, math.inf)
    slowness = _derived(_lifetime(name), p, errors.response)
    goodness = goodness_of(problem, fitted, errors)
    grid = problem.grid
    return DecayFit(
        model=name,
        lifetime_ps=lifetime,
        one_over_e_ps=_derived(lambda s: one_over_e_ps(problem, s), p, covariance),
        components=_components(problem, p, covariance),
        stretching=measured(SHAPE + 1) if name == "stretched" else None,
        mean_excitations=measured(SHAPE + 1) if name == "cascade" else None,
        leak=measured(SHAPE + 2) if name == "cascade" else None,
        fed_share=measured(SHAPE + 2) if name == "fed" else None,
        light_counts=measured(LIGHT),
        background_counts=measured(BACKGROUND),
        shift_ps=measured(SHIFT),
        least_weight=float(problem.weights.min()),
        response_error_ps=slowness.error,
        error_method=method,
        goodness=goodness,
        candidates=candidates,
        choice=_choice(candidates),
        window_ps=(grid.first_bin * grid.bin_ps, (grid.first_bin + grid.bins) * grid.bin_ps),
        flags=_flags(problem, fitted, goodness, lifetime),
        warnings=tuple(f"foreign instrument response, {word}" for word in warnings),
        model_counts=fitted.point.model,
    )


def _derived(
    function: Callable[[Vector], float], parameters: Vector, covariance: Vector
) -> Measured:
    """Return a function of the shape's parameters with its error."""
    return propagate(function, parameters[SHAPE:], covariance[SHAPE:, SHAPE:])


def _lifetime(name: str) -> Callable[[Vector], float]:
    if name == "biexponential":
        return lambda s: float(s[0] * (s[2] + (1 - s[2]) * s[1]))
    if name == "stretched":
        return lambda s: mean_delay_ps(float(s[0]), float(s[1]))
    return lambda s: float(s[0])


def one_over_e_ps(problem: DecayProblem, shape: Vector) -> float:
    """Return the time from the maximum of the deconvolved decay to 1/e of it."""
    return _falls_at(lambda t: problem.shape.density(shape, t), float(shape[0]))


def _falls_at(density: Callable[[Vector], Vector], scale_ps: float) -> float:
    times = np.linspace(0.0, 3.0 * scale_ps, 256)
    values = density(times)
    top = int(np.argmax(values))
    span = times[1]
    peak_ps = times[top]
    for _ in range(_ZOOMS - 2):
        near = np.linspace(max(peak_ps - span, 0.0), peak_ps + span, _ZOOM)
        peak_ps = near[int(np.argmax(density(near)))]
        span = near[1] - near[0]
    level = float(density(np.array([peak_ps]))[0]) / math.e
    low, high = peak_ps, peak_ps + scale_ps
    while float(density(np.array([high]))[0]) > level:
        low, high = high, 2.0 * high
    for _ in range(_ZOOMS):
        near = np.linspace(low, high, _ZOOM)
        below = int(np.argmax(density(near) < level))
        low, high = near[max(below - 1, 0)], near[below]
    return 0.5 * (low + high) - peak_ps


def _components(
    problem: DecayProblem, parameters: Vector, covariance: Vector
) -> tuple[DecayComponent, ...]:
    shape = problem.shape
    if not isinstance(shape, ModeShape):
        return ()
    modes: Callable[[Vector], Modes] = shape.modes

    def tau(number: int) -> Measured:
        return _derived(lambda s: float(modes(s).taus_ps[number]), parameters, covariance)

    def area(number: int) -> Measured:
        return propagate(
            lambda s: float(s[0] * modes(s[1:]).areas[number]),
            parameters[LIGHT:],
            covariance[LIGHT:, LIGHT:],
        )

    count = min(len(modes(parameters[SHAPE:]).taus_ps), _SHOWN)
    return tuple(DecayComponent(tau(number), area(number)) for number in range(count))


def _doubtful(problem: DecayProblem, fitted: Fitted, covariance: Vector) -> bool:
    """Whether the information at the maximum may not tell the error of the first time."""
    p = fitted.parameters
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if errors[SHAPE] > _UNCERTAIN * p[SHAPE]:
        return True
    free = ~problem.held[SHAPE:]
    room = np.minimum(p - problem.lower, problem.upper - p)[SHAPE:]
    return bool(np.any(free & (room < _CLOSE_SIGMAS * errors[SHAPE:])))


def _profile(problem: DecayProblem, fitted: Fitted, first: float) -> float:
    """Return the root mean square of the errors to both sides of the first time."""
    tau_ps = float(fitted.parameters[SHAPE])
    first = max(first, 1e-3 * tau_ps)
    squares: list[float] = []
    for side in (-1.0, 1.0):
        step = side * min(first, 0.5 * tau_ps)
        for _ in range(3):
            start = fitted.parameters.copy()
            start[SHAPE] += step
            held = problem.holding(SHAPE, float(start[SHAPE])).fit(start)
            growth = 2 * (held.point.cost - fitted.point.cost)
            # The cost grows about as the square of the step.
            step /= math.sqrt(min(max(growth, 0.1), 10.0))
            step = max(step, -0.9 * tau_ps)
        squares.append(step**2)
    return math.sqrt(sum(squares) / 2)


def _choice(candidates: Sequence[DecayCandidate]) -> str:
    best, *others = candidates
    if not others:
        return f"{best.model}, as asked for"
    words = ", ".join(f"{one.bic - best.bic:.1f} less than {one.model}" for one in others)
    return f"{best.model}: BIC {words}"


def _flags(
    problem: DecayProblem, fitted: Fitted, goodness: Goodness, lifetime: Measured
) -> tuple[str, ...]:
    flags: list[str] = []
    if not lifetime.error < lifetime.value:
        flags.append("lifetime not determined")
    if not fitted.converged:
        flags.append("the search did not end")
    if fitted.at_bound[SHIFT]:
        flags.append("shift at its bound")
    if np.any(fitted.at_bound[SHAPE:]):
        flags.append(f"a parameter of the {problem.shape.name} decay is at its bound")
    if problem.weights.min() < _LIGHT_WEIGHT:
        flags.append("the response holds few counts: bins where it is uncertain weigh less")
    if goodness.z > _POOR_Z:
        flags.append("poor fit")
    return tuple(flags)
