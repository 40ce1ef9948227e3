"""The measurement ``trpl``: the decay of what is in the spot."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Irf, warm_up_decays
from labctl.measurements._context import Array, Context, Grown
from labctl.measurements._live_fit import LiveFit, irf_in_force, irf_key, live_fit
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

    def take(self, context: Context) -> tuple[Job, list[Part], dict[str, Any]]:
        """Take photons; what fits them live is compiled before any light is let in."""
        if context.calibrations.get("irf"):
            warm_up_decays()
        return super().take(context)

    def armed(self, context: Context, job: Job) -> None:
        """Warn that no lifetime will be known, or of a stop rule that can never be met."""
        if self.irf(context, job) is not None:
            return
        key = irf_key(job.detectors[0].name, job.spectrograph)
        lacking = f"no response (IRF) for {key!r} in bins of {job.tagger.delay_bin_ps():g} ps"
        if self.stop.relative_error is not None:
            text = f"{lacking} is in force: the error of the lifetime stays unknown and does not"
            context.message("warning", job.tagger.name, f"{text} stop this; measure 'irf' before")
            return
        text = f"{lacking}: 'labctl analyze' fits no lifetime without; add a step 'irf' to the run"
        context.warn_once("calibration", text)

    def live(self, context: Context, job: Job, analyses: Sequence[Analysis]) -> dict[str, float]:
        """Return the lifetime of one exponential, and its error, where the response is known."""
        (decays,) = (a for a in analyses if isinstance(a, Decays))
        fit = self._fit(context, job, _in_period(context, job, _counts(job, [decays]))[0])
        if fit is None:
            return {}
        value = fit.lifetime_ps
        relative = {"relative_error": fit.error_ps / value} if value > 0.0 else {}
        return {**fit.facts(), **relative}

    def grown(self, context: Context, job: Job, parts: Sequence[Part]) -> Grown:
        """Return the decay so far, with the fit where the response is known."""
        counts, _ = decay_counts(context, job, parts)
        fit, arrays = self._fit(context, job, counts[0]), self.arrays(context, job, parts)
        if fit is None:
            return Grown(arrays)
        return Grown([*arrays, Array("fit", fit.expected, "counts", ("bin",))], fit.facts())

    def irf(self, context: Context, job: Job) -> Irf | None:
        """Return the response in force for the detector, None if there is none that fits."""
        bin_ps = job.tagger.delay_bin_ps()
        return irf_in_force(context, job.detectors[0].name, job.spectrograph, bin_ps)

    def _fit(self, context: Context, job: Job, counts: NDArray[np.int64]) -> LiveFit | None:
        name, irf = job.detectors[0].name, self.irf(context, job)
        return live_fit(context, counts, irf, name, job.spectrograph)

    def arrays(self, context: Context, job: Job, parts: Sequence[Part]) -> list[Array]:
        """Return counts against delay."""
        return decay_arrays(context, job, parts)


def decay_counts(
    context: Context, job: Job, parts: Sequence[Part]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return counts by detector and delay bin, and the middles of the bins, ps.

    Delays are those after the laser's pulse, up to one period.
    """
    every = [a for part in parts for a in part.pipeline.analyses if isinstance(a, Decays)]
    counts = _in_period(context, job, _counts(job, every))
    delays = np.arange(counts.shape[1], dtype=np.float64)
    return counts, (delays + 0.5) * job.tagger.delay_bin_ps() + job.settings.offset_ps


def _counts(job: Job, decays: Sequence[Decays]) -> NDArray[np.int64]:
    channels = [job.tagger.channel_of(d.channel) for d in job.detectors]
    counts = np.zeros((len(channels), job.tagger.delay_bins()), np.int64)
    for part in decays:
        counts += part.result(max(channels) + 1).counts[channels]
    return counts


def _in_period(context: Context, job: Job, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    laser = context.table.laser
    if laser is None or not laser.rep_rate_hz:
        return counts
    period_ps = 1e12 / laser.rep_rate_hz
    return counts[:, : math.ceil(period_ps / job.tagger.delay_bin_ps())]


def decay_arrays(context: Context, job: Job, parts: Sequence[Part]) -> list[Array]:
    """Return what is stored of the decay of the first detector: counts and delays."""
    counts, delay_ps = decay_counts(context, job, parts)
    return [
        Array("counts", counts[0].astype(np.uint32), "counts", ("bin",)),
        Array("delay", delay_ps, "ps", ("bin",)),
    ]
