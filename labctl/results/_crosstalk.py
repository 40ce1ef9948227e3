"""Cross-talk between two detectors, found by what it leaves: a spike at one difference of delays.

The flash of an avalanche reaches the other detector after a fixed time, so that cross-talk stands
as one or two columns beside the smooth shape of the dot's pairs of the same pulse. These columns
are left out of the pairs of all pulses alike, which leaves g2(0) as it is.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from labctl.photons import PulsedDelaysResult

__all__ = ["crosstalk_columns", "spike_gaps", "without_columns"]

Vector = NDArray[np.float64]
_NEAR, _FAR = 3, 10
_SIGMAS = 4.5
_STANDS_OUT = 1.5
_NARROWER = 3.0
"""Pairs of the same pulse may lie so much closer together than others: a short biexciton."""


def crosstalk_columns(points: Sequence[PulsedDelaysResult]) -> NDArray[np.bool_]:
    """Return which columns hold cross-talk, shape (delay,); of all points together.

    Args:
        points: Pairs of the points of one set-up, on the same columns; at least one.
    """
    rows = [point.counts.astype(np.float64) for point in points]
    lags = points[0].pulses
    same = np.sum([row[lags == 0][0] for row in rows], axis=0)
    others = np.sum([row[np.abs(lags) > 1].sum(axis=0) for row in rows], axis=0)
    # What light itself piles up at one difference, it does so in the pairs of other pulses.
    piled = (
        np.maximum(others - _around(others), 0.0) * _NARROWER * same.sum() / max(others.sum(), 1)
    )
    expected = _around(same) + piled
    high = 2 * (np.sqrt(same) - np.sqrt(expected + 0.375)) > _SIGMAS
    found = high & (same > _STANDS_OUT * expected)
    return np.convolve(found, np.ones(3), "same") > 0.5


def without_columns(delays: PulsedDelaysResult, columns: NDArray[np.bool_]) -> PulsedDelaysResult:
    """Return the pairs without these columns."""
    return replace(
        delays, delay_bins=delays.delay_bins[~columns], counts=delays.counts[:, ~columns]
    )


def spike_gaps(delays: PulsedDelaysResult, columns: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Return the first delay bin and the end of the gaps that these columns span; None: none."""
    if not columns.any():
        return None
    width = int(delays.delay_bins[1] - delays.delay_bins[0])
    begins = delays.delay_bins[columns]
    nearest = np.minimum(np.abs(begins), np.abs(begins + width - 1))
    return int(nearest.min()), int(nearest.max()) + width


def _around(row: Vector) -> Vector:
    """Return the mean of the columns on either side, without the nearest."""
    kernel = np.ones(2 * _FAR + 1)
    kernel[_FAR - _NEAR + 1 : _FAR + _NEAR] = 0.0
    inside = np.convolve(np.ones(row.size), kernel, "same")
    return np.convolve(row, kernel, "same") / inside
