"""The driver against bytes from the protocol, tapes, and a simulated mount on virtual time."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError
from labctl.transport import GarbledBytesError, TapeTransport, read_tape
from labctl_drivers.thorlabs import _k10cr1_wire as wire
from labctl_drivers.thorlabs._apt_wire import decode_message, read_hardware, read_status_bits
from labctl_drivers.thorlabs.k10cr1 import K10cr1, K10cr1Settings

Pair = tuple[bytes, bytes]
HARDWARE: Pair = (
    bytes.fromhex("050000005001"),
    bytes.fromhex("060054008150")
    + (55001234).to_bytes(4, "little")
    + b"K10CR1\0\0"
    + bytes.fromhex("1000 03000200")
    + bytes(66),
)
QUIET: Pair = (bytes.fromhex("120000005001"), b"")
HELLO: list[Pair] = [QUIET, HARDWARE, HARDWARE]
ASK_STATUS = bytes.fromhex("290401005001")
ASK_POSITION = bytes.fromhex("110401005001")
MOVE_45 = bytes.fromhex("53040600d001 0100 00c05d00")
COMPLETED = bytes.fromhex("64040e008150 0100 00c05d00 00000000 00040080")


def status(bits: str) -> Pair:
    return ASK_STATUS, bytes.fromhex("2a0406008150 0100" + bits)


def position(steps: str) -> Pair:
    return ASK_POSITION, bytes.fromhex("120406008150 0100" + steps)


STANDS, TURNS, LOST, FAILED = (
    status(bits) for bits in ("00040080", "10040080", "00000080", "00440080")
)


def by_tape(*pairs: Pair) -> tuple[K10cr1, TapeTransport]:
    tape = TapeTransport("mount", [*HELLO, *pairs], VirtualClock())
    driver = K10cr1("mount", tape, K10cr1Settings(), {})
    driver.connect()
    return driver, tape


def test_orders() -> None:
    assert wire.encode_move(wire.steps_of(45.0)) == MOVE_45
    assert wire.encode_home() == bytes.fromhex("430401005001")
    assert wire.encode_stop() == bytes.fromhex("650401025001")
    assert wire.encode_move(-1)[8:] == b"\xff\xff\xff\xff"
    assert (wire.steps_of(45.0), wire.steps_of(360.0)) == (6144000, 49152000)
    assert wire.angle_of(6144000) == 45.0


ANSWERS = [
    (0x0412, wire.read_steps, position("00c05d00")[1], 6144000),
    (0x0412, wire.read_steps, position("ffffffff")[1], -1),
    (
        0x0415,
        wire.read_speed,
        bytes.fromhex("15040e008150 0100 00000000 58750000 52555e04"),
        10.0,
    ),
]


@pytest.mark.parametrize(("number", "read", "data", "value"), ANSWERS)
def test_answers_whole_byte_by_byte_and_behind_what_nobody_asked(
    number: int, read: Callable[[Any], Any], data: bytes, value: object
) -> None:
    for n in range(len(data)):
        assert decode_message(data[:n], number, wire.UNASKED) is None
    for whole in (data, COMPLETED + data, data + COMPLETED):
        assert read(decode_message(whole, number, wire.UNASKED)) == value
    with pytest.raises(GarbledBytesError):
        decode_message(data + data, number, wire.UNASKED)


@given(st.binary(max_size=40) | st.binary(max_size=30).map(lambda body: COMPLETED + body))
def test_any_bytes_are_a_position_or_an_error(data: bytes) -> None:
    try:
        message = decode_message(data, 0x0412, wire.UNASKED)
        value = None if message is None else wire.read_steps(message)
    except GarbledBytesError:
        return
    assert value is None or abs(value) <= 2**31


def test_a_move_by_the_bytes() -> None:
    driver, tape = by_tape(
        STANDS,
        (MOVE_45, b""),
        TURNS,
        TURNS,
        (ASK_STATUS, COMPLETED + STANDS[1]),
        position("00c05d00"),
    )
    angle = driver.settable("angle")
    angle.start(45.0)
    assert [angle.arrived(), angle.arrived()] == [False, True]
    assert angle.confirm(45.0) == 45.0
    tape.check_finished()


def test_a_mount_that_stands_there_already() -> None:
    driver, tape = by_tape(STANDS, (MOVE_45, b""), STANDS, position("00c05d00"), STANDS)
    driver.start_angle(45.0)
    assert driver.angle_arrived()
    tape.check_finished()


def test_a_motion_error_by_the_bytes() -> None:
    driver, _ = by_tape(FAILED)
    with pytest.raises(DeviceRefusedError, match=r"motion error \(0x80004400\)"):
        driver.is_moving()


def test_the_instrument_s_side_of_pylablib_s_conversation_is_understood() -> None:
    """Recorded from pyLabLib 1.4.5 and the simulated mount, which tells ends of moves unasked."""
    readers: dict[int, Callable[[Any], Any]] = {
        wire.GET_HARDWARE: read_hardware,
        wire.GET_POSITION: wire.read_steps,
        wire.GET_STATUS: read_status_bits,
        wire.GET_VELOCITY: wire.read_speed,
    }
    heard: dict[int, Any] = {}
    tape = read_tape(Path(__file__).with_name("k10cr1_pylablib.tape"))
    for sent, reply in tape:
        number = int.from_bytes(sent[:2], "little")
        if number in readers and len(sent) == 6 and reply:
            message = decode_message(reply, number + 1, wire.UNASKED)
            heard[number] = readers[number](message)
    assert heard[wire.GET_HARDWARE] == (55001234, "K10CR1", "2.0.3")
    assert heard[wire.GET_VELOCITY] == pytest.approx(10.0)
    assert heard[wire.GET_STATUS] == 0x80000400
    assert wire.angle_of(heard[wire.GET_POSITION]) == pytest.approx(47.67, abs=0.01)
    assert MOVE_45 in [sent for sent, _ in tape]


Connect = Callable[..., tuple[K10cr1, Any]]


@pytest.fixture
def connect(bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[K10cr1] = []

    def make(**truth: Any) -> tuple[K10cr1, Any]:
        found = bench(mount={"simulator": "thorlabs.k10cr1", "truth": truth})
        driver = K10cr1("mount", found.visa("mount"), K10cr1Settings(), {})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


def go(driver: K10cr1, bench: Any, angle_deg: float) -> float:
    angle = driver.settable("angle")
    angle.start(angle_deg)
    deadline_s = bench.clock.now() + angle.spec.timeout_s
    assert bench.clock.wait_until(angle.arrived, deadline_s=deadline_s, what="arrival")
    return angle.confirm(angle_deg)


def test_it_homes_turns_and_reads(connect: Connect) -> None:
    driver, bench = connect()
    assert not driver.is_homed()
    for angle_deg in (45.0, 359.0, 0.5, 123.456):
        assert go(driver, bench, angle_deg) == pytest.approx(angle_deg, abs=0.003)
    assert driver.is_homed()
    found = driver.snapshot()
    assert (found["serial"], found["homed"], found["moving"], found["fault"]) == (
        *(55001234, True, False),
        "",
    )
    assert found["speed_deg_s"] == pytest.approx(10.0)
    true_deg = bench.rig.world.mounts.get("mount")
    assert true_deg == pytest.approx(123.456 * 1.0002 + 2.3, abs=0.003)


def test_ninety_degrees_take_nine_and_a_half_seconds(connect: Connect) -> None:
    driver, bench = connect()
    go(driver, bench, 0.0)
    began_s = bench.clock.now()
    go(driver, bench, 90.0)
    assert bench.clock.now() - began_s == pytest.approx(9.5, abs=0.1)


def test_it_can_be_asked_and_stopped_on_its_way(connect: Connect) -> None:
    driver, bench = connect()
    go(driver, bench, 0.0)
    driver.start_angle(90.0)
    bench.clock.sleep(5.0)
    assert driver.is_moving()
    assert driver.read_angle() == pytest.approx(47.5, abs=0.2)
    driver.stop()
    bench.clock.sleep(1.0)
    assert driver.angle_arrived()
    with pytest.raises(DeviceRefusedError, match="is at 47"):
        driver.settable("angle").confirm(90.0)


@pytest.mark.parametrize("homed", [True, False])
def test_a_ring_that_sticks(connect: Connect, homed: bool) -> None:
    driver, bench = connect()
    if homed:
        go(driver, bench, 10.0)
    bench.rig.inject("mount", "stick")
    with pytest.raises(DeviceRefusedError, match=r"motion error|does not find its home"):
        go(driver, bench, 45.0)
    bench.rig.inject("mount", "clear")
    assert go(driver, bench, 45.0) == pytest.approx(45.0, abs=0.01)


def test_power_lost_and_with_it_the_home(connect: Connect) -> None:
    driver, bench = connect()
    go(driver, bench, 10.0)
    bench.rig.inject("mount", "reset")
    assert not driver.is_homed()
    go(driver, bench, 10.0)
    assert bench.rig.world.mounts.get("mount") == pytest.approx(12.3, abs=0.01)


@pytest.mark.parametrize("kind", ["drop", "garble", "disconnect", "late"])
def test_a_disturbed_answer_is_an_error_and_then_over(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    go(driver, bench, 10.0)
    bench.rig.inject("mount", kind, **({"delay_s": 2.0} if kind == "late" else {}))
    try:
        found = driver.read_angle()
    except DeviceError:
        driver.flush()
        found = driver.read_angle()
    assert found == pytest.approx(10.0, abs=0.01)


def test_another_unit_is_not_taken_for_this_one(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig._simulators["mount"].truth["serial_number"] = 55001235
    bench.rig.inject("mount", "disconnect")
    bench.clock.sleep(0.1)
    with pytest.raises(DeviceRefusedError, match="another unit answers"):
        driver.read_angle()
