"""The driver over the stand-in of the Sepia2 library: locks, rates, intensity, refusals."""

import math
from collections.abc import Callable, Generator
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceError, DeviceRefusedError, NoReplyError, RefusedError
from labctl.roles import Laser, Limits
from labctl.transport import FlightRecorder, LibraryLink
from labctl_drivers.picoquant.sepia import Sepia, SepiaSettings

Connect = Callable[..., tuple[Sepia, Any]]


@pytest.fixture
def connect(bench: Callable[..., Any]) -> Generator[Connect]:
    drivers: list[Sepia] = []
    libraries: list[Any] = []

    def make(
        settings: dict[str, Any] | None = None,
        limits: dict[str, Limits] | None = None,
        **truth: Any,
    ) -> tuple[Sepia, Any]:
        parsed = SepiaSettings.model_validate(settings or {})
        own = {"intensity_percent": parsed.intensity} if parsed.intensity else {}
        found = bench(laser={"simulator": "picoquant.sepia", "settings": own, "truth": truth})
        found.recorder = FlightRecorder(VirtualClock())
        libraries.append(found.rig.library("laser"))
        link = LibraryLink(libraries[-1], found.recorder.library_log("laser"))
        driver = Sepia("laser", link, parsed, limits or {})
        drivers.append(driver)
        driver.connect()
        return driver, found

    yield make
    for driver in drivers:
        driver.close()
    assert [library.errors for library in libraries] == [[]] * len(libraries)


def called(bench: Any) -> list[str]:
    entries = [entry["called"] for entry in bench.recorder.dump("laser") if "called" in entry]
    return [entry.removeprefix("SEPIA2_") for entry in entries]


@pytest.mark.parametrize("model", ["Sepia II", "Prima"])
def test_it_is_dark_until_it_is_told_to_emit(connect: Connect, model: str) -> None:
    driver, bench = connect(model=model, on_at_start=True)
    assert isinstance(driver, Laser)
    assert driver.identity().model == model
    table = bench.rig.world.table
    assert (driver.is_emitting(), table.laser_on) == (False, False)
    driver.set_emission(True)
    assert (driver.is_emitting(), table.laser_on, driver.read("emitting")) == (True, True, 1.0)
    driver.make_safe("off")
    assert (driver.is_off(), table.laser_on) == (True, False)
    assert driver.snapshot()["soft_locked"] is True


def test_the_order_of_calls_is_the_vendor_s(connect: Connect) -> None:
    driver, bench = connect({"intensity": "60 %", "rep_rate": "10 MHz"})
    calls = called(bench)
    order = [
        "LIB_GetVersion",
        "USB_OpenDevice",
        "FWR_GetModuleMap",
        "FWR_GetModuleInfoByMapIdx",
        "COM_GetModuleType",
        "SCM_SetLaserSoftLock",
        "SLM_SetPulseParameters",
        "SLM_SetIntensityFineStep",
    ]
    assert sorted(order, key=calls.index) == order
    driver.set_emission(True)
    driver.close()
    assert bench.rig.world.table.laser_on is False, "closing leaves it dark"
    assert called(bench)[-3:] == ["SCM_SetLaserSoftLock", "FWR_FreeModuleMap", "USB_CloseDevice"]


def test_what_the_set_up_says_is_set(connect: Connect) -> None:
    driver, bench = connect({"intensity": "42.3 %", "rep_rate": "5 MHz"})
    assert driver.read("intensity") == pytest.approx(42.3)
    assert driver.intensity_percent() == pytest.approx(42.3)
    assert driver.rep_rate_hz() == driver.read("rep_rate") == 5e6
    assert bench.rig.world.laser.rep_rate_hz == 5e6
    assert driver.reference_percent == 42.3
    assert bench.rig.world.table.attenuation_rel == 1.0, "there the fluence of the set-up holds"


def test_light_is_not_proportional_to_intensity(connect: Connect) -> None:
    driver, bench = connect({"intensity": "60 %"})
    table = bench.rig.world.table

    def light(percent: float) -> float:
        settable = driver.settable("intensity")
        settable.start(percent)
        assert settable.arrived()
        assert settable.confirm(percent) == pytest.approx(percent)
        return table.attenuation_rel

    assert light(60.0) == 1.0
    assert light(30.0) < 0.2
    assert light(10.0) < 1e-3, "below threshold"
    assert light(80.0) > 1.4


@pytest.mark.parametrize("rep_rate_hz", [80e6, 40e6, 20e6, 10e6, 5e6, 2.5e6])
def test_the_rates_of_an_slm(connect: Connect, rep_rate_hz: float) -> None:
    driver, bench = connect()
    settable = driver.settable("rep_rate")
    settable.start(rep_rate_hz)
    assert settable.confirm(rep_rate_hz) == rep_rate_hz
    assert bench.rig.world.laser.rep_rate_hz == rep_rate_hz


def test_a_rate_that_an_slm_does_not_have(connect: Connect) -> None:
    driver, bench = connect()
    with pytest.raises(RefusedError, match=r"80, 40, 20, 10, 5, 2\.5 MHz"):
        driver.start_rep_rate(7e6)
    assert bench.rig.world.laser.rep_rate_hz == 1e7


def test_a_prima_has_any_rate_and_knows_its_wavelength(connect: Connect) -> None:
    driver, bench = connect({"rep_rate": "7 MHz", "intensity": "80 %"}, model="Prima")
    assert driver.rep_rate_hz() == bench.rig.world.laser.rep_rate_hz == 7e6
    assert driver.wavelength_nm() == 405.0
    assert driver.read("intensity") == 80.0
    driver.set_emission(True)
    assert driver.is_emitting()


@pytest.mark.parametrize("percent", [-0.1, 100.1, math.nan, math.inf])
def test_impossible_intensities_are_refused_before_any_call(
    connect: Connect, percent: float
) -> None:
    driver, bench = connect()
    before = called(bench)
    with pytest.raises(RefusedError):
        driver.start_intensity(percent)
    assert called(bench) == before


def test_limits_of_the_set_up_hold(connect: Connect) -> None:
    driver, _ = connect(limits={"intensity": Limits(0.0, 50.0)})
    with pytest.raises(RefusedError, match="allowed: 0 to 50 %"):
        driver.start_intensity(60.0)


def test_a_key_that_is_not_turned(connect: Connect) -> None:
    driver, bench = connect(key_turned=False)
    with pytest.raises(DeviceRefusedError, match="interlock is open or the key is not turned"):
        driver.set_emission(True)
    assert bench.rig.world.table.laser_on is False
    driver.make_safe("off")


def test_an_interlock_that_opens_meanwhile(connect: Connect) -> None:
    driver, bench = connect()
    driver.set_emission(True)
    bench.rig.inject("laser", "interlock")
    assert not driver.is_emitting()
    assert bench.rig.world.table.laser_on is False
    assert driver.snapshot()["hard_locked"] is True
    bench.rig.inject("laser", "clear")
    assert not driver.is_emitting(), "it does not come back by itself"
    driver.set_emission(True)


def test_without_a_laser_head(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("laser", "no_head")
    with pytest.raises(DeviceRefusedError, match="laser head: none"):
        driver.set_emission(True)


def test_a_call_that_fails_says_what_the_library_says(connect: Connect) -> None:
    driver, bench = connect()
    bench.rig.inject("laser", "refuse", code=-3005)
    with pytest.raises(DeviceError, match=r"SEPIA2_SLM_SetIntensityFineStep.*I2C: read back error"):
        driver.start_intensity(50.0)
    bench.rig.inject("laser", "refuse", code=-6002)
    with pytest.raises(DeviceRefusedError, match="illegal intensity"):
        driver.start_intensity(50.0)


def test_a_pulled_cable_and_another_attempt(connect: Connect) -> None:
    driver, bench = connect()
    driver.set_emission(True)
    bench.rig.inject("laser", "unplug")
    with pytest.raises(NoReplyError, match="device not open"):
        driver.make_safe("off")
    assert bench.rig.world.table.laser_on is True, "nobody can switch it off now"
    bench.rig.inject("laser", "clear")
    driver.flush()
    driver.make_safe("off")
    assert bench.rig.world.table.laser_on is False


def test_a_device_that_another_program_holds(bench: Callable[..., Any]) -> None:
    found = bench(laser={"simulator": "picoquant.sepia"})
    found.rig.inject("laser", "other_program")
    link = LibraryLink(found.rig.library("laser"))
    driver = Sepia("laser", link, SepiaSettings.model_validate({}), {})
    with pytest.raises(DeviceRefusedError, match=r"device busy.*close every other program"):
        driver.connect()


def test_the_serial_number_decides(connect: Connect) -> None:
    driver, _ = connect(device_number=3)
    assert driver.identity().serial == "2020-001"
    with pytest.raises(NoReplyError, match="no serial number '7'; there are 2020-001"):
        connect({"serial": "7"})


def test_a_slot_without_a_laser(connect: Connect) -> None:
    with pytest.raises(RefusedError, match=r"no laser module in slot 300.*: 200"):
        connect({"slot": 300})


def test_without_the_vendor_s_library() -> None:
    settings = SepiaSettings.model_validate({"library": "no_such_library.so"})
    driver = Sepia("laser", LibraryLink(), settings, {})
    with pytest.raises(DeviceError, match=r"no_such_library.*PQLaserDrv"):
        driver.connect()
