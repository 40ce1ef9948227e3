"""Maps on a stage and a detector without any wire: places, refusals, light, dots."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fake_lab import Bench, Look
from fake_stage import FakeStage, stage_settings
from labctl.errors import RefusedError
from labctl.measurements import (
    CATALOGUE,
    FoundDot,
    LaserFacts,
    Lit,
    Map,
    OpticalTable,
    stored_dots,
)
from labctl.measurements import (
    DOTS as DOTS_RECORD,
)
from labctl.recipes import DotChoice, expand, parse_recipe
from labctl.roles import DetectorFacts, DetectorWiring, Identity, Limits, PhotonCounter
from labctl.sequencer import Skipped, execute
from labctl.sequencer._point import Point
from labctl.stations import Station
from labctl.storage import read_run

SD_UM = 0.3
DARK_HZ = 50.0


class FakeApd(PhotonCounter):
    """Sees Gaussian spots of light around the true places of a stage, while the shutter is open."""

    interface = "hand"

    def identity(self) -> Identity:
        return Identity("fake", "apd")

    def snapshot(self) -> dict[str, Any]:
        return {}

    def _open(self) -> None:
        return None

    def _close(self) -> None:
        return None


class MapBench(Bench):
    """A session with a stage of two axes and dots beneath it; places in um, light in Hz."""

    def __init__(self, folder: Path, dots: dict[tuple[float, float], float]) -> None:
        super().__init__(folder)
        self.dots = dict(dots)
        limits = {axis: Limits(-20.0, 20.0) for axis in "xyz"}
        self.stage = FakeStage(self.clock, stage_settings(), closed=True, limits=limits)
        facts = DetectorFacts(77.0, 50.0, DARK_HZ, 0.01)
        self.apd = FakeApd("apd", facts, DetectorWiring(), max_rate_hz=5e6, warn_rate_hz=1e6)
        self.apd.attach(self.rate_hz, None, self.shutter.shut)
        self.lit_moves = 0
        everything = (self.shutter, self.stage, self.apd)
        self.session.station = Station(
            {one.name: one for one in everything}, ["shutter.close", "stage.stop"]
        )
        self.start()

    def place_um(self) -> tuple[float, float]:
        x, y = (self.stage.real[axis] for axis in "xy")
        return x.um + x.offset_v / 60.0 * 2.0, y.um + y.offset_v / 60.0 * 2.0

    def rate_hz(self) -> float:
        x_um, y_um = self.place_um()
        light = sum(
            hertz * math.exp(-0.5 * ((x - x_um) ** 2 + (y - y_um) ** 2) / SD_UM**2)
            for (x, y), hertz in self.dots.items()
        )
        return DARK_HZ + light * self.shutter.is_open()

    def data(self) -> Any:
        self.writer.sync()
        return read_run(self.journal)


DOTS = {(1.0, 1.0): 2e4, (-1.5, 2.0): 1e4}
FIELD: dict[str, Any] = {"size": ("8 um", "8 um"), "step": "0.5 um"}


def test_a_field_is_scanned_and_stored_with_read_back_places(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    asked = Map(size=("2 um", "1 um"), step="0.5 um", center=("1 um", "1 um"), dwell="0.2 s")
    bench.session.measure(asked, step_id="map")
    stored = bench.data().data["map"]
    assert stored["rate"].dims[-2:] == ("y", "x")
    np.testing.assert_allclose(stored["x"].values.ravel(), [0.0, 0.5, 1.0, 1.5, 2.0], atol=0.1)
    np.testing.assert_allclose(stored["y"].values.ravel(), [0.5, 1.0, 1.5], atol=0.1)
    assert stored["x_read"].shape[-2:] == stored["rate"].shape[-2:] == (3, 5)
    rate = stored["rate"].values.reshape(3, 5)
    assert np.unravel_index(rate.argmax(), rate.shape) == (1, 2)
    assert rate.max() == pytest.approx(2e4 + DARK_HZ, rel=0.1)
    assert not bench.shutter.is_open()


def test_the_light_is_off_on_the_way_to_the_next_line(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    bench.session.measure(Map(size=("1 um", "1 um"), step="0.5 um"), step_id="map")
    assert bench.diary.count("shutter.open") == 3


def test_a_snake_turns_round_and_sees_the_same(tmp_path: Path) -> None:
    rates: list[Any] = []
    for order in ("raster", "snake"):
        folder = tmp_path / order
        folder.mkdir()
        bench = MapBench(folder, DOTS)
        asked = Map(size=("2 um", "2 um"), step="0.5 um", center=("1 um", "1 um"), order=order)
        bench.session.measure(asked, step_id="map")
        rates.append(bench.data().data["map"]["rate"].values)
    np.testing.assert_allclose(rates[0], rates[1], rtol=0.6)


def test_corners_out_of_bounds_are_listed_before_anything_moves(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    asked = Map(size=("10 um", "10 um"), step="1 um", center=("16 um", "0 um"))
    with pytest.raises(RefusedError) as refusal:
        bench.session.measure(asked, step_id="map")
    assert "(21, -5)" in str(refusal.value)
    assert "(21, 5)" in str(refusal.value)
    assert "(11, -5)" not in str(refusal.value)
    assert not [entry for entry in bench.stage.diary if "target" in entry or "steps" in entry]
    assert "shutter.open" not in bench.diary


def test_no_room_for_the_run_up_is_out_of_bounds(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    asked = Map(size=("4 um", "4 um"), step="1 um", center=("-17.5 um", "0 um"))
    with pytest.raises(RefusedError, match="run-up"):
        bench.session.measure(asked, step_id="map")


def test_the_fine_axes_scan_their_range_and_no_more(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    asked = Map(size=("2 um", "2 um"), step="0.5 um", fine=True)
    bench.session.measure(asked, step_id="map")
    assert not [entry for entry in bench.stage.diary if "target" in entry or "steps" in entry]
    wide = Map(size=("2.5 um", "2 um"), step="0.5 um", fine=True)
    with pytest.raises(RefusedError, match="fine_x"):
        bench.session.measure(wide, step_id="map")


def choice(**more: Any) -> DotChoice:
    return DotChoice.model_validate({"at_most": 9, **more})


def found(bench: MapBench) -> list[FoundDot]:
    bench.session.measure(Map(**FIELD, find=True, spot="0.7 um"), step_id="map")
    (record,) = (one for one in bench.data().found if one["what"] == "dots")
    return stored_dots(record)


def test_dots_are_found_named_and_journalled(tmp_path: Path) -> None:
    dots = found(MapBench(tmp_path, DOTS))
    assert [dot.name for dot in dots] == ["D001", "D002"]
    for dot, ((x_um, y_um), hertz) in zip(dots, DOTS.items(), strict=True):
        # Pixels lie within the tolerance of the stage, 0.1 um, of where they should.
        assert math.hypot(dot.x_um - x_um, dot.y_um - y_um) < 0.15
        assert dot.brightness_hz == pytest.approx(hertz, rel=0.3)
        assert dot.snr >= 5.0


def test_a_dark_field_has_no_dots(tmp_path: Path) -> None:
    assert found(MapBench(tmp_path, {})) == []


def test_a_visit_ends_at_the_peak_and_points_carry_the_dot(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    dot = found(bench)[0]
    bench.session.dots.go_to(dot, choice(), "s")
    x_um, y_um = bench.place_um()
    assert math.hypot(x_um - 1.0, y_um - 1.0) < 0.1
    bench.session.measure(Map(size=("1 um", "1 um"), step="0.5 um"), step_id="there")
    last = bench.data().points
    assert str(last["dot_name"].values[-1]) == "D001"


def test_a_bleached_dot_is_left_out_with_the_reason(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    dot = found(bench)[0]
    bench.dots[1.0, 1.0] = 1e3
    with pytest.raises(Skipped, match=r"D001 .* gone or bleached: .* Hz are \d+ % of"):
        bench.session.dots.go_to(dot, choice(), "s")
    assert bench.session.dots.here is None


def test_neighbours_are_not_taken_for_a_dot_that_is_gone(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, {(0.0, 0.0): 1e4, (2.0, 0.0): 1e4})
    gone = next(dot for dot in found(bench) if dot.x_um < 1.0)
    del bench.dots[0.0, 0.0]
    with pytest.raises(Skipped, match="gone"):
        bench.session.dots.go_to(gone, choice(reach="3 um"), "s")


def test_all_dots_are_gone_to_but_those_that_are_gone(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    found(bench)
    bench.dots[1.0, 1.0] = 1e3
    here = [dot.name for dot in bench.session.dots.each(choice(), step_id="s")]
    assert here == ["D002"]
    assert bench.session.dots.here is None
    assert any("D001" in text and "bleached" in text for text in bench.texts())


LIT_UM = 2.4
"""1/e² diameter of the spot."""
LIT = OpticalTable(LaserFacts(405.0, LIT_UM, rep_rate_hz=1e7, peak_fluence_uj_cm2=2.0))
PER_S = 2e7
"""Of this laser: 2 uJ/cm² in each of 10 million pulses."""


def stored_dose(bench: MapBench, dot: FoundDot) -> float:
    """Go to a dot, measure there; the dose that its point stores, uJ/cm²."""
    bench.session.dots.go_to(dot, choice(), "s")
    bench.session.measure(Map(size=("1 um", "1 um"), step="0.5 um"), step_id="there")
    return float(bench.data().points["dot_dose_uj_cm2"].values[-1])


def test_points_carry_the_dose_of_their_dot_and_of_no_other(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    bench.session.table = LIT
    one, other = found(bench)
    began_s, live_s = bench.clock.now(), 9 * 0.1
    first = stored_dose(bench, one)
    took_s = bench.clock.now() - began_s
    # At least while its map counts, and not longer than from the way there to the end.
    assert PER_S * live_s < first < PER_S * took_s
    second = stored_dose(bench, other)
    assert second < PER_S * (bench.clock.now() - began_s - took_s)
    assert stored_dose(bench, one) > first + PER_S * live_s


def test_the_catalogue_adds_doses_up_from_run_to_run(tmp_path: Path) -> None:
    entries = {"D001": {"x_um": 1.0, "dose_uj_cm2": 5e9}, "D002": {"x_um": -1.5}}
    catalogue: dict[str, Any] = {"chip 12": {"dots": entries, "looks": [{}]}}
    others = 0.0
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        bench = MapBench(tmp_path / str(number), DOTS)
        bench.session.table = LIT
        bench.session.calibrations[CATALOGUE] = catalogue
        map_from_s = bench.clock.now()
        dot = found(bench)[0]
        pixel_s = (bench.clock.now() - map_from_s) / 17**2
        bench.session.dots.note(DOTS_RECORD, {**bench.session.dots.record, "sample": "chip 12"})
        before = catalogue["chip 12"]["dots"]["D001"]["dose_uj_cm2"]
        dose = stored_dose(bench, dot)
        assert before + PER_S * 0.9 < dose < before + PER_S * bench.clock.now()
        bench.session.dots.keep_doses()
        kept = catalogue["chip 12"]["dots"]
        assert kept["D001"] == {"x_um": 1.0, "dose_uj_cm2": dose}
        # The other dot had the light of the map: so many pixels, if all lay in its middle.
        in_the_spot = math.pi / 8 * (LIT_UM / 0.5) ** 2
        other = kept["D002"]["dose_uj_cm2"] - others
        assert PER_S * 0.2 * in_the_spot < other < PER_S * pixel_s * in_the_spot
        others += other


def light_of_maps(bench: MapBench) -> list[dict[str, float]]:
    """Return what each map gave to each dot, uJ/cm²."""
    told = [record["doses"] for record in bench.data().found if "doses" in record]
    return [{name: dose["dose_uj_cm2"] for name, dose in doses.items()} for doses in told]


def test_a_map_tells_what_it_gave_to_the_dots_that_are_known(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    bench.session.table = LIT
    found(bench)
    # A field beside D001 and far from D002, with lines that begin at the place of D001.
    beside = Map(size=("2 um", "0.5 um"), step="0.5 um", center=("2 um", "1 um"))
    began_s = bench.clock.now()
    bench.session.measure(beside, step_id="map")
    first, second = light_of_maps(bench)
    assert first["D001"] == pytest.approx(first["D002"], rel=0.1)
    share = np.exp(-8.0 * (np.arange(5) * 0.5) ** 2 / LIT_UM**2).mean()
    share *= np.exp(-8.0 * 0.25**2 / LIT_UM**2)
    assert PER_S * 10 * 0.2 * share * 0.8 < second["D001"]
    assert second["D001"] < 1.2 * PER_S * (bench.clock.now() - began_s) * share
    assert second["D002"] < 1e-3 * second["D001"]


def test_light_that_a_camera_counts_by_falls_on_its_pixel(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    lit = [Lit(np.array([[1.0, 1.0]])), Lit(np.array([[1.0, 1.0], [1.0, 2.0]]))]
    bench.session.table = LIT
    dot = found(bench)[0]
    before = bench.session.memory[f"dose of D001 at {dot.x_um:.3f} {dot.y_um:.3f} um"]
    assert before == pytest.approx(light_of_maps(bench)[0]["D001"])
    point = Point(bench.session, Look(), step_id="s", label="", attempt=0)
    away = [math.dist((dot.x_um, dot.y_um), place) for place in ((1.0, 1.0), (1.0, 2.0))]
    near, far = (PER_S * math.exp(-8.0 * (um / LIT_UM) ** 2) for um in away)
    for one in lit:
        point.exposed(2.0, one)
    after = bench.session.memory[f"dose of D001 at {dot.x_um:.3f} {dot.y_um:.3f} um"]
    assert after - before == pytest.approx(3.0 * near + far)


def test_a_dot_that_has_had_too_much_light_is_left_out(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    bench.session.table = LIT
    one, other = found(bench)
    had = light_of_maps(bench)[0]
    limit = {"most_dose": f"{1.001 * max(had.values())} uJ/cm^2"}
    bench.session.dots.go_to(one, choice(**limit), "s")
    with pytest.raises(Skipped, match=r"D001 has had \S+ uJ/cm\^2 of light, more than"):
        bench.session.dots.go_to(one, choice(**limit), "s")
    bench.session.dots.go_to(other, choice(**limit), "s")


def test_a_catalogue_that_cannot_be_written_does_not_keep_a_run_from_its_end(
    tmp_path: Path,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    bench = MapBench(tmp_path, DOTS)
    bench.session.keep_calibration = full
    bench.session.calibrations[CATALOGUE] = {"chip 12": {"dots": {"D001": {}}}}
    bench.session.dots.note(DOTS_RECORD, {"sample": "chip 12"})
    bench.session.dots.keep_doses()
    assert any("not in the catalogue of chip 12" in text for text in bench.texts())


def test_a_dot_of_a_picture_is_judged_by_what_the_others_gave(tmp_path: Path) -> None:
    """Another detector counts in the picture: a tenth of what the APD does, or so."""
    places = [(-6.0, 0.0), (-3.0, 0.0), (0.0, 0.0), (3.0, 0.0), (6.0, 0.0)]
    bench = MapBench(tmp_path, dict.fromkeys(places, 1e4))
    found(bench)
    seen = [
        FoundDot(f"D{n:03d}", x, 0.02, y, 0.02, 1e3 * (1.0 + 0.1 * n), 30.0, 1.0)
        for n, (x, y) in enumerate(places)
    ]
    record = {
        **bench.session.dots.record,
        "comparable": False,
        "dots": [dot.as_setting() for dot in seen],
    }
    bench.session.dots.note(DOTS_RECORD, record)
    bench.dots[3.0, 0.0] = 1e3
    for dot in seen[:3]:
        bench.session.dots.go_to(dot, choice(), "s")
    with pytest.raises(Skipped, match=r"are 8 % of what its brightness in the picture promises"):
        bench.session.dots.go_to(seen[3], choice(), "s")
    bench.session.dots.go_to(seen[4], choice(), "s")


def test_a_recipe_goes_to_those_that_were_found_and_names_their_points(tmp_path: Path) -> None:
    bench = MapBench(tmp_path, DOTS)
    point = {"map": {"size": ["1 um", "0.5 um"], "step": "0.5 um"}, "label": "there"}
    finder = {"map": {"size": ["8 um", "8 um"], "step": "0.5 um", "find": True}}
    loop = {"dots": {"at_most": 5, "steps": [point]}}
    after = {**point, "label": "after"}
    recipe = parse_recipe({"name": "survey", "steps": [finder, loop, after]})
    assert execute(bench.session, expand(recipe)) == 0
    points = bench.data().points
    assert points["label"].values.tolist() == ["", "there", "there", "after"]
    assert points["dot_name"].values.tolist() == ["", "D001", "D002", ""]
    ids = [event.step_id for event in bench.of("point_stored")]
    assert [one.partition("/")[2] for one in ids] == ["0", "1.0/1", "1.1/1", "2"]
