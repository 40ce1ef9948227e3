"""What is done while photons come in: guard, displays, disk, stop rules."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic

from labctl.clock import Clock
from labctl.errors import NoReplyError
from labctl.measurements._context import Context, Grown
from labctl.measurements._photon_job import Job, Part
from labctl.measurements._stop import Progressed
from labctl.roles import TimeTagger

__all__ = ["Watch", "answering"]

_GUARD_S = 0.2
"""The rate meters have a gate of 0.1 s; the guard looks at every second reading at the latest."""
_LIVE_S = 1.0
_EYE_S = 0.25
"""Of life: in virtual time seconds pass faster than anybody reads."""
_SYNC_S = 10.0
_POLL_S = (0.005, 0.1)
_HUNG_S, _LOOK_S = 2.0, 0.25
"""The module's calls take milliseconds; one that takes seconds of life does not come back."""


@contextmanager
def answering(clock: Clock, tagger: TimeTagger) -> Generator[None]:
    """While the light is on, do not wait for a module that hangs as long as for other instruments.

    Raises:
        NoReplyError: A call has not returned.
    """

    def look() -> None:
        if tagger.busy_s() > _HUNG_S:
            what = f"the call has not returned for {_HUNG_S:g} s, with the light on"
            raise NoReplyError(tagger.name, "photons", what, "switch the module off and on")

    cancel = clock.call_every(_LOOK_S, look)
    try:
        yield
    finally:
        cancel()


class Watch:
    """What is done beside the reading of records, each at its own pace."""

    def __init__(
        self,
        context: Context,
        job: Job,
        before: Sequence[Part],
        part: Part,
        started_s: float,
    ) -> None:
        self._context, self._job, self._part = context, job, part
        self._parts = (*before, part)
        self._before = tuple((p.live_s, sum(job.counted(p.books).values())) for p in before)
        self._guard_s, self._live_s = started_s + _GUARD_S, started_s + _LIVE_S
        self._sync_s = started_s + _SYNC_S
        self._error: float | None = None
        self._failed = False
        self._live: Mapping[str, float] = {}
        self._again_s = 0.0
        self._seen: dict[str, int] = dict.fromkeys((d.name for d in job.detectors), 0)
        self._seen_s = started_s

    def period_s(self) -> float:
        """Return when to read again, s: long before the buffer is full."""
        part, most = self._part, self._job.tagger.fifo_records()
        if part.live_s <= 0.0:
            return _POLL_S[0]
        rate_hz = max(part.books.records / part.live_s, 1.0)
        return min(max(most / 8 / rate_hz, _POLL_S[0]), _POLL_S[1])

    def guard(self) -> None:
        """Look at the rates of the detectors if that is due.

        Raises:
            ProtectionError: Too much light; it has been shut.
        """
        now_s = self._context.clock.now()
        if now_s >= self._guard_s:
            self._guard_s = now_s + _GUARD_S
            for detector in self._job.detectors:
                detector.read_count_rate()

    def look(self) -> None:
        """Tell displays, bring records to the disk; what is due."""
        now_s = self._context.clock.now()
        if now_s >= self._live_s:
            self._live_s = now_s + _LIVE_S
            self._check_alive(now_s)
            self._tell()
        writer = self._part.pipeline.writer
        if now_s >= self._sync_s and writer is not None:
            self._sync_s = now_s + _SYNC_S
            writer.sync()

    def rule_met(self) -> str:
        """Return the stop rule that is met, or an empty text."""
        return self._job.stop.met(self._progressed())

    def _check_alive(self, now_s: float) -> None:
        counts = self._job.counted(self._part.books)
        over_s = now_s - self._seen_s
        for detector in self._job.detectors:
            fresh = counts[detector.name] - self._seen[detector.name]
            detector.check_alive(fresh / over_s, over_s)
        self._seen, self._seen_s = counts, now_s

    def _tell(self) -> None:
        job, part = self._job, self._part
        values = self._live_values()
        self._error = values.get("relative_error")
        counts = job.counted(part.books)
        rates = {f"{name}_count_rate_hz": n / part.live_s for name, n in counts.items()}
        done = self._progressed()
        told = {"counts": float(done.counts), "live_time_s": done.live_s, **rates, **values}
        self._context.live(told)
        text = f"{done.counts} photons in {done.live_s:.1f} s"
        self._context.progress(text, job.stop.fraction(done))
        self._context.show(lambda: self._grown(done.live_s))

    def _grown(self, live_s: float) -> Grown:
        found = self._job.grown(self._job, self._parts)
        return Grown(found.arrays, {"live_s": live_s, **found.facts})

    def _live_values(self) -> Mapping[str, float]:
        """Return what has come out so far; fits that only an eye heeds are not made faster."""
        began_s = monotonic()
        if self._job.stop.relative_error is not None or began_s >= self._again_s:
            self._again_s = began_s + _EYE_S
            self._live = self._come_out()
        return self._live

    def _come_out(self) -> Mapping[str, float]:
        job = self._job
        try:
            return job.live(job, self._part.pipeline.analyses)
        # The last resort: whatever becomes of a live result, the photons go on.
        except Exception as error:
            if not self._failed:
                text = f"no live results, the photons are kept all the same: {error!r}"
                self._context.warn_once(job.tagger.name, text)
            self._failed = True
            return {}

    def _progressed(self) -> Progressed:
        job, part, laser = self._job, self._part, self._context.table.laser
        live_s = part.live_s + sum(seconds for seconds, _ in self._before)
        counts = sum(job.counted(part.books).values()) + sum(n for _, n in self._before)
        dose = None
        if job.fluence_uj_cm2 is not None and laser is not None and laser.rep_rate_hz:
            dose = job.fluence_uj_cm2 * laser.rep_rate_hz * live_s * job.light
        return Progressed(live_s, counts, dose, self._error)
