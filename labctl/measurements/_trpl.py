"""The measurement ``trpl``: the decay of what is in the spot."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl.measurements._context import Array, Context
from labctl.measurements._photon_job import Job, Part
from labctl.measurements._photon_measurement import PhotonMeasurement
from labctl.photons import Analysis, Decays, Stream

__all__ = ["Trpl", "decay_arrays", "decay_counts"]


class Trpl(PhotonMeasurement):
    """Delays of photons after the laser's pulse, on one detector."""

    kind: ClassVar[str] = "trpl"

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
            bin: str | None = None,
            sync_divider: int = 1,
        ) -> None:
            """As in a recipe: ``stop={"counts": 20000, "at_most": "60 s"}``."""

    def make(self, stream: Stream, channels: tuple[int, ...]) -> Sequence[Analysis]:
        """Sort the delays."""
        del channels
        return [Decays(stream)]

    def arrays(self, context: Context, job: Job, parts: Sequence[Part]) -> list[Array]:
        """Return counts against delay."""
        return decay_arrays(context, job, parts)


def decay_counts(
    context: Context, job: Job, parts: Sequence[Part]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts by detector and delay bin, and the middles of the bins, ps.

    Delays are those after the laser's pulse, up to one period.
    """
    bin_ps, laser = job.tagger.delay_bin_ps(), context.table.laser
    channels = [job.tagger.channel_of(d.channel) for d in job.detectors]
    counts = np.zeros((len(channels), job.tagger.delay_bins()), np.int64)
    for part in parts:
        decays = next(a for a in part.pipeline.analyses if isinstance(a, Decays))
        counts += decays.result(max(channels) + 1).counts[channels]
    if laser is not None and laser.rep_rate_hz:
        period_ps = 1e12 / laser.rep_rate_hz * job.settings.sync_divider
        counts = counts[:, : math.ceil(period_ps / bin_ps)]
    delays = np.arange(counts.shape[1], dtype=np.float64)
    return counts, (delays + 0.5) * bin_ps + job.settings.offset_ps


def decay_arrays(context: Context, job: Job, parts: Sequence[Part]) -> list[Array]:
    """Return what is stored of the decay of the first detector: counts and delays."""
    counts, delay_ps = decay_counts(context, job, parts)
    return [
        Array("counts", counts[0].astype(np.uint32), "counts", ("bin",)),
        Array("delay", delay_ps, "ps", ("bin",)),
    ]
