"""Exchanges typed from the ESP300 user's manual; the carriage; who follows it."""

import pytest

from labctl.clock import VirtualClock
from labctl_sim.newport._carriage import Carriage
from labctl_sim.newport.esp300 import Esp300
from labctl_sim.world import World


class Bench:
    """A controller and one client."""

    def __init__(self, world: World) -> None:
        self.device = Esp300("delay", world, {}, {"baud": 0})
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def ask(self, data: bytes, size: int | None = None) -> bytes:
        self.sent.clear()
        step = size or len(data)
        for start in range(0, len(data), step):
            self.session.receive(data[start : start + step])
        return b"".join(self.sent)


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b"VE?\r", b"ESP300 Version 3.04 07/27/01\r\n"),
        (b"1ID?\r", b"ILS150PP, SN1263\r\n"),
        (b"1SN?\r1TP\r", b"2\r\n0.00000\r\n"),
        (b"1MO?;1MF;1MO?\r", b"1\r\n0\r\n"),
        (b"TB?\r", b"0, 0, NO ERROR DETECTED\r\n"),
        (b"XX\rTE?\r", b"6\r\n"),
        (b"PA3\rTE?\r", b"37\r\n"),
        (b"5TP\rTE?\r", b"9\r\n"),
        (b"1PA\rTE?\r", b"38\r\n"),
        (b"1PA500\rTB?\r", b"106, 0, AXIS-1 POSITIVE SOFTWARE LIMIT DETECTED\r\n"),
        (b"1MF\r1PA5\rTB?\r", b"113, 0, AXIS-1 MOTOR NOT ENABLED\r\n"),
        (b"1PA5\n1MD?\r\n", b"0\r\n"),
        (b"2MO?\r", b"0\r\n"),
        (b"1SL?\r1SR?\r", b"-75.00000\r\n75.00000\r\n"),
    ],
)
def test_exchanges_whole_and_byte_by_byte(world: World, data: bytes, reply: bytes) -> None:
    assert Bench(world).ask(data) == reply
    assert Bench(world).ask(data, 1) == reply


def test_a_carriage_accelerates_travels_and_brakes(world: World, clock: VirtualClock) -> None:
    carriage = Carriage(
        world, speed_mm_s=10.0, acceleration_mm_s2=20.0, step_mm=1e-6, moved=lambda: None
    )
    carriage.go(20.0)
    at_mm: list[float] = []
    for _ in range(5):
        clock.sleep(0.5)
        at_mm.append(carriage.position_mm())
    # 0.5 s to 10 mm/s are 2.5 mm; 1.5 s at it; 0.5 s of braking.
    assert at_mm == pytest.approx([2.5, 7.5, 12.5, 17.5, 20.0])
    assert not carriage.moving


def test_a_short_way_never_reaches_full_speed(world: World, clock: VirtualClock) -> None:
    carriage = Carriage(
        world, speed_mm_s=10.0, acceleration_mm_s2=20.0, step_mm=1e-6, moved=lambda: None
    )
    carriage.go(-0.8)
    clock.sleep(0.2)
    assert carriage.position_mm() == pytest.approx(-0.4)
    clock.sleep(0.2)
    assert carriage.position_mm() == pytest.approx(-0.8)


def test_arms_and_polarization_follow_the_selectors(world: World) -> None:
    Bench(world)
    assert world.table.interferometer is not None
    assert (world.table.interferometer.arms, world.table.interferometer.crossed) == ("both", False)
    world.places.set("arms", "long")
    world.places.set("polarization", "cross")
    assert (world.table.interferometer.arms, world.table.interferometer.crossed) == ("long", True)
