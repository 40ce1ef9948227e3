"""A map on the fly over the open-loop stage: as a map with stops sees it, and much faster."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from labctl.host import LocalHost, RunRequest
from labctl.measurements import FoundDot, stored_dots
from labctl.photons import LineCounts, read_ptu, replay
from labctl.storage import Run, read_run
from small_setup import ROOT

pytestmark = pytest.mark.timeout(600)
MARKER, INPUT = 4, 0
COLOUR = "grating: 300/mm, wavelength: 531 nm"
LIT = f"center: [0 um, 2.3 um], size: [5.5 um, 5.5 um], {COLOUR}, find: true"
RECIPE = f"""
name: on the fly
sample: {{name: CsPbBr3 23 nm, dot: F6}}
steps:
  - calibrate: {{kind: power}}
  - calibrate: {{kind: imaging_scale, exposure: 50 ms, roi: [512, 256, 384, 256]}}
  - calibrate: {{kind: step_sizes, exposure: 50 ms, roi: [512, 256, 384, 256], ways: 6}}
  - scan: attenuator.fluence
    values: [0.85 uJ/cm^2]
    steps:
      - map: {{{LIT}, step: 0.5 um, dwell: 0.1 s}}
      - map: {{{LIT}, step: 0.1 um, dwell: 2 ms, fly: true}}
"""
SCALE = 0.0883 / 0.0921
"""Pictures are scaled by the nominal size of a pixel on the sample, um, over the true one."""


def flown(folder: Path, recipe: str = RECIPE, changes: Mapping[str, str] | None = None) -> Run:
    text = (ROOT / "configs" / "setups" / "microscope.yaml").read_text("utf-8")
    samples = (ROOT / "configs" / "samples").as_posix()
    for old, new in {"../samples": samples, **(changes or {})}.items():
        assert old in text
        text = text.replace(old, new)
    setup, asked = folder / "setup.yaml", folder / "recipe.yaml"
    setup.write_text(text, "utf-8")
    asked.write_text(recipe, "utf-8")
    request = RunRequest(setup=setup, recipe=asked, simulate=True, seed=0, out=folder / "data")
    return read_run(LocalHost().run(request).journal)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fly")


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return flown(folder)


def dots_of(run: Run) -> list[list[FoundDot]]:
    return [stored_dots(record) for record in run.found if record["what"] == "dots"]


def test_the_same_dots_are_found_at_the_same_places(run: Run) -> None:
    assert run.status == "complete"
    raster, fly = dots_of(run)
    assert len(raster) == len(fly) == 2
    # They are about equally bright, so that their order may differ.
    for dot in fly:
        twin = min(raster, key=lambda d: math.dist((d.x_um, d.y_um), (dot.x_um, dot.y_um)))
        for axis in ("x", "y"):
            own, other = getattr(dot, f"{axis}_um"), getattr(twin, f"{axis}_um")
            error = math.hypot(*(getattr(d, f"{axis}_error_um") for d in (dot, twin)))
            # The picture tells both maps where they are to some 0.05 um.
            assert abs(own - other) < 4.0 * error + 0.1
        assert dot.brightness_hz == pytest.approx(twin.brightness_hz, rel=0.3)


def test_they_lie_as_far_apart_as_in_the_sample(run: Run) -> None:
    for dots in dots_of(run):
        one, other = ((dot.x_um, dot.y_um) for dot in dots)
        # F5 and F6.
        assert math.dist(one, other) == pytest.approx(4.37 * SCALE, abs=0.1)


def test_two_hundred_pixels_are_scanned_in_a_second(run: Run) -> None:
    stored = run.data["map_2"].isel(point=0)
    counts = stored["counts"].values
    assert counts.size == 56 * 56
    seconds = float(stored["photons_live_time_s"])
    assert counts.size / seconds >= 200.0
    np.testing.assert_allclose(stored["dwell"].values, 2e-3, atol=1e-6)


def test_the_image_comes_out_of_the_stored_photons_once_more(run: Run, folder: Path) -> None:
    stored = run.data["map_2"].isel(point=0)
    (path,) = folder.rglob(str(stored["photons_parts_0_file"].values))
    file = read_ptu(path)
    lines = LineCounts(file.stream, [INPUT], MARKER)
    for edges_s in stored["line_edge"].values:
        lines.expect(edges_s[np.isfinite(edges_s)])
    replay(file, [lines])
    found = lines.result()
    assert found.markers == found.lines == len(stored["line_row"])
    image = np.zeros(stored["counts"].shape, np.int64)
    for row, columns, counts in zip(
        stored["line_row"].values, stored["line_column"].values, found.counts, strict=True
    ):
        image[row, columns[columns >= 0]] += counts
    np.testing.assert_array_equal(image, stored["counts"].values)


FLY = """
name: refused
sample: {name: CsPbBr3 23 nm, dot: F6}
steps:
  - map: {size: [5.5 um, 5.5 um], step: 0.1 um, dwell: 2 ms, fly: true}
"""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("fine_range: 1.5 um", "step_voltage: 60 V", "no fine motion"),
        ("    line_marker: {output: 1, marker: 4}", "    #", "lines cannot be marked"),
        ("    markers: {4: rising}", "    #", "does not record marker input 4"),
        ("    markers: {4: rising}", "    markers: {4: falling}", "does not record marker input 4"),
    ],
)
def test_what_is_missing_is_said_before_anything_moves(
    tmp_path: Path, old: str, new: str, why: str
) -> None:
    run = flown(tmp_path, FLY, {old: new} if "voltage" not in new else {f", {old}": ""})
    assert run.status == "failed"
    assert any(why in event.message for event in run.events)
    assert not run.data


def test_a_cable_that_is_out_is_noticed(tmp_path: Path) -> None:
    recorded = "    markers: {4: rising}"
    changes = {recorded: f"{recorded}\n    simulate: {{truth: {{marker_4: none}}}}"}
    run = flown(tmp_path, FLY, changes)
    assert run.status == "failed"
    assert any("no marker came" in event.message for event in run.events)
