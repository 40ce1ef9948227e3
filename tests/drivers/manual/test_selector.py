"""A part that a person moves: by a simulated hand, or told and believed."""

import pytest
from pydantic import ValidationError

from labctl.clock import VirtualClock
from labctl.errors import DeviceRefusedError, RefusedError
from labctl.transport import FlightRecorder, LibraryLink
from labctl_drivers.manual.selector import ManualSelector, ManualSelectorSettings

SETTINGS = ManualSelectorSettings(positions=("sample", "scatterer"))


class Hand:
    def __init__(self) -> None:
        self.at, self.stuck = "sample", False

    def move(self, position: str) -> None:
        self.at = self.at if self.stuck else position

    def position(self) -> str:
        return self.at


def selector(link: LibraryLink) -> ManualSelector:
    driver = ManualSelector("target", link, SETTINGS, {})
    driver.connect()
    return driver


def test_a_hand_moves_at_once() -> None:
    hand = Hand()
    recorder = FlightRecorder(VirtualClock())
    driver = selector(LibraryLink(hand, recorder.library_log("target")))
    driver.start_position("scatterer")
    assert not driver.is_moving()
    driver.confirm_position("scatterer")
    assert recorder.dump("target")[0]["called"] == "move"
    assert driver.snapshot() == {"position": "scatterer", "positions": ["sample", "scatterer"]}


def test_a_part_that_does_not_obey() -> None:
    hand = Hand()
    driver = selector(LibraryLink(hand))
    hand.stuck = True
    driver.start_position("scatterer")
    with pytest.raises(DeviceRefusedError, match="stands at 'sample'"):
        driver.confirm_position("scatterer")


def test_a_person_is_told_what_to_do_and_believed() -> None:
    driver = selector(LibraryLink())
    assert driver.read_position() == ""
    order = r"bring it to 'scatterer' by hand.*confirm\('scatterer'\)"
    with pytest.raises(RefusedError, match=order):
        driver.start_position("scatterer")
    with pytest.raises(RefusedError, match="no position 'elsewhere'"):
        driver.confirm("elsewhere")
    driver.confirm("scatterer")
    driver.start_position("scatterer")
    driver.confirm_position("scatterer")


def test_after_a_new_connection_nobody_has_said_anything() -> None:
    driver = selector(LibraryLink())
    driver.confirm("sample")
    driver.close()
    driver.connect()
    assert driver.read_position() == ""


@pytest.mark.parametrize("positions", [(), ("one",), ("a", "a"), ("", "b")])
def test_positions_are_at_least_two_different_names(positions: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        ManualSelectorSettings(positions=positions)
