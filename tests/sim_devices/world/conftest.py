"""A world on a hand-turned clock."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, Recorded, World

PLAIN = {
    "edge_length": "30 nm",
    "lifetime": "180 ps",
    "populations": [1.0, 0.0, 0.0],
    "huang_rhys_factor": 0.0,
    "regime": "auger",
    "exciton_yield": 1.0,
    "multiexciton_yield": 0.0,
}


def numbers(*labels: object) -> int:
    text = repr(labels).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:16], "big")


class Clock:
    def __init__(self) -> None:
        self.s = 0.0
        self.events: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.s

    def schedule(self, at_s: float, action: Callable[[], None]) -> Callable[[], None]:
        event = (at_s, action)
        self.events.append(event)
        return lambda: self.events.remove(event)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_world(clock: Clock) -> Callable[..., World]:
    def make(
        *,
        seed: int = 0,
        memory: bool = False,
        temperature_k: float = 4.0,
        dot: str = "A1",
        dots: dict[str, Any] | None = None,
        laws: dict[str, Any] | None = None,
        laser: LaserTruth | None = None,
        recorded: Recorded | None = None,
    ) -> World:
        plain = {"excitation": {"local_heating": "0 K*cm**2/uJ"}}
        sample = load_sample(
            {
                "schema_version": 1,
                "name": "test",
                "composition": "CsPbBr3",
                "laws": plain | (laws or {}),
                "dots": dots or {"A1": PLAIN},
            }
        )
        world = World(
            sample=sample,
            dot=dot,
            laser=laser or LaserTruth(),
            now=clock.now,
            schedule=clock.schedule,
            seed=lambda *labels: numbers(seed, *labels),
            memory=memory,
            recorded=recorded,
        )
        world.attach_cryostat({"start_temperature_k": temperature_k})
        return world

    return make


@pytest.fixture
def lit_world(make_world: Callable[..., World]) -> Callable[..., World]:
    def make(**options: Any) -> World:
        world = make_world(**options)
        world.table.laser_on = True
        world.table.shutter_open = True
        return world

    return make
