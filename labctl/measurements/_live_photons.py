"""The live view of photons: decay, count rates and coincidences, counted anew again and again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.measurements._acquire import arm, looking
from labctl.measurements._context import Context
from labctl.measurements._exposure import excitation
from labctl.measurements._live import Live
from labctl.measurements._optical_table import OpticalTable
from labctl.measurements._paths import take_path
from labctl.measurements._photon_job import Job
from labctl.measurements._photon_measurement import binning_for, codes
from labctl.measurements._photon_watch import answering
from labctl.measurements._stop import Stop
from labctl.photons import Decays, PhotonPipeline, PulsedG2, Trace
from labctl.roles import PhotonCounter, TaggerSettings, TimeTagger
from labctl.units import Seconds

__all__ = ["LivePhotons"]

_LONGEST_S = 36_000.0
_LOOK_S = 0.1
_GUARD_S = 0.2
_TRACE_S = 0.05
_PULSES = 10
_LEAST_BINS = 4096


class LivePhotons(Live):
    """Photons of all detectors at the module, pulse by pulse (T3).

    Attributes:
        restart_s: So long the histograms grow before they begin anew, s.
        light: Whether excitation light is let in.
        path: Light path; None: ``hbt`` or ``apd``, as the set-up has it.
    """

    kind: ClassVar[str] = "live_photons"
    needs: ClassVar[tuple[str, ...]] = ("time_tagger", "photon_counter", "shutter")

    restart_s: Seconds = Field(60.0, gt=0)
    light: bool = True
    path: str | None = None

    def run(self, context: Context) -> None:
        """Show photons until a command ends it."""
        tagger = context.station.only(TimeTagger, prefer="tagger")
        every = [context.station[name] for name in context.station]
        detectors = tuple(
            one for one in every if isinstance(one, PhotonCounter) and one.tagger == tagger.name
        )
        default = "hbt" if len(detectors) > 1 else "apd"
        take_path(context, self.path, default, [one.name for one in detectors])
        job = self._job(context.table, tagger, detectors)
        arm(context, job)
        with looking(detectors), excitation(context, self.light), answering(context.clock, tagger):
            while True:
                self._round(context, job)

    def _job(
        self, table: OpticalTable, tagger: TimeTagger, detectors: tuple[PhotonCounter, ...]
    ) -> Job:
        settings = TaggerSettings("t3", _LONGEST_S, binning_for(table, tagger))
        stop = Stop.model_validate({"time": f"{_LONGEST_S} s"})
        return Job(tagger, settings, detectors, stop, make=lambda _: (), light=self.light)

    def _round(self, context: Context, job: Job) -> None:
        tagger = job.tagger
        pipeline = _pipeline(job)
        began_s = guard_s = context.clock.now()
        tagger.start()
        try:
            while context.clock.now() < began_s + self.restart_s and tagger.running():
                context.wait(_LOOK_S, what=f"{tagger.name} photons", bankable=True)
                rates_hz: dict[str, float] = {}
                if context.clock.now() >= guard_s:
                    guard_s = context.clock.now() + _GUARD_S
                    rates_hz = {one.name: one.read_count_rate() for one in job.detectors}
                records = tagger.read_records()
                pipeline.feed(records, hurry=2 * len(records) > tagger.fifo_records())
                live_s = context.clock.now() - began_s
                self._tell(_Seen(job, pipeline, live_s, rates_hz, _period_ps(context.table)))
        finally:
            tagger.stop()

    def _tell(self, seen: "_Seen") -> None:
        if seen.rates_hz:
            limits = {one.name: one.warn_rate_hz for one in seen.job.detectors}
            facts = {"rates_hz": seen.rates_hz, "warn_hz": limits}
            self.show("rates", seen.trace(), facts)
        facts = {"live_s": seen.live_s, "period_ps": seen.period_ps}
        self.show("decay", seen.decay(), facts)
        pairs = seen.pairs()
        if pairs:
            self.show("g2", pairs, facts)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What has come in the present round."""

    job: Job
    pipeline: PhotonPipeline
    live_s: float
    rates_hz: Mapping[str, float]
    period_ps: float | None

    def decay(self) -> dict[str, NDArray[Any]]:
        """Return counts by detector and delay, and the delay, ps."""
        decays = _only(self.pipeline, Decays)
        channels = codes(self.job.tagger, self.job.detectors)
        bin_ps = self.job.tagger.delay_bin_ps()
        bins = self.job.tagger.delay_bins()
        if self.period_ps is not None:
            bins = min(bins, int(np.ceil(self.period_ps / bin_ps)))
        counts = decays.result(max(channels) + 1, bins).counts[list(channels)]
        # The window shows no more than some thousand bins at once.
        together = max(1, bins // _LEAST_BINS)
        whole = bins - bins % together
        shown = counts[:, :whole].reshape(len(channels), -1, together).sum(axis=2)
        delay_ps = np.arange(shown.shape[1], dtype=np.float64) * (bin_ps * together)
        return {"counts": shown.astype(np.uint32), "delay": delay_ps}

    def trace(self) -> dict[str, NDArray[Any]]:
        """Return count rates of the last minute by time and detector, Hz, and the time, s."""
        found = _only(self.pipeline, Trace).result()
        last = slice(-1200, None)
        return {"rate": found.rate_hz[last], "time": found.begin_s[last]}

    def pairs(self) -> dict[str, NDArray[Any]]:
        """Return pairs by the difference of their pulses, and how many are expected."""
        if len(self.job.detectors) < 2:
            return {}
        found = _only(self.pipeline, PulsedG2).result()
        return {"peak": found.pulses, "areas": found.counts, "areas_expected": found.expected}


def _pipeline(job: Job) -> PhotonPipeline:
    stream = job.tagger.stream()
    channels = codes(job.tagger, job.detectors)
    analyses: list[Any] = [Decays(stream), Trace(stream, _TRACE_S, channels)]
    if len(channels) > 1:
        analyses.append(PulsedG2((channels[0], channels[1]), max_pulses=_PULSES))
    return PhotonPipeline(stream, analyses)


def _only(pipeline: PhotonPipeline, kind: type[Any]) -> Any:
    analyses: Sequence[Any] = pipeline.analyses
    return next(one for one in analyses if isinstance(one, kind))


def _period_ps(table: OpticalTable) -> float | None:
    laser = table.laser
    return 1e12 / laser.rep_rate_hz if laser is not None and laser.rep_rate_hz else None
