"""The wheel: bytes of the manual, tapes, and the simulated wheel in the excitation."""

from collections.abc import Callable, Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import Selector
from labctl.transport import GarbledBytesError, RefusalError, TapeTransport
from labctl_drivers.thorlabs import _fw102c_wire as wire
from labctl_drivers.thorlabs.fw102c import Fw102c, Fw102cSettings

POSITIONS = ("empty", "OD 0.5", "OD 1", "OD 2", "OD 3", "OD 4")
VALUES: list[tuple[Callable[[bytes, str], Any], str, bytes, Any]] = [
    (wire.decode_number, "pcount?", b"pcount?\r6\r> ", 6),
    (wire.decode_number, "pos?", b"pos?\r1\r> ", 1),
    (wire.decode_order, "pos=3", b"pos=3\r> ", ""),
    (wire.decode_number, "sensors?", b"> sensors?\r0\r\n> ", 0),
    (
        wire.decode_text,
        "*idn?",
        b"*idn?\rTHORLABS FW102C/FW212C Filter Wheel version 1.07\r> ",
        "THORLABS FW102C/FW212C Filter Wheel version 1.07",
    ),
]


@pytest.mark.parametrize(("decode", "command", "data", "value"), VALUES)
def test_answers_whole_byte_by_byte_and_with_trailing_bytes(
    decode: Callable[[bytes, str], Any], command: str, data: bytes, value: Any
) -> None:
    start = 2 if data.startswith(b"> ") else 0
    assert [decode(data[:n], command) for n in range(start, len(data))] == [None] * (
        len(data) - start
    )
    assert decode(data, command) == value
    with pytest.raises(GarbledBytesError, match="more than one"):
        decode(data + b"pos?\r1\r> ", command)


def test_refusals_and_noise() -> None:
    for word in (b"NOT_DEFINED", b"ARG_INVALID"):
        with pytest.raises(RefusalError, match="CMD_"):
            wire.decode_order(b"pos=9\rCommand error CMD_" + word + b"\r> ", "pos=9")
    for data in (b"pos?\rx\r> ", b"pos?\r1\r2\r> ", b"pos=1\r1\r> ", b"pos?\r\xff"):
        with pytest.raises(GarbledBytesError):
            wire.decode_number(data, "pos?")
    with pytest.raises(GarbledBytesError, match="none belongs"):
        wire.decode_order(b"pos=3\r3\r> ", "pos=3")
    assert wire.encode("pos=3") == b"pos=3\r"


@given(st.binary(max_size=30).map(lambda body: b"pos?\r" + body) | st.binary(max_size=30))
def test_any_bytes_are_a_number_or_an_error(data: bytes) -> None:
    try:
        found = wire.decode_number(data, "pos?")
    except (GarbledBytesError, RefusalError):
        return
    assert found is None or found >= 0


HELLO = [
    (b"*idn?\r", b"*idn?\rTHORLABS FW102C\r> "),
    (b"pcount?\r", b"pcount?\r6\r> "),
    (b"speed=1\r", b"speed=1\r> "),
    (b"speed?\r", b"speed?\r1\r> "),
    (b"sensors=0\r", b"sensors=0\r> "),
    (b"sensors?\r", b"sensors?\r0\r> "),
    (b"*idn?\r", b"*idn?\rTHORLABS FW102C\r> "),
]


def by_tape(exchanges: list[tuple[bytes, bytes]], *names: str) -> tuple[Fw102c, TapeTransport]:
    tape = TapeTransport("wheel", exchanges, VirtualClock())
    settings = Fw102cSettings.model_validate({"positions": names or POSITIONS})
    return Fw102c("wheel", tape, settings, {}), tape


def test_its_lamps_are_switched_off_and_a_move_is_one_order() -> None:
    driver, tape = by_tape([*HELLO, (b"pos=3\r", b"pos=3\r> "), (b"pos?\r", b"pos?\r3\r> ")])
    driver.connect()
    driver.start_position("OD 1")
    assert not driver.is_moving()
    driver.confirm_position("OD 1")
    tape.check_finished()


def test_as_many_names_as_positions() -> None:
    driver, _ = by_tape([HELLO[0], (b"pcount?\r", b"pcount?\r12\r> ")])
    with pytest.raises(DeviceRefusedError, match="has 12 positions, the set-up names 6"):
        driver.connect()


def test_answers_to_what_pylablib_asks_are_understood() -> None:
    """The questions are those of pyLabLib's class; the answers were typed from the manual."""
    answers = [
        ("pcount?", b"pcount?\r6\r> "),
        ("pos?", b"pos?\r1\r> "),
        ("speed?", b"speed?\r1\r> "),
        ("sensors?", b"sensors?\r1\r> "),
    ]
    assert [wire.decode_number(data, command) for command, data in answers] == [6, 1, 1, 1]


Connect = Callable[..., tuple[Fw102c, Any]]


@pytest.fixture
def connect(bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[Fw102c] = []

    def make(speed: str = "fast", **truth: Any) -> tuple[Fw102c, Any]:
        found = bench(wheel={"simulator": "thorlabs.fw102c", "truth": truth})
        settings = Fw102cSettings.model_validate({"positions": POSITIONS, "speed": speed})
        driver = Fw102c("wheel", found.visa("wheel"), settings, {})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


def go(driver: Fw102c, bench: Any, position: str) -> float:
    began_s = bench.clock.now()
    driver.start_position(position)
    assert driver.is_moving()
    assert driver.read_position() == ""
    assert bench.clock.wait_until(
        lambda: not driver.is_moving(), deadline_s=began_s + driver.move_timeout_s, what="wheel"
    )
    driver.confirm_position(position)
    return bench.clock.now() - began_s


def test_light_follows_the_true_densities(connect: Connect) -> None:
    driver, bench = connect()
    assert isinstance(driver, Selector)
    table = bench.rig.world.table
    assert (driver.read_position(), table.attenuation_rel) == ("empty", 1.0)
    assert go(driver, bench, "OD 2") == pytest.approx(1.2, abs=0.01)
    assert table.attenuation_rel == pytest.approx(10.0**-2.06)
    assert go(driver, bench, "OD 4") == pytest.approx(0.8, abs=0.01)
    assert table.attenuation_rel == pytest.approx(10.0**-4.15)
    assert driver.snapshot()["position"] == "OD 4"


def test_the_wheel_takes_the_shorter_way_past_the_open_position(connect: Connect) -> None:
    driver, bench = connect(stands_at_number=6)
    driver.start_position("OD 0.5")
    bench.clock.sleep(0.6)
    assert bench.rig.world.table.attenuation_rel == 1.0, "so the shutter must be closed"
    bench.clock.sleep(0.3)
    driver.confirm_position("OD 0.5")


def test_slow_is_slower(connect: Connect) -> None:
    driver, bench = connect("slow")
    assert go(driver, bench, "OD 0.5") == pytest.approx(1.2, abs=0.01)


def test_filters_in_the_collection_path(connect: Connect) -> None:
    driver, bench = connect(acts_on="detection")
    go(driver, bench, "OD 1")
    table = bench.rig.world.table
    assert (table.attenuation_rel, table.collected_rel) == (1.0, pytest.approx(10.0**-1.04))


def test_a_position_that_there_is_not(connect: Connect) -> None:
    driver, bench = connect()
    with pytest.raises(RefusedError, match="has no position 'OD 5'"):
        driver.start_position("OD 5")
    assert not driver.is_moving()
    assert bench.rig.errors == []


def test_nothing_is_asked_while_it_turns(connect: Connect) -> None:
    driver, _ = connect()
    driver.start_position("OD 1")
    with pytest.raises(RefusedError, match="answer to 'pos=3' is awaited"):
        driver.identity()


def test_a_stuck_wheel_is_elsewhere(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("wheel", "stick")
    driver.start_position("OD 1")
    bench.clock.sleep(0.1)
    assert not driver.is_moving()
    with pytest.raises(DeviceRefusedError, match="stands at 'empty'"):
        driver.confirm_position("OD 1")


@pytest.mark.parametrize("kind", ["drop", "garble", "refuse", "disconnect", "late"])
def test_it_moves_after_a_disturbed_answer(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    bench.rig.inject("wheel", kind, **({"delay_s": 1.5} if kind == "late" else {}))
    try:
        driver.read_position()
    except DeviceError:
        driver.flush()
    go(driver, bench, "OD 1")


def test_a_wheel_that_hangs(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("wheel", "hang", for_s=40.0)
    driver.start_position("OD 1")
    with pytest.raises(NoReplyError, match="within 15 s"):
        bench.clock.wait_until(lambda: not driver.is_moving(), deadline_s=20.0, what="wheel")
    assert bench.rig.world.table.attenuation_rel == 1.0
