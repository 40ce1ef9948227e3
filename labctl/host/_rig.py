"""The simulated set-up as the host sees it, in this process or in another one."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol, cast

from labctl.clock import EventQueue, RealClock, VirtualClock
from labctl.errors import ConfigError, Problem
from labctl.host._seed import seeder

__all__ = ["Rig", "Simulation", "rig_factory", "simulate"]


class Rig(Protocol):
    """One world with every simulator of a set-up attached (see the package of simulators)."""

    errors: list[BaseException]

    def start(self) -> None:
        """Open the loopback sockets."""
        ...

    def addresses(self) -> dict[str, str]:
        """Return where each byte-protocol simulator listens."""
        ...

    def library(self, instrument: str) -> object:
        """Return the stand-in of a vendor library."""
        ...

    def call(self, instrument: str, method: str, arguments: list[Any]) -> Any:
        """Call the backend of a library simulator with plain values."""
        ...

    def quiesce(self, timeout_s: float = 5.0) -> None:
        """Return when nothing is readable and no handler is busy."""
        ...

    def begin_point(self, point_id: str) -> None:
        """Seed the noise of what follows by this id."""
        ...

    def select_dot(self, dot: str) -> None:
        """Put a dot on the optical axis."""
        ...

    def inject(self, instrument: str, kind: str, **parameters: Any) -> None:
        """Let a simulator fail."""
        ...

    def truth(self) -> dict[str, Any]:
        """Return what the world really is; for tests."""
        ...

    def drop_client(self, instrument: str = "") -> None:
        """Close what a process that has died had open in the library of one or of all vendors."""
        ...

    def log(self) -> list[tuple[float, str]]:
        """Return when laser light was let in and shut, by the world's clock in s; for tests."""
        ...

    def close(self) -> None:
        """Stop serving."""
        ...


RigFactory = Callable[..., Rig]


def rig_factory(name: str = "default") -> RigFactory:
    """Return the rig class of an entry point of the group ``labctl.rigs``."""
    found = entry_points(group="labctl.rigs", name=name)
    if not found:
        what = f"no simulated set-up {name!r} is installed"
        raise ConfigError([Problem(what, hint="install the package that offers it")])
    return cast(RigFactory, next(iter(found)).load())


class Simulation:
    """A rig together with the clock that drives it."""

    def __init__(self, rig: Rig, clock: VirtualClock | RealClock) -> None:
        """Keep the pair; the rig is started."""
        self.rig, self.clock = rig, clock

    def close(self) -> None:
        """Stop the rig, then the clock."""
        self.rig.close()
        if isinstance(self.clock, RealClock):
            self.clock.close()


def simulate(spec: Mapping[str, Any], *, seed: int, speed: float | None = None) -> Simulation:
    """Start the simulated set-up in this process.

    Args:
        spec: What the rig is built from.
        seed: Seed of the whole night.
        speed: None for virtual time, else clock seconds per second of life.
    """
    make = rig_factory()
    if speed is not None:
        real = RealClock(speed)
        rig = make(spec, now=real.now, schedule=real.schedule, seed=seeder(seed))
        rig.start()
        return Simulation(rig, real)
    queue = EventQueue()
    rig = make(spec, now=queue.now, schedule=queue.schedule, seed=seeder(seed))
    queue.settle = rig.quiesce
    rig.start()
    return Simulation(rig, VirtualClock(queue))
