"""Photon counters in a station: who counts, and what the guard shuts in the simulated world."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fake_lab import FakeShutter
from labctl.clock import VirtualClock
from labctl.errors import ConfigError, ProtectionError
from labctl.host import Connection, SimulatedBy, connect_station
from labctl.roles import PhotonCounter, Shutter, TaggerSettings, TimeTagger
from labctl.setup import load_setup
from labctl.stations import Station
from labctl.stations._attach import attach_parts
from labctl.transport import LibraryLink
from labctl_drivers.detectors.pdm import Pdm, PdmSettings

SETUPS = Path(__file__).parents[3] / "configs" / "setups"


@contextmanager
def connected(name: str, speed: float | None = None) -> Generator[tuple[Connection, Any]]:
    connection = connect_station(load_setup(SETUPS / name), SimulatedBy(seed=0, speed=speed))
    with connection:
        rig: Any = connection.rig
        yield connection, rig.world


def counter(connection: Connection, name: str) -> PhotonCounter:
    return connection.station.get(name, PhotonCounter)


@pytest.mark.parametrize("speed", [None, 20.0], ids=["virtual", "wall"])
def test_too_much_light_ends_all_light_and_nothing_opens_until_re_armed(
    speed: float | None,
) -> None:
    with connected("room_temperature.yaml", speed) as (lab, world):
        first, second = counter(lab, "apd_1"), counter(lab, "apd_2")
        light = lab.station.get("shutter", Shutter)
        first.set_open(True)
        light.set_open(True)
        lab.clock.sleep(1.0)
        first.read_count_rate()
        lab.clock.sleep(1.0)
        assert 2e4 < first.read_count_rate() < 1e6
        with world.lock:
            world.table.room_light_rel = 10.0
        # In wall time a second of life; the guard takes what a busy computer leaves to it.
        within_s = 1.0 if speed is None else speed
        assert lab.clock.wait_until(
            lambda: first.latched() or second.latched(),
            deadline_s=lab.clock.now() + within_s,
            what="the guard",
        )
        lab.clock.sleep(1.0)
        # Nobody has read a rate since: the guard of the connection looks by itself. Both detectors
        # see the light, and one of them is the first.
        latched = next(one for one in (first, second) if one.latched())
        other = second if latched is first else first
        told = rf"{latched.name}: 1\.\d+e\+07 Hz, allowed are 1e\+07 Hz"
        with pytest.raises(ProtectionError, match=told):
            latched.read_count_rate()
        assert light.is_shut()
        assert first.is_shut()
        assert not world.table.shutter_open
        with pytest.raises(ProtectionError, match=f"{latched.name} is latched"):
            other.set_open(True)
        for one in (first, second):
            one.rearm()
        lab.clock.sleep(1.0)
        first.read_count_rate()
        lab.clock.sleep(4.0)
        # Behind its shutter there is not even room light: 400 dark counts, standard deviation 20.
        assert first.read_count_rate() == pytest.approx(100.0, abs=25.0)


def test_without_a_card_the_tagger_counts() -> None:
    with connected("microscope.yaml") as (lab, world):
        tagger = lab.station.get("tagger", TimeTagger)
        tagger.configure(TaggerSettings("t3", 1.0))
        apd = counter(lab, "apd_2")
        assert apd.channel == 2
        world.table.room_light_rel = 0.01
        apd.set_open(True)
        lab.clock.sleep(1.0)
        # 20 000 of room light within 0.1 s: 2000 counts, standard deviation 45.
        assert apd.read_count_rate() == pytest.approx(20_000.0, abs=2300.0)
        apd.set_open(False)
        lab.clock.sleep(1.0)
        assert apd.read_count_rate() < 300.0


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"tagger": "card"}, "no instrument 'card'"),
        ({"tagger": "shutter"}, "'shutter' is a shutter, not a time_tagger"),
        ({"counter": "shutter"}, "'shutter' is a shutter, not a pulse_counter"),
    ],
)
def test_a_wiring_that_leads_nowhere_is_refused(keys: dict[str, str], says: str) -> None:
    apd = Pdm("apd_1", LibraryLink(), PdmSettings.model_validate(keys), {})
    station = Station({"apd_1": apd, "shutter": FakeShutter()}, ())
    with pytest.raises(ConfigError, match=says):
        attach_parts(station, VirtualClock())
