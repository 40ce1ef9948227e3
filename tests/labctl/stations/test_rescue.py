"""The safe state of a set-up that nobody holds any more."""

import threading

import pytest

from fake_lab import FakeCamera, FakeCryostat, FakeLamp, FakeShutter
from labctl.clock import VirtualClock
from labctl.errors import NoReplyError
from labctl.roles import Identity, Instrument
from labctl.stations import Rescued, Station, rescue

SAFE = ("hanging.close", "shutter.close", "camera.em_gain_1", "lamp.off")


class Hanging(FakeShutter):
    """Does not return from ``connect`` until it is let go."""

    def __init__(self) -> None:
        super().__init__("hanging")
        self.go, self.gone = threading.Event(), threading.Event()

    def connect(self) -> Identity:
        self.go.wait(10.0)
        self.gone.set()
        return super().connect()


class Rack:
    """Nothing of it is connected."""

    def __init__(self, first: FakeShutter | None = None) -> None:
        self.first = first or FakeShutter("hanging")
        self.shutter = FakeShutter("shutter")
        self.camera, self.cryostat = FakeCamera(VirtualClock()), FakeCryostat(VirtualClock())
        self.lamp = FakeLamp()
        found: list[Instrument] = [self.first, self.shutter, self.camera, self.cryostat, self.lamp]
        self.station = Station({one.name: one for one in found}, SAFE)


def errors(found: list[Rescued]) -> dict[str, str]:
    return {one.action: one.error for one in found}


@pytest.mark.parametrize("inline", [True, False])
def test_only_what_the_safe_state_names_is_connected(inline: bool) -> None:
    rack = Rack()
    found = rescue(rack.station, inline=inline, within_s=5.0)
    assert errors(found) == dict.fromkeys(SAFE, "")
    assert rack.shutter.connected
    assert rack.lamp.connected
    assert not rack.cryostat.connected


@pytest.mark.parametrize("inline", [True, False])
def test_one_that_does_not_connect_is_told_and_the_others_are_rescued(inline: bool) -> None:
    rack = Rack()
    rack.first.troubles.add("hanging.connect", NoReplyError("hanging", "id?", "no reply"))
    found = errors(rescue(rack.station, inline=inline, within_s=5.0))
    assert found.pop("hanging.close").startswith("not connected: hanging: 'id?': no reply")
    assert set(found.values()) == {""}


def test_whatever_a_driver_raises_is_told() -> None:
    rack = Rack()
    rack.first.troubles.add("hanging.connect", ZeroDivisionError("of a driver"))
    found = errors(rescue(rack.station, inline=False, within_s=5.0))
    assert found["hanging.close"] == "not connected: ZeroDivisionError('of a driver')"


def test_one_that_hangs_holds_up_nobody_else() -> None:
    hanging = Hanging()
    rack = Rack(hanging)
    found = rescue(rack.station, inline=False, within_s=0.2)
    assert errors(found) == {**dict.fromkeys(SAFE, ""), "hanging.close": "no answer"}
    assert all(one.after_s < 0.2 for one in found if one.action != "hanging.close")
    hanging.go.set()
    assert hanging.gone.wait(5.0)
