"""All detectors of a world, and the runs of the modules behind them."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from labctl_sim.world._world import World
from labctl_sim.world.photons._blinking import Dwells, blinking
from labctl_sim.world.photons._clicks import Responses
from labctl_sim.world.photons._detector import Apd, ApdTruth
from labctl_sim.world.photons._emit import Numbers
from labctl_sim.world.photons._light import Light, light
from labctl_sim.world.photons._stream import Chance, PhotonStream, grid_of

_NAME = "photons"
TICK_S = 0.1
"""So often a running module looks whether anything in the path has changed."""
_FRESH_TICKS = 10
_GATE_S = 0.1


class Input(NamedTuple):
    """How one detector meets the module."""

    shift_ps: int
    dead_ps: int
    alive: bool


class Bench:
    """Detectors that were plugged in, and how dots blink."""

    def __init__(self, world: World) -> None:
        """No detectors yet."""
        self.world = world
        self._apds: list[Apd] = []
        self._shutters: dict[str, bool] = {}
        self._blinking: dict[str, Dwells] = {}
        self._seen: tuple[tuple[Any, ...], Light] | None = None

    @staticmethod
    def of(world: World) -> "Bench":
        """The bench of a world; the first who asks sets it up."""
        bench = world.extras.get(_NAME)
        if bench is None:
            bench = world.extras[_NAME] = Bench(world)
        return bench

    def plug_in(self, apd: Apd) -> None:
        """Add a detector."""
        self._apds.append(apd)
        self._shade(apd)

    def set_shutter(self, before: str, *, is_open: bool) -> None:
        """Move a shutter in front of the detector of that name; "": in front of all."""
        self._shutters[before] = is_open
        for apd in self._apds:
            if before in ("", apd.name):
                self._shade(apd)

    def counted_by(self, counter: str, channel: int) -> Apd | None:
        """The detector whose pulses go to this input of a counter card."""
        plug = (counter, channel)
        found = [apd for apd in self._apds if (apd.counter, apd.counter_channel) == plug]
        return found[0] if found else None

    def apds(self, tagger: str) -> list[Apd]:
        """Detectors of one module in the order of its inputs; at most seven.

        Without any in the set-up there are two of default truth at inputs 1 and 2.
        """
        found = [apd for apd in self._apds if apd.tagger in ("", tagger)]
        if not found:
            found = [Apd(ApdTruth(), tagger=tagger, channel=channel) for channel in (1, 2)]
            self._apds += found
        return sorted(found, key=lambda apd: apd.channel)[:7]

    def _shade(self, apd: Apd) -> None:
        apd.shutter_open = all(self._shutters.get(name, True) for name in ("", apd.name))

    def blinking(self, name: str) -> Dwells | None:
        """Intermittency of a dot; without memory dots do not blink."""
        dot = self.world.sample.dots.get(name)
        if dot is None or dot.blinking is None or not self.world.memory.on:
            return None
        if name not in self._blinking:
            generator = self.world.lasting_generator("blinking", name)
            self._blinking[name] = blinking(dot.blinking, generator)
        return self._blinking[name]

    def look(self, apds: Sequence[Apd], electronics_sd_ps: float) -> Light:
        """What these detectors see now."""
        return light(self.world, apds, self.world.now(), electronics_sd_ps)

    def state(self) -> tuple[Any, ...]:
        """Everything in the path that somebody can change, to compare."""
        world, table = self.world, self.world.table
        switches = tuple((apd.alive, apd.shutter_open) for apd in self._apds)
        return (
            *(
                table.laser_on,
                table.shutter_open,
                table.analyser,
                table.edge_filter_nm,
                table.attenuation_rel,
                table.lamp,
            ),
            *(table.ambient_rel, table.laser_line_leak_rel, table.field_kv_cm),
            *(table.scatterer, table.scattered_per_pulse, table.collected_rel, table.spread_um),
            table.interferometer,
            *(world.stage_um, world.dot_name, world.spectrograph.key(), switches),
        )

    def rates_hz(self, apds: Sequence[Apd], begin_s: float, for_s: float = _GATE_S) -> list[float]:
        """Expected clicks per second of each detector in ``for_s`` from a world time on."""
        world = self.world
        seen = self._seen_about(apds, begin_s)
        lit = world.table.excitation.mean(begin_s, begin_s + for_s)
        totals = list(seen.steady_hz)
        for name, source in seen.sources.items():
            weights = self._weights(name, source.charged_fraction, begin_s, for_s)
            for detector in range(len(apds)):
                mean = sum(
                    weight * model.mean[detector]
                    for weight, model in zip(weights, source.models, strict=False)
                )
                totals[detector] += lit * world.laser.rep_rate_hz * mean
        return [
            rate / (1.0 + rate * 1e-9 * apd.truth.dead_time_ns)
            for rate, apd in zip(totals, apds, strict=True)
        ]

    def _seen_about(self, apds: Sequence[Apd], at_s: float) -> Light:
        """What these detectors see in the second of this time; slower things do not matter.

        Behind closed shutters nothing depends on the time.
        """
        second = math.floor(at_s) if any(apd.shutter_open for apd in apds) else 0
        names = tuple(apd.name for apd in apds)
        key = (names, second, self.world.laser, self.state())
        if self._seen is None or self._seen[0] != key:
            self._seen = key, light(self.world, apds, max(float(second), 0.0), 0.0)
        return self._seen[1]

    def _weights(
        self, name: str, charged: float, begin_s: float, for_s: float
    ) -> tuple[float, float, float]:
        dwells, on = self.blinking(name), 1.0
        if dwells is not None:
            lit_s = self.world.table.excitation.integral(0.0, begin_s)
            on = dwells.on_share(lit_s, lit_s + for_s)
        return on * (1.0 - charged), on * charged, 1.0 - on


class Run:
    """One acquisition: a photon stream that follows the world while it lasts."""

    def __init__(
        self,
        bench: Bench,
        apds: Sequence[Apd],
        inputs: Sequence[Input],
        *,
        device: str,
        number: int,
        electronics_sd_ps: float,
        on_tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin now.

        Args:
            bench: The detectors' bench.
            apds: Detectors of this module.
            inputs: How each of them meets it.
            device: Name of the module, for its random numbers.
            number: Runs of the module since the point began.
            electronics_sd_ps: Timing uncertainty of the module.
            on_tick: Called every 0.1 s after the path was looked at.
        """
        self._bench, self._apds, self._sd_ps = bench, list(apds), electronics_sd_ps
        self._on_tick = on_tick
        world = bench.world
        source = world.generator(device, "photons", number)

        def generator(name: str) -> np.random.Generator:
            return world.generator(device, "charge", name, number)

        chance = Chance(source.integers(0, 2**64, 2, dtype=np.uint64), generator, bench.blinking)
        self.began_s = world.now()
        self.stream = PhotonStream(
            grid_of(world.laser.rep_rate_hz),
            _responses(apds, inputs),
            chance,
            world.table.excitation,
            self.began_s,
        )
        self._ticks = 0
        self._seen: tuple[Any, ...] = ()
        self._look()
        self._cancel = world.after(TICK_S, self._tick)
        world.stage_watchers.append(self._moved)

    def stop(self) -> None:
        """Look no more."""
        self._cancel()
        watchers = self._bench.world.stage_watchers
        if self._moved in watchers:
            watchers.remove(self._moved)

    def _moved(self) -> None:
        """The stage moves on the fly, faster than ticks: look at once."""
        self._seen = self._bench.state()
        self.stream.note(self._bench.world.now(), self._bench.look(self._apds, self._sd_ps))

    def _tick(self) -> None:
        self._ticks += 1
        self._look()
        self._on_tick()
        world = self._bench.world
        next_s = self.began_s + (self._ticks + 1) * TICK_S
        self._cancel = world.after(max(next_s - world.now(), 0.0), self._tick)

    def _look(self) -> None:
        state = self._bench.state()
        if state != self._seen or self._ticks % _FRESH_TICKS == 0:
            self._seen = state
            at_s = self.began_s + self._ticks * TICK_S
            self.stream.note(at_s, self._bench.look(self._apds, self._sd_ps))


def _responses(apds: Sequence[Apd], inputs: Sequence[Input]) -> Responses:
    truths = [apd.truth for apd in apds]
    return Responses(
        _whole(1e3 * truth.dead_time_ns for truth in truths),
        np.array([truth.afterpulse_probability for truth in truths]),
        np.array([1e3 * truth.afterpulse_delay_ns for truth in truths]),
        np.array([truth.crosstalk_probability for truth in truths]),
        _whole(1e3 * truth.crosstalk_delay_ns for truth in truths),
        _whole(
            1e3 * truth.cable_ns + one.shift_ps for truth, one in zip(truths, inputs, strict=True)
        ),
        _whole(one.dead_ps for one in inputs),
        np.array([one.alive for one in inputs]),
    )


def _whole(values: Iterable[float]) -> Numbers:
    return np.array([math.floor(value) for value in values], dtype=np.int64)
