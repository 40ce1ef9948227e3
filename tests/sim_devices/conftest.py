"""A clock, a world and a sample for simulators without any wire."""

import hashlib
from typing import Any

import pytest

from labctl.clock import EventQueue, VirtualClock
from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, World

SAMPLE: dict[str, Any] = {
    "schema_version": 1,
    "name": "two dots",
    "composition": "CsPbBr3",
    "dots": {
        "A7": {"edge_length": "23 nm", "lifetime": "100 ps"},
        "B2": {"edge_length": "21 nm", "lifetime": "150 ps"},
    },
}


def seed_of(*labels: str | int) -> int:
    """Derive a seed from labels alone: run seed 0."""
    return int.from_bytes(hashlib.sha256(repr(labels).encode()).digest()[:16], "big")


@pytest.fixture
def sample_data() -> dict[str, Any]:
    """Give the plain data of a sample with two dots."""
    return SAMPLE


@pytest.fixture
def queue() -> EventQueue:
    """Give the world's future; its time is right inside actions too."""
    return EventQueue()


@pytest.fixture
def clock(queue: EventQueue) -> VirtualClock:
    """Give virtual time that jumps from event to event."""
    return VirtualClock(queue)


@pytest.fixture
def world(queue: EventQueue) -> World:
    """Give a world on that clock."""
    return World(
        sample=load_sample(SAMPLE),
        dot="A7",
        laser=LaserTruth(),
        now=queue.now,
        schedule=queue.schedule,
        seed=seed_of,
    )
