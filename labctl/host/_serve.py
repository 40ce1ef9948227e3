"""Serving a simulated set-up to other programs, or to an engine that leases its clock."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from labctl.clock import EventQueue
from labctl.host._lease import LeaseServer
from labctl.host._rig import Rig, rig_factory, simulate
from labctl.host._seed import seeder
from labctl.setup import Setup

__all__ = ["Announcement", "serve", "serve_virtual"]

Announcement = Callable[[Mapping[str, Any]], None]


def serve(
    setup: Setup,
    *,
    dot: str = "",
    seed: int = 0,
    speed: float = 1.0,
    announce: Announcement,
    until: threading.Event,
    control: Callable[[Rig], None] = lambda _: None,
) -> None:
    """Serve on the wall clock until ``until`` is set.

    Args:
        setup: The set-up.
        dot: The dot on the optical axis.
        seed: Seed of everything random.
        speed: Clock seconds per second of life.
        announce: Told ``{"instruments": {name: address}}`` once everything listens.
        until: Ends the serving.
        control: Given the rig before it is announced, e.g. to let faults be injected.
    """
    simulation = simulate(setup.rig_spec(dot=dot), seed=seed, speed=speed)
    try:
        control(simulation.rig)
        announce({"instruments": simulation.rig.addresses()})
        until.wait()
    finally:
        simulation.close()


def serve_virtual(
    setup: Setup, *, dot: str = "", seed: int = 0, key: str, port: int = 0, announce: Announcement
) -> None:
    """Serve in virtual time, which passes only when the holder of the lease says so.

    Args:
        setup: The set-up.
        dot: The dot on the optical axis.
        seed: Seed of everything random.
        key: Secret that a holder must know.
        port: Port of the lease on loopback; 0: a free one.
        announce: Told ``{"lease": port, "instruments": …}``.
    """
    queue = EventQueue()
    rig = rig_factory()(
        setup.rig_spec(dot=dot), now=queue.now, schedule=queue.schedule, seed=seeder(seed)
    )
    queue.settle = rig.quiesce
    rig.start()
    server = LeaseServer(rig, queue, key.encode(), port)
    try:
        announce({"lease": server.port, "instruments": rig.addresses()})
        server.serve()
    finally:
        server.close()
        rig.close()
