"""SpectraPro: byte table from the manuals' facts, motion times, the world follows, faults."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labctl.clock import EventQueue, VirtualClock
from labctl_sim.princeton.spectrapro import SpectraPro
from labctl_sim.world import World

GRATINGS = {
    "1": {"lines_per_mm": 300, "blaze_nm": 500},
    "2": {"lines_per_mm": 1800, "blaze_nm": 500},
    "4": {"lines_per_mm": 150, "blaze_nm": 1600},
    "5": {"lines_per_mm": 0},
}
FAST = {"baud": 0, "echo": False}
GRATING_LIST = (
    b"\r\n\x1a1  300 g/mm BLZ=  500NM \r\n 2 1800 g/mm BLZ=  500NM \r\n 3  Not Installed     \r\n"
    b" 4  150 g/mm BLZ=  1.6UM \r\n 5  Mirror \r\n 6  Not Installed     \r\n"
    b" 7  Not Installed     \r\n 8  Not Installed     \r\n 9  Not Installed     \r\n ok\r\n"
)


class Bench:
    """A monochromator, one client and time."""

    def __init__(self, clock: VirtualClock, world: World, **truth: Any) -> None:
        self.clock = clock
        self.world = world
        self.device = SpectraPro("mono", world, {"gratings": GRATINGS}, {**FAST, **truth})
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def tell(self, data: bytes) -> bytes:
        """Send bytes, give what comes at once."""
        self.sent.clear()
        self.session.receive(data)
        return b"".join(self.sent)

    def ask(self, line: bytes, size: int | None = None) -> bytes:
        """Send a line in pieces, wait a minute, give what came back."""
        self.sent.clear()
        data = line + b"\r"
        step = size or len(data)
        for start in range(0, len(data), step):
            self.session.receive(data[start : start + step])
        self.clock.sleep(60.0)
        return b"".join(self.sent)


@pytest.fixture
def make(clock: VirtualClock, world: World) -> Callable[..., Bench]:
    def make(**truth: Any) -> Bench:
        return Bench(clock, world, **truth)

    return make


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"?NM", b" 0.000 nm  ok\r\n"),
        (b"?nm", b" 0.000 nm  ok\r\n"),
        (b"531.5 GOTO", b" ok\r\n"),
        (b"5.5 NM", b" ok\r\n"),
        (b"531.5 GOTO ?NM", b" 531.500 nm  ok\r\n"),
        (b"?NM/MIN", b" 100.000 nm/min  ok\r\n"),
        (b"250.5 NM/MIN ?NM/MIN", b" 250.500 nm/min  ok\r\n"),
        (b"?GRATING", b" 1  ok\r\n"),
        (b"2 GRATING", b" ok\r\n"),
        (b"?TURRET", b" 1  ok\r\n"),
        (b"?GRATINGS", GRATING_LIST),
        (b"MODEL", b" SP-2-500i  ok\r\n"),
        (b"SERIAL", b" 25061234  ok\r\n"),
        (b"MONO-?DONE", b" 1  ok\r\n"),
        (b"MONO-STOP", b" ok\r\n"),
        (b"EXIT-MIRROR", b" ok\r\n"),
        (b"EXIT-MIRROR ?MIRROR", b" front  ok\r\n"),
        (b"EXIT-MIRROR SIDE ?MIRROR", b" side  ok\r\n"),
        (b"EXIT-MIRROR SIDE ?MIR", b" 1  ok\r\n"),
        (b"ENT-MIRROR", b" no motor  ok\r\n"),
        (b"SIDE-ENT-SLIT ?MICRONS", b" no motor  ok\r\n"),
        (b"FRONT-EXIT-SLIT 100 MICRONS", b" no motor  ok\r\n"),
        (b"NO-ECHO", b" ok\r\n"),
        (b"", b" ok\r\n"),
        (b"FOO", b"FOO ? \r\n"),
        (b"?NM FOO", b"FOO ? \r\n"),
        (b"GOTO", b"GOTO ? \r\n"),
        (b"1e3 GOTO", b"1e3 ? \r\n"),
        (b"nan GOTO", b"nan ? \r\n"),
        (b"?", b"\r\nAddress Error \r\nA=3F4F4445 PC=81444\r\n"),
    ],
)
def test_exchanges_whole_byte_by_byte_and_with_trailing_bytes(
    make: Callable[..., Bench], line: bytes, reply: bytes
) -> None:
    assert make().ask(line).upper() == reply.upper()
    assert make().ask(line, 1).upper() == reply.upper()
    bench = make()
    bench.sent.clear()
    bench.session.receive(line + b"\r?TUR")
    bench.clock.sleep(600.0)
    assert b"".join(bench.sent).upper() == reply.upper()
    assert bench.ask(b"RET") == b" 1  ok\r\n"


def test_two_lines_at_once_are_answered_one_after_the_other(make: Callable[..., Bench]) -> None:
    bench = make()
    assert bench.tell(b"100 GOTO\r?NM\r") == b""
    bench.clock.sleep(1.0)
    assert bench.sent == [b" ok\r\n", b" 100.000 nm  ok\r\n"]


def test_goto_replies_when_it_has_arrived(make: Callable[..., Bench]) -> None:
    bench = make(goto_speed_nm_s=200.0)
    assert bench.tell(b"500 GOTO\r") == b""
    bench.clock.sleep(2.59)
    assert bench.sent == []
    assert bench.world.spectrograph.centre_nm == 0.0
    bench.clock.sleep(0.02)
    assert bench.sent == [b" ok\r\n"]
    assert bench.world.spectrograph.centre_nm == 500.0


def test_nm_moves_at_the_scan_rate(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.tell(b"600 NM/MIN 30 NM\r")
    bench.clock.sleep(2.99)
    assert bench.sent == []
    bench.clock.sleep(0.02)
    assert bench.sent == [b" ok\r\n"]


def test_out_of_range_is_clamped_and_still_ok(make: Callable[..., Bench]) -> None:
    bench = make()
    assert bench.ask(b"2 GRATING") == b" ok\r\n"
    assert bench.ask(b"900 GOTO") == b" ok\r\n"
    clamped_nm = float(bench.ask(b"?NM").split()[0])
    assert 690.0 < clamped_nm < 720.0
    assert bench.ask(b"-5 GOTO ?NM") == b" 0.000 nm  ok\r\n"


def test_a_grating_change_takes_its_time_and_keeps_the_wavelength(
    make: Callable[..., Bench],
) -> None:
    bench = make(grating_change_s=12.0)
    bench.ask(b"531 GOTO")
    bench.tell(b"2 GRATING\r")
    bench.clock.sleep(11.9)
    assert bench.sent == []
    assert bench.world.spectrograph.lines_per_mm == 300.0
    bench.clock.sleep(0.2)
    assert bench.sent == [b" ok\r\n"]
    assert bench.ask(b"?GRATING ?NM") == b" 2  531.000 nm  ok\r\n"
    assert bench.world.spectrograph.lines_per_mm == 1800.0
    assert bench.tell(b"2 GRATING\r") == b" ok\r\n"


@pytest.mark.parametrize("number", [3, 4, 9, 0])
def test_a_missing_grating_is_ok_and_nothing_moves(make: Callable[..., Bench], number: int) -> None:
    bench = make()
    assert bench.tell(b"%d GRATING\r" % number) == b" ok\r\n"
    assert bench.ask(b"?GRATING") == b" 1  ok\r\n"


def test_another_turret_has_other_gratings(make: Callable[..., Bench]) -> None:
    bench = make()
    assert bench.ask(b"2 TURRET ?TURRET") == b" 2  ok\r\n"
    assert bench.ask(b"2 GRATING ?GRATING") == b" 1  ok\r\n"
    assert bench.ask(b"4 GRATING ?GRATING") == b" 4  ok\r\n"
    assert bench.world.spectrograph.blaze_nm == 1600.0


def test_the_mirror_word_persists(make: Callable[..., Bench]) -> None:
    bench = make(entrance_mirror_motor=True)
    assert bench.ask(b"EXIT-MIRROR SIDE") == b" ok\r\n"
    assert bench.world.spectrograph.exit == "side"
    assert bench.ask(b"ENT-MIRROR") == b" ok\r\n"
    assert bench.ask(b"?MIRROR") == b" front  ok\r\n"
    assert bench.ask(b"EXIT-MIRROR") == b" ok\r\n"
    assert bench.ask(b"?MIRROR") == b" side  ok\r\n"
    assert bench.ask(b"FRONT") == b" ok\r\n"
    assert bench.world.spectrograph.exit == "front"


def test_a_scan_is_watched_and_stopped(make: Callable[..., Bench]) -> None:
    bench = make()
    assert bench.tell(b"60 NM/MIN 100 >NM\r") == b" ok\r\n"
    bench.clock.sleep(10.0)
    assert bench.tell(b"MONO-?DONE\r") == b" 0  ok\r\n"
    assert bench.tell(b"?NM\r") == b" 10.000 nm  ok\r\n"
    assert bench.world.spectrograph.centre_nm == pytest.approx(10.0, abs=0.11)
    assert bench.tell(b"MONO-STOP\r") == b" ok\r\n"
    bench.clock.sleep(10.0)
    assert bench.tell(b"?NM MONO-?DONE\r") == b" 10.000 nm  1  ok\r\n"


def test_a_scan_ends_at_its_target(make: Callable[..., Bench]) -> None:
    bench = make(start_wavelength_nm=50.0)
    bench.tell(b"60 NM/MIN 20 >NM\r")
    bench.clock.sleep(40.0)
    assert bench.tell(b"MONO-?DONE ?NM\r") == b" 1  20.000 nm  ok\r\n"
    assert bench.world.spectrograph.centre_nm == 20.0


def test_a_motorised_slit(make: Callable[..., Bench]) -> None:
    bench = make(entrance_slit_motor=True)
    assert bench.ask(b"FRONT-ENT-SLIT ?MICRONS") == b" 20 um  ok\r\n"
    assert bench.ask(b"FRONT-ENT-SLIT 103 MICRONS") == b" ok\r\n"
    assert bench.ask(b"?MICRONS") == b" 105 um  ok\r\n"
    assert bench.world.spectrograph.entrance_slit_um == 105.0
    assert bench.ask(b"SIDE-ENT-SLIT ?MICRONS") == b" no motor  ok\r\n"


def test_the_stored_set_up_is_long_and_has_its_lines(make: Callable[..., Bench]) -> None:
    bench = make(baud=9600)
    bench.tell(b"MONO-EESTATUS\r")
    bench.clock.sleep(2.5)
    assert bench.sent == []
    bench.clock.sleep(3.0)
    text = b"".join(bench.sent).decode()
    assert text.endswith(" ok\r\n")
    lines = text.split("\r\n")
    assert "focal length 500" in lines
    assert "half angle 8.60" in lines
    assert "detector angle 1.38" in lines
    assert len(next(line for line in lines if line.startswith("offset ")).split()) == 10
    assert len(next(line for line in lines if line.startswith("adjust ")).split()) == 10


def test_echo_comes_before_the_reply_and_can_be_switched(make: Callable[..., Bench]) -> None:
    bench = make(echo=True)
    assert bench.ask(b"?NM") == b"?NM 0.000 nm  ok\r\n"
    assert bench.ask(b"?GRATINGS") == b"?GRATINGS" + GRATING_LIST
    assert bench.ask(b"no-echo") == b"no-echo ok\r\n"
    assert bench.ask(b"?NM") == b" 0.000 nm  ok\r\n"
    assert bench.ask(b"ECHO") == b" ok\r\n"
    assert bench.tell(b"?N") == b"?N"


def test_nine_thousand_six_hundred_baud(make: Callable[..., Bench]) -> None:
    bench = make(baud=9600)
    bench.tell(b"?NM\r")
    bench.clock.sleep(0.0145)
    assert bench.sent == []
    bench.clock.sleep(0.002)
    assert bench.sent == [b" 0.000 nm  ok\r\n"]


def test_without_a_unit(make: Callable[..., Bench]) -> None:
    assert make(unitless_nm=True).ask(b"?NM") == b" 0.000  ok\r\n"


def test_split_replies_have_the_same_bytes(make: Callable[..., Bench]) -> None:
    bench = make(split_replies=True)
    assert bench.ask(b"?GRATINGS") == GRATING_LIST
    assert len(bench.sent) == 3


def test_garbage_at_power_up_spoils_the_first_line(make: Callable[..., Bench]) -> None:
    bench = make(garbage_at_power_up=True)
    assert bench.ask(b"MODEL") == b"\x00X\xf0~\x00X\xf0~MODEL ? \r\n"
    assert bench.ask(b"MODEL") == b" SP-2-500i  ok\r\n"


def test_the_truth_differs_from_the_counter(make: Callable[..., Bench]) -> None:
    bench = make(wavelength_offset_nm=0.13, focal_length_mm=495.7)
    assert bench.ask(b"531 GOTO ?NM") == b" 531.000 nm  ok\r\n"
    assert bench.world.spectrograph.centre_nm == pytest.approx(531.13)
    assert bench.world.spectrograph.truth.focal_length_mm == 495.7


def test_a_client_that_leaves_does_not_stop_the_motion(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.tell(b"400 GOTO\r")
    bench.session.closed()
    bench.clock.sleep(5.0)
    assert bench.world.spectrograph.centre_nm == 400.0


@pytest.mark.parametrize(
    ("settings", "truth", "message"),
    [
        ({}, {"model": "SP-9"}, "mono: no model 'SP-9'; there are SP-2-150i"),
        ({"gratings": {"2": 1800.0}}, {"start_grating": 1}, "no grating 1 to start with"),
        ({}, {"installed": "300, banana"}, "'banana' is no grating"),
        ({}, {"installed": "300/"}, "'300/' is no grating"),
        ({}, {"installed": "none"}, "there is no grating at all"),
        ({}, {"installed": ", ".join(["300"] * 10)}, "10 gratings; there are 9 slots"),
    ],
)
def test_impossible_set_ups(
    world: World, settings: dict[str, Any], truth: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        SpectraPro("mono", world, settings, truth)


def test_without_a_word_about_gratings_there_are_two(world: World) -> None:
    device = SpectraPro("mono", world, {}, {})
    assert {n: g.lines_per_mm for n, g in device.drive.gratings.items()} == {1: 300, 2: 1800}


def test_what_is_installed_may_differ_from_what_is_declared(world: World) -> None:
    truth = {**FAST, "installed": "none, 1200/750, mirror, 150"}
    device = SpectraPro("mono", world, {"gratings": GRATINGS}, truth)
    found = {n: (g.lines_per_mm, g.blaze_nm) for n, g in device.drive.gratings.items()}
    assert found == {2: (1200.0, 750.0), 3: (0.0, 500.0), 4: (150.0, 500.0)}
    assert (device.drive.grating, world.spectrograph.lines_per_mm) == (2, 1200.0)


def test_a_stored_grating_that_is_absent_is_not_taken_up(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.ask(b"3 INIT-GRATING")
    bench.ask(b"MONO-RESET")
    assert bench.ask(b"?GRATING") == b" 1  ok\r\n"


class TestFaults:
    def test_crash_dump_refusal_and_garbage(self, make: Callable[..., Bench]) -> None:
        bench = make()
        bench.device.fault_address_error()
        assert bench.ask(b"?NM").startswith(b"\r\nAddress Error")
        bench.device.fault_refuse()
        assert bench.ask(b"10 GOTO") == b"GOTO ? \r\n"
        bench.device.fault_garbage()
        assert bench.ask(b"?NM") == b"\x00X\xf0~\x00X\xf0~?NM ? \r\n"
        assert bench.ask(b"?NM") == b" 0.000 nm  ok\r\n"

    def test_a_lie_is_visible_in_the_read_back(self, make: Callable[..., Bench]) -> None:
        bench = make()
        bench.device.fault_lie(times=2)
        assert bench.ask(b"500 GOTO") == b" ok\r\n"
        assert bench.ask(b"?NM") == b" 0.000 nm  ok\r\n"
        assert bench.ask(b"2 GRATING ?GRATING") == b" 1  ok\r\n"
        assert bench.ask(b"500 GOTO ?NM") == b" 500.000 nm  ok\r\n"

    def test_a_slip_is_not_visible(self, make: Callable[..., Bench]) -> None:
        bench = make()
        bench.device.fault_slip(offset_nm=0.4)
        assert bench.ask(b"500 GOTO ?NM") == b" 500.000 nm  ok\r\n"
        assert bench.world.spectrograph.centre_nm == pytest.approx(500.4)
        bench.device.clear_faults()
        assert bench.world.spectrograph.centre_nm == 500.0

    def test_power_loss_goes_home_and_is_silent_meanwhile(self, make: Callable[..., Bench]) -> None:
        bench = make(homing_s=30.0)
        bench.ask(b"2 GRATING 500 GOTO 50 NM/MIN")
        bench.device.reset()
        assert bench.tell(b"?NM\r") == b""
        bench.clock.sleep(30.0)
        assert bench.ask(b"?NM ?GRATING ?NM/MIN") == b" 0.000 nm  1  100.000 nm/min  ok\r\n"


def test_stored_power_up_values_count_after_a_restart(make: Callable[..., Bench]) -> None:
    bench = make()
    bench.ask(b"2 INIT-GRATING 546.1 INIT-WAVELENGTH 200 INIT-SRATE 7 INIT-OFFSET")
    assert bench.ask(b"?NM ?GRATING") == b" 0.000 nm  1  ok\r\n"
    assert bench.ask(b"MONO-RESET") == b" ok\r\n"
    assert bench.ask(b"?NM ?GRATING ?NM/MIN") == b" 546.100 nm  2  200.000 nm/min  ok\r\n"


def test_polling_a_scan_changes_nothing(world: World) -> None:
    def centres(polls: int) -> list[float]:
        queue = EventQueue()
        clock = VirtualClock(queue)
        other = World(
            sample=world.sample,
            dot="A7",
            laser=world.laser,
            now=queue.now,
            schedule=queue.schedule,
            seed=lambda *labels: 0,
        )
        bench = Bench(clock, other)
        bench.tell(b"60 NM/MIN 50 >NM\r")
        seen: list[float] = []
        for _ in range(5):
            for _ in range(polls):
                bench.tell(b"?NM MONO-?DONE\r")
            clock.sleep(1.05)
            seen.append(other.spectrograph.centre_nm)
        return seen

    assert centres(0) == centres(7)


WORDS = st.sampled_from(
    ["GOTO", "NM", ">NM", "?NM", "GRATING", "?GRATINGS", "SIDE", "MONO-STOP", "MICRONS", "X?"]
)
NUMBERS = st.floats(-1e4, 1e4).map(lambda value: f"{value:.3f}")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(WORDS | NUMBERS, max_size=6), max_size=4))
def test_every_line_gets_exactly_one_end(
    clock: VirtualClock, world: World, lines: list[list[str]]
) -> None:
    bench = Bench(clock, world)
    for line in lines:
        bench.tell(" ".join(line).encode() + b"\r")
        clock.sleep(3600.0)
        reply = b"".join(bench.sent)
        assert reply.endswith((b" ok\r\n", b" ? \r\n"))
        assert 0.0 <= bench.device.drive.position_nm() <= 8500.0
