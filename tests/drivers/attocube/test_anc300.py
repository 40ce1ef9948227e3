"""The driver against tapes, and against the simulated controller on virtual time."""

from collections.abc import Callable, Generator
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import AxisSettings
from labctl.transport import TapeTransport
from labctl_drivers.attocube.anc300 import Anc300, Anc300Settings

Pair = tuple[bytes, bytes]
HELLO: list[Pair] = [
    (b"", b"\xff\xfb\x01\xff\xfb\x03attocube ANC300 console\r\nAuthorization code: "),
    (b"123456\r\n", b"******\r\nAuthorization success\r\n> "),
    (b"echo off\r\n", b"echo off\r\nOK\r\n"),
    (b"ver\r\n", b"attocube ANC300 controller version 1.1.0-1304 2013-10-17 08:16\r\nOK\r\n"),
    (b"getcser\r\n", b"ANC300B-C-1514-3006076\r\nOK\r\n"),
]
IDENTITY = HELLO[3:]
COLD = {"driver": "montana.cryostation"}
Connect = Callable[..., tuple[Anc300, Any]]
Axes = Callable[..., dict[str, AxisSettings]]
Go = Callable[..., float]


def by_tape(
    *pairs: Pair,
    module: bytes = b"ANM150",
    line_marker: dict[str, int] | None = None,
    **axis: Any,
) -> tuple[Anc300, TapeTransport]:
    block = {"axes": {"z": AxisSettings(number=4, **axis)}, "password": "123456"}
    settings = Anc300Settings.model_validate({**block, "line_marker": line_marker})
    serial = (b"getser 4\r\n", module + b"A-M-1545-3010045\r\nOK\r\n")
    tape = TapeTransport("stage", [*HELLO, serial, *IDENTITY, *pairs], VirtualClock())
    driver = Anc300("stage", tape, settings, {})
    driver.connect()
    return driver, tape


def ok(command: bytes, value: bytes = b"") -> Pair:
    return command + b"\r\n", (value + b"\r\n" if value else b"") + b"OK\r\n"


def test_a_sweep_is_one_order_per_place_between_the_edges_of_its_marker() -> None:
    driver, tape = by_tape(
        ok(b"setto 2 1"),
        ok(b"seta 4 15.000000"),
        ok(b"seta 4 30.000000"),
        ok(b"setto 2 0"),
        fine_range="2 um",
        module=b"ANM300",
        line_marker={"output": 2, "marker": 4},
    )
    driver.mark_line(True)
    driver.sweep_fine_position("z", 0.5)
    driver.sweep_fine_position("z", 1.0)
    driver.mark_line(False)
    tape.check_finished()
    with pytest.raises(RefusedError, match="out of range"):
        driver.sweep_fine_position("z", 2.1)


def test_without_a_cable_lines_are_not_marked() -> None:
    driver, tape = by_tape()
    with pytest.raises(RefusedError, match="lines cannot be marked"):
        driver.mark_line(True)
    tape.check_finished()


def test_steps_are_sent_in_step_mode_with_what_the_set_up_says() -> None:
    driver, tape = by_tape(
        ok(b"getm 4", b"mode = gnd"),
        ok(b"getv 4", b"voltage = 30.000000 V"),
        ok(b"getf 4", b"frequency = 200 Hz"),
        ok(b"setv 4 25.000"),
        ok(b"getv 4", b"voltage = 25.000000 V"),
        ok(b"getv 4", b"voltage = 25.000000 V"),
        ok(b"getf 4", b"frequency = 200 Hz"),
        ok(b"getm 4", b"mode = gnd"),
        ok(b"setm 4 stp"),
        ok(b"stepd 4 40"),
        step_voltage="25 V",
    )
    driver.start_steps("z", -40)
    tape.check_finished()


def test_a_module_without_offset_is_told_on_connecting() -> None:
    with pytest.raises(DeviceRefusedError, match="module ANM150, which has no offset"):
        by_tape(fine_range="1 um")


def test_the_output_tells_whether_it_moves_and_an_offset_is_no_motion() -> None:
    driver, tape = by_tape(
        ok(b"getm 4", b"mode = stp"),
        ok(b"geto 4", b"voltage = 12.500000 V"),
        ok(b"getm 4", b"mode = stp"),
        ok(b"geto 4", b"voltage = 0.000000 V"),
        ok(b"getm 4", b"mode = stp+"),
        ok(b"geto 4", b"voltage = 20.000000 V"),
        ok(b"geta 4", b"voltage = 20.000000 V"),
        ok(b"getm 4", b"mode = off"),
    )
    assert [driver.is_moving("z") for _ in range(4)] == [True, False, False, False]
    tape.check_finished()


@pytest.fixture
def connect(bench: Callable[..., Any], axes: Axes) -> Generator[Connect]:
    drivers: list[Anc300] = []

    def make(settings: dict[str, Any] | None = None, **truth: Any) -> tuple[Anc300, Any]:
        cold = {"simulator": "montana.cryostation", "truth": {"start_temperature_k": 4.0}}
        found = bench(cryostat=cold, stage={"simulator": "attocube.anc300", "truth": truth})
        given = {"axes": axes(1), "password": "123456", "backlash": "1 um", **(settings or {})}
        driver = Anc300("stage", found.visa("stage"), Anc300Settings.model_validate(given), {})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


@pytest.mark.parametrize("stray", [True, False])
@pytest.mark.parametrize("verbose", [True, False])
def test_it_says_who_it_is(connect: Connect, stray: bool, verbose: bool) -> None:
    driver, _ = connect(stray_newlines=stray, verbose_serials=verbose, two_line_version=stray)
    assert driver.identity().serial == "ANC300B-C-1514-3006076"
    assert driver.snapshot()["axes"]["y"]["module"] == "ANM300"


def test_a_serial_console_has_no_login(connect: Connect) -> None:
    driver, _ = connect({"password": ""}, password="")
    assert driver.is_grounded("x")


@pytest.mark.parametrize("password", ["654321", ""])
def test_a_wrong_password_is_an_error_at_once(connect: Connect, password: str) -> None:
    with pytest.raises(DeviceError, match="password"):
        connect({"password": password})


def test_the_sample_moves_by_about_what_is_believed(connect: Connect, go: Go) -> None:
    driver, bench = connect()
    for axis, n in (("x", 0), ("y", 1), ("z", 2)):
        assert go(driver, bench.clock, axis, 12.0) == pytest.approx(12.0, abs=0.08)
        moved_um = bench.rig.world.stage_um[n]
        assert moved_um == pytest.approx(12.0, rel=0.5)
        assert moved_um != pytest.approx(12.0, rel=0.01), "truth must differ from belief"
    assert driver.position_known("x") == "steps"


def test_time_passes_as_steps_take_it(connect: Connect) -> None:
    driver, bench = connect()
    driver.start_steps("x", 500)
    began_s = bench.clock.now()
    assert driver.is_moving("x")
    bench.clock.wait_until(lambda: not driver.is_moving("x"), deadline_s=began_s + 9, what="x")
    assert bench.clock.now() - began_s == pytest.approx(0.5, abs=0.06)


def test_a_stop_leaves_it_where_it_is(connect: Connect) -> None:
    driver, bench = connect()
    driver.start_steps("x", 5000)
    bench.clock.sleep(1.0)
    driver.make_safe("stop")
    stopped_um = bench.rig.world.stage_um[0]
    assert 0.0 < stopped_um < 100.0
    bench.clock.sleep(10.0)
    assert bench.rig.world.stage_um[0] == stopped_um
    assert driver.read_x() == pytest.approx(70.0, rel=0.05)


def test_fine_motion_moves_the_sample_and_grounding_ends_it(connect: Connect, go: Go) -> None:
    driver, bench = connect()
    assert go(driver, bench.clock, "fine_z", 0.8) == pytest.approx(0.8)
    assert driver.read("offset_z") == pytest.approx(30.0)
    assert bench.rig.world.stage_um[2] == pytest.approx(0.8, rel=0.1)
    driver.make_safe("ground")
    assert driver.read("fine_z") == 0.0
    assert bench.rig.world.stage_um[2] == pytest.approx(0.0, abs=0.05)


def test_some_firmware_says_offs(connect: Connect, go: Go) -> None:
    driver, bench = connect(offset_word="offs")
    assert go(driver, bench.clock, "fine_x", 1.0) == pytest.approx(1.0)


def test_axes_are_grounded_after_positioning(connect: Connect, go: Go) -> None:
    driver, bench = connect({"ground_after_move": True})
    go(driver, bench.clock, "x", 3.0)
    assert driver.is_grounded("x")
    assert driver.snapshot()["axes"]["x"]["mode"] == "gnd"


def test_an_empty_slot_says_what_to_do(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("stage", "wrong_axis_type", axis="y")
    with pytest.raises(DeviceRefusedError, match=r"Wrong axis type.*'number' in the set-up"):
        driver.start_steps("y", 1)
    bench.rig.inject("stage", "clear")
    driver.start_steps("y", 1)


def test_a_front_switch_is_told(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("stage", "front_switch")
    with pytest.raises(DeviceRefusedError, match=r"computer control.*CCON"):
        driver.set_step_voltage("x", 20.0)


def test_what_was_set_is_set_again_after_a_loss_of_power(connect: Connect) -> None:
    driver, bench = connect()
    driver.set_step_voltage("x", 50.0)
    bench.rig.inject("stage", "reset")
    assert driver.step_voltage_v("x") == 30.0
    driver.start_steps("x", 10)
    assert driver.step_voltage_v("x") == 50.0


def test_capacitance_takes_a_second(connect: Connect) -> None:
    driver, bench = connect()
    assert driver.snapshot()["axes"]["x"]["capacitance_nf"] is None
    driver.start_capacitance("x")
    bench.clock.sleep(1.1)
    assert 100.0 < driver.capacitance_nf("x") < 500.0
    assert driver.is_grounded("x")


@pytest.mark.parametrize("kind", ["drop", "garble", "disconnect", "late"])
def test_grounding_works_after_a_disturbed_answer(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    driver.start_steps("x", 500)
    bench.clock.sleep(1.0)
    bench.rig.inject("stage", kind, **({"delay_s": 3.5} if kind == "late" else {}))
    try:
        driver.make_safe("ground")
    except DeviceError:
        driver.flush()
        driver.make_safe("ground")
    assert driver.all_grounded()


def test_silence(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("stage", "hang", for_s=30.0)
    with pytest.raises(NoReplyError, match="within 3 s"):
        driver.is_grounded("x")
    driver.flush()
    bench.clock.sleep(30.0)
    assert driver.is_grounded("x")


def test_out_of_range_is_refused_before_a_byte_is_sent(connect: Connect) -> None:
    driver, bench = connect()
    for refused in (
        lambda: driver.set_step_voltage("x", 151.0),
        lambda: driver.set_step_frequency("x", float("nan")),
        lambda: driver.settable("fine_x").start(1.7),
    ):
        with pytest.raises(RefusedError):
            refused()
    assert bench.rig.world.happenings == []
