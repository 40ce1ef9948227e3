"""Two-photon interference: the dip of coincidences against delay, and what spoils it."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._fit import solve
from labctl.analysis._measured import Measured
from labctl.analysis._propagate import propagate_independent
from labctl.errors import AnalysisError

__all__ = ["ArmRates", "Dip", "Splitters", "fit_dip", "indistinguishability", "splitters"]

Vector = NDArray[np.float64]

_WIDEST_PS = 1e5
_FEWEST = 4


@dataclass(frozen=True)
class ArmRates:
    """Clicks of both detectors with one arm open, darks taken off; Hz."""

    first: Measured
    second: Measured


@dataclass(frozen=True)
class Splitters:
    """How uneven the splitters are.

    Attributes:
        transmitted: T of the second splitter, R = 1 - T.
        arms_ratio: Light through the short arm over that through the long one.
    """

    transmitted: Measured
    arms_ratio: Measured


@dataclass(frozen=True, eq=False)
class Dip:
    """C_co(d) = C_cross [1 - V exp(-|d - d0| / T1)] of photons with decay time T1.

    Attributes:
        visibility: V, as it is seen.
        zero_ps: d0, the true zero of the delay, ps.
        decay_ps: T1, ps.
        crossed: C_cross, of the coincidences of far peaks.
        reduced_chi2: Of all points.
    """

    visibility: Measured
    zero_ps: Measured
    decay_ps: Measured
    crossed: Measured
    reduced_chi2: float

    def __call__(self, delay_ps: Vector) -> Vector:
        """Return C_co at delays in ps."""
        apart = np.abs(delay_ps - self.zero_ps.value) / self.decay_ps.value
        return self.crossed.value * (1.0 - self.visibility.value * np.exp(-apart))


def splitters(short: ArmRates, long: ArmRates) -> Splitters:
    """Return splitters from the rates with one arm blocked each; detectors' efficiencies cancel.

    From the short arm the second splitter transmits to the first detector, from the long arm to
    the second one: with efficiencies q the rates are s T q1, s R q2, l R q1 and l T q2.

    Raises:
        AnalysisError: A rate is not above 0.
    """
    rates = (short.first, short.second, long.first, long.second)
    if not all(rate.value > 0.0 for rate in rates):
        raise AnalysisError("no light through one of the arms")

    def transmitted(r: Vector) -> float:
        ratio = math.sqrt(float(r[0] * r[3] / (r[1] * r[2])))
        return ratio / (1.0 + ratio)

    def arms(r: Vector) -> float:
        return math.sqrt(float(r[0] * r[1] / (r[2] * r[3])))

    return Splitters(propagate_independent(transmitted, rates), propagate_independent(arms, rates))


def indistinguishability(visibility: Measured, g2_zero: Measured, device: Splitters) -> Measured:
    """Return M = V [(R^2 + T^2) / (2 R T) + g2(0) (x + 1/x) / 2], x the ratio of the arms.

    Photons of one pulse come by one arm or another and never interfere; both terms are the share
    of coincidences that no interference can take away (Santori et al., Nature 419, 594, for even
    splitters; here with uneven ones).
    """

    def corrected(v: Vector) -> float:
        seen, g2, transmitted, ratio = (float(value) for value in v)
        turned = 1.0 - transmitted
        uneven = (turned**2 + transmitted**2) / (2.0 * turned * transmitted)
        return seen * (uneven + 0.5 * g2 * (ratio + 1.0 / ratio))

    quantities = (visibility, g2_zero, device.transmitted, device.arms_ratio)
    return propagate_independent(corrected, quantities)


def fit_dip(
    delay_ps: Vector,
    parallel: Vector,
    parallel_error: Vector,
    crossed: Vector,
    crossed_error: Vector,
) -> Dip:
    """Fit both polarizations together.

    Args:
        delay_ps: Shape (n,).
        parallel: Coincidences of the same slot over those of far peaks, shape (n,).
        parallel_error: Standard errors, shape (n,).
        crossed: With crossed polarizations, shape (n,).
        crossed_error: Standard errors, shape (n,).

    Raises:
        AnalysisError: Fewer than four delays, or the fit does not end.
    """
    if delay_ps.size < _FEWEST:
        raise AnalysisError(f"a dip needs {_FEWEST} delays, not {delay_ps.size}")
    level = float(np.average(crossed, weights=crossed_error**-2.0))
    deepest = int(np.argmin(parallel))
    depth = 1.0 - float(parallel[deepest]) / level
    found = solve(
        partial(_residuals, delay_ps, (parallel, parallel_error), (crossed, crossed_error)),
        np.array([level, depth, float(delay_ps[deepest]), float(np.ptp(delay_ps)) / 8.0]),
        np.array([0.0, -1.0, float(delay_ps.min()), 1.0]),
        np.array([10.0, 2.0, float(delay_ps.max()), _WIDEST_PS]),
        scale=np.array([0.5, 0.5, 50.0, 100.0]),
    )
    reduced = found.chi2 / (2 * delay_ps.size - 4)
    errors = np.sqrt(np.diag(found.covariance) * max(1.0, reduced))
    c, v, zero, tau = (
        Measured(float(value), float(error))
        for value, error in zip(found.parameters, errors, strict=True)
    )
    return Dip(v, zero, tau, c, reduced)


def _residuals(
    delay_ps: Vector, parallel: tuple[Vector, Vector], crossed: tuple[Vector, Vector], p: Vector
) -> tuple[Vector, Vector]:
    """Return residuals of both polarizations and their derivatives by level, V, zero and T1."""
    c, v, zero, tau = p
    apart = (delay_ps - zero) / tau
    falls = np.exp(-np.abs(apart))
    slope = -c * v * falls / tau
    columns = (1.0 - v * falls, -c * falls, slope * np.sign(apart), slope * np.abs(apart))
    upper = np.stack(columns, axis=1) / parallel[1][:, np.newaxis]
    lower = np.zeros_like(upper)
    lower[:, 0] = 1.0 / crossed[1]
    model = c * (1.0 - v * falls)
    residuals = ((model - parallel[0]) / parallel[1], (c - crossed[0]) / crossed[1])
    return np.concatenate(residuals), np.concatenate([upper, lower])
