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
        return bright_rate(one.records, facts, rep_rate_hz)
    live_s = max(source.live_s, 1e-9)
    rates = [source.rate_hz(name) for name in source.detectors[:2]]
    clicks = [Measured(rate, max(rate * live_s, 1.0) ** 0.5 / live_s) for rate in rates]
    return _sum(clicks, facts, rep_rate_hz, 0.0)


def bright_rate(
    records: PairRecords, facts: tuple[ClickFacts, ClickFacts], rep_rate_hz: float
) -> Measured:
    """Return the photons of both detectors per second while the dot is on, Hz.

    Raises:
        AnalysisError: The trace is too short, or the dot was never on.
    """
    trace = threshold_trace(records.trace.sum(axis=1), records.trace_bin_s)
    on = _inside(trace.on)
    chosen = records.trace[on if on.any() else trace.on]
    if not len(chosen):
        raise AnalysisError("the dot was never on")
    live_s = len(chosen) * records.trace_bin_s
    totals = [float(total) for total in chosen.sum(axis=0)]
    clicks = [Measured(total / live_s, max(total, 1.0) ** 0.5 / live_s) for total in totals]
    return _sum(clicks, facts, rep_rate_hz, _lifetime_s(records))


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


def _inside(on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which bins are on and have no neighbour that is off."""
    padded = np.concatenate([on[:1], on, on[-1:]])
    return padded[:-2] & on & padded[2:]


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
