"""A set-up brought to life: clock, instruments and, where simulated, the world behind them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from typing import Any

from labctl.clock import RealClock, VirtualClock
from labctl.host._lease import LeasedWorld
from labctl.host._rig import Rig, Simulation, simulate
from labctl.sequencer import Guard
from labctl.setup import Interlock, Setup
from labctl.stations import Station, build
from labctl.transport import FlightRecorder, StandIn

__all__ = ["Connection", "SimulatedBy", "connect_station"]


@dataclass(frozen=True)
class SimulatedBy:
    """How a set-up is simulated.

    Attributes:
        seed: Seed of everything random.
        dot: The dot on the optical axis; empty: the one of the set-up, else the first.
        speed: None: virtual time; else clock seconds per second of life.
        world_port: Port of a world in its own process; None: the world lives in this process.
        world_key: Secret of that world.
    """

    seed: int = 0
    dot: str = ""
    speed: float | None = None
    world_port: int | None = None
    world_key: str = ""


class Connection:
    """A station with its clock; use as a context manager, so that everything is closed again.

    Attributes:
        guard: Looks at interlocks and detectors as long as the station is connected.
    """

    def __init__(
        self,
        station: Station,
        clock: VirtualClock | RealClock,
        recorder: FlightRecorder,
        simulation: Simulation | None,
        interlocks: Iterable[Interlock] = (),
    ) -> None:
        """Keep what belongs together; not yet connected."""
        self.station, self.clock, self.recorder = station, clock, recorder
        self.guard = Guard(station, clock, interlocks)
        self._simulation = simulation
        self.noise = ""

    @property
    def rig(self) -> Rig | None:
        """The simulated set-up, if it is one."""
        return self._simulation.rig if self._simulation else None

    @property
    def has_own_world(self) -> bool:
        """Whether the world behind the instruments began with this connection, and ends with it."""
        return self.rig is not None and not isinstance(self.rig, LeasedWorld)

    def begin_point(self, point_id: str) -> None:
        """Tell a simulated set-up which point is measured now.

        ``noise`` stands before the id: runs on one connection would all have the same noise.
        """
        if self.rig is not None:
            self.rig.begin_point(f"{self.noise}{point_id}")

    def select_dot(self, dot: str) -> None:
        """Put a dot of a simulated sample on the optical axis, wherever the stage stands."""
        if self.rig is not None:
            self.rig.select_dot(dot)

    def __enter__(self) -> "Connection":
        """Connect all instruments, and begin to guard them; reports all failures at once."""
        try:
            self.station.connect()
            self.guard.start()
        except BaseException:
            self._close_world()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections, then the simulated set-up."""
        try:
            self.guard.stop()
            self.station.close()
        finally:
            self._close_world()

    def abandon(self) -> None:
        """Leave the simulated set-up without a word to the instruments; they may hang."""
        self._close_world()

    def _close_world(self) -> None:
        if self._simulation is not None:
            self._simulation.close()
        elif isinstance(self.clock, RealClock):
            self.clock.close()


def connect_station(setup: Setup, by: SimulatedBy | None) -> Connection:
    """Build the station of a set-up, real (``by`` None) or simulated; connect it with ``with``."""
    if by is None:
        clock = RealClock()
        recorder = FlightRecorder(clock)
        station = build(setup, clock, recorder)
        return Connection(station, clock, recorder, None, setup.file.interlocks)
    simulation = _simulation(setup, by)
    try:
        return _connection(setup, simulation)
    except BaseException:
        simulation.close()
        raise


def _connection(setup: Setup, simulation: Simulation) -> Connection:
    recorder = FlightRecorder(simulation.clock)
    station = build(
        setup,
        simulation.clock,
        recorder,
        addresses=simulation.rig.addresses(),
        library=_library(setup, simulation.rig),
    )
    interlocks = setup.file.interlocks
    return Connection(station, simulation.clock, recorder, simulation, interlocks)


def _simulation(setup: Setup, by: SimulatedBy) -> Simulation:
    if by.world_port is not None:
        world = LeasedWorld(by.world_port, by.world_key.encode(), _faces(setup))
        if by.dot:
            world.select_dot(by.dot)
        return Simulation(world, VirtualClock(world))
    return simulate(setup.rig_spec(dot=by.dot), seed=by.seed, speed=by.speed)


def _library(setup: Setup, rig: Rig) -> Callable[[str], object | None]:
    faces = _faces(setup)

    def library(name: str) -> object | None:
        if name not in faces:
            return None
        if not setup.instruments[name].isolates(simulated=True):
            return rig.library(name)
        face = faces[name]
        build = f"{face.__module__}:{face.__qualname__}"
        return StandIn(build, partial(rig.call, name), partial(rig.drop_client, name))

    return library


def _faces(setup: Setup) -> dict[str, Any]:
    """Return for each instrument without a wire what builds its library's functions."""
    faces: dict[str, Any] = {}
    for name, entry in setup.instruments.items():
        if entry.driver_type.interface in ("library", "hand"):
            found = entry_points(group="labctl.simulators", name=entry.simulator)
            faces[name] = next(iter(found)).load().face
    return faces
