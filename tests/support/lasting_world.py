"""A simulated world that outlives the engines that measure in it, with all that it remembers."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any, cast
from unittest.mock import patch

from labctl.clock import VirtualClock
from labctl.events import Abort, Event
from labctl.host import LocalHost, RunReport, RunRequest, Simulation, simulate

_WATCHED = ("energy_ev", "fwhm_intrinsic_mev")


class LastingWorld:
    """Hands the same world to one engine after the other; each has a clock of its own."""

    def __init__(self) -> None:
        self._first: Simulation | None = None

    @property
    def rig(self) -> Any:
        assert self._first is not None
        return self._first.rig

    @property
    def world(self) -> Any:
        return self.rig.world

    def simulate(self, spec: Mapping[str, Any], *, seed: int, speed: float | None) -> Simulation:
        assert speed is None
        if self._first is None:
            self._first = simulate(spec, seed=seed)
        return _Lent(self.rig, self._clock())

    def pass_time(self, seconds: float) -> None:
        """Let time pass while nobody measures."""
        clock = self._clock()
        clock.sleep(0.0)
        clock.sleep(seconds)

    def close(self) -> None:
        if self._first is not None:
            self._first.close()

    def _clock(self) -> VirtualClock:
        assert self._first is not None
        return VirtualClock(cast("Any", self._first.clock)._world)


class _Lent(Simulation):
    """Closing it closes nothing."""

    def close(self) -> None:
        return None


class Observer:
    """Notes what the world really was while each point was taken; aborts after so many points.

    Attributes:
        truths: Index of a point → the mean over its frames.
        doses: Absorbed excitations of the dot when each point was stored.
    """

    def __init__(self, world: LastingWorld, host: LocalHost, abort_after: int | None) -> None:
        self._world, self._host, self._left = world, host, abort_after
        self.truths: dict[int, dict[str, float]] = {}
        self._frames: list[dict[str, Any]] = []
        self.doses: list[float] = []

    def __call__(self, event: Event) -> None:
        world = self._world.world
        if event.kind == "progress" and event.text.startswith("frame"):
            self._frames.append(world.truth())
        if event.kind != "point_stored":
            return
        self.truths[event.index] = {
            name: fmean(frame[name] for frame in self._frames) for name in _WATCHED
        }
        self._frames.clear()
        self.doses.append(float(world._dose(world.dot_name, world.now())))
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                self._host.post(Abort(reason="the test ends it"))


def run_in(
    world: LastingWorld, request: RunRequest, *, abort_after: int | None = None
) -> tuple[RunReport, Observer]:
    """Run in a lasting world."""
    host = LocalHost()
    observer = Observer(world, host, abort_after)
    with (
        patch("labctl.host._connection.simulate", world.simulate),
        patch("labctl.host._runner.finalise_in_child") as finalise,
    ):
        finalise.return_value.product = None
        return host.run(request, [observer]), observer
