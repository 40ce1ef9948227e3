import math
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles import Laser
from labctl.transport import LibraryLink
from labctl_drivers.manual.laser import ManualLaser, ManualLaserSettings

STANDS = {"intensity": "60 %", "rep_rate": "10 MHz"}


def laser(link: LibraryLink, **more: Any) -> ManualLaser:
    driver = ManualLaser("laser", link, ManualLaserSettings.model_validate({**STANDS, **more}), {})
    driver.connect()
    return driver


def test_a_person_is_told_what_to_do_and_believed() -> None:
    driver = laser(LibraryLink(), wavelength="405 nm")
    assert isinstance(driver, Laser)
    assert (driver.read_intensity(), driver.rep_rate_hz(), driver.is_emitting()) == (
        60.0,
        1e7,
        False,
    )
    with pytest.raises(
        RefusedError, match=r"switch the laser on by hand.*confirm\(emitting=True\)"
    ):
        driver.set_emission(True)
    driver.confirm(emitting=True)
    driver.set_emission(True)
    with pytest.raises(RefusedError, match="switch the laser off by hand"):
        driver.make_safe("off")
    driver.confirm(emitting=False)
    driver.make_safe("off")
    with pytest.raises(RefusedError, match=r"to 40 % by hand.*intensity_percent=40.0"):
        driver.start_intensity(40.0)
    with pytest.raises(RefusedError, match=r"rate to 5e\+06 Hz by hand"):
        driver.start_rep_rate(5e6)
    driver.confirm(intensity_percent=40.0, rep_rate_hz=5e6)
    driver.start_intensity(40.0)
    driver.start_rep_rate(5e6)
    assert driver.settable("rep_rate").confirm(5e6) == 5e6
    assert driver.snapshot() == {
        "emitting": False,
        "intensity_percent": 40.0,
        "rep_rate_hz": 5e6,
        "wavelength_nm": 405.0,
    }


@pytest.mark.parametrize("percent", [-1.0, 101.0, math.nan])
def test_marks_that_there_are_not(percent: float) -> None:
    driver = laser(LibraryLink())
    with pytest.raises(RefusedError):
        driver.start_intensity(percent)
    with pytest.raises(RefusedError):
        driver.confirm(intensity_percent=percent)
    assert driver.read_intensity() == 60.0


def test_a_laser_that_is_left_on() -> None:
    driver = laser(LibraryLink(), emitting=True)
    driver.set_emission(True)
    driver.confirm(emitting=False)
    driver.close()
    driver.connect()
    assert driver.is_emitting(), "a new connection believes the set-up"


@pytest.mark.parametrize(
    "settings",
    [{"intensity": "60 %"}, {"intensity": "0 %", "rep_rate": "1 MHz"}, {**STANDS, "x": 1}],
)
def test_settings_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ManualLaserSettings.model_validate(settings)


def test_the_simulated_hand(bench: Callable[..., Any]) -> None:
    found = bench(laser={"simulator": "manual.laser", "settings": {"intensity_percent": 60.0}})
    driver, table = laser(found.hand("laser")), found.rig.world.table
    assert (driver.is_emitting(), table.laser_on) == (False, False)
    driver.set_emission(True)
    assert table.laser_on is True
    driver.settable("intensity").start(30.0)
    assert 0.0 < table.attenuation_rel < 0.3
    driver.settable("rep_rate").start(2.5e6)
    assert found.rig.world.laser.rep_rate_hz == 2.5e6
    found.rig.inject("laser", "key")
    with pytest.raises(DeviceRefusedError, match="the laser is off afterwards"):
        driver.set_emission(True)
    found.rig.inject("laser", "clear")
    driver.set_emission(True)
    driver.make_safe("off")
    assert table.laser_on is False
