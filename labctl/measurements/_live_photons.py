"""The live view of photons: decay, count rates and coincidences, counted anew again and again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.analysis import warm_up_decays
from labctl.measurements._acquire import arm, looking
from labctl.measurements._context import Context
from labctl.measurements._exposure import excitation
from labctl.measurements._live import Live
from labctl.measurements._live_fit import LiveFit, irf_in_force, live_fit
from labctl.measurements._optical_table import OpticalTable
from labctl.measurements._paths import take_path
from labctl.measurements._photon_job import Job
from labctl.measurements._photon_measurement import behind_spectrograph, binning_for, codes
from labctl.measurements._photon_watch import answering
from labctl.measurements._settings import spectrograph_settings
from labctl.measurements._stop import Stop
from labctl.photons import Decays, PhotonPipeline, PulsedG2, Trace
from labctl.roles import PhotonCounter, Spectrograph, TaggerSettings, TimeTagger
from labctl.units import Seconds

__all__ = ["LivePhotons"]

_LONGEST_S = 36_000.0
_LOOK_S = 0.1
_GUARD_S = 0.2
_TRACE_S = 0.05
_PULSES = 10
_LEAST_BINS = 4096
_FIT_S = 1.0


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
        spectrograph = self._spectrograph(context, self.path or default)
        job = self._job(context.table, tagger, detectors, spectrograph)
        if context.calibrations.get("irf"):
            # What fits is compiled before any light is let in.
            warm_up_decays()
        arm(context, job)
        with looking(detectors), excitation(context, self.light), answering(context.clock, tagger):
            while True:
                self._round(context, job)

    def _spectrograph(self, context: Context, path: str) -> dict[str, Any]:
        if not behind_spectrograph(context, path):
            return {}
        return spectrograph_settings(context.station.only(Spectrograph, prefer="spectrograph"))

    def _job(
        self,
        table: OpticalTable,
        tagger: TimeTagger,
        detectors: tuple[PhotonCounter, ...],
        spectrograph: dict[str, Any],
    ) -> Job:
        settings = TaggerSettings("t3", _LONGEST_S, binning_for(table, tagger))
        stop = Stop.model_validate({"time": f"{_LONGEST_S} s"})
        return Job(
            tagger,
            settings,
            detectors,
            stop,
            make=lambda _: (),
            light=self.light,
            spectrograph=spectrograph,
        )

    def _round(self, context: Context, job: Job) -> None:
        tagger = job.tagger
        pipeline = _pipeline(job)
        began_s = guard_s = context.clock.now()
        lifetime = _Lifetime(context, job)
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
                seen = _Seen(job, pipeline, live_s, rates_hz, _period_ps(context.table))
                self._tell(seen, lifetime.of(seen))
        finally:
            tagger.stop()

    def _tell(self, seen: "_Seen", fit: LiveFit | None) -> None:
        names = [one.name for one in seen.job.detectors]
        if seen.rates_hz:
            limits = {one.name: one.warn_rate_hz for one in seen.job.detectors}
            facts = {"rates_hz": seen.rates_hz, "warn_hz": limits, "detectors": names}
            self.show("rates", seen.trace(), facts)
        facts = {"live_s": seen.live_s, "period_ps": seen.period_ps, "detectors": names}
        lifetime = {} if fit is None else fit.facts()
        self.show("decay", seen.decay(fit), {**facts, **lifetime})
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

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Counts by detector and delay bin of one period."""
        decays = _only(self.pipeline, Decays)
        channels = codes(self.job.tagger, self.job.detectors)
        bins = self.job.tagger.delay_bins()
        if self.period_ps is not None:
            bins = min(bins, int(np.ceil(self.period_ps / self.job.tagger.delay_bin_ps())))
        found: NDArray[np.int64] = decays.result(max(channels) + 1, bins).counts[list(channels)]
        return found

    def decay(self, fit: LiveFit | None) -> dict[str, NDArray[Any]]:
        """Return counts by detector and delay, what a fit expects, and the delay, ps."""
        # The window shows no more than some thousand bins at once.
        together = max(1, self.counts.shape[1] // _LEAST_BINS)
        shown = _together(self.counts, together)
        width_ps = self.job.tagger.delay_bin_ps() * together
        delay_ps = (np.arange(shown.shape[1], dtype=np.float64) + 0.5) * width_ps
        fitted = {} if fit is None else {"fit": _together(fit.expected[np.newaxis], together)[0]}
        return {"counts": shown.astype(np.uint32), "delay": delay_ps, **fitted}

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


class _Lifetime:
    """Fits the decay of the first detector now and then; fits take longer than looks."""

    def __init__(self, context: Context, job: Job) -> None:
        self._context, self._job = context, job
        name, bin_ps = job.detectors[0].name, job.tagger.delay_bin_ps()
        self._irf = irf_in_force(context, name, job.spectrograph, bin_ps)
        self._again_s = 0.0
        self._fit: LiveFit | None = None

    def of(self, seen: _Seen) -> LiveFit | None:
        """Return the newest fit; None: there is no response, or too little light yet."""
        if self._irf is not None and seen.live_s >= self._again_s:
            self._again_s = seen.live_s + _FIT_S
            name, spectrograph = self._job.detectors[0].name, self._job.spectrograph
            fit = live_fit(self._context, seen.counts[0], self._irf, name, spectrograph)
            self._fit = fit or self._fit
        return self._fit


def _together(counts: NDArray[Any], number: int) -> NDArray[Any]:
    """Return the sums of so many neighbouring bins, shape (detector, bin)."""
    whole = counts.shape[1] - counts.shape[1] % number
    return counts[:, :whole].reshape(len(counts), -1, number).sum(axis=2)


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
