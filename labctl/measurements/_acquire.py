"""How time tags are taken: guard, light, records into a file, and everything made of them live."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from labctl.errors import DeviceError, LabctlError
from labctl.measurements._context import Bank, Context
from labctl.measurements._exposure import excitation
from labctl.measurements._stop import Progressed, Stop
from labctl.photons import (
    Analysis,
    PhotonBooks,
    PhotonPipeline,
    PtuDescription,
    PtuWriter,
    StopReason,
    Stream,
    warm_up,
)
from labctl.roles import PhotonCounter, TaggerFlags, TaggerSettings, TimeTagger

__all__ = ["Job", "Part", "acquire"]

_GUARD_S = 0.2
"""The rate meters have a gate of 0.1 s; the guard looks at every second reading at the latest."""
_LIVE_S = 1.0
_SYNC_S = 10.0
_POLL_S = (0.005, 0.1)

Live = Callable[[Sequence[Analysis], PhotonBooks], dict[str, float]]


@dataclass(frozen=True)
class Job:
    """What is to be taken.

    Attributes:
        tagger: The module.
        settings: How it is set.
        detectors: The detectors that count.
        stop: When it ends.
        make: Returns the analyses of a new part of the stream.
        live: Returns what has come out so far; ``relative_error`` is heeded by the stop rule.
        light: Whether excitation light is let in.
        fluence_uj_cm2: Peak fluence of the excitation, uJ/cm²; None: not known.
    """

    tagger: TimeTagger
    settings: TaggerSettings
    detectors: tuple[PhotonCounter, ...]
    stop: Stop
    make: Callable[[Stream], Sequence[Analysis]]
    live: Live = lambda _analyses, _books: {}
    light: bool = True
    fluence_uj_cm2: float | None = None

    def counted(self, books: PhotonBooks) -> dict[str, int]:
        """Return the photons of each detector."""
        code = self.tagger.channel_of
        return {d.name: books.photons.get(code(d.channel), 0) for d in self.detectors}


@dataclass
class Part:
    """Photons between one start and one stop of the module.

    Attributes:
        path: The raw records.
        pipeline: Its books and analyses.
        live_s: Time in which photons were taken, s.
        stopped: The rule that ended it; empty: a pause.
        flags: What the module said.
        dark_hz: Rate of each detector before the light was let in, Hz.
    """

    path: Path
    pipeline: PhotonPipeline
    live_s: float = 0.0
    stopped: str = ""
    flags: TaggerFlags = field(default_factory=TaggerFlags)
    dark_hz: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def books(self) -> PhotonBooks:
        """Return what came."""
        return self.pipeline.books()


def acquire(context: Context, job: Job) -> list[Part]:
    """Take photons until a stop rule is met; a pause that banks begins a new part.

    Returns:
        The parts; raw records of each are a sidecar of the point.

    Raises:
        DeviceError: There is no sync, or the module fails; what came before is kept.
        ProtectionError: Too much light; it has been shut.
    """
    _arm(context, job)
    parts: list[Part] = []
    while not (parts and parts[-1].stopped):
        part = _take(context, job, parts)
        parts.append(part)
        if not part.stopped:
            counts = sum(job.counted(part.books).values())
            context.part([], sidecar=part.path.name, live_time_s=part.live_s, counts=counts)
    return parts


def _arm(context: Context, job: Job) -> None:
    """Set the module, and compile everything before the first photon."""
    tagger = job.tagger
    tagger.configure(job.settings)
    warm_up()
    context.wait(tagger.settle_s, what=f"{tagger.name} rate meters")
    rate_hz = tagger.read_sync_rate()
    if job.settings.mode == "t3" and rate_hz <= 0.0:
        raise DeviceError(
            tagger.name, "read sync rate", "0 Hz", "is the laser on, and its trigger cable in?"
        )


def _take(context: Context, job: Job, before: Sequence[Part]) -> Part:
    with _file(context, job) as part:
        with _looking(job.detectors):
            part.dark_hz = _dark(context, job)
            with excitation(context, job.light):
                _run(context, job, before, part)
    return part


@contextmanager
def _file(context: Context, job: Job) -> Generator[Part]:
    """Open the file of raw records; whatever happens, it is closed, kept and named in the run."""
    tagger = job.tagger
    path = context.new_sidecar(".ptu")
    stream = tagger.stream()
    writer = PtuWriter(path, _description(context, job, stream))
    part = Part(path, PhotonPipeline(stream, job.make(stream), writer))
    failed = True
    try:
        yield part
        failed = False
    finally:
        # After the light, which the caller has shut already.
        with suppress(LabctlError, OSError):
            tagger.stop()
        writer.close(_reason(part, failed), live_time_s=part.live_s)
        context.keep_sidecar(path, live_time_s=part.live_s, records=writer.record_count)


@contextmanager
def _looking(detectors: Sequence[PhotonCounter]) -> Generator[None]:
    """Open the shutters in front of the detectors; they are closed whatever happens."""
    try:
        for detector in detectors:
            detector.set_open(True)
        yield
    except BaseException:
        for detector in detectors:
            with suppress(LabctlError, OSError):
                detector.shut()
        raise
    for detector in detectors:
        detector.shut()


def _dark(context: Context, job: Job) -> dict[str, float]:
    """Let the guard look once before any light comes."""
    context.wait(_GUARD_S, what=f"{job.tagger.name} dark rates")
    return {d.name: d.read_count_rate() for d in job.detectors}


def _run(context: Context, job: Job, before: Sequence[Part], part: Part) -> None:
    tagger = job.tagger
    started_s = context.clock.now()
    tagger.start()
    try:
        _collect(context, job, before, part, started_s)
    except Bank:
        part.stopped = ""
    tagger.stop()
    part.live_s = min(context.clock.now() - started_s, job.settings.acquisition_s)
    _drain(tagger, part.pipeline)
    part.flags = tagger.flags()


def _collect(
    context: Context, job: Job, before: Sequence[Part], part: Part, started_s: float
) -> None:
    tagger, pipeline = job.tagger, part.pipeline
    next_guard_s = started_s + _GUARD_S
    next_live_s, next_sync_s = started_s + _LIVE_S, started_s + _SYNC_S
    period_s = _POLL_S[0]
    while True:
        context.wait(period_s, what=f"{tagger.name} photons", bankable=True)
        records = tagger.read_records()
        pipeline.feed(records, hurry=2 * len(records) > tagger.fifo_records())
        now_s = context.clock.now()
        part.live_s = now_s - started_s
        rate_hz = max(pipeline.books().records / max(part.live_s, 1e-9), 1.0)
        period_s = min(max(tagger.fifo_records() / 8 / rate_hz, _POLL_S[0]), _POLL_S[1])
        if now_s >= next_guard_s:
            next_guard_s = now_s + _GUARD_S
            _guard(job)
        values: dict[str, float] = {}
        if now_s >= next_live_s:
            next_live_s = now_s + _LIVE_S
            values = _tell(context, job, before, part)
        if now_s >= next_sync_s and pipeline.writer is not None:
            next_sync_s = now_s + _SYNC_S
            pipeline.writer.sync()
        done = _progressed(context, job, before, part, values.get("relative_error"))
        ended = not tagger.running()
        part.stopped = job.stop.met(done) or _end_of(tagger.flags()) * ended
        if part.stopped or ended:
            part.stopped = part.stopped or "at_most"
            return


def _guard(job: Job) -> None:
    for detector in job.detectors:
        detector.read_count_rate()


def _end_of(flags: TaggerFlags) -> str:
    return "; ".join(flags.words())


def _drain(tagger: TimeTagger, pipeline: PhotonPipeline) -> None:
    """Take what the module still holds after its stop."""
    while len(records := tagger.read_records()):
        pipeline.feed(records)
    if pipeline.writer is not None:
        pipeline.writer.flush()


def _tell(context: Context, job: Job, before: Sequence[Part], part: Part) -> dict[str, float]:
    books = part.books
    values = job.live(part.pipeline.analyses, books)
    counts = job.counted(books)
    rates = {f"{n}_count_rate_hz": c / max(part.live_s, 1e-9) for n, c in counts.items()}
    done = _progressed(context, job, before, part, values.get("relative_error"))
    context.live({"counts": float(done.counts), "live_time_s": done.live_s, **rates, **values})
    text = f"{done.counts} photons in {done.live_s:.1f} s"
    context.progress(text, job.stop.fraction(done))
    return values


def _progressed(
    context: Context, job: Job, before: Sequence[Part], part: Part, error: float | None
) -> Progressed:
    parts = [*before, part]
    live_s = sum(p.live_s for p in parts)
    counts = sum(sum(job.counted(p.books).values()) for p in parts)
    laser = context.table.laser
    dose = None
    if job.fluence_uj_cm2 is not None and laser is not None and laser.rep_rate_hz:
        dose = job.fluence_uj_cm2 * laser.rep_rate_hz * live_s * job.light
    return Progressed(live_s, counts, dose, error)


def _reason(part: Part, failed: bool) -> StopReason:
    if part.flags.fifo_full:
        return StopReason.FIFO_OVERRUN
    if part.flags.sync_lost:
        return StopReason.SYNC_LOST
    if failed:
        return StopReason.TCSPC_ERROR
    return StopReason.TIME_OVER if part.stopped in ("time", "at_most") else StopReason.MANUAL


def _description(context: Context, job: Job, stream: Stream) -> PtuDescription:
    known = job.tagger.describe()
    return PtuDescription(
        stream=stream,
        created=context.clock.utc(),
        hardware=str(known["hardware"]),
        hardware_version=str(known.get("hardware_version", "")),
        serial=str(known.get("serial", "")),
        inputs=len(job.tagger.inputs()),
        sync_rate_hz=job.tagger.read_sync_rate(),
        acquisition_time_s=job.settings.acquisition_s,
        sync_divider=job.settings.sync_divider,
        binning=2**job.settings.binning,
        comment=", ".join(f"{d.name} at input {d.channel}" for d in job.detectors),
        software_version=version("labctl"),
    )
