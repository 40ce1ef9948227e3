"""From parameters to the result: quantities with errors, goodness, words."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._decay_model import ModeShape
from labctl.analysis._decay_noise import Errors, goodness_of
from labctl.analysis._decay_problem import BACKGROUND, LIGHT, SHAPE, SHIFT, DecayProblem, Fitted
from labctl.analysis._decay_result import DecayCandidate, DecayComponent, DecayFit, Goodness
from labctl.analysis._decay_stretched import mean_delay_ps
from labctl.analysis._measured import Measured
from labctl.analysis._propagate import gradient_of

__all__ = ["report"]

Vector = NDArray[np.float64]

_UNCERTAIN = 0.15
_CLOSE_SIGMAS = 2.0
_POOR_Z = 3.1
_LIGHT_WEIGHT = 0.5
_SHOWN = 3
_PROFILE_ROUNDS = 3


def report(
    problem: DecayProblem,
    fitted: Fitted,
    errors: Errors,
    candidates: tuple[DecayCandidate, ...],
    warnings: tuple[str, ...],
    adapted: str = "",
) -> DecayFit:
    """Put everything together."""
    name, p, covariance = problem.shape.name, fitted.parameters, errors.covariance

    def measured(index: int) -> Measured:
        return Measured(float(p[index]), math.sqrt(max(float(covariance[index, index]), 0.0)))

    value, gradient = _lifetime(name, p, covariance)
    lifetime = _linear(value, gradient, covariance)
    method = "fisher"
    excitations = measured(SHAPE + 1) if name == "cascade" else None
    if name in ("mono", "fed", "cascade") and _doubtful(problem, fitted, covariance):
        lifetime = _profile(problem, fitted, errors, SHAPE)
        if excitations is not None and not problem.held[SHAPE + 1]:
            excitations = _profile(problem, fitted, errors, SHAPE + 1)
        method = "profile"
    if not lifetime.error > 0:
        lifetime = Measured(lifetime.value, math.inf)
    goodness = goodness_of(problem, fitted, errors)
    grid = problem.grid
    return DecayFit(
        model=name,
        lifetime_ps=lifetime,
        one_over_e_ps=_one_over_e(problem, p, covariance),
        components=_components(problem, p, covariance),
        stretching=measured(SHAPE + 1) if name == "stretched" else None,
        mean_excitations=excitations,
        leak=measured(SHAPE + 2) if name == "cascade" else None,
        auger=measured(SHAPE + 3) if name == "cascade" else None,
        fed_share=measured(SHAPE + 2) if name == "fed" else None,
        light_counts=measured(LIGHT),
        background_counts=measured(BACKGROUND),
        shift_ps=measured(SHIFT),
        least_weight=float(problem.weights.min()),
        response_error_ps=_linear(value, gradient, errors.response).error,
        error_method=method,
        goodness=goodness,
        candidates=candidates,
        choice=_choice(candidates),
        window_ps=(grid.first_bin * grid.bin_ps, (grid.first_bin + grid.bins) * grid.bin_ps),
        flags=_flags(problem, fitted, goodness, lifetime),
        warnings=tuple(f"foreign instrument response, {word}" for word in warnings),
        model_counts=fitted.point.model,
        adapted=adapted,
    )


def _lifetime(name: str, parameters: Vector, covariance: Vector) -> tuple[float, Vector]:
    """Return the lifetime, and its derivatives by all parameters."""
    gradient = np.zeros(len(parameters))
    tau_ps, *others = parameters[SHAPE:].tolist()
    gradient[SHAPE] = 1.0
    if name == "biexponential":
        ratio, share = others
        mean = share + (1 - share) * ratio
        gradient[SHAPE:] = mean, tau_ps * (1 - share), tau_ps * (1 - ratio)
        return tau_ps * mean, gradient
    if name == "stretched":
        steps = 1e-2 * np.sqrt(np.maximum(covariance.diagonal()[SHAPE:], 0.0))
        gradient[SHAPE:] = gradient_of(_mean_delay_ps, parameters[SHAPE:], steps)
        return _mean_delay_ps(parameters[SHAPE:]), gradient
    return tau_ps, gradient


def _mean_delay_ps(shape: Vector) -> float:
    return mean_delay_ps(float(shape[0]), float(shape[1]))


def _one_over_e(problem: DecayProblem, parameters: Vector, covariance: Vector) -> Measured:
    """Return the time from the maximum of the deconvolved decay to 1/e of it.

    Where the maximum leaves the beginning the time has a kink, so that its error is taken from
    its change over one standard error to both sides along each axis of the covariance.
    """
    shape, values = problem.shape, parameters[SHAPE:]
    lower, upper = np.array(shape.lower), np.array(shape.upper)
    errors = np.sqrt(np.maximum(np.diag(covariance)[SHAPE:], 0.0))
    scale = np.where(errors > 0, errors, 1.0)
    correlation = covariance[SHAPE:, SHAPE:] / np.outer(scale, scale)
    lengths, axes = np.linalg.eigh(correlation)
    steps = (np.sqrt(np.maximum(lengths, 0.0)) * axes).T * errors
    ends = np.minimum(np.maximum(values + np.concatenate([steps, -steps]), lower), upper)
    falls = [shape.fall_ps(end) for end in ends]
    differences = [a - b for a, b in zip(falls[: len(steps)], falls[len(steps) :], strict=True)]
    return Measured(shape.fall_ps(values), math.hypot(*differences) / 2)


def _components(
    problem: DecayProblem, parameters: Vector, covariance: Vector
) -> tuple[DecayComponent, ...]:
    if not isinstance(problem.shape, ModeShape):
        return ()
    modes = problem.shape.modes(parameters[SHAPE:])
    light = float(parameters[LIGHT])
    found: list[DecayComponent] = []
    for number in range(min(len(modes.taus_ps), _SHOWN)):
        by_tau = np.zeros(len(parameters))
        by_tau[SHAPE:] = modes.tau_slopes[:, number]
        by_area = np.zeros(len(parameters))
        by_area[LIGHT] = modes.areas[number]
        by_area[SHAPE:] = light * modes.area_slopes[:, number]
        found.append(
            DecayComponent(
                _linear(float(modes.taus_ps[number]), by_tau, covariance),
                _linear(light * float(modes.areas[number]), by_area, covariance),
            )
        )
    return tuple(found)


def _linear(value: float, gradient: Vector, covariance: Vector) -> Measured:
    return Measured(value, math.sqrt(max(float(gradient @ covariance @ gradient), 0.0)))


def _doubtful(problem: DecayProblem, fitted: Fitted, covariance: Vector) -> bool:
    """Whether the information at the maximum may not tell the error of the first time."""
    p = fitted.parameters
    errors = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if errors[SHAPE] > _UNCERTAIN * p[SHAPE]:
        return True
    if problem.shape.name == "cascade" and errors[SHAPE + 1] > _UNCERTAIN * max(p[SHAPE + 1], 1.0):
        return True
    free = ~problem.held[SHAPE:]
    # What is known beforehand ends near a bound without harm.
    free[[index - SHAPE for index in problem.known if index >= SHAPE]] = False
    room = np.minimum(p - problem.lower, problem.upper - p)[SHAPE:]
    return bool(np.any(free & (room < _CLOSE_SIGMAS * errors[SHAPE:])))


def _profile(problem: DecayProblem, fitted: Fitted, errors: Errors, index: int) -> Measured:
    """Return a parameter with the error at which the logarithm of the likelihood falls by a half.

    It is the root mean square of those to both sides.
    """
    value = float(fitted.parameters[index])
    linear = math.sqrt(max(float(errors.covariance[index, index]), 0.0))
    lower, upper = float(problem.lower[index]), float(problem.upper[index])
    sides: list[float] = []
    for side in (-1.0, 1.0):
        step = side * max(linear, 1e-3 * abs(value), 1e-6)
        for _ in range(_PROFILE_ROUNDS):
            start = fitted.parameters.copy()
            start[index] = min(max(value + step, lower), upper)
            if start[index] == value:
                break
            held = problem.holding(index, float(start[index])).fit(start)
            growth = 2 * (held.point.cost - fitted.point.cost)
            # The cost grows about as the square of the step.
            step = (float(start[index]) - value) / math.sqrt(min(max(growth, 0.1), 10.0))
        sides.append(math.sqrt(step**2 + float(errors.response[index, index])))
    return Measured(value, math.sqrt((sides[0] ** 2 + sides[1] ** 2) / 2))


def _stuck(problem: DecayProblem, fitted: Fitted) -> bool:
    """Whether a bound holds a parameter that the decay could tell otherwise.

    Of a cascade this is the lifetime alone: that no or very many excitations are not told apart is
    in their error, and a decay that no cascade can follow fits poorly.
    """
    bound = fitted.at_bound[SHAPE:]
    return bool(bound[0] if problem.shape.name == "cascade" else np.any(bound))


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
    if _stuck(problem, fitted):
        flags.append(f"a parameter of the {problem.shape.name} decay is at its bound")
    if problem.weights.min() < _LIGHT_WEIGHT:
        flags.append("the response holds few counts: bins where it is uncertain weigh less")
    if goodness.z > _POOR_Z:
        flags.append("poor fit")
    return tuple(flags)
