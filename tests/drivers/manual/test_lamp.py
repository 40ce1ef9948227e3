from collections.abc import Callable
from typing import Any

import pytest

from labctl.clock import VirtualClock
from labctl.errors import DeviceRefusedError, RefusedError
from labctl.transport import FlightRecorder, LibraryLink
from labctl_drivers.manual.lamp import ManualLamp, ManualLampSettings


class Hand:
    def __init__(self) -> None:
        self.lamp: str | None = None
        self.broken = False

    def turn_on(self, lamp: str) -> None:
        self.lamp = None if self.broken else lamp

    def turn_off(self) -> None:
        self.lamp = self.lamp if self.broken else None

    def state(self) -> str | None:
        return self.lamp


def lamp(link: LibraryLink, *elements: str) -> ManualLamp:
    settings = ManualLampSettings(elements=elements) if elements else ManualLampSettings()
    driver = ManualLamp("lamp", link, settings, {})
    driver.connect()
    return driver


def test_a_hand_switches_at_once() -> None:
    hand = Hand()
    recorder = FlightRecorder(VirtualClock())
    driver = lamp(LibraryLink(hand, recorder.library_log("lamp")))
    driver.switch_on("neon")
    assert (driver.lit(), hand.lamp) == ("neon", "neon")
    assert recorder.dump("lamp")[0]["called"] == "turn_on"
    driver.make_safe("off")
    assert driver.is_off()
    assert driver.snapshot() == {"lit": ""}


def test_a_lamp_that_does_not_obey() -> None:
    hand = Hand()
    driver = lamp(LibraryLink(hand))
    hand.broken = True
    with pytest.raises(DeviceRefusedError, match="nothing is lit"):
        driver.switch_on("neon")
    hand.lamp = "neon"
    with pytest.raises(DeviceRefusedError, match="neon is lit"):
        driver.switch_off()


def test_a_person_is_told_what_to_do_and_believed() -> None:
    driver = lamp(LibraryLink())
    driver.switch_off()
    with pytest.raises(RefusedError, match=r"light the neon lamp by hand.*confirm\('neon'\)"):
        driver.switch_on("neon")
    driver.confirm("neon")
    driver.switch_on("neon")
    assert driver.lit() == "neon"
    with pytest.raises(RefusedError, match="put the lamp out"):
        driver.make_safe("off")
    driver.confirm("")
    driver.make_safe("off")
    assert driver.is_off()


def test_a_lamp_that_is_not_there() -> None:
    driver = lamp(LibraryLink(Hand()), "argon")
    for act in (driver.switch_on, driver.confirm):
        with pytest.raises(RefusedError, match=r"no neon lamp \(there are argon\)"):
            act("neon")


def test_a_new_connection_believes_nothing() -> None:
    driver = lamp(LibraryLink())
    driver.confirm("neon")
    driver.close()
    driver.connect()
    assert driver.is_off()


def test_the_simulated_hand(bench: Callable[..., Any]) -> None:
    found = bench(lamp={"simulator": "manual.lamp"})
    driver = lamp(found.hand("lamp"))
    driver.switch_on("neon")
    assert found.rig.world.table.lamp == "neon"
    driver.switch_on("mercury")
    assert driver.lit() == "mercury"
    driver.make_safe("off")
    assert found.rig.world.table.lamp is None
    found.rig.inject("lamp", "dark")
    with pytest.raises(DeviceRefusedError, match="nothing is lit"):
        driver.switch_on("neon")
