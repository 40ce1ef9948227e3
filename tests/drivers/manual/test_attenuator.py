import math
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from labctl.clock import VirtualClock
from labctl.errors import DeviceRefusedError, RefusedError
from labctl.roles import Limits
from labctl.transport import FlightRecorder, LibraryLink
from labctl_drivers.manual.attenuator import ManualAttenuator, ManualAttenuatorSettings


class Hand:
    def __init__(self) -> None:
        self.at = 1.0
        self.stuck = False

    def turn_to(self, transmission: float) -> None:
        self.at = self.at if self.stuck else transmission

    def mark(self) -> float:
        return self.at


def attenuator(link: LibraryLink, **limits: Limits) -> ManualAttenuator:
    settings = ManualAttenuatorSettings.model_validate(
        {"full_fluence": "10 uJ/cm^2", "stands_at": "2 uJ/cm^2"}
    )
    driver = ManualAttenuator("attenuator", link, settings, limits)
    driver.connect()
    return driver


def move(driver: ManualAttenuator, fluence_uj_cm2: float) -> float:
    settable = driver.settable("fluence")
    settable.start(fluence_uj_cm2)
    assert settable.arrived()
    return settable.confirm(fluence_uj_cm2)


def test_a_hand_turns_to_the_share_of_the_full_light() -> None:
    hand, recorder = Hand(), FlightRecorder(VirtualClock())
    driver = attenuator(LibraryLink(hand, recorder.library_log("attenuator")))
    assert move(driver, 2.5) == 2.5
    assert hand.at == 0.25
    assert recorder.dump("attenuator")[0]["called"] == "turn_to"
    assert driver.snapshot() == {
        "transmission": 0.25,
        "fluence_uj_cm2": 2.5,
        "full_fluence_uj_cm2": 10.0,
    }


def test_read_back_is_compared_as_a_ratio() -> None:
    hand = Hand()
    driver = attenuator(LibraryLink(hand))
    hand.stuck = True
    with pytest.raises(DeviceRefusedError, match="is at 10 uJ/cm"):
        move(driver, 5.0)
    hand.at = 1.01e-3
    assert driver.settable("fluence").confirm(1.0e-2) == pytest.approx(1.01e-2)
    with pytest.raises(DeviceRefusedError):
        driver.settable("fluence").confirm(1.1e-2)


@pytest.mark.parametrize("fluence_uj_cm2", [10.1, -0.1, math.nan, math.inf])
def test_impossible_fluences_are_refused_before_anything_is_turned(
    fluence_uj_cm2: float,
) -> None:
    hand = Hand()
    driver = attenuator(LibraryLink(hand))
    with pytest.raises(RefusedError):
        driver.start_fluence(fluence_uj_cm2)
    assert hand.at == 1.0


def test_limits_of_the_set_up_hold() -> None:
    driver = attenuator(LibraryLink(Hand()), fluence=Limits(0.0, 3.0))
    with pytest.raises(RefusedError, match="allowed: 0 to 3"):
        driver.start_fluence(4.0)


def test_a_person_is_told_what_to_do_and_believed() -> None:
    driver = attenuator(LibraryLink())
    assert driver.read_fluence() == pytest.approx(2.0)
    with pytest.raises(RefusedError, match=r"transmission 0.1 \(OD 1.000\).*confirm\(0.1\)"):
        driver.start_fluence(1.0)
    driver.confirm(0.1)
    assert move(driver, 1.0) == pytest.approx(1.0)
    with pytest.raises(RefusedError, match="from 0 to 1"):
        driver.confirm(1.5)


def bad(text: dict[str, str]) -> Callable[[], object]:
    return lambda: ManualAttenuatorSettings.model_validate(text)


@pytest.mark.parametrize(
    "settings",
    [
        bad({"full_fluence": "0 uJ/cm^2"}),
        bad({"full_fluence": "1 K"}),
        bad({}),
        bad({"full_fluence": "1 uJ/cm^2", "stands_at": "2 uJ/cm^2"}),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: Callable[[], object]) -> None:
    with pytest.raises(ValidationError):
        settings()
