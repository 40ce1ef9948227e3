"""The driver against a tape, and against the simulated monochromator on virtual time."""

import math
import time
from collections.abc import Callable, Generator
from typing import Any, Protocol

import pytest

from labctl.clock import VirtualClock
from labctl.errors import (
    DeviceError,
    DeviceRefusedError,
    GarbledReplyError,
    NoReplyError,
    RefusedError,
)
from labctl.roles import Grating, Limits, Spectrograph
from labctl.transport import TapeTransport, VisaTransport
from labctl_drivers.princeton.spectrapro import SpectraPro, SpectraProSettings


class Rig(Protocol):
    world: Any

    def inject(self, instrument: str, kind: str, **parameters: Any) -> None: ...


class Bench(Protocol):
    clock: VirtualClock
    rig: Rig

    def visa(self, name: str) -> VisaTransport: ...


MakeBench = Callable[..., Bench]
Connect = Callable[..., tuple[SpectraPro, Bench]]


@pytest.fixture
def connect(bench: MakeBench) -> Generator[Connect]:
    drivers: list[SpectraPro] = []

    def make(
        settings: dict[str, Any] | None = None, **truth: float | bool | str
    ) -> tuple[SpectraPro, Bench]:
        block = {"simulator": "princeton.spectrapro", "settings": {}, "truth": truth}
        found = bench(mono=block)
        own = SpectraProSettings.model_validate(settings or {})
        driver = SpectraPro("mono", found.visa("mono"), own, {"wavelength": Limits(0.0, 1200.0)})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


def wait(driver: SpectraPro, bench: Bench, limit_s: float = 100.0) -> float:
    """Let the move end; return how long it took, s."""
    began_s = bench.clock.now()
    moving = driver.is_moving
    assert bench.clock.wait_until(
        lambda: not moving(), deadline_s=began_s + limit_s, what="move"
    ), "the move has not ended"
    return bench.clock.now() - began_s


def test_identity_and_gratings(connect: Connect) -> None:
    driver, _ = connect({"gratings": {1: "300/mm", 2: "1800/mm"}})
    assert isinstance(driver, Spectrograph)
    assert driver.gratings() == {1: Grating(300.0, 500.0), 2: Grating(1800.0, 500.0)}
    assert driver.identity().model == "SP-2-500i"
    assert driver.identity().serial == "25061234"
    assert driver.grating_number(1800.0) == 2


def test_goto_blocks_the_line_for_its_documented_time(connect: Connect) -> None:
    driver, bench = connect(goto_speed_nm_s=200.0)
    began = time.perf_counter()
    driver.settable("wavelength").start(531.0)
    assert not driver.wavelength_arrived()
    took_s = wait(driver, bench)
    assert took_s == pytest.approx(531.0 / 200.0, abs=0.2)
    assert driver.settable("wavelength").confirm(531.0) == 531.0
    assert time.perf_counter() - began < 5.0


def test_nothing_is_asked_while_a_move_goes_on(connect: Connect) -> None:
    driver, bench = connect()
    driver.start_wavelength(800.0)
    with pytest.raises(RefusedError, match=r"'\?NM' while the answer to '800.000 GOTO'"):
        driver.read("wavelength")
    with pytest.raises(RefusedError):
        driver.start_grating(2)
    wait(driver, bench)
    assert driver.read("wavelength") == 800.0


def test_grating_change(connect: Connect) -> None:
    driver, bench = connect(grating_change_s=12.0)
    driver.start_grating(2)
    assert wait(driver, bench) == pytest.approx(12.0, abs=0.1)
    driver.confirm_grating(2)
    assert driver.read("grating") == 2
    with pytest.raises(RefusedError, match="grating 3 is not installed"):
        driver.start_grating(3)


def test_exit_mirror(connect: Connect) -> None:
    driver, bench = connect(mirror_s=2.0)
    assert driver.read_exit() == "front"
    driver.start_exit("side")
    assert wait(driver, bench) == pytest.approx(2.0, abs=0.1)
    driver.confirm_exit("side")
    assert driver.snapshot()["exit"] == "side"


def test_exit_mirror_without_motor(connect: Connect) -> None:
    driver, bench = connect(exit_mirror_motor=False)
    driver.start_exit("side")
    with pytest.raises(DeviceRefusedError, match=r"no motor.*not motorised"):
        wait(driver, bench)
    assert not driver.is_moving()
    with pytest.raises(DeviceRefusedError, match="not motorised"):
        driver.read_exit()
    assert driver.snapshot()["exit"] is None


def test_an_impossible_request_is_seen_by_reading_back(connect: Connect) -> None:
    driver, bench = connect()
    driver.start_grating(2)
    wait(driver, bench)
    settable = driver.settable("wavelength")
    settable.start(1100.0)
    wait(driver, bench)
    with pytest.raises(DeviceRefusedError, match=r"is at .* after the move"):
        settable.confirm(1100.0)


def test_a_move_that_is_only_said(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("mono", "lie")
    driver.start_wavelength(531.0)
    wait(driver, bench)
    with pytest.raises(DeviceRefusedError, match="is at 0 nm after the move"):
        driver.settable("wavelength").confirm(531.0)


@pytest.mark.parametrize(
    "truth",
    [
        {"echo": False},
        {"split_replies": True},
        {"unitless_nm": True},
        {"garbage_at_power_up": True},
        {"baud": 0},
        {"echo": False, "garbage_at_power_up": True, "split_replies": True},
    ],
    ids=str,
)
def test_peculiar_controllers(connect: Connect, truth: dict[str, Any]) -> None:
    driver, bench = connect(**truth)
    driver.start_wavelength(500.0)
    wait(driver, bench)
    assert driver.read("wavelength") == 500.0


@pytest.mark.parametrize(
    ("echo", "truth"), [("on", True), ("off", False), ("auto", True), ("auto", False)]
)
def test_echo_by_the_set_up(connect: Connect, echo: str, truth: bool) -> None:
    driver, _ = connect({"echo": echo, "case": "lower"}, echo=truth)
    assert driver.read("wavelength") == 0.0


def test_wrong_echo_in_the_set_up_is_an_error_and_no_value(connect: Connect) -> None:
    with pytest.raises(GarbledReplyError, match="echo"):
        connect({"echo": "on"}, echo=False)


def test_gratings_of_the_set_up_are_compared_on_connecting(connect: Connect) -> None:
    with pytest.raises(DeviceRefusedError) as caught:
        connect({"gratings": {1: "300/mm", 2: "1200/mm", 3: "150/mm"}})
    text = str(caught.value)
    assert "grating 2 is 1800/mm, the set-up says 1200/mm" in text
    assert "grating 3 is not installed, the set-up says 150/mm" in text
    assert "grating 1" not in text


@pytest.mark.parametrize("kind", ["address_error", "garbage", "garble", "drop", "refuse"])
def test_one_disturbed_answer_is_one_error(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    driver.start_wavelength(500.0)
    wait(driver, bench)
    bench.rig.inject("mono", kind)
    with pytest.raises(DeviceError):
        driver.read("wavelength")
    assert driver.read("wavelength") == 500.0
    assert driver.read("grating") == 1


@pytest.mark.parametrize("late_s", [5.5, 6.0, 8.0])
def test_late_answer_is_never_taken_for_the_next(connect: Connect, late_s: float) -> None:
    driver, bench = connect()
    bench.rig.inject("mono", "late", delay_s=late_s)
    with pytest.raises(NoReplyError, match="within 5 s"):
        driver.read("wavelength")
    assert driver.read("grating") == 1
    assert driver.read_exit() == "front"


def test_a_move_without_answer_meets_its_deadline(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("mono", "hang", for_s=200.0)
    driver.start_wavelength(531.0)
    began = time.perf_counter()
    with pytest.raises(NoReplyError, match=r"'531.000 GOTO': no reply within 60 s"):
        wait(driver, bench)
    assert bench.clock.now() == pytest.approx(60.0, abs=1.0)
    assert time.perf_counter() - began < 2.0
    assert not driver.is_moving()


def test_connection_that_breaks_in_a_move(connect: Connect) -> None:
    driver, bench = connect()
    driver.start_wavelength(531.0)
    bench.rig.inject("mono", "disconnect")
    with pytest.raises(NoReplyError):
        wait(driver, bench)
    bench.clock.sleep(10.0)
    assert driver.read("wavelength") == 531.0


def test_flush_gives_up_a_move(connect: Connect) -> None:
    driver, bench = connect()
    driver.start_wavelength(1000.0)
    driver.flush()
    assert not driver.is_moving()
    bench.clock.sleep(10.0)
    assert driver.read("wavelength") == 1000.0


@pytest.mark.parametrize("nanometers", [math.nan, math.inf, -1.0, 1200.1])
def test_impossible_wavelengths_send_nothing(connect: Connect, nanometers: float) -> None:
    driver, _ = connect()
    with pytest.raises(RefusedError):
        driver.start_wavelength(nanometers)
    assert not driver.is_moving()


def test_snapshot_is_plain(connect: Connect) -> None:
    driver, _ = connect()
    assert driver.snapshot() == {
        "model": "SP-2-500i",
        "serial": "25061234",
        "wavelength_nm": 0.0,
        "grating": 1,
        "gratings": {
            "1": {"lines_per_mm": 300.0, "blaze_nm": 500.0},
            "2": {"lines_per_mm": 1800.0, "blaze_nm": 500.0},
        },
        "exit": "front",
        "entrance": None,
        "slit_um": None,
    }


def test_the_same_driver_on_the_wall_clock(bench: MakeBench) -> None:
    found = bench(speed=10.0, mono={"simulator": "princeton.spectrapro"})
    # A busy machine may take its time: the deadline is generous, the move is not.
    settings = SpectraProSettings.model_validate({"reply_timeout": "60 s"})
    driver = SpectraPro("mono", found.visa("mono"), settings, {})
    try:
        driver.connect()
        driver.start_wavelength(531.0)
        assert wait(driver, found) > 531.0 / 200.0
        assert driver.read("wavelength") == 531.0
    finally:
        driver.close()


TAPE = [
    (b"model\r", b" SP-2-300i  ok\r\n"),
    (b"model\r", b" SP-2-300i  ok\r\n"),
    (b"serial\r", b"serial ? \r\n"),
    (b"?gratings\r", b"\r\n\x1a1  600 g/mm BLZ=  1.0UM \r\n 2  Not Installed     \r\n ok\r\n"),
    (b"model\r", b" SP-2-300i  ok\r\n"),
    (b"serial\r", b"serial ? \r\n"),
    (b"500.000 goto\r", b" ok\r\n"),
    (b"?nm\r", b" 500.00 ok\r\n"),
]


def test_an_old_controller_by_tape() -> None:
    tape = TapeTransport("mono", TAPE, VirtualClock())
    driver = SpectraPro("mono", tape, SpectraProSettings(case="lower"), {})
    identity = driver.connect()
    assert (identity.model, identity.serial) == ("SP-2-300i", "")
    assert driver.gratings() == {1: Grating(600.0, 1000.0)}
    driver.start_wavelength(500.0)
    assert driver.wavelength_arrived()
    assert driver.read_wavelength() == 500.0
    tape.check_finished()


def test_settings_survive_a_round_trip() -> None:
    settings = SpectraProSettings.model_validate({"gratings": {"1": "300/mm", "2": "1800 1/mm"}})
    assert settings.gratings == {1: 300.0, 2: 1800.0}
    assert SpectraProSettings.model_validate(settings.model_dump()) == settings
    with pytest.raises(ValueError, match="gratings"):
        SpectraProSettings.model_validate({"gratings": {1: "300 nm"}})


MOTORISED = {"motor_slit": "front", "entrance_motor": True}


def test_a_motorised_slit_is_set_and_sharpens_the_world(connect: Connect) -> None:
    driver, bench = connect(
        {"motor_slit": "front"}, entrance_slit_motor=True, entrance_slit_um=200.0
    )
    assert driver.read_slit() == 200.0
    settable = driver.settable("slit")
    settable.start(25.0)
    wait(driver, bench)
    assert settable.confirm(25.0) == 25.0
    assert bench.rig.world.spectrograph.entrance_slit_um == 25.0
    assert driver.snapshot()["slit_um"] == 25.0


@pytest.mark.parametrize("width_um", [0.0, 4.0, 3001.0, math.nan])
def test_no_slit_is_moved_out_of_its_range(connect: Connect, width_um: float) -> None:
    driver, _ = connect(MOTORISED, entrance_slit_motor=True)
    with pytest.raises(RefusedError):
        driver.start_slit(width_um)


def test_a_slit_between_the_motor_s_steps_is_told(connect: Connect) -> None:
    driver, bench = connect(MOTORISED, entrance_slit_motor=True)
    settable = driver.settable("slit")
    settable.start(103.0)
    wait(driver, bench)
    assert settable.confirm(103.0) == 105.0


def test_a_slit_without_a_motor(connect: Connect) -> None:
    driver, bench = connect()
    assert driver.slit_or_none() is None
    for attempt in (driver.read_slit, lambda: driver.start_slit(50.0)):
        with pytest.raises(RefusedError, match="no motor"):
            attempt()
    wrong, bench = connect(MOTORISED)
    with pytest.raises(DeviceRefusedError, match="motor_slit"):
        wrong.read_slit()
    wrong.start_slit(50.0)
    with pytest.raises(DeviceRefusedError, match="no motor"):
        wait(wrong, bench)


def test_the_entrance_mirror_lets_light_in_by_one_port(connect: Connect) -> None:
    driver, bench = connect(MOTORISED, entrance_slit_motor=True, entrance_mirror_motor=True)
    assert driver.read_entrance() == "front"
    for port, open_um in (("side", 0.0), ("front", 20.0)):
        driver.start_entrance(port)
        wait(driver, bench)
        driver.confirm_entrance(port)
        assert bench.rig.world.spectrograph.entrance_slit_um == open_um
        assert driver.read_exit() == "front"
