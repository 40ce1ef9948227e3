"""The driver against tapes, and against the simulated controller on virtual time."""

from collections.abc import Callable, Generator
from typing import Any, Protocol

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError
from labctl.roles import Shutter
from labctl.transport import TapeTransport, VisaTransport
from labctl_drivers.thorlabs.sc10 import Sc10, Sc10Settings

Pair = tuple[bytes, bytes]
HELLO: list[Pair] = [
    (b"id?\r", b"id?\rTHORLABS SC10 VERSION 1.07\r> "),
    (b"mode?\r", b"mode?\r1\r> "),
    (b"mode?\r", b"mode?\r1\r> "),
    (b"id?\r", b"id?\rTHORLABS SC10 VERSION 1.07\r> "),
]
NO_INTERLOCK: Pair = (b"interlock?\r", b"interlock?\r0\r> ")
TOGGLE: Pair = (b"ens\r", b"ens\r> ")


def enabled(flag: int) -> Pair:
    return b"ens?\r", b"ens?\r%d\r> " % flag


def closed(flag: int) -> Pair:
    return b"closed?\r", b"closed?\r%d\r> " % flag


def by_tape(*pairs: Pair) -> tuple[Sc10, TapeTransport]:
    tape = TapeTransport("shutter", [*HELLO, *pairs], VirtualClock())
    driver = Sc10("shutter", tape, Sc10Settings(), {})
    driver.connect()
    return driver, tape


def test_closed_shutter_is_opened_by_one_toggle() -> None:
    driver, tape = by_tape(NO_INTERLOCK, enabled(0), TOGGLE, closed(0), closed(0))
    driver.set_open(True)
    tape.check_finished()


def test_open_shutter_is_not_toggled_to_open_it() -> None:
    driver, tape = by_tape(NO_INTERLOCK, enabled(1), closed(0), closed(0))
    driver.set_open(True)
    tape.check_finished()


def test_closing_does_not_ask_the_interlock() -> None:
    driver, tape = by_tape(enabled(1), TOGGLE, closed(1), closed(1))
    driver.set_open(False)
    tape.check_finished()


def test_closed_shutter_is_not_toggled_to_make_it_safe() -> None:
    driver, tape = by_tape(enabled(0), closed(1), closed(1), closed(1))
    driver.make_safe("close")
    tape.check_finished()


def test_tripped_interlock_sends_no_toggle() -> None:
    driver, tape = by_tape((b"interlock?\r", b"interlock?\r1\r> "))
    with pytest.raises(DeviceRefusedError, match="the interlock has tripped"):
        driver.set_open(True)
    tape.check_finished()


def test_manual_mode_is_set_and_read_back() -> None:
    exchanges: list[Pair] = [
        HELLO[0],
        (b"mode?\r", b"mode?\r3\r> "),
        (b"mode=1\r", b"mode=1\r> "),
        (b"mode?\r", b"mode?\r1\r> "),
        HELLO[0],
    ]
    tape = TapeTransport("shutter", exchanges, VirtualClock())
    Sc10("shutter", tape, Sc10Settings(), {}).connect()
    tape.check_finished()
    stubborn = [*exchanges[:3], (b"mode?\r", b"mode?\r3\r> ")]
    tape = TapeTransport("shutter", stubborn, VirtualClock())
    with pytest.raises(DeviceRefusedError, match="stays in mode 3"):
        Sc10("shutter", tape, Sc10Settings(), {}).connect()


class Rig(Protocol):
    world: Any

    def inject(self, instrument: str, kind: str, **parameters: Any) -> None: ...


class Bench(Protocol):
    clock: VirtualClock
    rig: Rig

    def visa(self, name: str) -> VisaTransport: ...


Connect = Callable[..., tuple[Sc10, Bench]]


@pytest.fixture
def connect(bench: Callable[..., Bench]) -> Generator[Connect]:
    drivers: list[Sc10] = []

    def make(**truth: float) -> tuple[Sc10, Bench]:
        found = bench(shutter={"simulator": "thorlabs.sc10", "truth": truth})
        driver = Sc10("shutter", found.visa("shutter"), Sc10Settings(), {})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


@pytest.mark.parametrize("baud", [0, 9600])
@pytest.mark.parametrize("travel_s", [0.001, 0.05])
def test_light_follows_the_order(connect: Connect, baud: int, travel_s: float) -> None:
    driver, bench = connect(baud=baud, open_time_s=travel_s, close_time_s=travel_s)
    assert isinstance(driver, Shutter)
    for wanted in (True, True, False, False, True, False):
        driver.set_open(wanted)
        assert driver.is_open() is wanted
        assert bench.rig.world.table.shutter_open is wanted
    assert driver.identity().model.startswith("THORLABS SC10")


def test_stuck_blade_is_an_error(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("shutter", "stuck")
    began_s = bench.clock.now()
    with pytest.raises(DeviceRefusedError, match="did not move"):
        driver.set_open(True)
    assert bench.clock.now() - began_s < 1.0


def test_blade_stuck_open_is_not_called_safe(connect: Connect) -> None:
    driver, bench = connect()
    driver.set_open(True)
    bench.rig.inject("shutter", "stuck")
    with pytest.raises(DeviceRefusedError, match="did not move"):
        driver.make_safe("close")
    bench.rig.inject("shutter", "clear")
    driver.set_open(True)
    driver.make_safe("close")


def test_interlock(connect: Connect) -> None:
    driver, bench = connect()
    driver.set_open(True)
    bench.rig.inject("shutter", "interlock")
    bench.clock.sleep(1.0)
    assert driver.is_shut()
    with pytest.raises(DeviceRefusedError, match="interlock"):
        driver.set_open(True)
    assert driver.snapshot()["interlock_tripped"] is True
    driver.make_safe("close")


@pytest.mark.parametrize("kind", ["drop", "garble", "refuse", "disconnect", "late"])
def test_closing_works_after_a_disturbed_answer(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    driver.set_open(True)
    bench.rig.inject("shutter", kind, **({"delay_s": 2.5} if kind == "late" else {}))
    try:
        driver.make_safe("close")
    except DeviceError:
        driver.flush()
        driver.make_safe("close")
    assert bench.rig.world.table.shutter_open is False


def test_silence(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("shutter", "hang", for_s=30.0)
    with pytest.raises(NoReplyError, match="within 2 s"):
        driver.is_open()
    driver.flush()
    bench.clock.sleep(30.0)
    assert driver.is_shut()
