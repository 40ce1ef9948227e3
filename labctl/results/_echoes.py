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

    def __init__(self, channels: tuple[int, ...], delay_bins: int) -> None:
        """Look at these channels of the records, one by one, and at delays up to a bin."""
        self._channels, self._bins = channels, delay_bins
        self._pairs = np.zeros((len(channels), _LAGS + 1), np.int64)
        self._delays = np.zeros((len(channels), 2, delay_bins), np.int64)
        nothing = np.zeros(0, np.int64), np.zeros(0, np.uint16)
        self._tails = [nothing for _ in channels]

    def feed(self, block: PhotonBlock) -> None:
        """Count the pairs that end in the next block."""
        for place, channel in enumerate(self._channels):
            chosen = block.channel == channel
            times, delays = self._tails[place]
            known = len(times)
            times = np.concatenate([times, block.time_ticks[chosen]])
            delays = np.concatenate([delays, block.delay_bins[chosen]])
            self._count(place, times, delays, known)
            if times.size:
                late = times >= times[-1] - _LAGS
                self._tails[place] = times[late].copy(), delays[late].copy()

    def late(self, place: int) -> Measured:
        """Return how many clicks of a channel are afterpulses of an earlier period."""
        near = self._pairs[place, 1:_FIRST_QUIET].astype(np.float64)
        quiet = self._pairs[place, _FIRST_QUIET:].astype(np.float64)
        variance = near.sum() + 1 + near.size**2 * quiet.mean() / quiet.size
        return Measured(float(near.sum() - near.size * quiet.mean()), float(variance**0.5))

    def late_delays(self, place: int) -> NDArray[np.float64]:
        """Return these afterpulses by delay, shape (delay bin,), with the noise of all clicks."""
        near, quiet = self._delays[place].astype(np.float64)
        return near - quiet * (_FIRST_QUIET - 1) / (_LAGS + 1 - _FIRST_QUIET)

    def _count(
        self,
        place: int,
        times: NDArray[np.int64],
        delays: NDArray[np.uint16],
        known: int,
    ) -> None:
        for step in range(1, len(times)):
            # Pairs within the tail have been counted with an earlier block.
            first = max(known - step, 0)
            apart = times[first + step :] - times[first:-step]
            near = apart <= _LAGS
            if not near.any():
                break
            lags, later = apart[near], delays[first + step :][near]
            self._pairs[place] += np.bincount(lags, minlength=_LAGS + 1)
            for row, chosen in enumerate(
                ((lags > 0) & (lags < _FIRST_QUIET), lags >= _FIRST_QUIET)
            ):
                inside = later[chosen & (later < self._bins)]
                self._delays[place, row] += np.bincount(inside, minlength=self._bins)
