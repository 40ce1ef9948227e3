"""Count rates of a dot while it is on, as if detectors lost and added nothing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Measured, dead_time_corrected, threshold_trace
from labctl.errors import AnalysisError
from labctl.results._pair_points import PairPoint
from labctl.results._pair_records import PairRecords
from labctl.results._stored_photons import StoredPhotons

__all__ = ["ClickFacts", "bright_rate", "stored_rate"]

_DIP = 4.0
"""Bins so many standard deviations below the level hold a short time off."""


@dataclass(frozen=True)
class ClickFacts:
    """What a detector adds and loses.

    Attributes:
        dark_hz: Rate without light.
        dead_time_s: Time after a click in which it gives no other one.
        afterpulsing: Chance that a click is followed by one without a photon.
    """

    dark_hz: Measured
    dead_time_s: float
    afterpulsing: float

    def photons_hz(self, clicks_hz: Measured, rep_rate_hz: float, lifetime_s: float) -> Measured:
        """Return the rate of photons of light after pulses, from that of the clicks."""
        rate = dead_time_corrected(
            np.array([clicks_hz.value]),
            self.dead_time_s,
            rep_rate_hz=rep_rate_hz,
            lifetime_s=lifetime_s,
        )
        light = Measured(float(rate[0]) - self.dark_hz.value, clicks_hz.error)
        return light.plus_systematic(self.dark_hz.error).scaled(1 / (1 + self.afterpulsing))


def stored_rate(one: PairPoint) -> Measured:
    """Return the photons of both detectors of a point per second while the dot is on, Hz.

    Without raw records there is no trace, and the mean rate has to do.

    Raises:
        AnalysisError: No laser pulses are known, or the dot was never on.
    """
    source = one.source
    rep_rate_hz = source.rep_rate_hz
    if not rep_rate_hz:
        raise AnalysisError(f"point {source.point}: the laser's repetition rate is not known")
    facts = (_facts(one, 0), _facts(one, 1))
    if one.records is not None:
        return bright_rate(one.records, facts, rep_rate_hz, one.crosstalk_bins)
    live_s = max(source.live_s, 1e-9)
    rates = [source.rate_hz(name) for name in source.detectors[:2]]
    clicks = [Measured(rate, max(rate * live_s, 1.0) ** 0.5 / live_s) for rate in rates]
    return _sum(clicks, facts, rep_rate_hz, 0.0)


def bright_rate(
    records: PairRecords,
    facts: tuple[ClickFacts, ClickFacts],
    rep_rate_hz: float,
    crosstalk_bins: tuple[int, int] | None = None,
) -> Measured:
    """Return the photons of both detectors per second while the dot is on, Hz.

    The second photon of a pulse that meets the dead time of the same detector is made up for:
    as many such pairs as those on two detectors tell.

    Args:
        records: Of the point.
        facts: Of both detectors.
        rep_rate_hz: Of the laser.
        crosstalk_bins: First bin and end of the gaps that hold cross-talk.

    Raises:
        AnalysisError: The trace is too short, or the dot was never on.
    """
    counts = records.trace.sum(axis=1)
    on = _fully_on(counts, threshold_trace(counts, records.trace_bin_s).on)
    if not on.any():
        raise AnalysisError("the dot was never on")
    chosen = records.trace[on]
    live_s = len(chosen) * records.trace_bin_s
    totals = [float(total) for total in chosen.sum(axis=0)]
    clicks = [Measured(total / live_s, max(total, 1.0) ** 0.5 / live_s) for total in totals]
    found = _sum(clicks, facts, rep_rate_hz, _lifetime_s(records))
    lost = _same_side(records, facts, crosstalk_bins)
    return found.scaled(1 + lost / max(float(counts.sum()), 1.0))


def _fully_on(counts: NDArray[np.int64], on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which bins are on all the time: no neighbour is off, and no short dip lies within."""
    padded = np.concatenate([on[:1], on, on[-1:]])
    inner = padded[:-2] & on & padded[2:]
    inner = inner if inner.any() else on
    if not inner.any():
        return inner
    level = float(np.median(counts[inner]))
    return inner & (counts > level - _DIP * level**0.5)


def _same_side(
    records: PairRecords,
    facts: tuple[ClickFacts, ClickFacts],
    crosstalk_bins: tuple[int, int] | None,
) -> float:
    """Return how many second photons of a pulse were lost in the dead time of one detector."""
    gaps = records.pulses.second_after_first.copy()
    if crosstalk_bins is not None:
        gaps[crosstalk_bins[0] : crosstalk_bins[1]] = 0
    photons = np.maximum(records.trace.sum(axis=0).astype(np.float64), 1.0)
    lost = 0.0
    for side in (0, 1):
        end = int(facts[side].dead_time_s / records.delay_bin_s)
        lost += float(gaps[:end].sum()) * photons[side] / (2 * photons[1 - side])
    return lost


def _facts(one: PairPoint, side: int) -> ClickFacts:
    source: StoredPhotons = one.source
    head = f"detectors.{source.detectors[side]}"
    dead_ns = source.setting(f"{head}.dead_time_ns") or 0.0
    chance = source.setting(f"{head}.afterpulse_probability") or 0.0
    return ClickFacts(one.dark_hz[side], 1e-9 * dead_ns, chance)


def _sum(
    clicks: list[Measured],
    facts: tuple[ClickFacts, ClickFacts],
    rep_rate_hz: float,
    lifetime_s: float,
) -> Measured:
    a, b = (
        fact.photons_hz(rate, rep_rate_hz, lifetime_s)
        for fact, rate in zip(facts, clicks, strict=True)
    )
    return Measured(a.value + b.value, float(np.hypot(a.error, b.error)))


def _lifetime_s(records: PairRecords) -> float:
    """Return the mean delay after the most frequent one, s: good enough for dead times."""
    counts = records.pulses.single
    if not counts.sum() > 0:
        return 0.0
    peak = int(counts.argmax())
    after = counts[peak:].astype(np.float64)
    after -= np.median(after)
    total = max(float(after.sum()), 1.0)
    return max(float(after @ np.arange(after.size)) / total, 0.0) * records.delay_bin_s
