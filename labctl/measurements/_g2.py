"""The measurement ``g2``: coincidences of two detectors behind a beam splitter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labctl.measurements._context import Array, Context
from labctl.measurements._photon_job import Job, Part
from labctl.measurements._photon_measurement import PhotonMeasurement
from labctl.photons import (
    Analysis,
    PulsedDelays,
    PulsedG2,
    Stream,
    Trace,
    WindowedG2,
)
from labctl.units import Picoseconds, Seconds

__all__ = ["G2"]

_TRACE_S = 0.01


class G2(PhotonMeasurement):
    """Coincidences by the difference of pulses (``t3``) or of times (``t2``, steady light).

    Attributes:
        periods: Pulses on each side of zero that are compared; t3.
        lag_bin_ps: Width of a bin of the histogram of lags, ps.
        window_s: Longest lag, s; t2.
    """

    kind: ClassVar[str] = "g2"
    default_path: ClassVar[str] = "hbt"
    wanted: ClassVar[int | None] = 2

    periods: int = Field(10, ge=1, le=1000)
    lag_bin_ps: Picoseconds = Field(256.0, gt=0)
    window_s: Seconds = Field(1e-6, gt=0)

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
            periods: int = 10,
            lag_bin: str = "256 ps",
            window: str = "1 us",
        ) -> None:
            """As in a recipe: ``stop={"time": "60 s"}``."""

    def make(self, stream: Stream, channels: tuple[int, ...]) -> Sequence[Analysis]:
        """Count coincidences, and a trace beside them."""
        trace = Trace(stream, _TRACE_S, channels)
        if self.mode == "t2":
            width = max(1, round(self.lag_bin_ps * 1e-12 / stream.tick_s))
            half = max(1, round(self.window_s / (width * stream.tick_s)))
            return [WindowedG2((channels[0], channels[1]), bin_ticks=width, half_bins=half), trace]
        sides, columns = (channels[0], channels[1]), self._per_column(stream)
        bins = min(stream.format.delay_bins, int(np.ceil(stream.tick_s / stream.delay_bin_s)))
        return [
            PulsedG2(sides, max_pulses=self.periods),
            PulsedDelays(sides, max_pulses=self.periods, delay_bins=bins, bins_per_column=columns),
            trace,
        ]

    def live(self, context: Context, job: Job, analyses: Sequence[Analysis]) -> dict[str, float]:
        """Return g2(0) as peak areas or as the bin at zero, with its counting error."""
        del context, job
        first = analyses[0]
        if not isinstance(first, PulsedG2 | WindowedG2):
            return {}
        found = first.result()
        middle = len(found.counts) // 2
        if not found.expected[middle] > 0.0:
            return {}
        value, error = float(found.g2[middle]), float(found.g2_error[middle])
        relative = {"relative_error": error / value} if value > 0.0 else {}
        return {"g2_zero": value, "g2_zero_error": error, **relative}

    def arrays(self, context: Context, job: Job, parts: Sequence[Part]) -> list[Array]:
        """Return coincidences against lag, the areas of the peaks, and how many are expected."""
        del context
        parted = [part.pipeline.analyses for part in parts]
        if self.mode == "t2":
            return _windowed([_only(a, WindowedG2) for a in parted], job)
        return [
            *_lags([_only(a, PulsedDelays) for a in parted], job.tagger.stream()),
            *_areas([_only(a, PulsedG2) for a in parted]),
        ]

    def _per_column(self, stream: Stream) -> int:
        return max(1, round(self.lag_bin_ps * 1e-12 / stream.delay_bin_s))


def _only(analyses: Sequence[Analysis], kind: type[Any]) -> Any:
    return next(a for a in analyses if isinstance(a, kind))


def _windowed(parts: Sequence[WindowedG2], job: Job) -> list[Array]:
    results = [part.result() for part in parts]
    tick_ns = job.tagger.stream().tick_s * 1e9
    first = results[0]
    lag_ns = (first.lag_ticks + 0.5 * (first.bin_ticks - 1)) * tick_ns
    return [
        Array("coincidences", _sum([r.counts for r in results]), "counts", ("bin",)),
        Array("tau", lag_ns, "ns", ("bin",)),
        Array("expected", _sum([r.expected for r in results]), "counts", ("bin",)),
    ]


def _areas(parts: Sequence[PulsedG2]) -> list[Array]:
    results = [part.result() for part in parts]
    books = [r.books for r in results]
    used = np.array([[b.photons_a, b.photons_b, b.covered_ticks] for b in books], np.int64)
    return [
        Array("areas", _sum([r.counts for r in results]), "counts", ("peak",)),
        Array("peak", results[0].pulses, "", ("peak",)),
        Array("areas_expected", _sum([r.expected for r in results]), "counts", ("peak",)),
        Array("used", _sum(list(used)), "counts", ("book",)),
    ]


def _lags(parts: Sequence[PulsedDelays], stream: Stream) -> list[Array]:
    """Lay the delays of all peaks on one axis of lags.

    A period is no whole number of bins, so that a column of one peak meets that of its neighbour
    somewhere between two bins of the axis: counts go to the bin that holds their middle.
    """
    results = [part.result() for part in parts]
    first = results[0]
    period_ns, bin_ns = stream.tick_s * 1e9, stream.delay_bin_s * 1e9
    width_ns = float(first.delay_bins[1] - first.delay_bins[0]) * bin_ns
    # Differences of two delays: a column of n bins holds the lags of n - 1 around its first.
    middle_ns = (first.delay_bins + 0.5 * (width_ns / bin_ns - 1.0)) * bin_ns
    lag_ns = first.pulses[:, np.newaxis] * period_ns + middle_ns
    half = int(np.floor((first.pulses[-1] + 0.5) * period_ns / width_ns))
    place = np.floor(lag_ns / width_ns + 0.5).astype(np.int64) + half
    counts = _sum([r.counts for r in results])
    inside = (place >= 0) & (place <= 2 * half)
    laid = np.bincount(place[inside], counts[inside], minlength=2 * half + 1)
    axis_ns = np.arange(-half, half + 1) * width_ns
    return [
        Array("coincidences", laid.astype(np.int64), "counts", ("bin",)),
        Array("tau", axis_ns, "ns", ("bin",)),
    ]


def _sum(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return cast("NDArray[Any]", np.sum(np.stack(arrays), axis=0))
