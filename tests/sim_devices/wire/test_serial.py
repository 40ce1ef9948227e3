"""Speed and order of a serial line."""

from collections.abc import Callable

import pytest

from labctl.clock import EventQueue, VirtualClock
from labctl_sim.wire import Leaving, SerialLine
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


class Tardy:
    """A wall clock whose first alarm is set by a thread that was stopped for a while."""

    def __init__(self) -> None:
        self.alarms: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return 0.0

    def after(self, delay_s: float, action: Callable[[], None], /) -> Callable[[], None]:
        stopped_s = 0.0 if self.alarms else 1.0
        self.alarms.append((delay_s + stopped_s, action))
        return lambda: None


def test_an_alarm_that_was_set_too_late_does_not_turn_the_order_round() -> None:
    clock, arrived = Tardy(), list[bytes]()
    leaving = Leaving(clock, arrived.append)
    leaving.transmit(b"echo", 0.1)
    leaving.transmit(b"value", 0.1)
    for _, action in sorted(clock.alarms, key=lambda alarm: alarm[0]):
        action()
    assert arrived == [b"echo", b"value"]


def test_nothing_overtakes_what_still_waits() -> None:
    clock, arrived = Tardy(), list[bytes]()
    leaving = Leaving(clock, arrived.append)
    leaving.transmit(b"first", 0.1)
    clock.now = lambda: 1.0
    leaving.transmit(b"second", 0.0)
    assert arrived == []
    for _, action in clock.alarms:
        action()
    assert arrived == [b"first", b"second"]
