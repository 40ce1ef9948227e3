"""Pairs of one point, counted again from its raw records."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Measured
from labctl.photons import (
    Analysis,
    PairBooks,
    PhotonBlock,
    PulsedDelays,
    PulsedDelaysResult,
    PulsePairs,
    PulsePairsResult,
    Stream,
    Trace,
)
from labctl.results._echoes import Echoes
from labctl.results._replay import channels, replayed
from labctl.results._stored_photons import StoredPhotons

__all__ = ["PairCounters", "PairRecords", "joined_books", "joined_delays", "read_pairs"]

_PERIODS = 20
_COLUMN_S = 256e-12
_TRACE_S = 0.01
_MOST_BINS = 1250


@dataclass(frozen=True, eq=False)
class PairRecords:
    """What the photons of two detectors behind a splitter tell, side a and side b.

    Attributes:
        delays: Pairs by difference of pulses and of delays.
        pulses: Pulses by their photons, with the delays of singles and pairs; one period.
        late: Clicks of each side that are afterpulses of an earlier period.
        late_delays: The same of both sides by delay, shape (delay bin,).
        trace: Counts by time bin and side, shape (bin, 2), int64.
        trace_bin_s: Width of a time bin, s.
        group: Delay bins of the records in one of ``pulses`` and ``late_delays``.
        delay_bin_s: Width of one of these, s.
    """

    delays: PulsedDelaysResult
    pulses: PulsePairsResult
    late: tuple[Measured, Measured]
    late_delays: NDArray[np.float64]
    trace: NDArray[np.int64]
    trace_bin_s: float
    group: int
    delay_bin_s: float


class _Grouped(Analysis):
    """Hands photons on with several delay bins in one: fits need no finer ones."""

    def __init__(self, group: int, analyses: tuple[Analysis, ...]) -> None:
        self._group, self._analyses = np.uint16(group), analyses

    def feed(self, block: PhotonBlock) -> None:
        coarse = replace(block, delay_bins=block.delay_bins // self._group)
        for analysis in self._analyses:
            analysis.feed(coarse)


class PairCounters:
    """The analyses that make `PairRecords` of a stream."""

    def __init__(self, stream: Stream, sides: tuple[int, int]) -> None:
        """Count pairs of two channels of T3 records."""
        period_bins = int(np.ceil(stream.tick_s / stream.delay_bin_s))
        self._bins = min(stream.format.delay_bins, period_bins)
        column = max(1, round(_COLUMN_S / stream.delay_bin_s))
        self._delays = PulsedDelays(
            sides, max_pulses=_PERIODS, delay_bins=self._bins, bins_per_column=column
        )
        self._group = max(1, math.ceil(self._bins / _MOST_BINS))
        self._coarse = replace(stream, delay_bin_s=self._group * stream.delay_bin_s)
        self._bins = math.ceil(self._bins / self._group)
        self._pulses = PulsePairs(self._coarse, sides, (0, self._bins))
        self._echoes = Echoes(sides, self._bins)
        self._trace = Trace(stream, _TRACE_S, sides)

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        """All of them, to be fed."""
        grouped = _Grouped(self._group, (self._pulses, self._echoes))
        return (self._delays, grouped, self._trace)

    def records(self) -> PairRecords:
        """Return what came so far."""
        trace = self._trace.result()
        return PairRecords(
            self._delays.result(),
            self._pulses.result(self._bins),
            (self._echoes.late(0), self._echoes.late(1)),
            self._echoes.late_delays(0) + self._echoes.late_delays(1),
            trace.counts,
            trace.bin_s,
            self._group,
            self._coarse.delay_bin_s,
        )


def read_pairs(stored: StoredPhotons) -> PairRecords:
    """Count the pairs of the first two detectors of a point in its raw records.

    Raises:
        AnalysisError: The records are missing or cannot be read, or are not those of T3.
    """
    a, b = channels(stored)[:2]
    made: list[PairCounters] = []

    def make(stream: Stream) -> Sequence[Analysis]:
        made.append(PairCounters(stream, (a, b)))
        return made[-1].analyses

    replayed(stored, make)
    return reduce(_joined, (counters.records() for counters in made))


def _joined(one: PairRecords, other: PairRecords) -> PairRecords:
    """Return two parts of a point as one."""
    return replace(
        one,
        delays=joined_delays(one.delays, other.delays),
        pulses=_pulses(one.pulses, other.pulses),
        late=(_sum(one.late[0], other.late[0]), _sum(one.late[1], other.late[1])),
        late_delays=one.late_delays + other.late_delays,
        trace=np.concatenate([one.trace, other.trace]),
    )


def joined_delays(one: PulsedDelaysResult, other: PulsedDelaysResult) -> PulsedDelaysResult:
    """Return pairs of two parts of a point as one."""
    return replace(
        one, counts=one.counts + other.counts, books=joined_books(one.books, other.books)
    )


def joined_books(one: PairBooks, other: PairBooks) -> PairBooks:
    """Return the books of two parts of a point as one."""
    return PairBooks(
        one.photons_a + other.photons_a,
        one.photons_b + other.photons_b,
        one.covered_ticks + other.covered_ticks,
        one.seen + other.seen,
        one.crowded + other.crowded,
    )


def _pulses(one: PulsePairsResult, other: PulsePairsResult) -> PulsePairsResult:
    return PulsePairsResult(
        one.pulses_single + other.pulses_single,
        one.pulses_pair + other.pulses_pair,
        one.pulses_same_side + other.pulses_same_side,
        one.pulses_more + other.pulses_more,
        one.pulses_total + other.pulses_total,
        one.single + other.single,
        one.first + other.first,
        one.second + other.second,
        one.second_after_first + other.second_after_first,
        one.delay_bin_s,
    )


def _sum(one: Measured, other: Measured) -> Measured:
    return Measured(one.value + other.value, float(np.hypot(one.error, other.error)))
