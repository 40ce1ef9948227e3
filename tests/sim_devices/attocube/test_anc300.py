"""The console as its manual and public drivers show it, and what steps do to the world."""

import hashlib
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from labctl_sim.attocube import Anc300
from labctl_sim.sample import load_sample
from labctl_sim.world import LaserTruth, World

SAMPLE = {
    "schema_version": 1,
    "name": "one dot",
    "composition": "CsPbBr3",
    "dots": {"A1": {"edge_length": "23 nm", "lifetime": "180 ps"}},
}


class Time:
    """World time that a test lets pass."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._order = count()
        self._due: list[tuple[float, int, list[Callable[[], None]]]] = []

    def now(self) -> float:
        return self.now_s

    def schedule(self, at_s: float, action: Callable[[], None]) -> Callable[[], None]:
        actions = [action]
        heapq.heappush(self._due, (at_s, next(self._order), actions))
        return actions.clear

    def let_pass(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self._due and self._due[0][0] <= end_s:
            self.now_s, _, actions = heapq.heappop(self._due)
            for action in actions.copy():
                action()
        self.now_s = end_s


class Console:
    """A client of a simulated controller, and the world behind it."""

    def __init__(self, number: int, kelvin: float, **truth: Any) -> None:
        def seed(*labels: object) -> int:
            text = repr((number, *labels)).encode()
            return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")

        self.time = Time()
        self.world = World(
            sample=load_sample(SAMPLE),
            dot="A1",
            laser=LaserTruth(),
            now=self.time.now,
            schedule=self.time.schedule,
            seed=seed,
        )
        if kelvin < 250.0:
            self.world.attach_cryostat({"start_temperature_k": kelvin, "base_temperature_k": 3.2})
        self.device = Anc300("stage", self.world, {}, {"password": "", **truth})
        self.sent = b""
        self.session = self.device.open(self._take)

    def _take(self, data: bytes) -> None:
        self.sent += data

    def say(self, *commands: str) -> bytes:
        self.sent = b""
        for command in commands:
            self.session.receive(command.encode() + b"\r\n")
        return self.sent

    def x_um(self) -> float:
        assert self.world.stage_um is not None
        return self.world.stage_um[0]


def quiet(number: int = 0, kelvin: float = 4.0, **truth: Any) -> Console:
    console = Console(number, kelvin, **truth)
    assert console.say("echo off") == b"echo off\r\nOK\r\n"
    return console


def test_login_banner_mask_and_prompt() -> None:
    console = Console(0, 4.0, password="123456")
    assert console.sent == (
        b"\xff\xfb\x01\xff\xfb\x03attocube ANC300 console\r\nAuthorization code: "
    )
    assert console.say("123456") == b"******\r\nAuthorization success\r\n> "
    assert console.say("echo off") == b"echo off\r\nOK\r\n"
    assert console.say("getm 1") == b"mode = gnd\r\n\nOK\r\n"


def test_a_wrong_code_lets_nobody_in() -> None:
    console = Console(0, 4.0, password="123456")
    assert console.say("12").startswith(b"**\r\nAuthorization failed\r\n")
    assert b"mode" not in console.say("getm 1")


def test_echo_and_prompt() -> None:
    console = Console(0, 4.0)
    assert console.say("getm 1") == b"getm 1\r\nmode = gnd\r\n\nOK\r\n> "


EXCHANGES = [
    ("getm 1", b"mode = gnd\r\nOK\r\n"),
    ("getf 1", b"frequency = 1000 Hz\r\nOK\r\n"),
    ("getv 1", b"voltage = 30.000000 V\r\nOK\r\n"),
    ("geta 1", b"voltage = 0.000000 V\r\nOK\r\n"),
    ("geto 1", b"voltage = 0.000000 V\r\nOK\r\n"),
    ("getc 1", b"capacitance = ?\r\nOK\r\n"),
    ("getcser", b"ANC300B-C-1514-3006076\r\nOK\r\n"),
    ("getser 1", b"ANM300A-M-1545-3010045\r\nOK\r\n"),
    ("getaci 1", b"acin = off\r\nOK\r\n"),
    ("gettu 1", b"trigger = off\r\nOK\r\n"),
    ("setm 1 stp", b"OK\r\n"),
    ("setf 1 210", b"OK\r\n"),
    ("setv 1 25.000", b"OK\r\n"),
    ("seta 1 1", b"OK\r\n"),
    ("setto 1 1", b"OK\r\n"),
    ("settu 1 3", b"OK\r\n"),
    ("stop 1", b"OK\r\n"),
    ("stepu 1 40", b"Axis in wrong mode\r\nERROR\r\n"),
    ("getm 4", b"Wrong axis type\r\nERROR\r\n"),
    ("setv 1 151", b"Value out of range\r\nERROR\r\n"),
    ("setf 1 0", b"Value out of range\r\nERROR\r\n"),
    ("setm 1 fly", b"Value out of range\r\nERROR\r\n"),
    (
        "ver",
        b"attocube ANC300 controller version 1.1.0-1304 2013-10-17 08:16\r\n"
        b"ANC150 compatibillity console\r\nOK\r\n",
    ),
]


@pytest.mark.parametrize(("command", "answer"), EXCHANGES)
def test_exchanges(command: str, answer: bytes) -> None:
    assert quiet(stray_newlines=False).say(command) == answer


def test_a_module_that_only_steps_refuses_offsets() -> None:
    console = quiet(modules="ANM150 ANM200 ANM300")
    assert console.say("setm 1 off") == b"Wrong axis type\r\nERROR\r\n"
    assert console.say("setm 2 stp") == b"Wrong axis type\r\nERROR\r\n"
    assert console.say("setm 3 stp+") == b"OK\r\n"


def test_waiting_for_the_end_of_steps_is_answered_then_and_holds_up_the_rest() -> None:
    console = quiet()
    console.say("setm 1 stp", "setf 1 200", "stepu 1 40")
    assert console.say("geto 1") == b"voltage = 15.000000 V\r\n\nOK\r\n"
    assert console.say("stepw 1", "getm 1") == b""
    console.time.let_pass(0.19)
    assert console.sent == b""
    console.time.let_pass(0.02)
    assert console.sent == b"OK\r\nmode = stp\r\n\nOK\r\n"


def test_capacitance_is_measured_in_a_second_and_ends_grounded() -> None:
    console = quiet(stray_newlines=False)
    console.say("setm 1 cap", "capw 1")
    console.time.let_pass(1.0)
    assert console.sent.endswith(b" nF\r\nOK\r\n")
    assert console.say("getm 1") == b"mode = gnd\r\nOK\r\n"


def steps(console: Console, count: int, volts: float = 30.0, word: str = "stepu") -> float:
    before_um = console.x_um()
    console.say(f"setv 1 {volts}", "setm 1 stp", "setf 1 1000", f"{word} 1 {count}")
    console.time.let_pass(count / 1000.0 + 0.001)
    return console.x_um() - before_um


@pytest.mark.parametrize("number", range(5))
def test_steps_are_smaller_when_cold_and_differ_by_direction(number: int) -> None:
    # 500 steps of 5 % scatter: 0.2 %; one stick takes 4 %, and in 500 steps more than 4 sticks
    # have a probability below 1e-5.
    warm, cold = quiet(number, 300.0), quiet(number, 4.0)
    up_um = steps(warm, 500)
    assert 0.8 * 500 * 0.12 < up_um < 1.01 * 500 * 0.12
    down_um = steps(warm, 500, word="stepd")
    assert 0.8 < -down_um / (500 * 0.12 * 0.93) < 1.01
    assert 0.8 < steps(cold, 500) / (500 * 0.12 / 3.5) < 1.03


def test_turning_round_loses_the_backlash() -> None:
    console = quiet(steps_per_stick=1e12, scatter_rel=0.0)
    up_um = steps(console, 100)
    assert up_um == pytest.approx(100 * console.device.piezos["x"].step_um(30.0, 1))
    down_um = steps(console, 100, word="stepd")
    assert down_um == pytest.approx(-100 * console.device.piezos["x"].step_um(30.0, -1) + 0.2)
    assert steps(console, 100, word="stepd") < down_um


def test_it_sticks_now_and_then() -> None:
    console = quiet(scatter_rel=0.0, travel_um=1e6)
    made = steps(console, 200_000) / console.device.piezos["x"].step_um(30.0, 1)
    # 100 sticks expected, sd 10, each of 20 steps: 5 sd.
    assert 200_000 - 150 * 20 <= made <= 200_000 - 50 * 20


def test_end_stops_end_it() -> None:
    console = quiet(travel_um=2.0)
    steps(console, 1000)
    assert console.x_um() == pytest.approx(2.0)
    console = quiet()
    steps(console, 100)
    console.device.fault_end_stop("x")
    assert steps(console, 100) == pytest.approx(0.0, abs=1e-9)
    console.device.clear_faults()
    assert steps(console, 100) > 0.5


def test_a_warm_piezo_is_damaged_by_a_voltage_that_a_cold_one_takes() -> None:
    cold, warm = quiet(0, 4.0), quiet(0, 300.0)
    steps(cold, 10, volts=60.0)
    assert cold.world.happenings == []
    steps(warm, 10, volts=30.0)
    assert warm.world.happenings == []
    steps(warm, 10, volts=60.0)
    happened = warm.world.happenings
    assert [(one["what"], one["axis"], one["volts"]) for one in happened] == [
        ("piezo_damaged", "x", 60.0)
    ]
    assert steps(warm, 100) < 0.5 * 100 * 0.12


def test_a_stuck_axis_is_freed_by_turning_round() -> None:
    console = quiet()
    console.device.fault_stick("x")
    assert steps(console, 100) == pytest.approx(0.0, abs=1e-9)
    assert steps(console, 100, word="stepd") < -0.5
    assert steps(console, 100) > 0.5


def test_an_offset_moves_less_when_cold_and_creeps() -> None:
    moved: dict[float, float] = {}
    for kelvin in (300.0, 4.0):
        console = quiet(0, kelvin)
        console.say("seta 1 60", "setm 1 off")
        moved[kelvin] = console.x_um()
        console.time.let_pass(11.0)
        assert console.x_um() / moved[kelvin] == pytest.approx(1.04, abs=0.005)
        console.say("setm 1 gnd")
        console.time.let_pass(101.0)
        assert console.x_um() == pytest.approx(-0.02 * 3 * 1.04 * moved[kelvin], abs=0.1)
    assert moved[300.0] == pytest.approx(4.0, rel=0.02)
    assert moved[4.0] == pytest.approx(0.4 * 4.0, rel=0.02)


@pytest.mark.parametrize(("drift", "there"), [(True, False), (False, True)])
def test_the_dot_wanders_off_the_axis_with_temperature_unless_somebody_keeps_it(
    drift: bool, there: bool
) -> None:
    console = quiet(0, 4.0, drift=drift)
    console.world.thermal.set_target(60.0)
    console.time.let_pass(1800.0)
    _, collected = console.world.surroundings("A1", console.time.now())
    assert (collected > 0.9) is there


def test_polling_changes_nothing() -> None:
    lazy, busy = quiet(3), quiet(3)
    lazy.say("setm 1 stp", "stepu 1 1000")
    busy.say("setm 1 stp", "stepu 1 1000")
    for _ in range(100):
        busy.time.let_pass(0.013)
        busy.say("geto 1", "getm 1")
    lazy.time.let_pass(100 * 0.013)
    assert lazy.x_um() == busy.x_um()
