"""Shapes of decays, and their convolution with a measured response on a periodic time axis."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._decay_cascade import MOST_EXCITATIONS, cascade_areas
from labctl.analysis._decay_kernels import (
    convolve_modes,
    correlate_modes,
    fall_of_modes,
    mode_taps,
)

__all__ = ["FED", "MONO", "TWO", "Grid", "ModeShape", "Shape", "cascade_shape"]

Vector = NDArray[np.float64]

_FASTEST_PS = 1e-3


@dataclass(frozen=True, eq=False)
class Grid:
    """The time axis of a fit, and the response on it.

    Attributes:
        response: Sharpened, sum 1, shape (support,).
        first_response: Its first bin.
        first_bin: First bin of the fit.
        bins: Number of bins in the fit.
        bin_ps: Width of a bin.
        period_ps: Of the laser; infinite for a single pulse.
    """

    response: Vector
    first_response: int
    first_bin: int
    bins: int
    bin_ps: float
    period_ps: float

    def of_one_bin(self) -> "Grid":
        """Return the grid of lags between bins of the fit and bins of the response."""
        support = len(self.response)
        first = self.first_bin - self.first_response - support + 1
        return replace(
            self,
            response=np.ones(1),
            first_response=0,
            first_bin=first,
            bins=self.bins + support - 1,
        )


class Shape(Protocol):
    """A decay that begins at 0."""

    @property
    def name(self) -> str:
        """As in the result."""
        ...

    @property
    def lower(self) -> tuple[float, ...]:
        """Lower bounds of the parameters; the first is always a time, in ps."""
        ...

    @property
    def upper(self) -> tuple[float, ...]:
        """Upper bounds of the parameters."""
        ...

    def convolve(self, grid: Grid, parameters: Vector, shift_ps: float) -> Vector:
        """Return counts per bin of one unit of light, and their derivatives.

        By the shift, then by each parameter; shape (2 + parameters, bins).
        """
        ...

    def density(self, parameters: Vector, delay_ps: Vector) -> Vector:
        """Return the deconvolved decay at delays >= 0, per ps."""
        ...

    def correlate(self, grid: Grid, parameters: Vector, shift_ps: float, rows: Vector) -> Vector:
        """Return what rows over bins, shape (n, bins), come to for each bin of the response.

        The transpose of how the response becomes the counts of one unit; shape (n, support).
        """
        ...

    def fall_ps(self, parameters: Vector) -> float:
        """Return the time from the maximum of the deconvolved decay to 1/e of it."""
        ...


class Modes(NamedTuple):
    """A sum of exponentials with the areas and times of shape (modes,), and derivatives.

    Attributes:
        taus_ps: Decay times.
        areas: Of each exponential; their sum is the light.
        area_slopes: By the parameters, shape (parameters, modes).
        tau_slopes: The same of the decay times.
    """

    taus_ps: Vector
    areas: Vector
    area_slopes: Vector
    tau_slopes: Vector


@dataclass(frozen=True, eq=False)
class ModeShape:
    """A decay that is a sum of exponentials; ``modes`` makes them from the parameters."""

    name: str
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    modes: Callable[[Vector], Modes]

    def convolve(self, grid: Grid, parameters: Vector, shift_ps: float) -> Vector:
        """Return counts per bin of one unit of light, and their derivatives."""
        taus_ps, areas, area_slopes, tau_slopes = self.modes(parameters)
        begin, late_ps, taus_ps = _arrival(grid, taus_ps, shift_ps)
        mixed = np.empty((2 + len(parameters), grid.bins))
        convolve_modes(
            grid.response, begin, late_ps, grid.bin_ps, grid.period_ps,
            taus_ps, areas, area_slopes, tau_slopes, mixed,
        )  # fmt: skip
        return mixed

    def density(self, parameters: Vector, delay_ps: Vector) -> Vector:
        """Return the deconvolved decay at delays >= 0, per ps."""
        taus_ps, areas, _, _ = self.modes(parameters)
        return np.exp(-delay_ps[:, None] / taus_ps) @ (areas / taus_ps)

    def correlate(self, grid: Grid, parameters: Vector, shift_ps: float, rows: Vector) -> Vector:
        """Return what rows over bins come to for each bin of the response, shape (n, support)."""
        modes = self.modes(parameters)
        begin, late_ps, taus_ps = _arrival(grid, modes.taus_ps, shift_ps)
        taps, found = np.empty((len(taus_ps), 11)), np.zeros((len(rows), len(grid.response)))
        mode_taps(grid.bin_ps, late_ps, taus_ps, taps)
        gap_ps = grid.period_ps - (begin + len(grid.response) + 1) * grid.bin_ps
        correlate_modes(rows, begin, grid.period_ps, gap_ps, taps, taus_ps, modes.areas, found)
        return found

    def fall_ps(self, parameters: Vector) -> float:
        """Return the time from the maximum of the deconvolved decay to 1/e of it."""
        modes = self.modes(parameters)
        return fall_of_modes(modes.taus_ps, modes.areas)


def _arrival(grid: Grid, taus_ps: Vector, shift_ps: float) -> tuple[int, float, Vector]:
    """Return the bin in which the first light arrives, how much later in it, and the times."""
    whole = math.floor(shift_ps / grid.bin_ps)
    begin = grid.first_response + whole - grid.first_bin
    return begin, shift_ps - whole * grid.bin_ps, np.maximum(taus_ps, _FASTEST_PS)


_ONE: Vector = np.ones(1)
_NONE: Vector = np.zeros((1, 1))
_BY_SHARE: Vector = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, -1.0]])


def _mono(parameters: Vector) -> Modes:
    return Modes(parameters, _ONE, _NONE, _ONE[:, None])


def _two(parameters: Vector) -> Modes:
    """Parameters: slower time, ratio of the times, share of the slower in the light."""
    tau_ps, ratio, share = parameters.tolist()
    return Modes(
        np.array([tau_ps, ratio * tau_ps]),
        np.array([share, 1 - share]),
        _BY_SHARE,
        np.array([[1.0, ratio], [0.0, tau_ps], [0.0, 0.0]]),
    )


def _fed(parameters: Vector) -> Modes:
    """Parameters: time of decay, time of feeding over it, share of the light that was fed.

    What is fed follows ``(exp(-t / tau) - exp(-t / tau_f)) / (tau - tau_f)``.
    """
    tau_ps, ratio, share = parameters
    apart = ratio / (1 - ratio)
    by_ratio = share / (1 - ratio) ** 2
    return Modes(
        np.array([tau_ps, ratio * tau_ps]),
        np.array([1 + share * apart, -share * apart]),
        np.array([[0.0, 0.0], [by_ratio, -by_ratio], [apart, -apart]]),
        np.array([[1.0, ratio], [0.0, tau_ps], [0.0, 0.0]]),
    )


@dataclass(frozen=True)
class Cascade:
    """Parameters: time of the exciton, mean excitations per pulse, leak of multiexcitons, auger.

    Attributes:
        exponent: p of the levels' rates ``k^p / tau``.
    """

    exponent: float = 2.0

    def __call__(self, parameters: Vector) -> Modes:
        """Return the levels that matter."""
        tau_ps, mean, leak, auger = (float(value) for value in parameters)
        levels = math.ceil(max(mean, 0.0) + 6 * math.sqrt(max(mean, 0.0)) + 6)
        every = cascade_areas(mean, leak, self.exponent, auger)
        areas, by_mean, by_leak, by_auger = (a[:levels] for a in every)
        speed = np.arange(1, len(areas) + 1, dtype=np.float64) ** -self.exponent
        none = np.zeros_like(areas)
        return Modes(
            tau_ps * speed,
            areas,
            np.stack([none, by_mean, by_leak, by_auger]),
            np.stack([speed, none, none, none]),
        )


_SHORTEST, _LONGEST = 1e-1, 1e9
MONO = ModeShape("mono", (_SHORTEST,), (_LONGEST,), _mono)
TWO = ModeShape("biexponential", (_SHORTEST, 1e-3, 0.0), (_LONGEST, 0.95, 1.0), _two)
FED = ModeShape("fed", (_SHORTEST, 1e-2, -0.3), (_LONGEST, 0.9, 1.0), _fed)


def cascade_shape(exponent: float) -> ModeShape:
    """Return the shape of a level fed by a cascade whose rates grow as ``k^exponent``."""
    bounds = (_SHORTEST, -0.5, -0.02, -0.5), (_LONGEST, MOST_EXCITATIONS, 0.3, 1.5)
    return ModeShape("cascade", *bounds, Cascade(exponent))
