"""The stretched exponential, convolved by Fourier transform."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis._decay_model import Grid
from labctl.analysis._fit import lower_gamma

__all__ = ["STRETCHED", "Stretched", "mean_delay_ps"]

Vector = NDArray[np.float64]

_STEP = 1e-5
_LEFT = 1e-9
_MOST_PERIODS = 50


@dataclass(frozen=True)
class Stretched:
    """``exp(-(t / tau)^beta)`` with the parameters tau in ps and beta."""

    name: str = "stretched"
    lower: tuple[float, ...] = (1e-1, 0.2)
    upper: tuple[float, ...] = (1e9, 2.0)

    def convolve(self, grid: Grid, parameters: Vector, shift_ps: float) -> Vector:
        """Return the counts per bin; the derivative by beta is a central difference."""
        tau_ps, beta = float(parameters[0]), float(parameters[1])
        taps, by_shift, by_tau = _taps(grid, tau_ps, beta, shift_ps)
        ends = [_taps(grid, tau_ps, beta + step, shift_ps)[0] for step in (-_STEP, _STEP)]
        kernels = np.stack([taps, by_shift, by_tau, (ends[1] - ends[0]) / (2 * _STEP)])
        return np.ascontiguousarray(_through(kernels, grid))

    def density(self, parameters: Vector, delay_ps: Vector) -> Vector:
        """Return the deconvolved decay at delays >= 0, per ps."""
        tau_ps, beta = float(parameters[0]), float(parameters[1])
        area_ps = tau_ps / beta * math.gamma(1 / beta)
        return np.exp(-((delay_ps / tau_ps) ** beta)) / area_ps

    def correlate(self, grid: Grid, parameters: Vector, shift_ps: float, rows: Vector) -> Vector:
        """Return what rows over bins come to for each bin of the response, shape (n, support)."""
        tau_ps, beta = float(parameters[0]), float(parameters[1])
        taps = _taps(grid, tau_ps, beta, shift_ps)[0]
        length = 1 << (taps.size - 1).bit_length()
        product = np.fft.rfft(rows, length, axis=1).conj() * np.fft.rfft(taps, length)
        # The first lag is that of the last bin of the response.
        return np.fft.irfft(product, length, axis=1)[:, len(grid.response) - 1 :: -1]

    def fall_ps(self, parameters: Vector) -> float:
        """Return tau, at which 1/e of the beginning is left."""
        return float(parameters[0])


STRETCHED = Stretched()


def mean_delay_ps(tau_ps: float, beta: float) -> float:
    """Return ``int exp(-(t / tau)^beta) dt``, the mean relaxation time."""
    return tau_ps / beta * math.gamma(1 / beta)


def _taps(grid: Grid, tau_ps: float, beta: float, shift_ps: float) -> tuple[Vector, Vector, Vector]:
    """Return counts by lag, shape (lags,), and derivatives by shift and tau."""
    lags = grid.of_one_bin()
    edges_ps = (lags.first_bin + np.arange(-1, lags.bins + 1)) * grid.bin_ps - shift_ps
    reach, first, area = np.zeros((3, edges_ps.size))
    # Of older pulses, those from which less than a billionth is left are left out.
    longest_ps = tau_ps * (-math.log(_LEFT)) ** (1 / beta) - float(edges_ps[0])
    periods = 0 if math.isinf(grid.period_ps) else math.ceil(longest_ps / grid.period_ps)
    for number in range(min(max(periods, 0), _MOST_PERIODS) + 1):
        later_ps = number * grid.period_ps if number else 0.0
        x_ps = np.maximum(edges_ps + later_ps, 0.0)
        power = (x_ps / tau_ps) ** beta
        gone = lower_gamma(1 / beta, power)
        moment = tau_ps * math.gamma(2 / beta) / math.gamma(1 / beta) * lower_gamma(2 / beta, power)
        reach += x_ps * gone - moment
        first += gone
        area += moment
    bend = np.diff(np.stack([reach, first, area]), n=2, axis=1) / grid.bin_ps
    return bend[0], -bend[1], -bend[2] / tau_ps


def _through(kernels: Vector, grid: Grid) -> Vector:
    """Convolve kernels by lag, shape (n, lags), with the response; shape (n, bins)."""
    support, size = len(grid.response), kernels.shape[1] + len(grid.response) - 1
    length = 1 << (size - 1).bit_length()
    product = np.fft.rfft(kernels, length, axis=1) * np.fft.rfft(grid.response, length)
    return np.fft.irfft(product, length, axis=1)[:, support - 1 : support - 1 + grid.bins]
