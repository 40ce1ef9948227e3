"""Both drivers against tapes and against their simulators on virtual time."""

import itertools
import math
from collections.abc import Callable, Generator
from typing import Any, Protocol

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import Limits, SourceMeter
from labctl.transport import TapeTransport, VisaTransport
from labctl_drivers.keithley.k2400 import K2400, K2400Settings
from labctl_drivers.keithley.k2450 import K2450, K2450Settings

OK = b'+0,"No error"\n'
IDENTITY = b'KEITHLEY INSTRUMENTS INC.,MODEL 2400,1234567,C32;+0,"No error"\n'
Pair = tuple[bytes, bytes]
HELLO: list[Pair] = [
    (b"*CLS;:SYST:ERR?\n", OK),
    (b"*IDN?;:SYST:ERR?\n", IDENTITY),
    (b":SOUR:VOLT 0;:SYST:ERR?\n", OK),
    (b":OUTP 0;:SYST:ERR?\n", OK),
    (
        b":SOUR:CLE:AUTO 0;:SOUR:FUNC VOLT;:SOUR:VOLT:MODE FIX;:SOUR:VOLT:RANG:AUTO 1;"
        b":SENS:FUNC:CONC 1;:SENS:FUNC 'VOLT','CURR';:SENS:CURR:RANG:AUTO 1;:SENS:CURR:NPLC 1;"
        b":FORM:ELEM VOLT,CURR,STAT;:SYST:ERR?\n",
        OK,
    ),
    (b":SENS:CURR:PROT 1e-07;:SYST:ERR?\n", OK),
    (b":SENS:CURR:PROT?;:SYST:ERR?\n", b'+1.000000E-07;+0,"No error"\n'),
    (b"*IDN?;:SYST:ERR?\n", IDENTITY),
]


def by_tape(*pairs: Pair) -> tuple[K2400, TapeTransport]:
    tape = TapeTransport("smu", [*HELLO, *pairs], VirtualClock())
    driver = K2400("smu", tape, K2400Settings.model_validate({"gap": "5 um"}), {})
    driver.connect()
    return driver, tape


def test_nothing_is_sent_for_a_value_out_of_limits() -> None:
    driver, _ = by_tape()
    for start, value in (
        (driver.start_voltage, 211.0),
        (driver.start_voltage, math.nan),
        (driver.start_field, 500.0),
        (driver.start_field, math.inf),
        (driver.set_compliance_a, 0.0),
        (driver.set_compliance_a, math.nan),
        (driver.set_compliance_a, 2.0),
    ):
        with pytest.raises(RefusedError):
            start(value)


def test_a_reading_without_a_value_is_nan() -> None:
    on = (b":OUTP?;:SYST:ERR?\n", b'1;+0,"No error"\n')
    read = b":READ?;:SYST:ERR?\n"
    driver, _ = by_tape(
        on,
        (read, b'+1.000000E+00,+9.910000E+37,+2.252800E+04;+0,"No error"\n'),
        on,
        (read, b'+1.000000E+00,+1.000000E-09,+2.252900E+04;+0,"No error"\n'),
    )
    assert math.isnan(driver.read_current())
    assert math.isnan(driver.read_current())  # bit 0 of the status: over range


def test_another_limit_than_asked_for_is_an_error() -> None:
    driver, _ = by_tape(
        (b":SENS:CURR:PROT 1e-06;:SYST:ERR?\n", OK),
        (b":SENS:CURR:PROT?;:SYST:ERR?\n", b'+1.050000E-06;+0,"No error"\n'),
    )
    with pytest.raises(DeviceRefusedError, match=r"holds 1.05e-06 A"):
        driver.set_compliance_a(1e-6)


def test_an_error_of_the_queue_names_command_and_reply() -> None:
    driver, _ = by_tape((b":SOUR:VOLT 0;:SYST:ERR?\n", b'-221,"Settings conflict"\n'))
    with pytest.raises(DeviceRefusedError, match=r"smu: ':SOUR:VOLT 0': -221.*Settings conflict"):
        driver.shut_off()


class Connect(Protocol):
    def __call__(
        self, settings: dict[str, Any] | None = None, **truth: Any
    ) -> tuple[SourceMeter, Any]: ...


MAKERS: dict[str, tuple[Callable[..., SourceMeter], type[Any]]] = {
    "keithley.k2400": (K2400, K2400Settings),
    "keithley.k2450": (K2450, K2450Settings),
}


@pytest.fixture(params=list(MAKERS))
def connect(request: pytest.FixtureRequest, bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[SourceMeter] = []
    make, settings_type = MAKERS[request.param]

    def connected(settings: dict[str, Any] | None = None, **truth: Any) -> tuple[SourceMeter, Any]:
        found = bench(smu={"simulator": request.param, "truth": truth})
        settings = {"gap": "5 um", **(settings or {})}
        limits = {"voltage": Limits(-100.0, 100.0)}
        link: VisaTransport = found.visa("smu")
        driver = make("smu", link, settings_type.model_validate(settings), limits)
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield connected
    for driver in drivers:
        driver.close()


def bias(driver: SourceMeter, bench: Any, quantity: str, value: float) -> float:
    settable = driver.settable(quantity)
    settable.start(value)
    deadline_s = bench.clock.now() + settable.spec.timeout_s
    assert bench.clock.wait_until(settable.arrived, deadline_s=deadline_s, what="smu")
    return settable.confirm(value)


def test_the_field_follows_the_true_gap(connect: Connect) -> None:
    driver, bench = connect(gap_um=5.5)
    for field in (20.0, -60.0, 0.0):
        assert bias(driver, bench, "field", field) == pytest.approx(field, abs=0.05)
        assert driver.read_voltage() == pytest.approx(0.5 * field, abs=0.01)
        true = bench.rig.world.table.field_kv_cm
        assert true == pytest.approx(field * 5.0 / 5.5, abs=1e-6)


def test_a_voltage_is_taken_up_in_small_steps_at_its_speed(connect: Connect) -> None:
    driver, bench = connect()
    seen: list[float] = []
    settable = driver.settable("voltage")
    settable.start(3.0)

    def arrived() -> bool:
        seen.append(bench.rig.world.table.field_kv_cm * 0.1 * 5.14)
        return settable.arrived()

    began_s = bench.clock.now()
    assert bench.clock.wait_until(arrived, deadline_s=began_s + 10.0, what="smu")
    assert bench.clock.now() - began_s == pytest.approx(3.0 / 5.0, abs=0.05)
    assert max(b - a for a, b in itertools.pairwise(seen)) <= 0.1 + 1e-9


def test_leakage_is_measured(connect: Connect) -> None:
    driver, bench = connect(leakage_gohm=10.0)
    assert math.isnan(driver.read_current())
    bias(driver, bench, "voltage", 50.0)
    assert driver.read_current() == pytest.approx(5e-9, abs=1e-10)
    assert driver.in_compliance() is False


def test_compliance_is_told_and_holds_the_voltage_down(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("smu", "short", ohm=1e6)
    measured = bias(driver, bench, "field", 40.0)
    assert measured < 1.0
    assert driver.in_compliance() is True
    assert driver.level_v() == pytest.approx(20.0)
    assert driver.read_current() == pytest.approx(1e-7, rel=0.01)
    assert driver.snapshot()["in_compliance"] is True
    assert bench.rig.world.table.field_kv_cm < 1.0


def test_compliance_can_be_refused(connect: Connect) -> None:
    driver, bench = connect(settings={"on_compliance": "refuse"})
    bench.rig.inject("smu", "short")
    with pytest.raises(DeviceRefusedError, match="would flow"):
        bias(driver, bench, "voltage", 5.0)


def test_without_a_gap_there_is_no_field(connect: Connect) -> None:
    driver, _ = connect(settings={"gap": None})
    with pytest.raises(RefusedError, match="gap"):
        driver.start_field(1.0)


def test_off_means_no_volts_and_no_output(connect: Connect) -> None:
    driver, bench = connect()
    bias(driver, bench, "voltage", 5.0)
    driver.start_voltage(50.0)
    driver.make_safe("off")
    assert driver.is_off()
    assert bench.rig.world.table.field_kv_cm == 0.0
    assert driver.voltage_arrived()  # the ramp does not go on
    assert driver.read_voltage() == 0.0


def test_connecting_ends_a_bias_that_somebody_left(connect: Connect) -> None:
    driver, bench = connect()
    bias(driver, bench, "voltage", 5.0)
    driver.close()
    driver.connect()
    assert driver.is_off()


def test_interlock(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("smu", "interlock")
    with pytest.raises(DeviceRefusedError, match="interlock"):
        driver.start_voltage(1.0)
    driver.make_safe("off")


def test_a_unit_that_lost_its_power_says_so_once_and_is_safe(connect: Connect) -> None:
    driver, bench = connect()
    bias(driver, bench, "voltage", 5.0)
    bench.rig.inject("smu", "reset")
    bench.rig.inject("smu", "disconnect")
    with pytest.raises(DeviceError):
        driver.read_current()
    driver.flush()
    assert driver.is_off()
    driver.make_safe("off")


@pytest.mark.parametrize("kind", ["drop", "garble", "refuse", "disconnect", "late"])
def test_switching_off_works_after_a_disturbed_answer(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    bias(driver, bench, "voltage", 2.0)
    bench.rig.inject("smu", kind, **({"delay_s": 3.5} if kind == "late" else {}))
    try:
        driver.make_safe("off")
    except DeviceError:
        driver.flush()
        driver.make_safe("off")
    assert bench.rig.world.table.field_kv_cm == 0.0


def test_silence(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("smu", "hang", for_s=30.0)
    with pytest.raises(NoReplyError, match="within 3 s"):
        driver.output_on()
    driver.flush()
    bench.clock.sleep(30.0)
    assert driver.is_off()


def test_another_model_is_refused(bench: Callable[..., Any]) -> None:
    found = bench(smu={"simulator": "keithley.k2450"})
    driver = K2400("smu", found.visa("smu"), K2400Settings(), {})
    with pytest.raises(DeviceRefusedError, match="no such model"):
        driver.connect()
