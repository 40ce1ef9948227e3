"""Row 24: of every entry of every shipped safe state, an order without effect is noticed."""

from collections.abc import Callable, Generator
from typing import Any
from unittest.mock import patch

import pytest

from labctl.host import Connection
from labctl.roles import (
    Camera,
    CameraSettings,
    Illuminator,
    Instrument,
    Laser,
    Positioner,
    Roi,
    Shutter,
    SourceMeter,
    TaggerSettings,
    TimeTagger,
)
from labctl.stations import SafeReport
from shipped_setups import NAMES, connected, shipped

ENTRIES = [(name, action) for name in NAMES for action in shipped(name).file.safe_state]


def gained(camera: Camera, lab: Connection) -> None:
    """Bring the gain up, after the preview that the camera's guard wants, and start."""
    columns, rows = camera.sensor_size()
    port = "electron_multiplied"
    for em_gain in (1, 5):
        held = CameraSettings(
            0.01, Roi(0, columns, 0, rows), em_gain, port, camera.quietest_mhz(port), 2
        )
        camera.configure(held)
        if em_gain == 1:
            camera.set_shutter(True)
            camera.start(1, allow_unlocked=True)
            end_s = lab.clock.now() + 10.0
            lab.clock.wait_until(
                lambda: camera.frames_ready() > 0, deadline_s=end_s, what="a frame"
            )
            camera.read_frames()
            camera.stop()


def biased(meter: SourceMeter, lab: Connection) -> None:
    meter.start_voltage(0.5)
    lab.clock.wait_until(meter.voltage_arrived, deadline_s=lab.clock.now() + 60.0, what="ramp")


def counting(tagger: TimeTagger, lab: Connection) -> None:
    tagger.configure(TaggerSettings("t2", 100.0))
    lab.clock.sleep(1.0)
    tagger.start()


UNSAFE: dict[type[Instrument], Callable[[Any, Connection], None]] = {
    Camera: gained,
    Illuminator: lambda led, _: led.switch_on(0.2),
    Laser: lambda laser, _: laser.set_emission(True),
    Positioner: lambda stage, _: stage.start_steps("x", 4000),
    Shutter: lambda shutter, _: shutter.set_open(True),
    SourceMeter: biased,
    TimeTagger: counting,
}


@pytest.fixture
def lab(request: pytest.FixtureRequest) -> Generator[Connection]:
    """Connect a set-up and do all that its safe state would end."""
    with connected(request.param) as found:
        for name in dict.fromkeys(entry.partition(".")[0] for entry in found.station.safe_state):
            instrument = found.station[name]
            bring = next(make for role, make in UNSAFE.items() if isinstance(instrument, role))
            bring(instrument, found)
        yield found
        found.station.make_safe()


def reports(lab: Connection) -> dict[str, SafeReport]:
    return {report.action: report for report in lab.station.make_safe()}


@pytest.mark.parametrize("lab", NAMES, indirect=True)
def test_the_safe_state_ends_everything(lab: Connection) -> None:
    assert {action: report.error for action, report in reports(lab).items()} == dict.fromkeys(
        lab.station.safe_state, ""
    )
    rig: Any = lab.rig
    assert not rig.world.table.shutter_open


@pytest.mark.parametrize(("lab", "entry"), ENTRIES, indirect=["lab"])
def test_an_order_without_effect_is_not_believed(lab: Connection, entry: str) -> None:
    """The instrument is told nothing at all; its read-back must say so, and the others close."""
    name, _, verb = entry.partition(".")
    instrument = lab.station[name]
    # A tagger is stopped by a flush, too.
    do = patch.object(instrument, instrument.safe_actions[verb].do, lambda: None)
    with do, patch.object(instrument, "flush", lambda: None):
        found = reports(lab)
    assert found[entry].tries == 3
    assert "the read-back says that it is not done" in found[entry].error
    assert f"{name}: " in found[entry].error
    others = {action: one.error for action, one in found.items() if action != entry}
    assert others == dict.fromkeys(others, "")
    # The next attempt, when it is obeyed again, ends it.
    assert not any(report.error for report in reports(lab).values())
