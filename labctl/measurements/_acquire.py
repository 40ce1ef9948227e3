"""How time tags are taken: guard, light, records into a file, and everything made of them live."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version

from labctl.errors import DeviceError, LabctlError
from labctl.measurements._context import Bank, Context
from labctl.measurements._exposure import excitation
from labctl.measurements._laser_light import let_emit
from labctl.measurements._photon_job import Job, Part
from labctl.measurements._photon_watch import Watch, answering
from labctl.photons import (
    PhotonPipeline,
    PtuDescription,
    PtuWriter,
    StopReason,
    Stream,
    warm_up,
)
from labctl.roles import PhotonCounter, TimeTagger

__all__ = ["acquire", "arm", "looking"]

_DARK_S = 0.2
_OVERRUN = "fifo_full"


def acquire(context: Context, job: Job) -> list[Part]:
    """Take photons until a stop rule is met; a pause that banks begins a new part.

    So does a buffer that has run full, once, as the measurement's ``on_overrun`` says.

    Returns:
        The parts; raw records of each are a sidecar of the point.

    Raises:
        DeviceError: There is no sync, or the module fails, or its buffer runs full again and this
            is to be an error; what came before is kept.
        ProtectionError: Too much light; it has been shut.
    """
    arm(context, job)
    job.armed(job)
    parts: list[Part] = []
    while not (parts and parts[-1].stopped):
        part = _take(context, job, parts)
        parts.append(part)
        if not part.stopped:
            counts = sum(job.counted(part.books).values())
            context.part([], sidecar=part.path.name, live_time_s=part.live_s, counts=counts)
        elif _OVERRUN in part.stopped and _goes_on(context, job, parts):
            part.stopped = ""
    return parts


def _goes_on(context: Context, job: Job, parts: Sequence[Part]) -> bool:
    """Whether what is left of the point is taken after an overrun; it is less, and so is shorter.

    Raises:
        DeviceError: It is the second one, and ``on_overrun`` is ``abort``.
    """
    if job.on_overrun == "flag" or job.lead is not None:
        return False
    tagger = job.tagger
    if sum(part.flags.fifo_full for part in parts) == 1:
        text = "its buffer ran full; what had come is kept, and the rest is taken once more"
        context.message("warning", tagger.name, text)
        return True
    if job.on_overrun == "abort":
        remedy = "let less light onto the detectors, or write 'on_overrun: flag'"
        raise DeviceError(tagger.name, "read photons", "its buffer ran full twice", remedy)
    return False


def arm(context: Context, job: Job) -> None:
    """Set the module, and compile everything before the first photon."""
    tagger = job.tagger
    if job.light or job.settings.mode == "t3":
        # Its sync is needed before the shutter opens.
        let_emit(context)
    tagger.configure(job.settings)
    warm_up()
    context.wait(tagger.settle_s, what=f"{tagger.name} rate meters")
    rate_hz = tagger.read_sync_rate()
    if job.settings.mode == "t3" and rate_hz <= 0.0:
        raise DeviceError(
            tagger.name, "read sync rate", "0 Hz", "is the laser on, and its trigger cable in?"
        )


def _take(context: Context, job: Job, before: Sequence[Part]) -> Part:
    with _file(context, job) as part, looking(job.detectors):
        try:
            part.dark_hz = _dark(context, job)
        except Bank:
            return part
        with excitation(context, job.light):
            _run(context, job, before, part)
        _drain(job.tagger, part.pipeline)
        part.flags = job.tagger.flags()
        if part.flags.fifo_full:
            # The module had stopped before anybody looked.
            part.live_s = min(part.live_s, part.books.elapsed_s)
    return part


@contextmanager
def _file(context: Context, job: Job) -> Generator[Part]:
    """Open the file of raw records; whatever happens, it is closed, kept and named in the run."""
    path = context.new_sidecar(".ptu")
    stream = job.tagger.stream()
    analyses = job.make(stream)
    writer = PtuWriter(path, _description(context, job, stream))
    part = Part(path, PhotonPipeline(stream, analyses, writer))
    try:
        yield part
    except BaseException:
        # What went wrong first is what the user has to know.
        with suppress(LabctlError, OSError):
            _keep(context, job, part, writer, failed=True)
        raise
    _keep(context, job, part, writer, failed=False)


def _keep(context: Context, job: Job, part: Part, writer: PtuWriter, *, failed: bool) -> None:
    """End module and file, after the light, which the caller has shut already."""
    with suppress(LabctlError, OSError):
        job.tagger.stop()
        # Of a part that was broken off the module still holds what came since the last look.
        while len(records := job.tagger.read_records()):
            writer.append(records)
    try:
        writer.close(_reason(part, failed), live_time_s=part.live_s)
    finally:
        # A file that the disk did not let end belongs to the run, too: its records are readable.
        context.keep_sidecar(part.path, live_time_s=part.live_s, records=writer.record_count)


@contextmanager
def looking(detectors: Sequence[PhotonCounter]) -> Generator[None]:
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
    """Let the guard look once before any light comes.

    What was commanded while the module was set is heeded here, before the light, too.
    A counter tells the mean rate since it was last asked, which may lie in the light.
    """
    for detector in job.detectors:
        detector.read_count_rate()
    context.wait(_DARK_S, what=f"{job.tagger.name} dark rates", bankable=True)
    return {d.name: d.read_count_rate() for d in job.detectors}


def _run(context: Context, job: Job, before: Sequence[Part], part: Part) -> None:
    tagger = job.tagger
    started_s = context.clock.now()
    with answering(context.clock, tagger):
        tagger.start()
        try:
            _collect(context, job, before, part, started_s)
        except Bank:
            part.stopped = ""
        tagger.stop()
    part.live_s = min(context.clock.now() - started_s, job.settings.acquisition_s)


def _collect(
    context: Context, job: Job, before: Sequence[Part], part: Part, started_s: float
) -> None:
    watch = Watch(context, job, before, part, started_s)
    tagger = job.tagger

    def look() -> None:
        # The guard goes first: reading can take long just when there is too much light.
        watch.guard()
        records = tagger.read_records()
        part.pipeline.feed(records, hurry=2 * len(records) > tagger.fifo_records())
        part.live_s = context.clock.now() - started_s
        watch.look()
        over = not tagger.running()
        ended = "; ".join(tagger.flags().words()) or job.stop.at_the_end
        part.stopped = watch.rule_met() or (ended if over else "")

    if job.lead is not None:
        job.lead(part, look)
        part.stopped = part.stopped or "done"
    while not part.stopped:
        context.wait(watch.period_s(), what=f"{tagger.name} photons", bankable=True)
        look()


def _drain(tagger: TimeTagger, pipeline: PhotonPipeline) -> None:
    """Take what the module still holds after its stop."""
    while len(records := tagger.read_records()):
        pipeline.feed(records)
    if pipeline.writer is not None:
        pipeline.writer.flush()


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
