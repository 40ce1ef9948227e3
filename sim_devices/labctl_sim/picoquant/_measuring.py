"""Start, stop, flags, buffer and histogram of a module."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from labctl_sim.libraries import VendorError
from labctl_sim.picoquant._acquisition import Events, Fifo, Histograms, TaggedRun, sync_keys
from labctl_sim.picoquant._faults import Faults
from labctl_sim.picoquant._records import T2Encoder, T3Encoder
from labctl_sim.picoquant._settings import Settings, bounded
from labctl_sim.picoquant._wiring import Wiring
from labctl_sim.picoquant._words import Code
from labctl_sim.world.photons import Times

__all__ = ["Measuring"]

_LONGEST_MS = 360_000_000
_HISTOGRAM, _T2 = 0, 2


class Measuring:
    """The acquisition of one module.

    Attributes:
        running: Between StartMeas and StopMeas.
    """

    def __init__(
        self, wiring: Wiring, truth: Mapping[str, Any], faults: Faults, settings: Settings
    ) -> None:
        """Rest, with empty memory."""
        self._wiring, self._truth, self._faults = wiring, truth, faults
        self._world = wiring.world
        self.settings = settings
        self.running = False
        self._began_s = self._ends_s = 0.0
        self._ended_s: float | None = 0.0
        self._events: Events | None = None
        self._tagged: TaggedRun | None = None
        self._histograms = Histograms(max(settings.model.inputs, 4), settings.bins)
        self._fifo = Fifo(settings.model.fifo)
        self._flags: set[str] = set()
        self._fetched_s = 0.0
        self._budget = 0.0
        self._marks = wiring.markers()

    def need_rest(self) -> None:
        """Refuse while a run is on.

        Raises:
            VendorError: One is.
        """
        if self.running:
            raise VendorError(Code.INSTANCE_RUNNING)

    def start(self, time_ms: int) -> None:
        """Begin a run."""
        self.need_rest()
        bounded(time_ms, 1, _LONGEST_MS)
        settings = self.settings
        self.running = True
        self._began_s = self._fetched_s = self._world.now()
        self._ends_s, self._ended_s = self._began_s + 1e-3 * time_ms, None
        self._flags, self._budget = set(), 0.0
        self._marks = self._wiring.markers()
        self._events = self._wiring.start(settings)
        self._fifo, self._tagged = Fifo(settings.model.fifo), None
        if settings.mode == _HISTOGRAM:
            self._histograms.begin()
        else:
            self._tagged = TaggedRun(self._encoder(self._events), self._fifo)

    def stop(self) -> None:
        """End the run, or acknowledge that it is over."""
        self.advance()
        if self._ended_s is None:
            self._finish(self._world.now())
        self.running = False

    def over(self) -> bool:
        """Whether the time is up, or the run ended by itself."""
        self.advance()
        return self._ended_s is not None

    def elapsed_ms(self) -> float:
        """Time of the run so far."""
        self.advance()
        end_s = self._world.now() if self._ended_s is None else self._ended_s
        return 1e3 * (end_s - self._began_s)

    def began_ps(self) -> int:
        """Time at which the last run began, since the module was switched on (assumed)."""
        return round(1e12 * self._began_s)

    def flags(self) -> int:
        """The flags' bits."""
        self.advance()
        known = self.settings.model.flags
        found = set(self._flags)
        if self.settings.mode == _HISTOGRAM and self._histograms.overflow:
            found.add("overflow")
        if self._fifo.full:
            found.add("fifo_full")
        if self._faults.reference_lost:
            found.add("reference_lost")
        if self.running and self._ended_s is None:
            found.add("active")
        bits = sum(known[name] for name in found if name in known)
        dropped = self._faults.dropped and self.settings.model.prefix in ("MH", "PH330")
        return bits | (0x40 if dropped else 0)

    def mark(self, bits: int) -> None:
        """An edge at marker inputs now."""
        bits &= self.settings.markers_enabled
        if self._tagged is not None and self._ended_s is None and bits:
            self._tagged.mark(round((self._world.now() - self._began_s) * 1e12), bits)

    def read(self, most: int) -> bytes:
        """Take records out of the buffer, no faster than the bus can carry them."""
        self.advance()
        model, now_s = self.settings.model, self._world.now()
        if self.settings.mode == _HISTOGRAM:
            raise VendorError(Code.INVALID_MODE)
        self._budget += 1e6 * model.sustained_mhz * (now_s - self._fetched_s)
        self._budget, self._fetched_s = min(self._budget, float(model.fifo)), now_s
        if self._ended_s is None:
            most = min(most, int(self._budget))
        taken = self._fifo.take(most)
        self._budget -= len(taken)
        return taken.astype("<u4").tobytes()

    def histogram(self, channel: int) -> bytes:
        """Counts of an input since the memory was cleared."""
        self.advance()
        if self.settings.mode != _HISTOGRAM:
            raise VendorError(Code.INVALID_MODE)
        counts = self._histograms.counts[channel]
        return np.minimum(counts, Histograms.LARGEST).astype("<u4").tobytes()

    def clear(self, channel: int | None = None) -> None:
        """Empty the histogram memory, or that of one input."""
        self.advance()
        if channel is not None:
            self._histograms.counts[channel] = 0
            return
        bins = self.settings.bins
        if self._histograms.counts.shape[1] == bins:
            self._histograms.clear()
        else:
            self._histograms = Histograms(max(self.settings.model.inputs, 4), bins)

    def advance(self) -> None:
        """Let the run come to the present."""
        if self._ended_s is not None or not self.running:
            return
        now_s = self._world.now()
        self._note_edges()
        if self._faults.fifo_stuck and self.settings.mode != _HISTOGRAM:
            self._fifo.full = True
        if now_s >= self._ends_s:
            self._finish(self._ends_s)
        elif self._events is not None:
            self._take(self._events, now_s, last=False)

    def _finish(self, at_s: float) -> None:
        self._ended_s = at_s
        if self._events is not None:
            self._take(self._events, at_s, last=True)

    def _take(self, events: Events, at_s: float, *, last: bool) -> None:
        before_ps = events.known_ps
        keys = events.until(at_s, end=last)
        known_ps = round((at_s - self._began_s) * 1e12) if last else events.known_ps
        keys = self._spoilt(keys, before_ps, known_ps)
        if self._tagged is not None:
            self._tagged.add(
                self._with_sync(keys, events, before_ps, known_ps), known_ps, last=last
            )
            return
        settings = self.settings
        ended_ps = self._histograms.add(
            keys,
            self._wiring.fields(settings),
            events.grid,
            settings.resolution_ps,
            settings.offset_ps,
            multistop=settings.multistop,
            stop_at=settings.stop_overflow,
        )
        if ended_ps is not None and not last:
            events.until(at_s, end=True)
            self._ended_s = self._began_s + 1e-12 * ended_ps

    def _spoilt(self, keys: Times, begin_ps: int, end_ps: int) -> Times:
        """Faults of light and sync."""
        rate_hz = self._faults.extra_light_hz
        if rate_hz > 0.0:
            generator = self._world.generator(self._wiring.name, "over_light", begin_ps)
            keys = np.sort(
                np.concatenate([keys, self._stray(generator, rate_hz, begin_ps, end_ps)])
            )
        if self._faults.sync_lost and self.settings.mode != _T2:
            self._flags.add("sync_lost")
            return keys[:0]
        return keys

    def _stray(
        self, generator: np.random.Generator, rate_hz: float, begin_ps: int, end_ps: int
    ) -> Times:
        parts: list[Times] = [np.zeros(0, dtype=np.int64)]
        for index, plug in enumerate(self._wiring.plugs(self.settings)):
            dead_ps = 1e3 * plug.apd.truth.dead_time_ns
            rate_per_ps = 1e-12 * rate_hz / (1.0 + 1e-12 * rate_hz * dead_ps)
            count = int(generator.poisson(rate_per_ps * (end_ps - begin_ps)))
            at_ps = generator.integers(begin_ps, max(end_ps, begin_ps + 1), count)
            parts.append((at_ps << 3) | index)
        return np.concatenate(parts)

    def _with_sync(self, keys: Times, events: Events, begin_ps: int, end_ps: int) -> Times:
        """In T2 the sync input is one more channel; by default nothing is plugged in there."""
        settings = self.settings
        wanted = settings.mode == _T2 and self._truth["t2_sync"] == "laser"
        if not wanted or settings.model.prefix == "PH" or not self._wiring.sync_rate_hz(settings):
            return keys
        pulses = sync_keys(
            events.grid, begin_ps, end_ps, settings.sync_divider, settings.sync.offset_ps
        )
        return np.sort(np.concatenate([keys, pulses]))

    def _note_edges(self) -> None:
        """Motors that moved since the last look gave an edge on their line."""
        marks = self._wiring.markers()
        bits = sum(
            1 << i for i, (a, b) in enumerate(zip(marks, self._marks, strict=True)) if a != b
        )
        self._marks = marks
        self.mark(bits)

    def _encoder(self, events: Events) -> T2Encoder | T3Encoder:
        settings, model = self.settings, self.settings.model
        hold_ps = settings.hold_ms * 10**9
        fields = self._wiring.fields(settings)
        if settings.mode == _T2:
            return T2Encoder(model.form, model.base_ps, fields, hold_ps)
        return T3Encoder(
            model.form, events.grid, settings.resolution_ps, settings.offset_ps, fields, hold_ps
        )
