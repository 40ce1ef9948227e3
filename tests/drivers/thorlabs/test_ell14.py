"""The driver against tapes, and against simulated mounts on virtual time."""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.transport import SharedLine, TapeTransport, read_tape
from labctl_drivers.thorlabs import _ell14_wire as wire
from labctl_drivers.thorlabs.ell14 import Ell14, Ell14Settings

Pair = tuple[bytes, bytes]
IDENTITY: Pair = (b"0in", b"0IN0E1140051720231701016800023000\r\n")
HELLO: list[Pair] = [IDENTITY, (b"0gs", b"0GS00\r\n"), IDENTITY]


def by_tape(*pairs: Pair) -> tuple[Ell14, TapeTransport]:
    tape = TapeTransport("mount", [*HELLO, *pairs], VirtualClock())
    driver = Ell14("mount", tape, Ell14Settings(), {})
    driver.connect()
    return driver, tape


def test_the_first_move_is_behind_a_search_for_the_home() -> None:
    driver, tape = by_tape(
        (b"0ho0", b"0PO00000000\r\n"),
        (b"0ma00008C00", b"0PO00008C01\r\n"),
        (b"0gp", b"0PO00008C01\r\n"),
        (b"0ma00004600", b"0PO00004600\r\n"),
    )
    angle = driver.settable("angle")
    angle.start(90.0)
    assert [angle.arrived(), angle.arrived()] == [False, True]
    assert angle.confirm(90.0) == pytest.approx(90.0025, abs=1e-4)
    driver.start_angle(45.0)
    assert driver.angle_arrived()
    tape.check_finished()


def test_the_turn_has_as_many_pulses_as_the_module_says() -> None:
    other = (b"0in", b"0IN0E1140051720231701016800010000\r\n")
    tape = TapeTransport(
        "mount", [other, HELLO[1], other, (b"0gp", b"0PO00004000\r\n")], VirtualClock()
    )
    driver = Ell14("mount", tape, Ell14Settings(), {})
    driver.connect()
    assert driver.read_angle() == 90.0


def test_commands_around_a_move_keep_their_distance() -> None:
    driver, tape = by_tape((b"0ho0", b"0PO00000000\r\n"))
    clock = tape.clock
    began_s = clock.now()
    driver.start_home()
    assert clock.now() - began_s == pytest.approx(0.1)
    assert driver.angle_arrived()
    assert clock.now() - began_s == pytest.approx(0.2)


def test_the_instrument_s_side_of_pylablib_s_conversation_is_understood() -> None:
    """Recorded from pyLabLib 1.4.5 and the simulated mount."""
    decoders: dict[bytes, Callable[[bytes, str], Any]] = {
        b"0gs": wire.decode_status,
        b"0in": wire.decode_identity,
        b"0gp": wire.decode_position,
        b"0gv": wire.decode_velocity,
        b"0go": wire.decode_home_offset,
        b"0ho": wire.decode_moved,
        b"0ma": wire.decode_moved,
        b"0mr": wire.decode_moved,
    }
    tape = read_tape(Path(__file__).with_name("ell14_pylablib.tape"))
    heard = {
        sent[:3]: decoders[sent[:3]](reply, "0") for sent, reply in tape if sent[:3] in decoders
    }
    assert set(heard) == set(decoders)
    assert heard[b"0in"] == wire.Module(14, "11400517", "2023", "2.3", 360, 143360)
    assert heard[b"0gp"] == pytest.approx(-17920, abs=5)
    assert (b"0ma00004600") in [sent for sent, _ in tape]
    assert wire.encode("0", wire.move_to(17920)) == b"0ma00004600"


Connect = Callable[..., tuple[Ell14, Any]]


@pytest.fixture
def connect(bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[Ell14] = []

    def make(**truth: Any) -> tuple[Ell14, Any]:
        found = bench(mount={"simulator": "thorlabs.ell14", "truth": truth})
        driver = Ell14("mount", found.visa("mount"), Ell14Settings(), {})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


def go(driver: Ell14, bench: Any, angle_deg: float) -> float:
    """Turn to an angle; give the read-back."""
    angle = driver.settable("angle")
    angle.start(angle_deg)
    deadline_s = bench.clock.now() + angle.spec.timeout_s
    assert bench.clock.wait_until(angle.arrived, deadline_s=deadline_s, what="arrival")
    return angle.confirm(angle_deg)


@pytest.mark.parametrize("truth", [{}, {"announces_busy": True}, {"baud": 0}])
def test_it_turns_homes_and_reads(connect: Connect, truth: dict[str, Any]) -> None:
    driver, bench = connect(**truth)
    assert not driver.is_homed()
    for angle_deg in (45.0, 359.9, 0.0, 360.0, 123.456):
        off_deg = go(driver, bench, angle_deg) - angle_deg
        assert (off_deg + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=0.02)
    assert driver.is_homed()
    found = driver.snapshot()
    assert (found["serial"], found["pulses_per_turn"], found["status"]) == (
        "11400517",
        143360,
        "ok",
    )


def test_the_world_sees_where_it_really_stands(connect: Connect) -> None:
    driver, bench = connect(zero_offset_deg=2.0, scale_error_rel=0.001, backlash_deg=0.0)
    shown_deg = go(driver, bench, 100.0)
    assert bench.rig.world.mounts.get("mount") == pytest.approx(1.001 * shown_deg - 2.0, abs=0.003)


def test_backlash_shows_from_one_side_only(connect: Connect) -> None:
    driver, bench = connect(zero_offset_deg=0.0, scale_error_rel=0.0, backlash_deg=0.3)
    mounts = bench.rig.world.mounts
    go(driver, bench, 50.0)
    up_deg = mounts.get("mount")
    go(driver, bench, 90.0)
    go(driver, bench, 50.0)
    assert mounts.get("mount") - up_deg == pytest.approx(0.3, abs=0.03)


def test_a_move_takes_its_time_and_nothing_else_is_answered_meanwhile(connect: Connect) -> None:
    driver, bench = connect()
    go(driver, bench, 0.0)
    began_s = bench.clock.now()
    driver.start_angle(180.0)
    assert not driver.angle_arrived()
    with pytest.raises(RefusedError, match="while the answer to 'ma00011800' is awaited"):
        driver.read_angle()
    driver.stop()
    bench.clock.wait_until(driver.angle_arrived, deadline_s=began_s + 5.0, what="arrival")
    # 180 deg at 430 deg/s, the ramps of 4000 deg/s², and twice the pause of 0.1 s.
    assert bench.clock.now() - began_s == pytest.approx(180 / 430 + 430 / 4000 + 0.2, abs=0.05)


def test_a_ring_that_sticks(connect: Connect) -> None:
    driver, bench = connect()
    go(driver, bench, 10.0)
    bench.rig.inject("mount", "stick")
    with pytest.raises(DeviceRefusedError, match=r"mechanical time-out \(GS02\).*turn freely"):
        go(driver, bench, 45.0)
    assert driver.read_angle() == pytest.approx(10.0, abs=0.02)
    bench.rig.inject("mount", "clear")
    go(driver, bench, 45.0)


def test_heat(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("mount", "overheat")
    with pytest.raises(DeviceRefusedError, match="thermal error"):
        go(driver, bench, 45.0)


def test_a_pressed_button_confuses_nobody(connect: Connect) -> None:
    driver, bench = connect()
    go(driver, bench, 10.0)
    bench.rig.inject("mount", "button", angle_deg=20.0)
    bench.clock.sleep(1.0)
    assert driver.read_angle() == pytest.approx(30.0, abs=0.02)


@pytest.mark.parametrize("kind", ["drop", "garble", "disconnect", "late"])
def test_a_disturbed_answer_is_an_error_and_then_over(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    go(driver, bench, 10.0)
    bench.rig.inject("mount", kind, **({"delay_s": 3.0} if kind == "late" else {}))
    try:
        found = driver.read_angle()
    except DeviceError:
        driver.flush()
        found = driver.read_angle()
    assert found == pytest.approx(10.0, abs=0.02)


def test_a_lost_answer_to_a_move(connect: Connect) -> None:
    driver, bench = connect()
    go(driver, bench, 10.0)
    bench.rig.inject("mount", "drop")
    with pytest.raises(NoReplyError, match="no reply within 30 s"):
        go(driver, bench, 45.0)
    driver.flush()
    assert driver.read_angle() == pytest.approx(45.0, abs=0.02)


def test_after_a_reconnection_the_home_is_searched_anew(connect: Connect) -> None:
    driver, bench = connect()
    go(driver, bench, 10.0)
    bench.rig.inject("mount", "reset")
    bench.rig.inject("mount", "disconnect")
    bench.clock.sleep(0.1)
    assert driver.read_angle() == 0.0
    assert not driver.is_homed()
    go(driver, bench, 10.0)
    assert bench.rig.world.mounts.get("mount") == pytest.approx(10.0 - 1.7, abs=0.02)


def test_another_unit_is_not_taken_for_this_one(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig._simulators["mount"].truth["serial"] = "11400518"
    bench.rig.inject("mount", "disconnect")
    bench.clock.sleep(0.1)
    with pytest.raises(DeviceRefusedError, match="another unit answers"):
        driver.read_angle()


def test_two_mounts_on_one_line_move_at_the_same_time(bench: Callable[..., Any]) -> None:
    def block(unit: int) -> dict[str, Any]:
        settings = {"bus_address": unit}
        return {"simulator": "thorlabs.ell14", "line": "L", "settings": settings}

    found = bench(first=block(0), second=block(11))
    address = found.rig.addresses()["first"]
    assert found.rig.addresses()["second"] == address
    line = SharedLine.visa(address, 9600)
    drivers = [
        Ell14(
            name,
            line.transport(name, f"{unit:X}", found.clock),
            Ell14Settings(bus_address=unit),
            {},
        )
        for name, unit in (("first", 0), ("second", 11))
    ]
    first, second = drivers
    for driver in drivers:
        driver.connect()
    for angle_deg in (200.0, 10.0):
        for driver in drivers:
            driver.start_angle(angle_deg if driver is first else angle_deg + 5.0)
        assert not first.angle_arrived()
        for driver in drivers:
            deadline_s = found.clock.now() + 20.0
            found.clock.wait_until(driver.angle_arrived, deadline_s=deadline_s, what="arrival")
        assert first.read_angle() == pytest.approx(angle_deg, abs=0.02)
        assert second.read_angle() == pytest.approx(angle_deg + 5.0, abs=0.02)
    first.start_angle(300.0)
    assert second.read_angle() == pytest.approx(15.0, abs=0.02)
    for driver in drivers:
        driver.close()
