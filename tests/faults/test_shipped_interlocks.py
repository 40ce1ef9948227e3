"""The interlocks of the shipped set-ups: each has a reason, none trips by itself, all trip."""

from collections.abc import Callable
from typing import Any

import pytest

from labctl.host import Connection
from shipped_setups import NAMES, connected, shipped

CASES: dict[tuple[str, str], Callable[[Any], None]] = {
    ("microscope", "cryostat.temperature alarm"): lambda rig: rig.inject("cryostat", "vacuum_trip"),
    ("microscope", "laser.emitting alarm"): lambda rig: rig.inject("laser", "interlock"),
    ("room_temperature", "tagger.sync_rate outside 9.9 MHz to 10.1 MHz"): lambda rig: rig.inject(
        "tagger", "lose_sync"
    ),
}


def lit(lab: Connection) -> bool:
    rig: Any = lab.rig
    return bool(rig.world.table.shutter_open)


@pytest.mark.parametrize("name", NAMES)
def test_none_trips_by_itself_and_each_says_why(name: str) -> None:
    assert all(entry.why for entry in shipped(name).file.interlocks)
    with connected(name) as lab:
        lab.clock.sleep(120.0)
        assert [standing.text for standing in lab.guard.tripped()] == []


@pytest.mark.parametrize(("name", "interlock"), CASES)
def test_what_is_watched_ends_the_light(name: str, interlock: str) -> None:
    with connected(name) as lab:
        lab.clock.sleep(1.0)
        shutter: Any = lab.station["shutter"]
        shutter.set_open(True)
        assert lit(lab)
        CASES[name, interlock](lab.rig)
        # Looked at every 10 s at most; the sync must be away for 2 s.
        lab.clock.sleep(12.0)
        assert interlock in [standing.name for standing in lab.guard.tripped()]
        assert not lit(lab)
