"""The measurements ``trace`` and ``photons``: every photon of all detectors, against time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.measurements._context import Array, Context
from labctl.measurements._photon_job import Job, Part
from labctl.measurements._photon_measurement import PhotonMeasurement
from labctl.measurements._trpl import decay_counts
from labctl.photons import Analysis, Decays, Stream, Trace, TraceResult
from labctl.units import Seconds

__all__ = ["Photons", "TraceMeasurement"]


class TraceMeasurement(PhotonMeasurement):
    """Counts of one or more detectors against time; delays are kept with every photon (``t3``).

    Attributes:
        time_bin_s: Width of a bin, s.
    """

    kind: ClassVar[str] = "trace"
    wanted: ClassVar[int | None] = None

    time_bin_s: Seconds = Field(0.01, gt=0)

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            stop: dict[str, Any],
            path: str | None = None,
            detectors: tuple[str, ...] | None = None,
            grating: str | None = None,
            center: str | None = None,
            at_peak: bool = False,
            mode: Literal["t2", "t3"] = "t3",
            bin: str | None = None,
            sync_divider: int = 1,
            time_bin: str = "10 ms",
        ) -> None:
            """As in a recipe: ``stop={"time": "60 s"}``."""

    def make(self, stream: Stream, channels: tuple[int, ...]) -> Sequence[Analysis]:
        """Count by time."""
        return [Trace(stream, self.time_bin_s, channels)]

    def arrays(self, context: Context, job: Job, parts: Sequence[Part]) -> list[Array]:
        """Return counts against live time: parts follow each other without gap."""
        del context, job
        return trace_arrays(parts)


class Photons(TraceMeasurement):
    """Every photon of all detectors: decays, trace and raw records for any later analysis."""

    kind: ClassVar[str] = "photons"
    default_path: ClassVar[str] = "hbt"

    def make(self, stream: Stream, channels: tuple[int, ...]) -> Sequence[Analysis]:
        """Count by time, and by delay where there are delays."""
        trace = Trace(stream, self.time_bin_s, channels)
        return [trace, Decays(stream)] if stream.mode == 3 else [trace]

    def arrays(self, context: Context, job: Job, parts: Sequence[Part]) -> list[Array]:
        """Return the trace, and the decay of each detector."""
        arrays = trace_arrays(parts)
        if self.mode == "t2":
            return arrays
        decays, delay_ps = decay_counts(context, job, parts)
        return [
            *arrays,
            Array("decays", decays.astype(np.uint32), "counts", ("detector", "delay")),
            Array("delay", delay_ps, "ps", ("delay",)),
        ]


def trace_arrays(parts: Sequence[Part]) -> list[Array]:
    """Return counts by time bin, of all detectors and of each; complete bins only."""
    traces = [
        next(a for a in part.pipeline.analyses if isinstance(a, Trace)).result() for part in parts
    ]
    counts = np.concatenate(
        [_whole(trace, part.live_s) for trace, part in zip(traces, parts, strict=True)]
    )
    time_s = (np.arange(len(counts)) + 0.5) * traces[0].bin_s
    return [
        Array("counts", counts.sum(axis=1).astype(np.uint32), "counts", ("bin",)),
        Array("time", time_s, "s", ("bin",)),
        Array("by_detector", counts.astype(np.uint32), "counts", ("bin", "detector")),
    ]


def _whole(trace: TraceResult, live_s: float) -> NDArray[np.int64]:
    """Return the bins of the whole live time: after the last record no photon has come."""
    missing = int(live_s / trace.bin_s + 1e-6) - len(trace.counts)
    if missing <= 0:
        return trace.counts
    dark = np.zeros((missing - 1, trace.counts.shape[1]), np.int64)
    return np.concatenate([trace.counts, trace.rest[np.newaxis], dark])
