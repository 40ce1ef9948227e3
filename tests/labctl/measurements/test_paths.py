"""Light paths: judged before anything moves, switched in the dark, read back, stored."""

from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from fake_lab import Bench
from labctl.errors import DeviceRefusedError, RefusedError
from labctl.measurements import Array, Context, LaserFacts, Measurement, OpticalTable
from labctl.measurements._paths import take_path
from labctl.optics import Blocking, LightFilter
from labctl.roles import Identity, Selector
from labctl.stations import Station
from labctl.storage import RecordKind, read_journal


class Slide(Selector):
    """A filter slide; turned, its filter stops another density."""

    interface = "hand"

    def __init__(self, name: str, diary: list[str], density: float = 0.0) -> None:
        super().__init__(name)
        self.diary, self.density = diary, density
        self.place, self.stuck = "out", False

    def identity(self) -> Identity:
        return Identity("fake", "slide")

    def snapshot(self) -> dict[str, Any]:
        return {"position": self.place}

    def positions(self) -> tuple[str, ...]:
        return ("in", "out")

    def is_moving(self) -> bool:
        return False

    def read_position(self) -> str:
        return self.place

    def optical_density(self, wavelength_nm: float) -> float:
        assert wavelength_nm == 405.0
        return self.density

    def _start(self, position: str) -> None:
        self.diary.append(f"{self.name} {position}")
        if not self.stuck:
            self.place = position

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


class Look(Measurement):
    """Takes a light path and stores how it stands."""

    kind: ClassVar[str] = "look"

    path: str = "apd"
    detectors: tuple[str, ...] = ("apd_1",)

    def estimate_s(self) -> float:
        return 1.0

    def run(self, context: Context) -> None:
        path = take_path(context, self.path, "apd", self.detectors)
        counts = Array("counts", np.zeros(1), "counts", ("x",))
        context.store([counts], settings={"path": path}, live_time_s=1.0)


PATHS: Mapping[str, Mapping[str, str]] = {
    "apd": {"slide": "in"},
    "open": {"slide": "out"},
}
FILTERS = (
    LightFilter("dichroic", 1.5),
    LightFilter("long_pass", 5.0, standing={"slide": "in"}),
    LightFilter("edge", None, "wheel", {"wheel": "in"}),
    LightFilter("imaging", 4.0, detectors=("eye",)),
)


@pytest.fixture
def bench(tmp_path: Path) -> Generator[Bench]:
    found = Bench(tmp_path)
    slides = {name: Slide(name, found.diary) for name in ("slide", "wheel")}
    station = found.session.station
    instruments = {name: station[name] for name in station} | slides
    found.session.station = Station(instruments, [])
    found.session.table = OpticalTable(
        LaserFacts(405.0, 2.4), PATHS, Blocking(FILTERS, 6.0, {"apd_2": 7.0})
    )
    found.start()
    yield found
    found.book.close()


def slide(bench: Bench, name: str = "slide") -> Slide:
    found = bench.session.station[name]
    assert isinstance(found, Slide)
    return found


def look(bench: Bench, **parameters: Any) -> dict[str, Any]:
    bench.session.measure(Look(**parameters), step_id="s")
    points = [r for r in read_journal(bench.journal) if r.kind == RecordKind.POINT]
    return points[-1].data["settings"]["path"]


def test_a_path_is_switched_read_back_and_stored_with_its_density(bench: Bench) -> None:
    assert look(bench) == {"name": "apd", "slide": "in", "laser_density": 6.5}
    assert bench.diary[-1] == "slide in"


def test_a_path_that_stands_is_not_moved(bench: Bench) -> None:
    look(bench)
    bench.diary.clear()
    look(bench)
    assert bench.diary == []


def test_parts_move_in_the_dark(bench: Bench) -> None:
    bench.shutter.position = True
    look(bench)
    assert bench.diary.index("shutter.close") < bench.diary.index("slide in")
    assert not bench.shutter.position


def test_a_path_with_too_little_filters_is_refused_before_anything_moves(bench: Bench) -> None:
    look(bench)
    bench.diary.clear()
    with pytest.raises(RefusedError) as raised:
        look(bench, path="open")
    assert bench.diary == []
    assert slide(bench).place == "in"
    text = str(raised.value)
    assert "optical density of 1.5 at 405 nm (dichroic 1.5), and it needs 6" in text
    assert "'open'" in text
    assert "apd_1" in text


def test_the_detector_that_needs_most_decides(bench: Bench) -> None:
    with pytest.raises(RefusedError, match=r"takes apd_2 to an optical density of 6\.5"):
        look(bench, detectors=("apd_1", "apd_2"))


def test_turned_filters_count_as_they_stand_at_present(bench: Bench) -> None:
    wheel = slide(bench, "wheel")
    wheel.density, wheel.place = 0.7, "in"
    found = look(bench, detectors=("apd_1", "apd_2"))
    assert found["laser_density"] == pytest.approx(7.2)
    wheel.density = 0.4
    with pytest.raises(RefusedError, match=r"edge 0\.4"):
        look(bench, detectors=("apd_2",))


def test_what_a_path_may_have_replaces_what_its_detectors_need(bench: Bench) -> None:
    blocking = Blocking(FILTERS, 6.0, {"open": 1.0, "apd_1": 9.0})
    bench.session.table = OpticalTable(LaserFacts(405.0, 2.4), PATHS, blocking)
    assert look(bench, path="open")["laser_density"] == 1.5


def test_a_part_that_does_not_arrive_ends_the_switch(bench: Bench) -> None:
    slide(bench).stuck = True
    with pytest.raises(DeviceRefusedError, match="stands at 'out'"):
        look(bench)


def test_a_filter_in_front_of_one_detector_protects_no_other(bench: Bench) -> None:
    # 1.5 and 4 in front of the eye only; with the long-pass filter in 10.5.
    assert look(bench, detectors=("eye",))["laser_density"] == 10.5
    with pytest.raises(RefusedError, match=r"takes eye to an optical density of 5\.5"):
        look(bench, path="open", detectors=("eye",))
    with pytest.raises(RefusedError, match=r"takes apd_1 to an optical density of 1\.5"):
        look(bench, path="open", detectors=("apd_1",))
    # Of several the one that is protected least counts.
    assert look(bench, detectors=("apd_1", "eye"))["laser_density"] == 6.5


def test_without_a_path_filters_are_judged_as_they_stand(bench: Bench) -> None:
    bench.session.table = OpticalTable(LaserFacts(405.0, 2.4), {}, Blocking(FILTERS))
    slide(bench).place = "in"
    assert look(bench, path="") == {"laser_density": 6.5}
    slide(bench).place = "out"
    with pytest.raises(RefusedError, match=r"takes apd_1 to an optical density of 1\.5"):
        look(bench, path="")
