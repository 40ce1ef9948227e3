"""Simulated source-meters: exchanges typed from the manuals, the electrodes, noise."""

from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl_sim.keithley._scpi import Scpi, ScpiError
from labctl_sim.keithley.k2400 import K2400
from labctl_sim.keithley.k2450 import K2450
from labctl_sim.world import World

QUIET = {"current_noise_na": 0.0, "voltage_noise_v": 0.0, "leakage_gohm": 10.0}


class Bench:
    """One unit and one client."""

    def __init__(self, make: Any, world: World, **truth: Any) -> None:
        self.device = make("smu", world, {}, {**QUIET, **truth})
        self.sent: list[bytes] = []
        self.session = self.device.open(self.sent.append)

    def ask(self, data: bytes, size: int | None = None) -> bytes:
        self.sent.clear()
        step = size or len(data)
        for start in range(0, len(data), step):
            self.session.receive(data[start : start + step])
        return b"".join(self.sent)


SAY_2400 = [
    (b":SYST:ERR?\n", b'+0,"No error"\n'),
    (b":FROB\n:SYSTem:ERRor?\n", b'-113,"Undefined header"\n'),
    (b":SOUR:VOLT 300;:SYST:ERR?\n", b'-222,"Parameter data out of range"\n'),
    (b":SOURCE:VOLTAGE:LEVEL 2.5;LEV?\n", b"+2.500000E+00\n"),
    (b"sour:volt 1;volt?;:outp?\n", b"+1.000000E+00;0\n"),
    (b":READ?;:SYST:ERR?\n", b'+803,"Not permitted with OUTPUT off"\n'),
    (b":OUTP 1;:SOUR:VOLT 10;:FORM:ELEM CURR,VOLT;:READ?\n", b"+1.000000E+01,+1.000000E-09\n"),
    (
        b":OUTP ON;:SENS:FUNC 'VOLT';:SOUR:VOLT 10;:READ?\n",
        b"+1.000000E+01,+1.000000E-09,+9.910000E+37,+0.000000E+00,+2.252800E+04\n",
    ),
    (b":SENS:CURR:PROT 1e-6;PROT?;PROT:TRIP?\n", b"+1.000000E-06;0\n"),
    (b"*RST;*CLS;;\n*OPC?\r\n", b"1\n"),
]
SAY_2450 = [
    (b":SYST:ERR?\n", b'0,"No error;0;0 0"\n'),
    (b":SOUR:VOLT:ILIM 1e-06;ILIM?\n", b"1E-06\n"),
    (b":OUTP 1;:SOUR:VOLT 10;:READ?\n", b"1.000000E-09\n"),
    (
        b':OUTP 1;:SOUR:VOLT 10;:READ? "defbuffer1", SOUR, READ, SOURSTAT\n',
        b"1.000000E+01,1.000000E-09,128\n",
    ),
    (b"*LANG?\n", b"SCPI\n"),
]
SAY = [(K2400, *row) for row in SAY_2400] + [(K2450, *row) for row in SAY_2450]


@pytest.mark.parametrize(("make", "data", "reply"), SAY)
def test_exchanges_whole_and_byte_by_byte(
    world: World, make: Any, data: bytes, reply: bytes
) -> None:
    assert Bench(make, world).ask(data) == reply
    assert Bench(make, world).ask(data, 1) == reply


def test_a_header_goes_on_where_the_one_before_was() -> None:
    found: list[str] = []
    scpi = Scpi(
        {
            "SOURce[1]:VOLTage[:LEVel]": lambda text: found.append(f"level {text}"),
            "SOURce[1]:VOLTage:RANGe": lambda text: found.append(f"range {text}"),
            "*WAI": lambda _: found.append("wait"),
        }
    )
    assert scpi.run(":SOUR1:VOLT:LEV 1;RANG 2;*WAI;RANG 3;:SOURCE:VOLTAGE 4") is None
    assert found == ["level 1", "range 2", "wait", "range 3", "level 4"]
    scpi.run("SOURC:VOLT 1;RANG 2")
    assert [error.code for error in scpi.errors] == [-113, -113]


def test_the_queue_of_errors_overflows() -> None:
    scpi = Scpi({})
    for _ in range(12):
        scpi.run("X")
    assert [error.code for error in scpi.errors] == [-113] * 9 + [-350]
    scpi.note(ScpiError(-222, ""))
    assert scpi.errors[-1].code == -350


def test_status_word_of_the_2400_tells_compliance(world: World) -> None:
    bench = Bench(K2400, world)
    bench.device.fault_short(1e6)
    got = bench.ask(b":SENS:CURR:PROT 1e-7;:OUTP 1;:SOUR:VOLT 5;:FORM:ELEM CURR,STAT;:READ?\n")
    current, status = map(float, got.split(b","))
    assert current == pytest.approx(1e-7)
    assert int(status) & 8
    assert world.table.field_kv_cm == pytest.approx(0.1 / 0.514, rel=1e-3)
    bench.device.clear_faults()
    assert world.table.field_kv_cm == pytest.approx(5.0 / 0.514)


def test_the_field_comes_and_goes_with_the_output(world: World) -> None:
    bench = Bench(K2450, world, gap_um=10.0)
    bench.ask(b":SOUR:VOLT -20\n")
    assert world.table.field_kv_cm == 0.0
    bench.ask(b":OUTP 1\n")
    assert world.table.field_kv_cm == pytest.approx(-20.0)
    bench.ask(b":SOUR:FUNC CURR\n")  # a change of function switches it off
    assert (world.table.field_kv_cm, bench.ask(b":OUTP?\n")) == (0.0, b"0\n")


def test_breakdown_is_beyond_its_voltage(world: World) -> None:
    device = Bench(K2450, world, breakdown_v=95.0, knee_v=2.0).device
    assert device.electrodes.current_a(95.0) == pytest.approx(95.0 / 1e10 + 1e-9)
    assert device.electrodes.current_a(-95.0) == -device.electrodes.current_a(95.0)
    assert device.electrodes.apply(150.0, 1e-7) is True
    assert 95.0 < device.electrodes.volts < 105.0


def test_noise_belongs_to_the_moment_and_shrinks_with_duration(
    world: World, clock: VirtualClock
) -> None:
    bench = Bench(K2450, world, current_noise_na=1.0)
    bench.ask(b":OUTP 1\n")

    def read() -> float:
        return float(bench.ask(b":READ?\n"))

    def scatter() -> float:
        values: list[float] = []
        for _ in range(200):
            clock.sleep(0.02)
            assert read() == read()
            values.append(read())
        mean = sum(values) / len(values)
        return (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5

    # The standard deviation of 200 readings is known to 5 %; 4 of these.
    assert scatter() == pytest.approx(1e-9, rel=0.2)
    bench.ask(b":SENS:CURR:NPLC 4\n")
    assert scatter() == pytest.approx(0.5e-9, rel=0.2)
