"""The station: connected together, made safe together."""

import pytest

from fake_lab import FakeCamera, FakeCryostat, FakeLamp, FakeShutter
from labctl.clock import VirtualClock
from labctl.errors import ConfigError, DeviceRefusedError, NoReplyError, NotConnectedError
from labctl.roles import Camera, Instrument, Lamp, Shutter
from labctl.stations import Station

SAFE = ("first.close", "camera.em_gain_1", "second.close", "lamp.off")


class Rack:
    """Two shutters, a camera and a lamp that write one diary."""

    def __init__(self) -> None:
        self.diary: list[str] = []
        self.first = FakeShutter("first", self.diary)
        self.second = FakeShutter("second", self.diary)
        self.camera = FakeCamera(VirtualClock(), diary=self.diary)
        self.lamp = FakeLamp(diary=self.diary)
        instruments: list[Instrument] = [self.first, self.second, self.camera, self.lamp]
        self.station = Station({one.name: one for one in instruments}, SAFE)


def silence(device: str, command: str = "x") -> NoReplyError:
    return NoReplyError(device, command, "no reply")


def test_connecting_reports_all_failures_at_once_and_closes_the_rest() -> None:
    rack = Rack()
    rack.first.troubles.add("first.connect", silence("first"))
    rack.second.troubles.add("second.identity", OSError("no such port"))
    with pytest.raises(NotConnectedError) as caught:
        rack.station.connect()
    assert set(caught.value.failures) == {"first", "second"}
    assert "first: 'x': no reply" in str(caught.value)
    assert "second: no such port" in str(caught.value)
    assert not any(rack.station[name].connected for name in rack.station)
    assert "second.disconnect" in rack.diary


def test_an_unexpected_error_while_connecting_closes_everything_too() -> None:
    rack = Rack()
    rack.second.troubles.add("second.connect", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        rack.station.connect()
    assert not rack.first.connected


def test_one_connection_that_does_not_close_leaves_the_others_no_worse() -> None:
    rack = Rack()
    rack.station.connect()
    rack.first.troubles.add("first.disconnect", silence("first"))
    rack.station.close()
    assert "second.disconnect" in rack.diary


def test_the_safe_state_is_carried_out_in_its_order_and_verified() -> None:
    rack = Rack()
    rack.first.position = rack.second.position = True
    rack.camera.gain = 100
    reports = rack.station.make_safe()
    order = [entry for entry in rack.diary if entry in ("first.close", "second.close", "lamp.off")]
    assert order == ["first.close", "second.close", "lamp.off"]
    assert [report.action for report in reports] == list(SAFE)
    # The camera was never configured by us, so its gain cannot be dropped: that is seen and said.
    assert [bool(report.error) for report in reports] == [False, True, False, False]
    assert not rack.first.position
    assert not rack.second.position


@pytest.mark.parametrize("fails", [0, 1, 2])
def test_a_failing_close_is_tried_three_times(fails: int) -> None:
    rack = Rack()
    rack.first.position = True
    rack.first.troubles.add("first.close", *[silence("first") for _ in range(fails)])
    report = rack.station.make_safe()[0]
    assert (report.error, report.tries) == ("", fails + 1)
    assert not rack.first.position
    assert rack.diary.count("first.flush") == fails


@pytest.mark.parametrize(
    "error", [silence("first"), OSError("gone"), ZeroDivisionError("a driver's own mistake")]
)
def test_whatever_a_driver_does_the_next_entries_have_their_turn(error: Exception) -> None:
    rack = Rack()
    rack.first.position = rack.second.position = True
    rack.first.troubles.add("first.close", error, error, error)
    rack.first.troubles.add("first.flush", silence("first"))
    reports = rack.station.make_safe()
    assert str(error) in reports[0].error or "no reply" in reports[0].error
    assert [bool(report.error) for report in reports] == [True, False, False, False]
    assert not rack.second.position


def test_a_close_that_only_says_so_is_not_believed() -> None:
    rack = Rack()
    rack.first.position = rack.first.stuck = True
    with pytest.raises(DeviceRefusedError):
        rack.first.make_safe("close")
    report = rack.station.make_safe()[0]
    assert "did not move" in report.error
    assert report.tries == 3


def test_a_snapshot_has_what_answers_and_says_why_the_rest_does_not() -> None:
    rack = Rack()
    rack.first.troubles.add("first.snapshot", silence("first", "position?"))
    rack.second.troubles.add("second.snapshot", ZeroDivisionError())
    found = rack.station.snapshot()
    assert found["first"] == {"error": "first: 'position?': no reply"}
    assert "ZeroDivisionError" in found["second"]["error"]
    assert found["lamp"] == {"lit": ""}


def test_instruments_are_found_by_name_role_and_preference() -> None:
    station = Rack().station
    assert station.get("camera", Camera).name == "camera"
    assert station.only(Lamp).name == "lamp"
    assert station.only(Shutter, prefer="second").name == "second"
    with pytest.raises(ConfigError, match="not exactly one shutter: first, second"):
        station.only(Shutter)
    with pytest.raises(ConfigError, match="'lamp' is a lamp, not a camera"):
        station.get("lamp", Camera)
    with pytest.raises(ConfigError, match="there are first, second, camera, lamp"):
        _ = station["laser"]


def test_readables_have_values_and_units() -> None:
    clock = VirtualClock()
    station = Station({"cryostat": FakeCryostat(clock)}, [])
    assert station.read("cryostat.temperature") == 4.0
    assert station.unit("cryostat.temperature") == "K"
    assert station.unit("cryostat.colour") == ""
