"""Lifetime of one exponential above a flat background, for decays of very many photons."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._lifetimes import DecayColumns
from labctl.analysis._measured import Measured
from labctl.errors import AnalysisError

__all__ = ["StateLifetime", "state_lifetime"]

Vector = NDArray[np.float64]

_ROUNDS = 50
_DONE = 1e-7
_STEP = 1e-4
_FEWEST = 100


@dataclass(frozen=True)
class StateLifetime:
    """Lifetime of the light of one state.

    Attributes:
        tau_s: Lifetime; its error holds the noise of the response.
        background: Counts per column that come evenly at any delay.
        deviance_per_bin: Poissonian deviance over degrees of freedom, 1 for a good fit.
        counts: Photons that were fitted.
    """

    tau_s: Measured
    background: Measured
    deviance_per_bin: float
    counts: int


def state_lifetime(
    decay: NDArray[np.int64], columns: DecayColumns, response_variance: Vector | None = None
) -> StateLifetime:
    """Fit one exponential and a free flat background by Poissonian maximum likelihood.

    Scoring with the expected information in logarithm of the lifetime, amplitude and background.
    A response that is measured over the whole period holds the afterpulses of its detectors, which
    then count in the decay as well; they may matter more than the noise of 1e6 photons. What is
    flat in the response goes into the background.

    Args:
        decay: Counts of columns ``columns.first`` and later, (column,), int64.
        columns: Meaning of the columns.
        response_variance: Of the response, (column,), to propagate its noise; None: without.

    Raises:
        AnalysisError: If there are fewer than 100 photons, or no exponential describes them.
    """
    counts = decay.astype(np.float64)
    if counts.sum() < _FEWEST:
        raise AnalysisError(f"{counts.sum():.0f} photons are too few for the lifetime of a state")
    place = _start(counts, columns.column_s)
    for _ in range(_ROUNDS):
        model, slopes = _model(place, columns, counts.size)
        information = (slopes / model) @ slopes.T
        move = np.linalg.solve(information, slopes @ (counts / model - 1))
        move *= min(1.0, 0.5 / max(abs(float(move[0])), 1e-12))
        place = place + move
        place[1:] = np.maximum(place[1:], [1.0, 1e-3])
        if float(np.max(np.abs(move) * np.sqrt(np.diag(information)))) < _DONE**0.5:
            break
    else:
        raise AnalysisError("no single exponential describes the decay of a state")
    model, slopes = _model(place, columns, counts.size)
    covariance = np.linalg.inv((slopes / model) @ slopes.T)
    variance = float(covariance[0, 0])
    if response_variance is not None and columns.response is not None:
        influence = (covariance @ (slopes / model))[0] * float(place[1])
        variance += _of_response(influence, place, columns, response_variance)
    tau_s = float(np.exp(place[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(counts > 0, counts * np.log(counts / model), 0.0)
    deviance = 2 * float(np.sum(logs - counts + model))
    return StateLifetime(
        Measured(tau_s, tau_s * float(np.sqrt(variance))),
        Measured(float(place[2]), float(np.sqrt(covariance[2, 2]))),
        deviance / (counts.size - 3),
        int(counts.sum()),
    )


def _start(counts: Vector, column_s: float) -> Vector:
    """Return logarithm of the lifetime, photons of light, background per column."""
    late = max(counts.size // 10, 1)
    level = float(np.mean(counts[-late:])) * 0.9
    light = np.maximum(counts - level, 0.0)
    mean_s = float(light @ (np.arange(counts.size) + 0.5)) / max(float(light.sum()), 1.0) * column_s
    return np.array([np.log(mean_s), max(float(light.sum()), 1.0), max(level, 1e-2)])


def _model(place: Vector, columns: DecayColumns, size: int) -> tuple[Vector, Vector]:
    """Return expected counts, (column,), and their slopes, (parameter, column)."""
    around = place[0] + _STEP * np.array([-1.0, 0.0, 1.0])
    low, shape, high = columns.shapes(np.exp(around))
    slopes = np.stack([place[1] * (high - low) / (2 * _STEP), shape, np.ones(size)])
    return np.maximum(place[1] * shape + place[2], 1e-300), slopes


def _of_response(
    influence: Vector, place: Vector, columns: DecayColumns, variance: Vector
) -> float:
    """Return the variance of the logarithm of the lifetime that the response's noise makes.

    Only the shape of the response counts: the fit is blind to its sum, so that the normalisation
    of the shapes drops out.
    """
    response = columns.response
    if response is None:
        return 0.0
    taps = columns.taps(np.exp(place[:1]))[0]
    middle = columns.columns - 1
    light = np.convolve(response, taps)[middle : middle + columns.columns]
    padded = np.concatenate([np.zeros(columns.first), influence])
    weights = np.convolve(padded, taps[::-1])[middle : middle + columns.columns]
    return float(variance @ (weights / light[columns.first :].sum()) ** 2)
