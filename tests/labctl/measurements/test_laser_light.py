"""A laser in the set-up: on when light is needed, and what it says of itself is stored."""

from collections.abc import Generator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from fake_lab import Bench, settings_of
from labctl.errors import ConfigError, DeviceError, DeviceRefusedError
from labctl.measurements import Array, Context, LaserFacts, Measurement, OpticalTable
from labctl.measurements._exposure import Exposure, expose
from labctl.measurements._settings import laser_settings
from labctl.roles import Camera, Identity, Laser
from labctl.stations import Station
from labctl.storage import RecordKind, read_journal


class FakeLaser(Laser):
    """Obeys, unless it is locked or broken; needs a second to warm up."""

    readables = {**Laser.readables, "intensity": "%"}

    def __init__(self, name: str, bench: Bench) -> None:
        super().__init__(name)
        self.bench = bench
        self.lock = ""
        self.light = False
        self.orders: list[bool] = []
        self.percent = 60.0
        self.rate_hz: float | None = 5e6

    def identity(self) -> Identity:
        return Identity("nobody", "laser")

    def snapshot(self) -> dict[str, Any]:
        return {}

    def _open(self) -> None: ...

    def _close(self) -> None: ...

    def interlock(self) -> str:
        return self.lock

    def _write_emission(self, wanted: bool) -> None:
        self.orders.append(wanted)
        self.light = wanted

    def is_emitting(self) -> bool:
        return self.light

    def rep_rate_hz(self) -> float | None:
        return self.rate_hz

    def read_intensity(self) -> float:
        return self.percent


class Frames(Measurement):
    """Takes frames and stores what is known of the laser."""

    kind: ClassVar[str] = "frames"

    light: bool = True

    def estimate_s(self) -> float:
        return 1.0

    def run(self, context: Context) -> None:
        camera = context.station.only(Camera)
        taken = expose(context, camera, Exposure(settings_of(1), 1, self.light))
        counts = [Array("frames", taken.counts.astype(np.uint16), "counts", ("frame", "y", "x"))]
        settings = {"laser": laser_settings(context)}
        context.store(counts, settings=settings, live_time_s=1.0)


@pytest.fixture
def bench(tmp_path: Path) -> Generator[Bench]:
    found = Bench(tmp_path)
    found.session.table = OpticalTable(LaserFacts(405.0, 2.4, rep_rate_hz=1e7))
    found.start()
    yield found
    found.book.close()


def with_lasers(bench: Bench, *names: str) -> FakeLaser:
    station = bench.session.station
    lasers = {name: FakeLaser(name, bench) for name in names}
    bench.session.station = Station({name: station[name] for name in station} | lasers, [])
    return lasers[names[0]]


def stored(bench: Bench, *, light: bool = True) -> dict[str, Any]:
    bench.session.measure(Frames(light=light), step_id="s")
    points = [r for r in read_journal(bench.journal) if r.kind == RecordKind.POINT]
    return points[-1].data["settings"]["laser"]


def test_without_a_laser_a_person_looks_after_it(bench: Bench) -> None:
    assert stored(bench)["rep_rate_hz"] == 1e7


def test_it_is_switched_on_once_and_stays_on(bench: Bench) -> None:
    laser = with_lasers(bench, "source")
    found = stored(bench)
    stored(bench)
    assert laser.orders == [True]
    assert (found["rep_rate_hz"], found["intensity_percent"]) == (5e6, 60.0)
    assert found["wavelength_nm"] == 405.0


def test_no_light_no_laser(bench: Bench) -> None:
    laser = with_lasers(bench, "source")
    stored(bench, light=False)
    assert laser.orders == []


def test_the_set_up_s_rate_where_the_laser_does_not_know_it(bench: Bench) -> None:
    with_lasers(bench, "source").rate_hz = None
    assert stored(bench)["rep_rate_hz"] == 1e7


def test_a_locked_laser_is_an_error_and_the_shutter_stays_shut(bench: Bench) -> None:
    laser = with_lasers(bench, "source")
    laser.lock = "the key is not turned"
    with pytest.raises(DeviceRefusedError, match=r"emission on.*the key is not turned"):
        stored(bench)
    assert bench.shutter.position is False
    assert laser.orders == []


def test_a_laser_that_goes_out_spoils_the_point(bench: Bench) -> None:
    laser = with_lasers(bench, "source")

    def fail() -> None:
        laser.light, laser.lock = False, "the door is open"

    bench.clock.schedule(0.5, fail)
    with pytest.raises(DeviceError, match="the laser is off: the door is open"):
        stored(bench)
    assert not [r for r in read_journal(bench.journal) if r.kind == RecordKind.POINT]


def test_another_intensity_than_the_set_up_s_is_told_once(bench: Bench) -> None:
    laser = with_lasers(bench, "source")
    laser.reference_percent = 60.0
    stored(bench)
    assert not [text for text in bench.texts() if "intensity" in text]
    laser.percent = 40.0
    stored(bench)
    stored(bench)
    (text,) = [text for text in bench.texts() if "intensity" in text]
    assert "at 40 % of its intensity" in text
    assert "holds at 60 %" in text


def test_of_several_lasers_that_called_laser_excites(bench: Bench) -> None:
    laser = with_lasers(bench, "laser", "alignment")
    stored(bench)
    assert laser.orders == [True]


def test_of_several_lasers_none_is_guessed(bench: Bench) -> None:
    laser = with_lasers(bench, "blue", "red")
    with pytest.raises(ConfigError, match="not exactly one laser: blue, red"):
        stored(bench)
    assert laser.orders == []
