"""A simulated set-up on virtual time, and links to its instruments as the station makes them."""

import hashlib
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from labctl.clock import EventQueue, VirtualClock
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
    """A rig with its clock; counts how much wall time nobody should need."""

    def __init__(self, instruments: Mapping[str, Mapping[str, Any]]) -> None:
        queue = EventQueue()
        spec = {"sample": SAMPLE, "dot": "A1", "instruments": instruments}
        self.rig = Rig(spec, now=queue.now, schedule=queue.schedule, seed=seed)
        self.clock = VirtualClock(queue)
        self.rig.start()
        queue.settle = self.rig.quiesce

    def visa(self, name: str) -> VisaTransport:
        return VisaTransport(name, self.rig.addresses()[name], self.clock)

    def http(self, name: str) -> HttpTransport:
        return HttpTransport(name, self.rig.addresses()[name], self.clock)

    def hand(self, name: str) -> LibraryLink:
        return LibraryLink(self.rig.library(name))


@pytest.fixture
def bench() -> Generator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**instruments: Mapping[str, Any]) -> Bench:
        made.append(Bench(instruments))
        return made[-1]

    yield make
    for one in made:
        one.rig.close()
        assert one.rig.errors == []
