"""A simulated set-up on virtual time, and links to its instruments as the station makes them."""

import hashlib
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from labctl.clock import Clock, EventQueue, RealClock, VirtualClock
from labctl.transport import HttpTransport, LibraryLink, VisaTransport
from labctl_sim.rig import Rig

SAMPLE = {
    "schema_version": 1,
    "name": "one dot",
    "composition": "CsPbBr3",
    "dots": {"A1": {"edge_length": "23 nm", "lifetime": "180 ps"}},
}


def seed(*labels: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(labels).encode()).digest()[:16], "big")


class Bench:
    """A rig with its clock: virtual time, or the wall clock at some speed."""

    def __init__(self, instruments: Mapping[str, Mapping[str, Any]], speed: float | None) -> None:
        queue = EventQueue()
        self.real = None if speed is None else RealClock(speed)
        self.clock: Clock = self.real or VirtualClock(queue)
        time: Clock | EventQueue = self.real or queue
        spec = {"sample": SAMPLE, "dot": "A1", "instruments": instruments}
        self.rig = Rig(spec, now=time.now, schedule=time.schedule, seed=seed)
        self.rig.start()
        queue.settle = self.rig.quiesce

    def close(self) -> None:
        if self.real is not None:
            self.real.close()
        self.rig.close()
        assert self.rig.errors == []

    def visa(self, name: str) -> VisaTransport:
        return VisaTransport(name, self.rig.addresses()[name], self.clock)

    def http(self, name: str) -> HttpTransport:
        return HttpTransport(name, self.rig.addresses()[name], self.clock)

    def hand(self, name: str) -> LibraryLink:
        return LibraryLink(self.rig.library(name))


@pytest.fixture
def bench() -> Generator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(speed: float | None = None, **instruments: Mapping[str, Any]) -> Bench:
        made.append(Bench(instruments, speed))
        return made[-1]

    yield make
    for one in made:
        one.close()
