"""SC10: byte table, toggle, blade, modes, interlock, faults."""

from collections.abc import Callable
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl_sim.thorlabs import Sc10
from labctl_sim.world import World
from labctl_sim.world.photons import Apd, ApdTruth
from labctl_sim.world.photons import Bench as Detectors


class Bench:
    """A shutter controller, one client and time."""

    def __init__(self, clock: VirtualClock, world: World, **truth: Any) -> None:
        self.clock = clock
        self.world = world
        self.device = Sc10("shutter", world, {}, {"baud": 0, **truth})
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def ask(self, data: bytes, size: int | None = None) -> bytes:
        self.sent.clear()
        step = size or len(data)
        for start in range(0, len(data), step):
            self.session.receive(data[start : start + step])
        return b"".join(self.sent)

    @property
    def is_open(self) -> bool:
        return self.world.table.shutter_open


@pytest.fixture
def make(clock: VirtualClock, world: World) -> Callable[..., Bench]:
    def make(**truth: Any) -> Bench:
        return Bench(clock, world, **truth)

    return make


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (b"id?\r", b"id?\rTHORLABS SC10 VERSION 1.07\r> "),
        (b"ens?\r", b"ens?\r0\r> "),
        (b"ens\r", b"ens\r> "),
        (b"closed?\r", b"closed?\r1\r> "),
        (b"interlock?\r", b"interlock?\r0\r> "),
        (b"mode?\r", b"mode?\r1\r> "),
        (b"mode=2\r", b"mode=2\r> "),
        (b"open=999999\r", b"open=999999\r> "),
        (b"open?\r", b"open?\r200\r> "),
        (b"rep=99\r", b"rep=99\r> "),
        (b"save\r", b"save\r> "),
        (b"default\r", b"default\r> "),
        (b"\r", b"\r> "),
        (b"mode=6\r", b"mode=6\rCommand error CMD_ARG_INVALID\r> "),
        (b"rep=0\r", b"rep=0\rCommand error CMD_ARG_INVALID\r> "),
        (b"foo\r", b"foo\rCommand error CMD_NOT_DEFINED\r> "),
        (b"foo?\r", b"foo?\rCommand error CMD_NOT_DEFINED\r> "),
        (b"foo=1\r", b"foo=1\rCommand error CMD_NOT_DEFINED\r> "),
        (b"mode=-1\r", b"mode=-1\rCommand error CMD_NOT_DEFINED\r> "),
    ],
)
def test_exchanges_whole_byte_by_byte_and_with_trailing_bytes(
    make: Callable[..., Bench], command: bytes, reply: bytes
) -> None:
    assert make().ask(command) == reply
    assert make().ask(command, 1) == reply
    bench = make()
    assert bench.ask(command + b"rep") == reply + b"rep"
    assert bench.ask(b"?\r").startswith(b"?\r")


def test_ens_toggles_and_the_blade_takes_ten_milliseconds(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.ask(b"ens\r")
    assert bench.ask(b"ens?\rclosed?\r") == b"ens?\r1\r> closed?\r1\r> "
    bench.clock.sleep(0.009)
    assert not bench.is_open
    bench.clock.sleep(0.002)
    assert bench.is_open
    assert bench.ask(b"closed?\r") == b"closed?\r0\r> "
    bench.ask(b"ens\r")
    bench.clock.sleep(0.011)
    assert not bench.is_open


def test_two_toggles_in_a_row_leave_it_closed(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.ask(b"ens\rens\r")
    bench.clock.sleep(1.0)
    assert not bench.is_open
    assert bench.ask(b"ens?\r") == b"ens?\r0\r> "


def test_the_line_runs_at_9600_baud(make: Callable[..., Bench]) -> None:
    bench = make(baud=9600)
    assert bench.ask(b"ens?\r") == b""
    bench.clock.sleep(0.0095)
    assert b"".join(bench.sent) == b"ens?\r0\r> "


def test_a_single_exposure_ends_by_itself(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.ask(b"mode=3\ropen=100\rens\r")
    bench.clock.sleep(0.05)
    assert bench.is_open
    bench.clock.sleep(0.1)
    assert not bench.is_open
    assert bench.ask(b"ens?\r") == b"ens?\r0\r> "


@pytest.mark.parametrize(("mode", "openings"), [(4, 3), (2, 10), (5, 0)])
def test_repeats(make: Callable[..., Bench], mode: int, openings: int) -> None:
    bench = make()
    bench.ask(b"mode=%d\ropen=50\rshut=50\rrep=3\rens\r" % mode)
    seen: list[bool] = []
    for _ in range(100):
        bench.clock.sleep(0.01)
        seen.append(bench.is_open)
    assert sum(
        after and not before for before, after in zip([False, *seen], seen, strict=False)
    ) == (openings)


def test_the_interlock_closes_and_keeps_closed(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.ask(b"ens\r")
    bench.clock.sleep(0.1)
    bench.device.fault_interlock()
    bench.clock.sleep(0.1)
    assert not bench.is_open
    assert bench.ask(b"interlock?\rens\rens?\r") == b"interlock?\r1\r> ens\r> ens?\r0\r> "
    bench.device.clear_faults()
    bench.ask(b"ens\r")
    bench.clock.sleep(0.1)
    assert bench.is_open


def test_a_stuck_blade_shows_in_its_position(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.device.fault_stuck()
    bench.ask(b"ens\r")
    bench.clock.sleep(1.0)
    assert bench.ask(b"ens?\rclosed?\r") == b"ens?\r1\r> closed?\r1\r> "
    assert not bench.is_open


def test_refusal_and_reset(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.device.fault_refuse()
    assert b"CMD_NOT_DEFINED" in bench.ask(b"ens\r")
    bench.ask(b"ens\rrep=7\r")
    bench.clock.sleep(1.0)
    bench.device.reset()
    bench.clock.sleep(1.0)
    assert not bench.is_open
    assert bench.ask(b"rep?\r") == b"rep?\r1\r> "


def test_the_world_remembers_when_light_came(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.world.table.laser_on = True
    bench.ask(b"ens\r")
    bench.clock.sleep(1.0)
    assert bench.world.table.excitation.mean(0.0, 1.0) == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("blocks", "shut"), [("detectors", {"apd_1", "apd_2", "later"}), ("apd_2", {"apd_2"})]
)
def test_a_shutter_before_detectors_leaves_the_excitation_alone(
    make: Callable[..., Bench], world: World, blocks: str, shut: set[str]
) -> None:
    detectors = Detectors.of(world)
    apds = {name: Apd(ApdTruth(), name=name) for name in ("apd_1", "apd_2", "later")}
    world.table.shutter_open = True
    detectors.plug_in(apds["apd_1"])
    detectors.plug_in(apds["apd_2"])
    bench = make(blocks=blocks)
    detectors.plug_in(apds["later"])

    def closed() -> set[str]:
        return {name for name, apd in apds.items() if not apd.shutter_open}

    assert closed() == shut
    bench.ask(b"ens\r")
    bench.clock.sleep(0.02)
    assert closed() == set()
    bench.ask(b"ens\r")
    bench.clock.sleep(0.02)
    assert closed() == shut
    assert world.table.shutter_open


def test_light_must_pass_all_shutters_before_a_detector(
    make: Callable[..., Bench], world: World
) -> None:
    apd = Apd(ApdTruth(), name="apd_1")
    Detectors.of(world).plug_in(apd)
    common, own = make(blocks="detectors"), make(blocks="apd_1")
    for bench, passes in ((common, False), (own, True)):
        bench.ask(b"ens\r")
        bench.clock.sleep(0.02)
        assert apd.shutter_open is passes
