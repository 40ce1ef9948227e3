"""Speed and order of a serial line."""

import pytest

from labctl.clock import EventQueue, VirtualClock
from labctl_sim.wire import SerialLine
from labctl_sim.world import World


def test_ten_bits_per_character_and_in_order(
    clock: VirtualClock, queue: EventQueue, world: World
) -> None:
    arrived: list[tuple[float, bytes]] = []
    line = SerialLine(world, lambda data: arrived.append((queue.now(), data)), 9600)
    line.transmit(b"x" * 96)
    line.transmit(b"y" * 48)
    line.pause(0.5)
    line.transmit(b"z" * 96)
    clock.sleep(1.0)
    assert [data[:1] for _, data in arrived] == [b"x", b"y", b"z"]
    assert [at_s for at_s, _ in arrived] == pytest.approx([0.1, 0.15, 0.75])


def test_without_speed_bytes_leave_at_once(clock: VirtualClock, world: World) -> None:
    arrived: list[bytes] = []
    SerialLine(world, arrived.append, 0).transmit(b"now")
    assert arrived == [b"now"]
