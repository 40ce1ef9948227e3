"""Clicks that follow a click of the same detector: afterpulses in later periods, from the data."""

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Measured
from labctl.photons import Analysis, PhotonBlock

__all__ = ["Echoes"]

_FIRST_QUIET, _LAGS = 4, 12
"""Afterpulses and dead times are over after 3 periods; 12 are looked at (a choice)."""


class Echoes(Analysis):
    """Counts pairs of clicks of one detector by the difference of their pulses (T3).

    Clicks of the dot in different pulses are independent, so that more pairs of neighbouring
    pulses than of distant ones are afterpulses. Those of the same pulse are not counted: light
    gives such pairs as well.
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        """Look at these channels of the records, one by one."""
        self._channels = channels
        self._pairs = np.zeros((len(channels), _LAGS + 1), np.int64)
        self._tails = [np.zeros(0, np.int64) for _ in channels]

    def feed(self, block: PhotonBlock) -> None:
        """Count the pairs that end in the next block."""
        for place, channel in enumerate(self._channels):
            tail = self._tails[place]
            joined = np.concatenate([tail, block.time_ticks[block.channel == channel]])
            self._count(place, joined, len(tail))
            if joined.size:
                self._tails[place] = joined[joined >= joined[-1] - _LAGS].copy()

    def late(self, place: int) -> Measured:
        """Return how many clicks of a channel are afterpulses of an earlier period."""
        near = self._pairs[place, 1:_FIRST_QUIET].astype(np.float64)
        quiet = self._pairs[place, _FIRST_QUIET:].astype(np.float64)
        variance = near.sum() + 1 + near.size**2 * quiet.mean() / quiet.size
        return Measured(float(near.sum() - near.size * quiet.mean()), float(variance**0.5))

    def _count(self, place: int, times: NDArray[np.int64], known: int) -> None:
        for step in range(1, len(times)):
            apart = times[step:] - times[:-step]
            # Pairs within the tail have been counted with an earlier block.
            new = apart[max(known - step, 0) :]
            near = new[new <= _LAGS]
            if not near.size:
                break
            self._pairs[place] += np.bincount(near, minlength=_LAGS + 1)
