"""Bringing a dot back on a stage whose steps are of another size than believed."""

import math
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest

from fake_lab import Bench, Look
from fake_stage import DOWN_UM, UP_UM, FakeStage
from labctl.errors import AnalysisError, RefusedError
from labctl.measurements import Context
from labctl.measurements._climb import Climb, search
from labctl.measurements._places import Places
from labctl.measurements._recenter_identity import Seen, Tolerances, check_identity
from labctl.measurements._spectrum import PEAK_NM
from labctl.optics import ev_to_air_nm
from labctl.stations import Station

SD_UM = {"x": 0.3, "y": 0.3, "z": 0.8}
Spot = tuple[float, float, float]


class Light:
    """Counts of dots at real places of the stage, with the noise of photons."""

    dark, peak = 10.0, 600.0

    def __init__(
        self, stage: FakeStage, *dots_um: Spot, seed: int = 0, peak: float = 600.0
    ) -> None:
        self.stage, self.dots_um = stage, dots_um
        self.rng = np.random.default_rng(seed)

    def um(self) -> dict[str, float]:
        fine = {axis: self.stage.read_fine_position(axis) for axis in "xyz"}
        return {axis: self.stage.real[axis].um + fine[axis] for axis in "xyz"}

    def counts(self) -> float:
        here = self.um()
        total = self.dark
        for dot in self.dots_um:
            off = ((here[axis] - at) / SD_UM[axis] for axis, at in zip("xyz", dot, strict=True))
            total += self.peak * math.exp(-0.5 * sum(one**2 for one in off))
        return float(self.rng.poisson(total))


@pytest.fixture
def works(tmp_path: Path) -> Generator[Callable[[Callable[[Places, FakeStage], None]], None]]:
    """Return what lets a test work with the places of a stage inside a measurement."""
    bench = Bench(tmp_path)
    stage = FakeStage(bench.clock)
    bench.session.station = Station({"shutter": bench.shutter, "stage": stage}, [])
    session = bench.start()

    def run(work: Callable[[Places, FakeStage], None]) -> None:
        def inside(context: Context) -> None:
            work(Places(context, stage), stage)

        Look.works = inside
        session.measure(Look(), step_id="1")

    yield run
    Look.works = None


Works = Callable[[Callable[[Places, FakeStage], None]], None]


def test_fine_motion_is_taken_where_it_leads(works: Works) -> None:
    def work(places: Places, stage: FakeStage) -> None:
        places.go_axis("x", 1.5)
        assert not any(line.startswith("steps") for line in stage.diary)
        assert places.read_axis("x") == pytest.approx(1.5)
        places.go_axis("x", 5.0)
        # Coarse to the nearest step of 4 um, then the rest from the middle of the fine range.
        assert stage.read_position("x") == pytest.approx(4.0, abs=0.1)
        assert places.read_axis("x") == pytest.approx(5.0, abs=1e-6)
        assert places.has_room("x", 5.0)
        assert not places.has_room("x", 5.9)

    works(work)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_maximum_is_found_from_a_flank(works: Works, seed: int) -> None:
    def work(places: Places, stage: FakeStage) -> None:
        dot_um = (0.4, -0.5, 1.1)
        light = Light(stage, dot_um, seed=seed)
        peak = Climb(places, light, 7, SD_UM).to_top()
        for axis, um in zip("xyz", dot_um, strict=True):
            assert light.um()[axis] == pytest.approx(um, abs=0.15 if axis == "z" else 0.08)
        assert peak.counts > 0.8 * light.peak
        assert all(fit.inside for fit in peak.fits.values())

    works(work)


def test_nothing_is_found_in_the_dark(works: Works) -> None:
    def work(places: Places, stage: FakeStage) -> None:
        with pytest.raises(AnalysisError, match="nothing shines"):
            Climb(places, Light(stage), 7, SD_UM).to_top()

    works(work)


def test_a_lost_dot_is_searched_for(works: Works) -> None:
    def work(places: Places, stage: FakeStage) -> None:
        light = Light(stage, (-1.4, 0.9, -1.6))
        for axis in "xyz":
            # Without it the run-ups of many coarse moves add up.
            stage.set_step_sizes(axis, UP_UM, DOWN_UM)
        search(places, light, 2.25, 1.5)
        Climb(places, light, 7, SD_UM).to_top()
        assert light.um()["x"] == pytest.approx(-1.4, abs=0.08)

    works(work)


def test_two_candidates_are_refused(works: Works) -> None:
    def work(places: Places, stage: FakeStage) -> None:
        light = Light(stage, (-1.5, 0.0, 0.0), (1.5, 0.75, 0.0))
        with pytest.raises(RefusedError, match="two candidates"):
            search(places, light, 2.25, 0.0)

    works(work)


def test_nothing_within_reach_is_refused(works: Works) -> None:
    def work(places: Places, stage: FakeStage) -> None:
        light = Light(stage, (9.0, 0.0, 0.0))
        with pytest.raises(RefusedError, match=r"nothing shines within 0\.75 um"):
            search(places, light, 0.75, 0.0)

    works(work)


def test_what_is_remembered_of_the_dot(tmp_path: Path) -> None:
    first, second = Seen(4.0, 1000.0, 0.17, None), Seen(20.0, 900.0, 0.17, 2.33)

    def work(context: Context) -> None:
        assert Seen.recall(context) is None
        first.remember(context)
        assert Seen.recall(context) == first
        # A spectrum after the first time tells the energy.
        context.remember(PEAK_NM, float(ev_to_air_nm(2.32)))
        seen = Seen.recall(context)
        assert seen is not None
        assert seen.energy_ev == pytest.approx(2.32)
        second.remember(context)
        # A spectrum of who knows what does not stand in for a line that was checked.
        context.remember(PEAK_NM, 600.0)
        assert Seen.recall(context) == second

    Look.works = work
    try:
        Bench(tmp_path).start().measure(Look(), step_id="1")
    finally:
        Look.works = None


LAST = Seen(20.0, 1000.0, 0.17, 2.330)
ALLOWED = Tolerances(dimmest=0.3, brightest=3.0, energy_ev=0.005, shift_mev_per_k=0.3)


def test_the_same_dot_is_accepted() -> None:
    # 25 K shift the line by 7.5 meV.
    assert check_identity(Seen(45.0, 700.0, 0.17, 2.3375), LAST, ALLOWED) == []
    assert check_identity(Seen(45.0, 700.0, 0.17, 2.3375), None, ALLOWED) == []


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (Seen(45.0, 200.0, 0.17, 2.3375), "gives 200 Hz, the last time it gave 1000 Hz"),
        (Seen(45.0, 3100.0, 0.17, 2.3375), "0.3 to 3 times"),
        (Seen(45.0, 700.0, 0.17, 2.330), "-7.5 meV from where it should be"),
        (Seen(45.0, 700.0, 0.17, 2.345), r"\+7.5 meV"),
    ],
)
def test_another_dot_is_refused(now: Seen, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        check_identity(now, LAST, ALLOWED)


def test_what_cannot_be_compared_is_told() -> None:
    doubts = check_identity(Seen(45.0, 9000.0, 1.0, None), LAST, ALLOWED)
    assert len(doubts) == 2
    assert "1 uJ/cm^2" in doubts[0]
    assert "energy is not compared" in doubts[1]
