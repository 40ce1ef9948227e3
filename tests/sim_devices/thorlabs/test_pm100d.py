"""PM100D: byte table, keywords short and long, errors, ranges, where the light comes from."""

from collections.abc import Callable
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl_sim.thorlabs import Pm100d
from labctl_sim.world import World

EXACT = {"power_ratio": 1.0, "calibration_rel": 1.0, "zero_offset_w": 0.0, "noise_w": 0.0}


class Bench:
    """A meter, one client and time."""

    def __init__(self, clock: VirtualClock, world: World, **truth: Any) -> None:
        self.clock, self.world = clock, world
        self.device = Pm100d("power_meter", world, {}, {**EXACT, **truth})
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def ask(self, data: bytes, size: int | None = None) -> bytes:
        self.sent.clear()
        step = size or len(data)
        for start in range(0, len(data), step):
            self.session.receive(data[start : start + step])
        self.clock.sleep(0.1)
        return b"".join(self.sent)

    def power_w(self) -> float:
        self.clock.sleep(1.0)
        return float(self.ask(b"READ?\n"))


Make = Callable[..., Bench]


@pytest.fixture
def make(clock: VirtualClock, world: World) -> Make:
    world.table.laser_on = world.table.shutter_open = True

    def make(**truth: Any) -> Bench:
        return Bench(clock, world, **truth)

    return make


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        (b"*IDN?\n", b"Thorlabs,PM100D,P0012345,2.4.0\r\n"),
        (b"SYST:SENS:IDN?\n", b"S130C,12345,10-Jan-2023,1,18,305\r\n"),
        (b"SYST:SENSOR:IDN?\n", b"S130C,12345,10-Jan-2023,1,18,305\r\n"),
        (b"SENS:CORR:WAV?\n", b"6.33000000E+02\r\n"),
        (b":sense:correction:wavelength? max\n", b"1.10000000E+03\r\n"),
        (b"SENS:POW:RANG:AUTO?\r\n", b"1\r\n"),
        (b"SENS:POW:RANG? MAX\n", b"5.00000000E-02\r\n"),
        (b"SENS:AVER:COUN?\n", b"1\r\n"),
        (b"CONF:POW;CONF?\n", b"POW\r\n"),
        (b"SENS:POW:UNIT?\n", b"W\r\n"),
        (b"SENS:CORR:COLL:ZERO:STAT?\n", b"0\r\n"),
        (b"SYST:ERR?\n", b'+0,"No error"\r\n'),
        (b"SENS:CORR:WAV 405;SENS:CORR:WAV?\n", b"4.05000000E+02\r\n"),
        (b"SENS:CORR:WAV 399;SYST:ERR?\n", b'-222,"Data out of range"\r\n'),
        (b"SENS:CORR:WAV;SYST:ERR?\n", b'-109,"Missing parameter"\r\n'),
        (b"SENS:CORR:WAV blue;SYST:ERR?\n", b'-104,"Data type error"\r\n'),
        (b"MEAS:ENER?;SYST:ERR?;SYST:ERR?\n", b'-113,"Undefined header"\r\n+0,"No error"\r\n'),
        (b"SENS:ENER:RANG?;*ESR?;*ESR?\n", b"32\r\n0\r\n"),
        (b"FETC?\n", b"9.91000000E+37\r\n"),
    ],
)
def test_exchanges_whole_byte_by_byte_and_with_trailing_bytes(
    make: Make, command: bytes, reply: bytes
) -> None:
    assert make().ask(command) == reply
    assert make().ask(command, 1) == reply
    bench = make()
    assert bench.ask(command + b"*ID") == reply
    assert bench.ask(b"N?\n") == b"Thorlabs,PM100D,P0012345,2.4.0\r\n"


def test_the_range_holds_what_was_asked_for(make: Make) -> None:
    bench = make()
    assert bench.ask(b"SENS:POW:RANG 2e-6;SENS:POW:RANG?\n") == b"5.00000000E-06\r\n"
    assert bench.ask(b"SENS:POW:RANG:AUTO?\n") == b"0\r\n"
    assert bench.ask(b"SENS:POW:RANG 1;SYST:ERR?\n").startswith(b"-222")


def test_power_follows_what_stands_in_the_path(make: Make) -> None:
    bench = make()
    bench.ask(b"SENS:CORR:WAV 405\n")
    assert bench.power_w() == pytest.approx(bench.world.laser_power_w(), rel=1e-6)
    bench.world.table.attenuate("wheel", 0.1)
    bench.world.table.attenuate("knob", 0.5)
    assert bench.world.table.attenuation_rel == pytest.approx(0.05)
    assert bench.power_w() == pytest.approx(0.05 * 0.19227e-6, rel=1e-3)
    bench.world.table.laser_on = False
    assert bench.power_w() == pytest.approx(0.0, abs=1e-15)


def test_a_flip_mirror_sends_the_light_to_the_meter(make: Make) -> None:
    bench = make(fed_by="mirror", power_ratio=0.95)
    bench.ask(b"SENS:CORR:WAV 405\n")
    assert bench.power_w() == pytest.approx(0.0, abs=1e-15)
    bench.world.table.attenuate("mirror", 0.0)
    assert bench.world.laser_power_w() == 0.0
    assert bench.power_w() == pytest.approx(0.95 * 0.19227e-6, rel=1e-3)
    bench.world.table.attenuate("mirror", 1.0)
    assert bench.power_w() == pytest.approx(0.0, abs=1e-15)


def test_zero_is_taken_when_its_time_is_over(make: Make) -> None:
    bench = make(zero_offset_w=4e-9)
    bench.world.table.laser_on = False
    bench.ask(b"SENS:CORR:WAV 405\n")
    assert bench.power_w() == pytest.approx(4e-9)
    bench.ask(b"SENS:CORR:COLL:ZERO:INIT\n")
    assert bench.ask(b"SENS:CORR:COLL:ZERO:STAT?\n") == b"1\r\n"
    bench.clock.sleep(2.0)
    assert bench.ask(b"SENS:CORR:COLL:ZERO:STAT?\n") == b"0\r\n"
    assert bench.power_w() == pytest.approx(0.0, abs=1e-15)
    bench.device.fault_lose_zero()
    assert bench.power_w() == pytest.approx(4e-9)
