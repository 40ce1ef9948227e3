"""E23 from recipe to numbers, over the wire; and a sweep that meets the limit of current."""

from pathlib import Path

import numpy as np
import pytest

from labctl.results import analyze_run
from labctl.storage import Quality, read_run
from small_setup import Bench

METER = """  source_meter:
    driver: keithley.k2400
    address: ASRL7::INSTR
    gap: 5 um
    gap_accuracy: 0.05
    ramp_rate: 50 V/s
    ramp_step: 1 V
    limits: {voltage: [-60 V, 60 V]}
    simulate: {truth: {gap: 5.2 um TRUTH}}
safe_state: [source_meter.off, """
RECIPE = """
name: sweep
experiment: E23
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - scan: source_meter.field
    values: VALUES
    steps:
      - spectrum: {grating: 300/mm, center: 531 nm, exposure: 0.5 s, frames: 4}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def setup(bench: Bench, truth: str = "") -> Path:
    path = bench.setup()
    text = path.read_text("utf-8").replace("safe_state: [", METER.replace(" TRUTH", truth))
    path.write_text(text, "utf-8")
    return path


def test_a_sweep_gives_the_internal_field(bench: Bench) -> None:
    values = "[0, 100, -100, 50, -50, 75, -75, 25, -25]"
    recipe = bench.recipe(RECIPE.replace("VALUES", values))
    run = read_run(bench.run(bench.request(setup=setup(bench), recipe=recipe)).journal)
    assert run.status == "complete"
    found = {one.quantity: one for one in analyze_run(run).results}
    assert {one.experiment for one in found.values()} == {"E23"}
    assert found["internal_field"].measured.covers(254.0, 3.0)
    assert found["half_polarizability"].measured.covers(3.3e-5, 3.0)
    assert found["dipole"].measured.covers(20.0 * 3.3e-5 * 254.0, 3.0)
    table = found["dipole"].tables[0]
    field = np.array(table.column("field"), dtype=np.float64)
    current = np.array(table.column("current"), dtype=np.float64)
    np.testing.assert_allclose(current, 0.5 * field / 20e9, atol=5e-11)
    assert set(table.column("in_compliance")) == {0}


def test_points_in_compliance_are_flagged_and_left_out(bench: Bench) -> None:
    recipe = bench.recipe(RECIPE.replace("VALUES", "[0, 20, 110]"))
    path = setup(bench, ", breakdown: 30 V")
    run = read_run(bench.run(bench.request(setup=path, recipe=recipe)).journal)
    spectra = run.data["spectrum"]
    flagged = [bool(int(q) & Quality.COMPLIANCE) for q in spectra["quality"].values]
    assert flagged == [False, False, True]
    assert spectra["source_meter_in_compliance"].values.tolist() == [0.0, 0.0, 1.0]
    assert spectra["source_meter_current"].values[2] == pytest.approx(1e-7, rel=0.01)
    assert spectra["source_meter_voltage"].values[2] < 50.0
    assert any("limit of current" in repr(one) for one in run.events)


def test_points_without_a_current_are_flagged(bench: Bench) -> None:
    path = setup(bench)
    text = path.read_text("utf-8").replace(
        "{truth: {gap: 5.2 um}}",
        "{truth: {gap: 5.2 um}, faults: [{kind: over_range, after: 20 s}]}",
    )
    assert "faults:" in text
    path.write_text(text, "utf-8")
    recipe = RECIPE.replace("VALUES", "[0, 20]").replace(
        "    steps:\n", "    steps:\n      - wait: 15 s\n"
    )
    run = read_run(bench.run(bench.request(setup=path, recipe=bench.recipe(recipe))).journal)
    quality = [int(q) for q in run.data["spectrum"]["quality"].values]
    assert [bool(q & Quality.STALE_READING) for q in quality] == [False, True]
    assert any("no reading (over range" in repr(one) for one in run.events)


def test_a_set_up_can_refuse_compliance(bench: Bench) -> None:
    text = RECIPE.replace("VALUES", "[0, 110, 20]").replace("E23", "E23\non_error: skip")
    path = setup(bench, ", breakdown: 30 V")
    text_of_setup = path.read_text("utf-8").replace(
        "gap: 5 um\n", "gap: 5 um\n    on_compliance: refuse\n"
    )
    path.write_text(text_of_setup, "utf-8")
    run = read_run(bench.run(bench.request(setup=path, recipe=bench.recipe(text))).journal)
    fields = run.data["spectrum"]["source_meter_field_set"].values.tolist()
    assert fields == [0.0, 20.0]
