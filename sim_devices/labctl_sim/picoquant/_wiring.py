"""Which detector is plugged into which input, and what makes its events."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labctl_sim.picoquant._acquisition import Events
from labctl_sim.picoquant._faults import Faults
from labctl_sim.picoquant._replay import SYNC_FIELD, Replay, read_ptu
from labctl_sim.picoquant._settings import Settings
from labctl_sim.world import World
from labctl_sim.world.photons import Apd, Bench, Input, Run

__all__ = ["Plug", "Wiring"]

_GATE_S = 0.1
_T2, _T3 = 2, 3


class Plug(NamedTuple):
    """A detector at an input; ``channel`` 0 is the sync input, -1 nothing."""

    apd: Apd
    channel: int


class Wiring:
    """The cables of one module."""

    def __init__(self, name: str, world: World, truth: Mapping[str, Any], faults: Faults) -> None:
        """Find the detectors when they are needed: they may be attached later.

        Raises:
            OSError: A recording cannot be read.
            ValueError: It is of another kind.
        """
        self.name, self.world, self._truth, self._faults = name, world, truth, faults
        self._point: tuple[str, float] = ("", -1.0)
        self._number = 0
        self._metered: tuple[tuple[Any, ...], list[int]] | None = None
        named = str(truth["replay"])
        self._recording = read_ptu(Path(named)) if named else None

    @property
    def bench(self) -> Bench:
        """Detectors of the world."""
        return Bench.of(self.world)

    def plugs(self, settings: Settings) -> list[Plug]:
        """Detectors and their inputs, as far as the module has them in its mode.

        A PicoHarp 300 has the sync and one input in T2, else one input, or four behind a router.
        Detectors that no set-up names are at its sync and its input in T2.
        """
        apds = self.bench.apds(self.name)
        channels = [apd.channel for apd in apds]
        if settings.model.prefix == "PH":
            if settings.mode == _T2 and not any(apd.name for apd in apds):
                channels = [channel - 1 for channel in channels]
            most = 1 if settings.mode == _T2 else 4 if self._truth["router"] else 1
        else:
            most = settings.model.inputs
        lowest = 0 if settings.mode == _T2 else 1
        return [
            Plug(apd, channel if lowest <= channel <= most else -1)
            for apd, channel in zip(apds, channels, strict=True)
        ]

    def fields(self, settings: Settings) -> NDArray[np.int64]:
        """Channel field of a record, or row of the histograms, for each detector; -1: none.

        Index 7 is the sync input.
        """
        fields = np.full(8, -1, dtype=np.int64)
        fields[SYNC_FIELD] = 0
        picoharp = settings.model.prefix == "PH"
        first = 0 if picoharp and settings.mode in (_T2, _T3) else 1
        for field, channel in self._replayed(settings).items():
            fields[field] = channel - first
        if self._recording is not None:
            return fields
        for index, plug in enumerate(self.plugs(settings)):
            if plug.channel >= 0:
                fields[index] = plug.channel - first
        return fields

    def _replayed(self, settings: Settings) -> dict[int, int]:
        """Inputs of this module (0: sync) at which channel fields of a recording arrive."""
        if self._recording is None:
            return {}
        count, first = settings.model.inputs, 1
        if settings.model.prefix == "PH":
            count, first = (
                (2, 0) if settings.mode == _T2 else (4 if self._truth["router"] else 1, 1)
            )
        inputs = {field: first + field for field in range(min(count, SYNC_FIELD))}
        return {field: one for field, one in inputs.items() if self.sees(settings, one)}

    def sees(self, settings: Settings, channel: int) -> bool:
        """Whether pulses at an input (0: sync) cross its trigger level."""
        one = settings.sync if channel == 0 else settings.inputs[channel - 1]
        # In T2 a detector may be plugged into the sync input of a PicoHarp 300.
        laser = channel == 0 and not (settings.mode == _T2 and settings.model.prefix == "PH")
        key = "sync_amplitude_v" if laser else "amplitude_v"
        return one.sees(1e3 * float(self._truth[key]), signed=settings.signed)

    def start(self, settings: Settings) -> "Events":
        """Begin a run now."""
        world = self.world
        if self._recording is not None:
            return Replay(self._recording, world.now(), world.laser.rep_rate_hz)
        point = (world.point_id, world.point_began_s)
        self._number = self._number + 1 if point == self._point else 0
        self._point = point
        plugs = self.plugs(settings)
        run = Run(
            self.bench,
            [plug.apd for plug in plugs],
            [self._input(settings, plug.channel) for plug in plugs],
            device=self.name,
            number=self._number,
            electronics_sd_ps=float(self._truth["timing_rms_ps"]),
        )
        return RunEvents(run)

    def sync_rate_hz(self, settings: Settings) -> float:
        """Pulses per second at the sync input, as the meter knows them."""
        if self._faults.sync_lost or not self.sees(settings, 0):
            return 0.0
        if settings.mode == _T2 and settings.model.prefix == "PH":
            return 0.0
        recording = self._recording
        if recording is not None and recording.t3:
            return 1.0 / recording.tick_s
        on = self.world.table.laser_on or recording is not None
        return self.world.laser.rep_rate_hz if on else 0.0

    def rates_hz(self, settings: Settings) -> dict[int, int]:
        """Counts per second by input over the last full gate of 0.1 s, with their noise.

        Of a recording the mean over its whole length: it has no light before the run begins.
        """
        if self._recording is not None:
            means = self._recording.rates_hz()
            plugged = self._replayed(settings)
            return {plugged[one]: round(mean) for one, mean in means.items() if one in plugged}
        plugs = self.plugs(settings)
        return {
            plug.channel: counted
            for plug, counted in zip(plugs, self._metered_hz(plugs), strict=True)
            if plug.channel >= 0 and self.sees(settings, plug.channel)
        }

    def _metered_hz(self, plugs: Sequence[Plug]) -> list[int]:
        """What the meter says at each plug; inputs are asked one by one of the same gate."""
        world, extra = self.world, self._faults.extra_light_hz
        gate = int(np.floor(world.now() / _GATE_S + 1e-6)) - 1
        apds = [plug.apd for plug in plugs]
        names = [apd.name for apd in apds]
        asked = (gate, extra, names, world.point_id, world.laser, self.bench.state())
        if self._metered is None or self._metered[0] != asked:
            generator = world.generator(self.name, "rate", gate)
            means = self.bench.rates_hz(apds, max(gate, 0) * _GATE_S)
            counted: list[int] = []
            for apd, mean in zip(apds, means, strict=True):
                mean += extra / (1.0 + extra * 1e-9 * apd.truth.dead_time_ns)
                counted.append(round(float(generator.poisson(mean * _GATE_S)) / _GATE_S))
            self._metered = asked, counted
        return self._metered[1]

    def markers(self) -> tuple[Any, ...]:
        """What makes edges at the marker inputs 1 to 4, to compare."""
        table = self.world.table
        return (table.analyser_deg, table.edge_filter_nm, self.world.stage_um)

    def _input(self, settings: Settings, channel: int) -> Input:
        if channel < 0:
            return Input(0, 0, alive=False)
        one = settings.sync if channel == 0 else settings.inputs[channel - 1]
        shift_ps = one.offset_ps
        if settings.mode != _T2:
            shift_ps -= settings.sync.offset_ps
        dead_ps = max(settings.model.dead_ps, one.dead_ps)
        return Input(shift_ps, dead_ps, self.sees(settings, channel))


class RunEvents:
    """A live run as a source of events."""

    def __init__(self, run: Run) -> None:
        """Take over the run."""
        self._run = run
        self.grid = run.stream.grid

    @property
    def known_ps(self) -> int:
        """Everything before this time since the beginning has been handed out."""
        return self._run.stream.known_ps

    def until(self, at_s: float, *, end: bool = False) -> NDArray[np.int64]:
        """Events up to a world time; the end ends the run."""
        if end:
            self._run.stop()
        return self._run.stream.until(at_s, end=end)
