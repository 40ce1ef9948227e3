"""Photons that follow one pulse: pairs, and the delays of their first and second photon."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.photons._analysis import Analysis
from labctl.photons._coincidences import Sides, sides_of
from labctl.photons._decoder import PhotonBlock
from labctl.photons._formats import Stream
from labctl.photons._numba import Array, fixed, int64, kernel

__all__ = ["PulsePairs", "PulsePairsResult"]

_Photons = tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.uint16]]


@kernel("void(TIMES, CHANNELS, DELAYS, SIDES, int64, int64, int64[::1], int64[::1], int64[:, ::1])")
def sort_pulses(
    time: Array,
    channel: Array,
    delay: Array,
    side_of: Array,
    first_bin: int,
    end_bin: int,
    state: Array,
    pulses: Array,
    counts: Array,
) -> None:
    """Sort photons by pulse; the last pulse stays open.

    State: sync number, photons, sides of the first two, their delays. ``pulses`` counts pulses
    with a single photon, with a pair on different sides, with any other two, and with more. Rows
    of ``counts``: single photons, first of a pair, second of a pair, second after first.
    """
    for i in range(len(time)):
        side = int64(side_of[channel[i]])
        bins = int64(delay[i])
        if side == 0 or bins < first_bin or bins >= end_bin:
            continue
        if time[i] == state[0]:
            state[1] += 1
            if state[1] == 2:
                state[3] = side
                state[5] = bins
            continue
        photons = state[1]
        if photons == 1:
            pulses[0] += 1
            counts[0, state[4]] += 1
        elif photons == 2 and state[2] != state[3]:
            pulses[1] += 1
            early, late = min(state[4], state[5]), max(state[4], state[5])
            counts[1, early] += 1
            counts[2, late] += 1
            counts[3, late - early] += 1
        elif photons >= 2:
            pulses[min(photons, 3)] += 1
        state[0] = time[i]
        state[1] = 1
        state[2] = side
        state[4] = bins


@dataclass(frozen=True, eq=False)
class PulsePairsResult:
    """Pulses by the number of photons that followed, and decays of singles and pairs.

    In a pair the earlier photon is that of the biexciton, the later one that of the exciton, each
    where the delays of one dot allow; darks and the emitter's neighbours are still in here.

    Attributes:
        pulses_single: Pulses with one photon.
        pulses_pair: Pulses with one photon on each side.
        pulses_same_side: Pulses with two photons on one side.
        pulses_more: Pulses with more than two.
        pulses_total: Pulses of the whole time, with or without photons.
        single: Decay of single photons, (delay bin,), int64.
        first: Decay of the earlier photon of pairs.
        second: Decay of the later photon of pairs.
        second_after_first: Delay of the later photon after the earlier one.
        delay_bin_s: Width of a bin, s.
    """

    pulses_single: int
    pulses_pair: int
    pulses_same_side: int
    pulses_more: int
    pulses_total: int
    single: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    second_after_first: NDArray[np.int64]
    delay_bin_s: float


class PulsePairs(Analysis):
    """Sorts photons by pulse into singles and pairs on two sides (T3)."""

    def __init__(
        self, stream: Stream, sides: Sides = (0, 1), gate_bins: tuple[int, int] | None = None
    ) -> None:
        if stream.mode != 3:
            raise ValueError("only T3 records tell the pulse of a photon")
        self._side_of = sides_of(sides)
        bins, self._delay_bin_s = stream.format.delay_bins, stream.delay_bin_s
        self._gate = gate_bins or (0, bins)
        self._a = int(np.argmin(self._side_of))
        self._state = np.array([-1, 0, 0, 0, 0, 0], np.int64)
        self._pulses = np.zeros(4, np.int64)
        self._counts = np.zeros((4, bins), np.int64)
        self._end_tick = 0

    def feed(self, block: PhotonBlock) -> None:
        """Sort the photons of the next block."""
        self._end_tick = block.end_tick
        photons = block.time_ticks, block.channel, block.delay_bins
        self._sort(photons, self._state, self._pulses, self._counts)

    def result(self, delay_bins: int | None = None) -> PulsePairsResult:
        """Return the pulses so far; ``delay_bins`` shortens the decays."""
        pulses, counts = self._pulses.copy(), self._counts.copy()
        # A photon of no pulse closes the last one.
        time, channel = np.array([-2], np.int64), np.array([self._a], np.uint8)
        delay = np.array([self._gate[0]], np.uint16)
        photons = fixed(time), fixed(channel), fixed(delay)
        self._sort(photons, self._state.copy(), pulses, counts)
        single, pair, same_side, more = map(int, pulses)
        return PulsePairsResult(
            single,
            pair,
            same_side,
            more,
            self._end_tick,
            *(row[:delay_bins].copy() for row in counts),
            delay_bin_s=self._delay_bin_s,
        )

    def _sort(
        self,
        photons: _Photons,
        state: NDArray[np.int64],
        pulses: NDArray[np.int64],
        counts: NDArray[np.int64],
    ) -> None:
        first, end = self._gate
        sort_pulses(*photons, self._side_of, first, end, state, pulses, counts)
