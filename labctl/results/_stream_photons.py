"""All photons of a stored point in the order of time, with what their delays need."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labctl.analysis import Irf, TimingConfiguration, pile_up
from labctl.photons import Analysis, PhotonBlock, Stream
from labctl.results._replay import channels, replayed
from labctl.results._stored_photons import StoredPhotons

__all__ = ["StreamPhotons", "TimeResponse", "combined_response", "stream_photons"]

Vector = NDArray[np.float64]

_MOST_PHOTONS = 50_000_000
"""Of one point; the search for changes holds all of them, 30 bytes each."""


@dataclass(frozen=True, eq=False)
class TimeResponse:
    """Response of all detectors together, as each contributes to the stream.

    Attributes:
        share: Of the light in each delay bin, (bin,); sums to 1.
        variance: Of the share, (bin,).
    """

    share: Vector
    variance: Vector


@dataclass(frozen=True, eq=False)
class StreamPhotons:
    """Photons of a point.

    Attributes:
        point: Index of the point in the run.
        time_ticks: From the beginning, not falling, (photon,), int64. Parts of a point that was
            paused follow each other without gap.
        tick_s: Length of a tick.
        length_s: Of the stream.
        time_bin_s: Of the trace.
        delay_bins: Delay after the laser's pulse, (photon,), uint16; None for T2.
        delay_bin_s: Width of a delay bin.
        period_s: Of the laser; None if it is not known.
        response: None if it was not taken for every detector.
        warnings: What was missing or in doubt.
        timing_warnings: The same about delays and responses.
    """

    point: int
    time_ticks: NDArray[np.int64]
    tick_s: float
    length_s: float
    time_bin_s: float
    delay_bins: NDArray[np.uint16] | None = None
    delay_bin_s: float = 0.0
    period_s: float | None = None
    response: TimeResponse | None = None
    warnings: tuple[str, ...] = ()
    timing_warnings: tuple[str, ...] = ()

    def trace(self) -> NDArray[np.int64]:
        """Return the counts of all complete bins of time, (bin,)."""
        ticks = max(1, round(self.time_bin_s / self.tick_s))
        whole = round(self.length_s / self.tick_s) // ticks
        counts = np.bincount(self.time_ticks // ticks, minlength=whole)
        return counts[:whole].astype(np.int64)


class _Kept(Analysis):
    """Keeps photons of some channels."""

    def __init__(self, stream: Stream, wanted: tuple[int, ...]) -> None:
        self._wanted = np.zeros(256, np.bool_)
        self._wanted[list(wanted)] = True
        self._delays = stream.mode == 3
        self.time_ticks: list[NDArray[np.int64]] = []
        self.delay_bins: list[NDArray[np.uint16]] = []
        self.end_tick = self.photons = 0
        self.full = False

    def feed(self, block: PhotonBlock) -> None:
        """Keep the photons of the next block."""
        if self.full:
            return
        chosen = self._wanted[block.channel]
        self.time_ticks.append(block.time_ticks[chosen])
        if self._delays:
            self.delay_bins.append(block.delay_bins[chosen])
        self.end_tick = block.end_tick
        self.photons += len(self.time_ticks[-1])
        self.full = self.photons >= _MOST_PHOTONS


def stream_photons(stored: StoredPhotons) -> StreamPhotons:
    """Read the raw records of a point.

    Raises:
        AnalysisError: They are missing, or cannot be read.
    """
    wanted = channels(stored)
    streams: list[Stream] = []

    def keep(stream: Stream) -> list[_Kept]:
        streams.append(stream)
        return [_Kept(stream, wanted)]

    parts = [one for (one,), _ in replayed(stored, keep) if isinstance(one, _Kept)]
    ends = np.cumsum([0, *(part.end_tick for part in parts)])
    times = [t + ends[k] for k, part in enumerate(parts) for t in part.time_ticks]
    delays = [d for part in parts for d in part.delay_bins]
    response, timing = _response(stored) if delays else (None, ())
    period_ps = stored.period_ps
    return StreamPhotons(
        point=stored.point,
        time_ticks=np.concatenate(times),
        tick_s=streams[0].tick_s,
        length_s=float(ends[-1]) * streams[0].tick_s,
        time_bin_s=2.0 * float(stored.arrays["time"][0]) if len(stored.arrays["time"]) else 0.01,
        delay_bins=np.concatenate(delays) if delays else None,
        delay_bin_s=streams[0].delay_bin_s,
        period_s=None if period_ps is None else 1e-12 * period_ps,
        response=response,
        warnings=(*stored.warnings, *_cut(stored.point, parts)),
        timing_warnings=(*timing, *_pile_up(stored)),
    )


def _cut(point: int, parts: list[_Kept]) -> Iterator[str]:
    if len(parts) > 1:
        yield f"point {point}: {len(parts)} parts are joined without the pauses between them"
    if any(part.full for part in parts):
        yield f"point {point}: only its first {_MOST_PHOTONS:.0e} photons were analysed"


def _response(stored: StoredPhotons) -> tuple[TimeResponse | None, tuple[str, ...]]:
    """Add up the responses of the detectors by the light that each of them counted."""
    where, words = f"point {stored.point}", list[str]()
    for detector in stored.detectors:
        irf = stored.irfs.get(detector)
        if irf is None:
            words.append(f"{where}: no response of {detector} (recipe step irf)")
            continue
        words += [
            f"{where}: response of {detector} with another {w}" for w in _foreign(stored, irf)
        ]
    irfs = [stored.irfs.get(detector) for detector in stored.detectors]
    known = [irf for irf in irfs if irf is not None and irf.bin_ps == stored.bin_ps]
    if len(known) < len(irfs):
        return None, (*words, f"{where}: lifetimes are from the tail, without afterpulses")
    rates = np.array([stored.rate_hz(detector) for detector in stored.detectors])
    return combined_response(known, rates), tuple(words)


def combined_response(irfs: list[Irf], weights: Vector) -> TimeResponse:
    """Return the response of light that is spread over detectors.

    Args:
        irfs: Of the detectors, with bins of one width.
        weights: Counts or rates of each detector, (detector,).
    """
    size = min(irf.counts.size for irf in irfs)
    share, variance = np.zeros(size), np.zeros(size)
    for irf, weight in zip(irfs, weights / weights.sum(), strict=True):
        counts = irf.counts[:size]
        factor = float(weight) / float(counts.sum())
        share += factor * counts
        variance += factor**2 * counts
    return TimeResponse(share, variance)


def _foreign(stored: StoredPhotons, irf: Irf) -> tuple[str, ...]:
    return irf.foreign(
        TimingConfiguration(
            bin_ps=stored.bin_ps,
            grating_per_mm=stored.setting("spectrograph.lines_per_mm"),
            detector=irf.detector,
            count_rate_hz=stored.rate_hz(irf.detector or ""),
            wavelength_nm=stored.wavelength_nm,
        )
    )


def _pile_up(stored: StoredPhotons) -> tuple[str, ...]:
    if stored.rep_rate_hz is None:
        return ()
    fastest = max((stored.rate_hz(detector) for detector in stored.detectors), default=0.0)
    warning = pile_up(fastest / stored.rep_rate_hz).warning
    return (f"point {stored.point}: {warning}",) if warning else ()
