"""ELL14: byte table, framing by length, busy, limits, the ring in time, several on a line."""

from collections.abc import Callable
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl_sim.thorlabs import Ell14
from labctl_sim.wire import on_one_line
from labctl_sim.world import World

EXACT = {"baud": 0, "jitter_deg": 0.0, "power_up_deg": 0.0}


class Bench:
    """A mount, one client and time."""

    def __init__(self, clock: VirtualClock, world: World, **truth: Any) -> None:
        self.clock, self.world = clock, world
        self.device = Ell14("mount", world, {}, {**EXACT, **truth})
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def ask(self, data: bytes, size: int | None = None, wait_s: float = 0.0) -> bytes:
        self.sent.clear()
        step = size or len(data) or 1
        for start in range(0, len(data), step):
            self.session.receive(data[start : start + step])
        if wait_s:
            self.clock.sleep(wait_s)
        return b"".join(self.sent)


@pytest.fixture
def make(clock: VirtualClock, world: World) -> Callable[..., Bench]:
    def make(**truth: Any) -> Bench:
        return Bench(clock, world, **truth)

    return make


QUESTIONS = [
    (b"0in", b"0IN0E1140051720231701016800023000\r\n"),
    (b"0gs", b"0GS00\r\n"),
    (b"0gp", b"0PO00000000\r\n"),
    (b"0gv", b"0GV64\r\n"),
    (b"0gj", b"0GJ00000000\r\n"),
    (b"0go", b"0HO00000000\r\n"),
    (b"0sv32", b"0GS00\r\n"),
    (b"0sv65", b"0GS0C\r\n"),
    (b"0sj00001000", b"0GS00\r\n"),
    (b"0us", b"0GS00\r\n"),
    (b"0st", b"0GS00\r\n"),
    (b"0xy", b"0GS03\r\n"),
    (b"0ma0002300g", b"0GS03\r\n"),
    (b"0ma00023001", b"0GS0C\r\n"),
    (b"0maFFFFFFFF", b"0GS0C\r\n"),
    (b"1gp", b""),
]


@pytest.mark.parametrize(("command", "reply"), QUESTIONS)
@pytest.mark.parametrize("size", [None, 1])
@pytest.mark.parametrize("end", [b"", b"\r", b"\r\n"])
def test_questions(
    make: Callable[..., Bench], command: bytes, reply: bytes, size: int | None, end: bytes
) -> None:
    assert make().ask(command + end, size) == reply


def test_the_answer_to_a_move_comes_when_it_has_ended(make: Callable[..., Bench]) -> None:
    bench = make()
    # 90 deg in 0.21 s and ramps of 0.11 s.
    assert bench.ask(b"0ma00008C00", wait_s=0.31) == b""
    assert bench.ask(b"0gp") == b"0GS09\r\n"
    assert bench.ask(b"", wait_s=0.02) == b"0PO00008C00\r\n"
    assert bench.ask(b"0mrFFFF7400", wait_s=1.0) == b"0PO00000000\r\n"
    assert bench.ask(b"0gp") == b"0PO00000000\r\n"


def test_firmware_that_says_busy_first(make: Callable[..., Bench]) -> None:
    bench = make(announces_busy=True)
    assert bench.ask(b"0ma00004600", wait_s=1.0) == b"0GS09\r\n0PO00004600\r\n"


def test_the_home_is_found_from_where_it_was_switched_on(make: Callable[..., Bench]) -> None:
    bench = make(power_up_deg=37.0, zero_offset_deg=1.7, scale_error_rel=0.0)
    assert bench.ask(b"0gp") == b"0PO00000000\r\n"
    assert bench.world.mounts.get("mount") == pytest.approx(37.0 - 1.7)
    assert bench.ask(b"0ho0", wait_s=2.0) == b"0PO00000000\r\n"
    # It came from above, so that it lags behind by the backlash.
    assert bench.world.mounts.get("mount") == pytest.approx(-1.7 + 0.05)


def test_a_status_is_told_once(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.device.fault_stick()
    assert bench.ask(b"0ma00004600", wait_s=3.0) == b"0GS02\r\n"
    assert bench.ask(b"0gs0gs") == b"0GS02\r\n0GS00\r\n"
    bench.device.clear_faults()
    assert bench.ask(b"0ma00004600", wait_s=3.0) == b"0PO00004600\r\n"


def test_jogs_and_slower_turns(make: Callable[..., Bench]) -> None:
    bench = make()
    assert bench.ask(b"0sj00004600") == b"0GS00\r\n"
    assert bench.ask(b"0fw", wait_s=1.0) == b"0PO00004600\r\n"
    assert bench.ask(b"0bw", wait_s=1.0) == b"0PO00000000\r\n"
    bench.ask(b"0sv0A")
    assert bench.ask(b"0ma00008C00", wait_s=2.0) == b""
    assert bench.ask(b"", wait_s=0.2) == b"0PO00008C00\r\n"


def test_half_a_command_is_forgotten(make: Callable[..., Bench]) -> None:
    bench = make()
    assert bench.ask(b"0ma0000", wait_s=3.0) == b""
    assert bench.ask(b"0gp") == b"0PO00000000\r\n"


def test_a_turn_is_seen_while_it_lasts(make: Callable[..., Bench]) -> None:
    bench = make(speed_deg_s=10.0, acceleration_deg_s2=20.0, zero_offset_deg=0.0)
    seen: list[float] = []
    mounts = bench.world.mounts
    mounts.follow("mount", lambda: seen.append(mounts.get("mount") or 0.0))
    bench.ask(b"0ma00008C00", wait_s=10.0)
    # Ramps of 0.5 s and 2.5 deg, then 10 deg/s; the ring turns by 2e-4 more than it shows.
    assert len(seen) == 95
    assert seen[4] == pytest.approx(2.5, rel=1e-3)
    assert seen[14] == pytest.approx(12.5, rel=1e-3)
    assert seen[-1] == pytest.approx(90.0 * 1.0002)
    assert seen == sorted(seen)


def test_units_on_one_line_answer_for_themselves(clock: VirtualClock, world: World) -> None:
    units = [Ell14(f"mount_{unit}", world, {"bus_address": unit}, EXACT) for unit in (0, 1, 11)]
    sent: list[bytes] = []
    session = on_one_line([unit.open for unit in units])(sent.append)
    session.receive(b"0ma000046001gpBgp2gp")
    assert sent == [b"1PO00000000\r\n", b"BPO00000000\r\n"]
    clock.sleep(1.0)
    assert sent[2:] == [b"0PO00004600\r\n"]
    session.closed()


def test_an_address_can_be_changed(make: Callable[..., Bench]) -> None:
    bench = make()
    assert bench.ask(b"0caA") == b"AGS00\r\n"
    assert bench.ask(b"0gp") == b""
    assert bench.ask(b"Agp") == b"APO00000000\r\n"


def test_stops_scatter_alike_for_one_seed(clock: VirtualClock, world: World) -> None:
    def stops() -> list[float]:
        bench = Bench(clock, world, jitter_deg=0.01)
        return [
            int(bench.ask(b"0ma%08X" % pulses, wait_s=1.0)[3:11], 16) - pulses
            for pulses in (20000, 40000, 60000, 80000)
        ]

    first = stops()
    assert first == stops()
    assert len(set(first)) > 1
    assert max(abs(off) for off in first) < 20
