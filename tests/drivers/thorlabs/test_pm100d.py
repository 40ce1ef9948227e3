"""The driver against tapes, and against the simulated meter in the light of the world."""

import math
from collections.abc import Callable, Generator
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import PowerMeter
from labctl.transport import TapeTransport
from labctl_drivers.thorlabs.pm100d import Pm100d, Pm100dSettings

Pair = tuple[bytes, bytes]
FINE: Pair = (b"SYST:ERR?\n", b'+0,"No error"\n')
IDENTITY: Pair = (b"*IDN?\n", b"Thorlabs,PM100D,P0012345,2.4.0\n")


def order(command: bytes) -> list[Pair]:
    return [(command + b"\n", b""), FINE]


SENSOR: list[Pair] = [
    IDENTITY,
    (b"*CLS\n", b""),
    (b"SYST:SENS:IDN?\n", b"S130C,12345,10-Jan-2023,1,18,289\n"),
    *order(b"SENS:POW:UNIT W"),
    *order(b"CONF:POW"),
    (b"SENS:CORR:WAV? MIN\n", b"4.0E+02\n"),
    (b"SENS:CORR:WAV? MAX\n", b"1.1E+03\n"),
]
WAVELENGTH: list[Pair] = [*order(b"SENS:CORR:WAV 405"), (b"SENS:CORR:WAV?\n", b"4.05E+02\n")]
REST: list[Pair] = [
    *order(b"SENS:AVER:COUN 10"),
    (b"SENS:AVER:COUN?\n", b"10\n"),
    *order(b"SENS:POW:RANG:AUTO 1"),
    IDENTITY,
]


def by_tape(*pairs: Pair, **settings: Any) -> tuple[Pm100d, TapeTransport]:
    tape = TapeTransport("power_meter", pairs, VirtualClock())
    parsed = Pm100dSettings.model_validate(settings)
    return Pm100d("power_meter", tape, parsed, {}), tape


def test_settings_are_pushed_and_read_back() -> None:
    reading = (b"READ?\n", b"1.234E-08\n")
    driver, tape = by_tape(*SENSOR, *WAVELENGTH, *REST, reading, wavelength="405 nm")
    assert driver.connect().serial == "P0012345"
    assert driver.read_power() == 1.234e-8
    tape.check_finished()


def test_a_wavelength_that_is_not_kept() -> None:
    other = (b"SENS:CORR:WAV?\n", b"6.35E+02\n")
    driver, _ = by_tape(*SENSOR, *order(b"SENS:CORR:WAV 405"), other, wavelength="405 nm")
    with pytest.raises(DeviceRefusedError, match="it is at 635 nm afterwards"):
        driver.connect()


def test_what_the_meter_does_not_understand_is_named() -> None:
    pairs = [
        *SENSOR[:3],
        (b"SENS:POW:UNIT W\n", b""),
        (b"SYST:ERR?\n", b'-113,"Undefined header"\n'),
    ]
    driver, _ = by_tape(*pairs)
    with pytest.raises(DeviceRefusedError, match=r"SENS:POW:UNIT W.*-113: Undefined header"):
        driver.connect()


@pytest.mark.parametrize(
    ("answer", "words"),
    [(b"no sensor,,,0,0,0\n", "no sensor"), (b"ES111C,1,x,3,1,34\n", "no sensor of power")],
)
def test_without_a_sensor_of_power(answer: bytes, words: str) -> None:
    driver, _ = by_tape(*SENSOR[:2], (b"SYST:SENS:IDN?\n", answer))
    with pytest.raises(DeviceRefusedError, match=words):
        driver.connect()


def test_the_wavelength_of_a_thermal_sensor_cannot_be_set() -> None:
    thermal = (b"SYST:SENS:IDN?\n", b"S302C,1,x,2,1,337\n")
    pairs = [*SENSOR[:2], thermal, *SENSOR[3:]]
    driver, tape = by_tape(*pairs, wavelength="405 nm")
    with pytest.raises(RefusedError, match="S302C cannot be set"):
        driver.connect()
    tape.check_finished()


Connect = Callable[..., tuple[Pm100d, Any]]


@pytest.fixture
def connect(bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[Pm100d] = []

    def make(settings: dict[str, Any] | None = None, **truth: Any) -> tuple[Pm100d, Any]:
        found = bench(power_meter={"simulator": "thorlabs.pm100d", "truth": truth})
        parsed = Pm100dSettings.model_validate({"wavelength": "405 nm", **(settings or {})})
        found.link = found.visa("power_meter")
        driver = Pm100d("power_meter", found.link, parsed, {})
        drivers.append(driver)
        driver.connect()
        # Light as long ago as matters to the sensor.
        found.clock.sleep(1.0)
        return driver, found

    yield make
    for driver in drivers:
        driver.close()


IDEAL = {"power_ratio": 1.0, "calibration_rel": 1.0, "zero_offset_w": 0.0, "noise_w": 0.0}


def sample_power_w(bench: Any) -> float:
    laser = bench.rig.world.laser
    area_cm2 = math.pi * (0.5e-4 * laser.spot_1e2_diameter_um) ** 2
    return 0.5e-6 * laser.peak_fluence_uj_cm2 * area_cm2 * laser.rep_rate_hz


def test_an_ideal_meter_shows_the_mean_power(connect: Connect) -> None:
    driver, bench = connect(**IDEAL)
    assert isinstance(driver, PowerMeter)
    # 0.85 uJ/cm^2 in a spot of 2.4 um at 10 MHz.
    assert driver.read_power() == pytest.approx(0.1923e-6, rel=1e-3)
    assert driver.read_power() == pytest.approx(sample_power_w(bench), rel=1e-6)
    bench.rig.world.table.attenuation_rel = 0.1
    bench.clock.sleep(1.0)
    assert driver.read_power() == pytest.approx(0.1 * sample_power_w(bench), rel=1e-6)
    bench.rig.world.table.shutter_open = False
    bench.clock.sleep(1.0)
    assert driver.read_power() == pytest.approx(0.0, abs=1e-15)


def test_the_power_on_the_sample_is_known_to_the_stated_uncertainty(connect: Connect) -> None:
    trust = {"accuracy": "3 %", "to_sample": 12, "to_sample_uncertainty": "5 %"}
    driver, bench = connect(trust, noise_w=0.0, zero_offset_w=0.0)
    found_w = driver.read_sample_power()
    assert found_w == driver.read("sample_power")
    assert driver.sample_power_error_w(found_w) == pytest.approx(found_w * math.hypot(0.03, 0.05))
    assert driver.power_error_w(1e-8) == pytest.approx(3e-10)
    # Truth: 0.087 to the meter, shown 1.018 times; belief: 1/12.
    assert found_w == pytest.approx(12 * 0.087 * 1.018 * sample_power_w(bench), rel=1e-6)
    wrong_w = abs(found_w - sample_power_w(bench))
    assert 0.0 < wrong_w < 2.0 * driver.sample_power_error_w(found_w)


def test_a_wrong_wavelength_is_a_wrong_power(connect: Connect) -> None:
    driver, bench = connect(**IDEAL)
    right_w = driver.read_power()
    driver.set_wavelength_nm(633.0)
    assert driver.read_wavelength_nm() == 633.0
    assert driver.read_power() < 0.4 * right_w
    for wrong_nm in (399.0, 1101.0, math.nan, math.inf):
        with pytest.raises(RefusedError, match="400 to 1100 nm"):
            driver.set_wavelength_nm(wrong_nm)
    driver.set_wavelength_nm(405.4)
    assert driver.read_wavelength_nm() == 405.0, "the meter keeps whole nanometres"
    assert bench.rig.errors == []


def zeroed(driver: Pm100d, bench: Any) -> None:
    driver.start_zero()
    assert driver.is_zeroing()
    bench.clock.sleep(3.0)
    assert not driver.is_zeroing()


def test_zero_has_to_be_taken_in_the_dark(connect: Connect) -> None:
    driver, bench = connect({"averages": 1000}, zero_offset_w=5e-9)
    table = bench.rig.world.table
    table.shutter_open = False
    bench.clock.sleep(1.0)
    assert driver.read_power() == pytest.approx(5e-9, rel=0.01)
    zeroed(driver, bench)
    assert abs(driver.read_power()) < 5e-11
    table.shutter_open = True
    bench.clock.sleep(1.0)
    lit_w = driver.read_power()
    zeroed(driver, bench)
    assert abs(driver.read_power()) < 0.01 * lit_w, "whoever zeroes in the light measures nothing"


def test_averaging_takes_time_and_narrows_the_noise(connect: Connect) -> None:
    driver, bench = connect({"averages": 1}, **{**IDEAL, "noise_w": 1e-9, "sample_time_s": 1e-3})

    def spread() -> tuple[float, float]:
        began_s = bench.clock.now()
        readings = [driver.read_power() for _ in range(50)]
        mean = math.fsum(readings) / 50
        variance = math.fsum((one - mean) ** 2 for one in readings) / 49
        return math.sqrt(variance), (bench.clock.now() - began_s) / 50

    # 50 readings give a deviation to 10 %; bound four errors.
    deviation_w, each_s = spread()
    assert deviation_w == pytest.approx(1e-9, rel=0.4)
    assert each_s == pytest.approx(1e-3, rel=0.01)
    driver.set_averages(100)
    deviation_w, each_s = spread()
    assert deviation_w == pytest.approx(1e-10, rel=0.4)
    assert each_s == pytest.approx(0.1, rel=0.01)
    for wrong in (0, 10_001):
        with pytest.raises(RefusedError, match="1 to 10000"):
            driver.set_averages(wrong)


def test_a_sensor_with_inertia_lags_behind_the_shutter(connect: Connect) -> None:
    driver, bench = connect({"averages": 1}, **IDEAL, response_time_s=0.5)
    # The light was there before the meter was: it begins with it.
    full_w = sample_power_w(bench)
    bench.rig.world.table.shutter_open = False
    bench.clock.sleep(0.5 - 0.0003)
    assert driver.read_power() == pytest.approx(full_w * math.exp(-1.0), rel=1e-3)


def test_over_range_is_an_error_and_never_a_number(connect: Connect) -> None:
    driver, bench = connect({"range": "5 uW"}, **IDEAL)
    assert driver.read_power() > 0.0
    assert driver.snapshot()["range_w"] == pytest.approx(5e-6)
    bench.rig.world.table.attenuation_rel = 100.0
    bench.clock.sleep(1.0)
    with pytest.raises(DeviceRefusedError, match="over range"):
        driver.read_power()
    snapshot = driver.snapshot()
    assert (snapshot["power_w"], snapshot["power_error_w"]) == (None, None)
    driver.set_range_w(None)
    assert driver.read_power() == pytest.approx(100.0 * sample_power_w(bench), rel=1e-6)
    bench.rig.inject("power_meter", "over_range")
    with pytest.raises(DeviceRefusedError, match="over range"):
        driver.read_power()


def test_a_range_that_the_sensor_does_not_have(connect: Connect) -> None:
    driver, _ = connect()
    with pytest.raises(DeviceRefusedError, match="-222: Data out of range"):
        driver.set_range_w(1.0)
    for wrong_w in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(RefusedError, match="above 0"):
            driver.set_range_w(wrong_w)


def test_a_sensor_that_is_pulled_off(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("power_meter", "unplug_sensor")
    with pytest.raises(DeviceRefusedError, match="is the sensor plugged in"):
        driver.read_power()
    assert driver.snapshot()["power_w"] is None
    bench.rig.inject("power_meter", "clear")
    assert driver.read_power() > 0.0


@pytest.mark.parametrize("kind", ["drop", "disconnect", "late"])
def test_settings_are_pushed_again_after_a_disturbance(connect: Connect, kind: str) -> None:
    driver, bench = connect()
    driver.set_wavelength_nm(450.0)
    bench.rig.inject("power_meter", kind, **({"delay_s": 2.5} if kind == "late" else {}))
    try:
        driver.read_wavelength_nm()
    except NoReplyError:
        driver.flush()
    bench.rig.inject("power_meter", "reset")
    bench.link.reconnect()
    assert driver.read_wavelength_nm() == 450.0


def test_more_readings_change_no_reading(connect: Connect) -> None:
    often, bench = connect()
    for _ in range(7):
        often.read_power()
    bench.clock.sleep(5.0 - bench.clock.now())
    first_w = often.read_power()
    once, other = connect()
    other.clock.sleep(5.0 - other.clock.now())
    assert once.read_power() == first_w
