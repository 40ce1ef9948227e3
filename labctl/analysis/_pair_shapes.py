"""Distributions over delay bins of the two photons of a cascade, seen by two detectors.

The biexciton decays at u (tau_XX), the exciton at u + e (tau_X); each detector adds its own timing
error j. The earlier click comes at ``u + min(j1, e + j2)``, whose second part does not depend on u,
and the clicks are ``|e + j2 - j1|`` apart, whatever u is. Order by detection is thus accounted for
exactly: with slow detectors or a short exciton the earlier click is not always the biexciton's.
Both detectors are equally likely to take the biexciton.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["accidental_first", "accidental_gap", "cascade_shapes", "exponential_bins"]

Vector = NDArray[np.float64]


def exponential_bins(tau_bins: float, size: int) -> Vector:
    """Return shares of bins by which an exponential delay moves an event, shape (size,).

    The event lies anywhere in its bin before, so that the mean is tau, whatever the width.
    """
    loss = -np.expm1(-1 / tau_bins)
    later = tau_bins * loss**2 * np.exp(-np.arange(size - 1.0) / tau_bins)
    return np.concatenate([[1 - tau_bins * loss], later])


def cascade_shapes(
    tau_xx_bins: float, tau_x_bins: float, irf_a: Vector, irf_b: Vector
) -> tuple[Vector, Vector]:
    """Return shares of pairs by the earlier click's delay, and by the gap to the later one.

    Only pairs whose both clicks are within the delays of the response count.

    Args:
        tau_xx_bins: Biexciton lifetime, bins.
        tau_x_bins: Exciton lifetime, bins.
        irf_a: Response of detector a, sum 1, shape (n,).
        irf_b: Of detector b.
    """
    size = irf_a.size
    decays = exponential_bins(tau_x_bins, size)
    biexciton = exponential_bins(tau_xx_bins, size)
    first, gap = np.zeros(size), np.zeros(size)
    orders = [(irf_a, irf_b)] if irf_a is irf_b else [(irf_a, irf_b), (irf_b, irf_a)]
    for early, late in orders:
        begin, end = _span(late)
        exciton = np.zeros(2 * size)
        exciton[begin : size + end - 1] = np.convolve(late[begin:end], decays)
        sooner = _minimum(early, exciton)
        begin, end = _span(sooner)
        first[begin:] += np.convolve(sooner[begin:end], biexciton)[: size - begin]
        gap += _gap(early, exciton)
    first, gap = first / len(orders), gap / len(orders)
    left = np.arange(size, 0.0, -1.0)
    inside = np.cumsum(first)[::-1]
    return first * -np.expm1(-left / tau_x_bins), gap * inside


def accidental_first(clicks: Vector, others: Vector | None = None) -> Vector:
    """Return shares by the earlier of a click and an independent one.

    Args:
        clicks: Shares of clicks by delay, sum 1, shape (n,).
        others: Shares of the other ones by delay, sum 1, shape (n,); None: any delay alike.
    """
    other = np.full(clicks.size, 1 / clicks.size) if others is None else others
    return clicks * (_from(other) - other / 2) + other * (_from(clicks) - clicks / 2)


def accidental_gap(clicks: Vector, others: Vector | None = None) -> Vector:
    """Return shares by the distance between a click and an independent one; see above."""
    other = np.full(clicks.size, 1 / clicks.size) if others is None else others
    differences = np.correlate(clicks, other, "full")
    middle = clicks.size - 1
    gap = differences[middle:].copy()
    gap[1:] += differences[:middle][::-1]
    return gap


def _from(shares: Vector) -> Vector:
    """Return the share at each place and all later ones."""
    return np.cumsum(shares[::-1])[::-1]


def _span(shares: Vector) -> tuple[int, int]:
    filled = np.flatnonzero(shares)
    return int(filled[0]), int(filled[-1]) + 1


def _minimum(one: Vector, other: Vector) -> Vector:
    """Return the distribution of the smaller of two independent numbers, shape of the first."""
    size = one.size
    not_before = 1 - np.cumsum(other)[:size] + other[:size]
    after = 1 - np.cumsum(one)
    return np.maximum(one * not_before + other[:size] * after, 0.0)


def _gap(early: Vector, exciton: Vector) -> Vector:
    """Return the distribution of the distance of two independent numbers."""
    size = early.size
    begin, end = _span(early)
    turned = early[begin:end][::-1]
    # Place k of the full convolution is the difference k - (end - 1).
    differences = np.convolve(exciton[: size + end], turned)
    zero = end - 1
    gap = differences[zero : zero + size].copy()
    before = differences[:zero][::-1][: size - 1]
    gap[1 : 1 + before.size] += before
    return gap
