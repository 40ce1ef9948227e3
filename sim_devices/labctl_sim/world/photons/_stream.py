"""A photon stream: asked for the events up to a time, in steps of any size."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from labctl_sim.world._table import Timeline
from labctl_sim.world._types import FloatArray
from labctl_sim.world.photons._blinking import Dwells, charging
from labctl_sim.world.photons._cells import EARLY_PS, Buffers, Grid, Segments, run_cells
from labctl_sim.world.photons._clicks import ECHOES, Responses, Waiting
from labctl_sim.world.photons._emit import Timing, timing_table
from labctl_sim.world.photons._light import CHARGED, NEUTRAL, OFF, Light, Source
from labctl_sim.world.photons._models import ModelTable, PulseModel, bunched, model_table
from labctl_sim.world.photons._random import Words
from labctl_sim.world.photons._sorting import Times

_CELL_S = 1e-3
_MOST_CELLS, _FEWEST_CELLS = 1000, 10
_EVENTS = 500_000
"""About so many events are drawn in one go."""
_CHARGED_S = 0.01
"""Mean time that a dot stays charged (assumed)."""
_SMALLEST = 4096


def grid_of(rep_rate_hz: float) -> Grid:
    """Pulses of a laser; cells of about 1 ms, at least 1000 pulses."""
    period_fs = round(1e15 / rep_rate_hz)
    pulses = 1000 * max(round(rep_rate_hz * _CELL_S / 1000), 1)
    return Grid(period_fs, pulses, pulses * period_fs // 1000)


class Chance(NamedTuple):
    """Where a stream's random numbers come from."""

    key: Words
    """Of the photons; two words."""
    generator: Callable[[str], np.random.Generator]
    """Of the charging of a dot."""
    blinking: Callable[[str], Dwells | None]
    """Intermittency of a dot against its lit time since the world began."""


class PhotonStream:
    """Events at the inputs of a module since a run began.

    The answer does not depend on how often and for which times it is asked: it is drawn cell by
    cell, and a cell only when it is over. What the world looks like is told by `note`.
    """

    def __init__(
        self, grid: Grid, responses: Responses, chance: Chance, lit: Timeline, began_s: float
    ) -> None:
        """Begin at world time ``began_s``; ``lit`` says when the excitation was on."""
        self.grid = grid
        self._responses, self._chance, self._lit, self._began_s = responses, chance, lit, began_s
        self._lights: list[tuple[float, Light]] = []
        self._charges: dict[str, Dwells] = {}
        self._cell = 0
        self._per_cell = 0.0
        count = len(responses.dead_ps)
        self._waiting = Waiting(
            np.zeros(count, dtype=np.int64),
            np.zeros(count, dtype=np.int64),
            np.zeros(ECHOES, dtype=np.int64),
            np.zeros(1 + count, dtype=np.int64),
        )
        self._buffers = _buffers(_SMALLEST, None)
        self._left = np.zeros(0, dtype=np.int64)
        self._models = [_NOTHING]
        self._table = model_table(self._models)

    def note(self, at_s: float, light: Light) -> None:
        """What the detectors see from a world time on, until the next note."""
        if not self._lights or self._lights[-1][1] is not light:
            self._lights.append((at_s - self._began_s, light))

    def until(self, at_s: float, *, end: bool = False) -> Times:
        """Events that became known until a world time: time in ps times 8 plus detector; sorted.

        Args:
            at_s: World time; what falls into a cell that is not over stays for later.
            end: The run ends at this time: everything before it.
        """
        until_ps = round((at_s - self._began_s) * 1e12)
        last = until_ps // self.grid.length_ps
        if end:
            reach_ps = until_ps + EARLY_PS + int(max(0, -self._responses.shift_ps.min()))
            last = reach_ps // self.grid.length_ps + 1
        parts = [self._left]
        while self._cell < last:
            cells = int(_EVENTS / max(self._per_cell, 1.0))
            cells = min(max(cells, _FEWEST_CELLS), _MOST_CELLS)
            before = self._cell
            parts.append(self._batch(min(last, self._cell + cells)))
            self._per_cell = len(parts[-1]) / (self._cell - before)
        parts = [part for part in parts if len(part)] or parts[:1]
        events = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if end:
            events = events[: np.searchsorted(events, until_ps << 3)]
        self._left = np.zeros(0, dtype=np.int64)
        return events

    @property
    def known_ps(self) -> int:
        """Everything before this time since the beginning has been handed out."""
        earliest = int(self._responses.shift_ps.min())
        return max(self._cell * self.grid.length_ps - EARLY_PS + earliest, 0)

    @property
    def clicks(self) -> list[int]:
        """Avalanches since the beginning, by detector, whether or not the module saw them."""
        return [int(number) for number in self._waiting.sizes[1:]]

    def _batch(self, last: int) -> Times:
        last = self._same_timing(last)
        begin_s = self._cell * self.grid.length_ps * 1e-12
        end_s = last * self.grid.length_ps * 1e-12
        spans = self._spans(begin_s, end_s)
        segments, models = self._segments(spans, begin_s, end_s)
        table = self._table_of(models or [_NOTHING])
        delays = timing_table(spans[0][2].timings)
        expected = self._expected(segments, table.p_any)
        out = np.empty(int(1.5 * expected * (last - self._cell)) + 8 * _SMALLEST, dtype=np.int64)
        parts: list[Times] = []
        while self._cell < last:
            first = self._cell
            self._cell, count = run_cells(
                self._chance.key, first, last, self.grid, table, delays, segments,
                self._responses, self._waiting, self._buffers, out,
            )  # fmt: skip
            parts.append(out[:count])
            out = out[count:]
            if self._cell == first:
                self._buffers = _buffers(2 * len(self._buffers.run), self._buffers)
                out = np.empty(2 * len(self._buffers.shifted), dtype=np.int64)
            elif self._cell < last:
                out = np.empty(len(out) + 2 * len(self._buffers.shifted), dtype=np.int64)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _table_of(self, models: list[PulseModel]) -> ModelTable:
        if list(map(id, models)) != list(map(id, self._models)):
            self._models, self._table = models, model_table(models)
        return self._table

    def _same_timing(self, last: int) -> int:
        """The cell up to which timing is as at the beginning; a cell keeps that of its begin."""
        cell_s = self.grid.length_ps * 1e-12
        begin_s = self._cell * cell_s
        now = [light for at_s, light in self._lights if at_s <= begin_s][-1]
        for at_s, light in self._lights:
            if at_s > begin_s and light.timings != now.timings:
                return min(max(math.ceil(at_s / cell_s), self._cell + 1), last)
        return last

    def _spans(self, begin_s: float, end_s: float) -> list[tuple[float, float, Light]]:
        starts = [max(at_s, 0.0) for at_s, _ in self._lights]
        stops = [*starts[1:], math.inf]
        spans = [
            (max(start, begin_s), min(stop, end_s), light)
            for start, stop, (_, light) in zip(starts, stops, self._lights, strict=True)
            if stop > begin_s and start < end_s
        ]
        keep = [i for i, stop in enumerate(stops) if stop > begin_s]
        self._lights = self._lights[keep[0] :]
        return spans

    def _expected(self, segments: Segments, p_any: FloatArray) -> float:
        """Most photons of one cell, about."""
        chosen = segments.models[segments.models >= 0]
        pulsed = float(p_any[chosen].max(initial=0.0)) * self.grid.pulses
        steady = float(segments.steady_rates_hz.max(initial=0.0)) * self.grid.length_ps * 1e-12
        return 2.0 * pulsed * len(segments.offsets) + steady * len(self._responses.dead_ps)

    def _segments(
        self, spans: Sequence[tuple[float, float, Light]], begin_s: float, end_s: float
    ) -> tuple[Segments, list[PulseModel]]:
        names = list(dict.fromkeys(name for _, _, light in spans for name in light.sources))
        models: list[PulseModel] = []
        rows: dict[int, int] = {}
        offsets: list[int] = [0]
        starts: list[int] = []
        chosen: list[int] = []
        for name in names:
            for at_s, model in self._course(name, spans):
                if model is not None and id(model) not in rows:
                    rows[id(model)] = len(models)
                    models.append(model)
                starts.append(self._pulse(at_s))
                chosen.append(-1 if model is None else rows[id(model)])
            offsets.append(len(starts))
        count = len(self._responses.dead_ps)
        steady_starts = [self._pulse(start) for start, _, _ in spans]
        rates = [[light.steady_hz[detector] for _, _, light in spans] for detector in range(count)]
        return (
            Segments(
                np.array(offsets, dtype=np.int64),
                np.array(starts, dtype=np.int64),
                np.array(chosen, dtype=np.int64),
                np.arange(count + 1, dtype=np.int64) * len(spans),
                np.array(steady_starts * count, dtype=np.int64),
                np.array(rates, dtype=np.float64).ravel(),
            ),
            models,
        )

    def _pulse(self, at_s: float) -> int:
        return math.ceil(round(at_s * 1e12) * 1000 / self.grid.period_fs)

    def _course(
        self, name: str, spans: Sequence[tuple[float, float, Light]]
    ) -> list[tuple[float, PulseModel | None]]:
        """What a source does from when on."""
        course: list[tuple[float, PulseModel | None]] = []
        for start, stop, light in spans:
            source = light.sources.get(name)
            changes = self._lit.changes(start + self._began_s, stop + self._began_s)
            times = [max(at_s - self._began_s, start) for at_s, _ in changes]
            for (_, on), begin_s, end_s in zip(changes, times, [*times[1:], stop], strict=True):
                if source is None or on <= 0.0:
                    course.append((begin_s, None))
                else:
                    course += self._states(name, source, begin_s, end_s)
        return course

    def _states(
        self, name: str, source: Source, begin_s: float, end_s: float
    ) -> list[tuple[float, PulseModel]]:
        if len(source.models) == 1:
            return [(begin_s, source.models[0])]
        charges = (
            self._charged(name, source).states(begin_s, end_s) if source.charged_fraction else []
        )
        dwells = self._chance.blinking(name)
        blinks: list[tuple[float, bool]] = []
        if dwells is not None:
            lit_s = self._lit.integral(0.0, begin_s + self._began_s)
            states = dwells.states(lit_s, lit_s + end_s - begin_s)
            blinks = [(begin_s + at_s - lit_s, on) for at_s, on in states]
        events = sorted([(t, 0, on) for t, on in blinks] + [(t, 1, on) for t, on in charges])
        on, charged = True, False
        found: dict[float, PulseModel] = {begin_s: source.models[NEUTRAL]}
        for at_s, which, value in events:
            on, charged = (value, charged) if which == 0 else (on, value)
            state = (CHARGED if charged else NEUTRAL) if on else OFF
            found[at_s] = source.models[state]
        return list(found.items())

    def _charged(self, name: str, source: Source) -> Dwells:
        if name not in self._charges:
            generator = self._chance.generator(name)
            self._charges[name] = charging(source.charged_fraction, _CHARGED_S, generator)
        return self._charges[name]


_SHARP = Timing(0.0, 0.0, 0.0, 0.0)
_NOTHING = PulseModel((0.0,), (0.0,), (0.0,), (1.0,), True, (0.0,))


def _buffers(size: int, old: Buffers | None) -> Buffers:
    big = 2 * size + ECHOES
    new = Buffers(_empty(size), _empty(size), _empty(size), _empty(big), _empty(big), _empty(2))
    if old is not None:
        new.held[: len(old.held)] = old.held
        new.shifted[: len(old.shifted)] = old.shifted
        new.sizes[:] = old.sizes
    return new


def _empty(size: int) -> Times:
    return np.zeros(size, dtype=np.int64)


def short_stream() -> PhotonStream:
    """A little light on two detectors, without a world."""
    none, never = _empty(2), np.zeros(2)
    responses = Responses(
        none, never, np.ones(2), never, none, none, none, np.ones(2, dtype=np.bool_)
    )
    key = np.zeros(2, dtype=np.uint64)
    chance = Chance(key, _seeded, _never)
    stream = PhotonStream(grid_of(1e7), responses, chance, Timeline(0.0, 1.0), 0.0)
    model = bunched(0.01, 1.0, (0.5, 0.5), 0.0)
    stream.note(0.0, Light({"light": Source((model,))}, (50.0, 50.0), (_SHARP, _SHARP)))
    return stream


def _seeded(_name: str) -> np.random.Generator:
    return np.random.default_rng(0)


def _never(_name: str) -> Dwells | None:
    return None
