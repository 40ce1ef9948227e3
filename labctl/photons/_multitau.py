"""Correlation on a logarithmic scale of lags: blinking, from microseconds to minutes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl.photons._analysis import Analysis, lookup
from labctl.photons._decoder import PhotonBlock
from labctl.photons._formats import Stream
from labctl.photons._numba import Array, fixed, int64, kernel

__all__ = ["MultiTau", "MultiTauResult"]

_LAGS = 16
"""Lags of the first level; each level above has the upper half, at twice the width."""


@kernel(
    "void(TIMES, CHANNELS, SIDES, boolean, int64, int64[:, ::1],"
    " int64[:, :, ::1], int64[::1], int64[:, ::1])"
)
def cascade(
    time: Array,
    channel: Array,
    side_of: Array,
    same: bool,
    bin_ticks: int,
    open_bins: Array,
    history: Array,
    heads: Array,
    sums: Array,
) -> None:
    """Correlate photons on levels of doubling bin width.

    On each level the newest bin is open: (number, counts of a, counts of b), number -1 at first.
    When a photon of a later bin comes, the open bin is complete: it is correlated with the bins
    before it in ``history``, joins them, and goes to the level above, where two bins are one.
    """
    for i in range(len(time)):
        side = side_of[channel[i]]
        if side == 0:
            continue
        number = time[i] // bin_ticks
        a = int64(side <= 1) if not same else 1
        b = int64(side > 1) if not same else 1
        for level in range(len(open_bins)):
            if open_bins[level, 0] == number:
                open_bins[level, 1] += a
                open_bins[level, 2] += b
                break
            done, done_a, done_b = open_bins[level, 0], open_bins[level, 1], open_bins[level, 2]
            open_bins[level, 0] = number
            open_bins[level, 1] = a
            open_bins[level, 2] = b
            if done < 0:
                break
            if level == 0:
                sums[0, 0] += done_a * (done_b - 1) if same else done_a * done_b
            head = heads[level]
            for back in range(1, 16):
                older = (head - back) & 15
                lag = done - history[level, older, 0]
                if lag < 0 or lag > 15:
                    break
                sums[level, lag] += history[level, older, 1] * done_b
            history[level, head & 15, 0] = done
            history[level, head & 15, 1] = done_a
            heads[level] = head + 1
            number = done >> 1
            a = done_a
            b = done_b


@dataclass(frozen=True, eq=False)
class MultiTauResult:
    """Correlation by lag.

    Attributes:
        lag_s: Lag from the middle of a bin to that of a later one, b after a, s.
        width_s: Width of the bins, s: the lag is averaged over a triangle of this half width.
        pairs: Products of counts, summed, int64.
        photons_a: Photons on side a.
        photons_b: Photons on side b.
        stretches_s: Uninterrupted times that were used, s.
    """

    lag_s: NDArray[np.float64]
    width_s: NDArray[np.float64]
    pairs: NDArray[np.int64]
    photons_a: int
    photons_b: int
    stretches_s: NDArray[np.float64]

    @property
    def expected(self) -> NDArray[np.float64]:
        """Return the pairs of uncorrelated photons: N_a N_b w (T - lag) / T^2, less each end."""
        total_s = float(self.stretches_s.sum())
        rest_s = np.maximum(self.stretches_s[:, None] - self.lag_s, 0.0).sum(axis=0)
        return self.photons_a * self.photons_b * self.width_s * rest_s / max(total_s, 1e-300) ** 2

    @property
    def g2(self) -> NDArray[np.float64]:
        """Return pairs over those of uncorrelated photons; NaN where none can be."""
        expected = self.expected
        return self.pairs / np.where(expected > 0, expected, np.nan)


class _State(NamedTuple):
    """What a stretch has left behind, as ``cascade`` wants it."""

    open_bins: NDArray[np.int64]
    history: NDArray[np.int64]
    heads: NDArray[np.int64]


class MultiTau(Analysis):
    """Correlates one side with a later other, or one with itself, on doubling bin widths."""

    heavy: ClassVar[bool] = True

    def __init__(
        self,
        stream: Stream,
        first_bin_s: float,
        *,
        a: Iterable[int] = (0, 1),
        b: Iterable[int] | None = None,
        levels: int = 20,
    ) -> None:
        """Choose channels and lags.

        Args:
            stream: What a tick is.
            first_bin_s: Width of the bins of the first level, rounded to whole ticks, s.
            a: Channels of side a.
            b: Channels of side b, none of those of a; without it a is correlated with itself.
            levels: Number of bin widths; the largest lag is about 8 first bins times 2^levels.
        """
        if not 1 <= levels <= 30:
            raise ValueError(f"levels is 1 to 30, not {levels}")
        first, second = set(a), set(b or ())
        if not first or first & second:
            raise ValueError("sides a and b are different, non-empty groups of channels")
        self._same = b is None
        table = {**dict.fromkeys(first, 1), **dict.fromkeys(second, 2)}
        self._side_of = lookup(table, default=0)
        self._tick_s, self._levels = stream.tick_s, levels
        self._bin = max(1, round(first_bin_s / stream.tick_s))
        self._sums = np.zeros((levels, _LAGS), np.int64)
        self._photons = np.zeros(128, np.int64)
        self._stretches: list[int] = []
        self._begin()

    def feed(self, block: PhotonBlock) -> None:
        """Correlate the photons of the next block."""
        self._cascade(block.time_ticks, block.channel, self._state, self._sums)
        self._photons += np.bincount(block.channel, minlength=128)
        self._ticks += block.end_tick - block.begin_tick
        self._end_tick = block.end_tick

    def skip(self, block: PhotonBlock) -> None:
        """Leave a block out; lags across it are not counted and not expected."""
        del block
        if self._ticks:
            self._close(self._state, self._sums)
            self._stretches.append(self._ticks)
        self._begin()

    def result(self) -> MultiTauResult:
        """Return the correlation so far."""
        sums = self._sums.copy()
        self._close(_State(*(array.copy() for array in self._state)), sums)
        level, lag = np.divmod(np.arange(self._levels * _LAGS), _LAGS)
        kept = (level == 0) | (lag >= _LAGS // 2)
        width_s = (self._bin * self._tick_s) * 2.0 ** level[kept]
        a = int(self._photons[self._side_of == 1].sum())
        b = a if self._same else int(self._photons[self._side_of == 2].sum())
        stretches = np.array([*self._stretches, self._ticks], np.float64) * self._tick_s
        return MultiTauResult(lag[kept] * width_s, width_s, sums.ravel()[kept], a, b, stretches)

    def _begin(self) -> None:
        never = -1 - 2 * _LAGS
        open_bins = np.full((self._levels, 3), -1, np.int64)
        history = np.full((self._levels, _LAGS, 2), never, np.int64)
        self._state = _State(open_bins, history, np.zeros(self._levels, np.int64))
        self._ticks = self._end_tick = 0

    def _cascade(
        self,
        time: NDArray[np.int64],
        channel: NDArray[np.uint8],
        state: _State,
        sums: NDArray[np.int64],
    ) -> None:
        cascade(time, channel, self._side_of, self._same, self._bin, *state, sums)

    def _close(self, state: _State, sums: NDArray[np.int64]) -> None:
        """Complete the open bins with photons so far apart that no lag reaches the next."""
        apart = self._bin << (self._levels + 5)
        times = self._end_tick + apart * np.arange(1, self._levels + 2, dtype=np.int64)
        channel = np.full(len(times), int(np.flatnonzero(self._side_of == 1)[0]), np.uint8)
        self._cascade(fixed(times), fixed(channel), state, sums)
