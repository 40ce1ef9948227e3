"""A simulated camera in a simulated world, on virtual time, and the driver connected to it."""

import hashlib
import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl.transport import LibraryLink
from labctl_drivers.princeton.picam import PicamEmccd, PicamSettings
from labctl_sim.libraries import VendorLibrary
from labctl_sim.princeton.picam import PicamSimulator
from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, World

_SAMPLE = {
    "schema_version": 1,
    "name": "one dot",
    "composition": "CsPbBr3",
    "dots": {"A1": {"edge_length": "23 nm", "lifetime": "180 ps"}},
}


def _seed(*labels: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(labels).encode()).digest()[:16], "big")


@dataclass
class PicamBench:
    """Driver, what stands behind it, and the clock."""

    clock: VirtualClock
    world: World
    simulator: PicamSimulator
    library: VendorLibrary
    calls: list[str]
    camera: PicamEmccd

    def wait_for(self, frames: int, deadline_s: float = 60.0) -> bool:
        """Let virtual time run until so many frames are there."""
        end_s = self.clock.now() + deadline_s
        ready = lambda: self.camera.frames_ready() >= frames  # noqa: E731
        return self.clock.wait_until(ready, deadline_s=end_s, what="frames")


@pytest.fixture
def picam_bench() -> Iterator[Callable[..., PicamBench]]:
    """Build benches; afterwards pylablib must hold nothing and no library body have failed."""
    picam: Any = importlib.import_module("pylablib.devices.PrincetonInstruments.picam")
    picam.libctl.initialized = False
    benches: list[PicamBench] = []

    def build(config: PicamSettings | None = None, **truth: Any) -> PicamBench:
        clock, calls = VirtualClock(), list[str]()
        world = World(
            sample=load_sample(_SAMPLE),
            dot="A1",
            laser=LaserTruth(),
            now=clock.now,
            schedule=clock.schedule,
            seed=_seed,
        )
        simulator = PicamSimulator("camera", world, {}, truth)
        library = PicamSimulator.face(simulator.call)

        def record(name: str, _arguments: tuple[Any, ...], _result: Any) -> None:
            calls.append(name)

        camera = PicamEmccd("camera", LibraryLink(library, record), config or PicamSettings(), {})
        benches.append(PicamBench(clock, world, simulator, library, calls, camera))
        return benches[-1]

    yield build
    for bench in benches:
        bench.camera.close()
        assert bench.library.errors == []
        assert bench.library.memory.unknown == 0
    assert picam.libctl.get_opened_num() == 0
    picam.libctl.initialized = False


@pytest.fixture
def picam(picam_bench: Callable[..., PicamBench]) -> PicamBench:
    """A bench with the camera connected."""
    bench = picam_bench()
    bench.camera.connect()
    return bench
