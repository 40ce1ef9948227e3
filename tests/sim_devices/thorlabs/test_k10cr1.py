"""K10CR1: byte table, moves in time, what is told unasked, home, stop."""

from collections.abc import Callable
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl_sim.thorlabs import K10cr1
from labctl_sim.world import World

EXACT = {"jitter_deg": 0.0, "power_up_deg": 0.0, "scale_error_rel": 0.0}
STATUS, POSITION = "290401005001", "110401005001"


class Bench:
    """A mount, one client and time."""

    def __init__(self, clock: VirtualClock, world: World, **truth: Any) -> None:
        self.clock, self.world = clock, world
        self.device = K10cr1("mount", world, {}, {**EXACT, **truth})
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def ask(self, text: str, size: int = 99, wait_s: float = 0.0) -> str:
        data = bytes.fromhex(text)
        self.sent.clear()
        for start in range(0, len(data), size):
            self.session.receive(data[start : start + size])
        if wait_s:
            self.clock.sleep(wait_s)
        return b"".join(self.sent).hex()


@pytest.fixture
def make(clock: VirtualClock, world: World) -> Callable[..., Bench]:
    def make(**truth: Any) -> Bench:
        return Bench(clock, world, **truth)

    return make


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (POSITION, "120406008150010000000000"),
        (STATUS, "2a0406008150010000000080"),
        ("110201005001", "120201010150"),
        ("100201025001 110201005001", "120201020150"),
        ("140401005001", "15040e008150 0100 00000000 58750000 52555e04"),
        ("3b0401005001", "3c0406008150 0100 55150200"),
        ("120000005001", ""),
        ("230200005001", ""),
        ("ffff00005001", ""),
    ],
)
@pytest.mark.parametrize("size", [99, 1])
def test_questions(make: Callable[..., Bench], question: str, answer: str, size: int) -> None:
    assert make().ask(question, size) == answer.replace(" ", "")


def test_hardware(make: Callable[..., Bench]) -> None:
    data = bytes.fromhex(make().ask("050000005001"))
    assert data[:6].hex() == "060054008150"
    assert len(data) == 6 + 84
    assert int.from_bytes(data[6:10], "little") == 55001234
    assert data[10:18] == b"K10CR1\0\0"


def test_a_move_is_told_when_it_has_ended(make: Callable[..., Bench]) -> None:
    bench = make()
    # 45 deg at 10 deg/s with 20 deg/s²: 5 s.
    assert bench.ask("53040600d001 0100 00c05d00", wait_s=2.5) == ""
    assert bench.ask(STATUS)[-8:] == "10000080"
    assert (
        bench.ask("", wait_s=2.6) == "64040e008150" + "0100" + "00c05d00" + "00000000" + "00000080"
    )
    assert bench.ask(POSITION)[-8:] == "00c05d00"
    assert bench.world.mounts.get("mount") == pytest.approx(45.0 + 2.3)
    bench.ask("48040600d001 0100 0040a2ff", wait_s=2.0)
    assert bench.ask(STATUS)[-8:] == "20000080"


def test_home_and_stop(make: Callable[..., Bench]) -> None:
    bench = make(power_up_deg=30.0, tells_end_of_move=False)
    assert bench.ask("430401005001", wait_s=1.0) == ""
    assert bench.ask(STATUS)[-8:] == "00020080"
    bench.clock.sleep(10.0)
    assert bench.ask(STATUS)[-8:] == "00040080"
    bench.ask("53040600d001 0100 00c05d00", wait_s=2.0)
    bench.ask("650401025001")
    assert bench.ask(STATUS)[-8:] == "00040080"
    assert 0.0 < bench.device.ring.shown_deg() < 45.0


def test_a_held_ring_ends_with_an_error_until_the_next_move(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.device.fault_stick()
    bench.ask("53040600d001 0100 00c05d00", wait_s=2.0)
    assert bench.ask(STATUS)[-8:] == "00400080"
    bench.device.clear_faults()
    bench.ask("53040600d001 0100 00c05d00", wait_s=6.0)
    assert bench.ask(STATUS)[-8:] == "00000080"


def test_a_slower_turn(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.ask("13040e00d001 0100 00000000 58750000 88562c02", wait_s=0.0)
    assert bench.device.ring.speed_deg_s == pytest.approx(5.0, rel=0.01)
