"""E19 from recipe to visibility, over the wire, on the shipped set-up with more light."""

from pathlib import Path

import pytest

from labctl.results import analyze_run
from labctl.storage import read_run
from small_setup import ROOT, Bench

RECIPE = """
name: dip
experiment: E19
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - g2: {path: short_arm, stop: {time: 2 s}}
  - g2: {path: long_arm, stop: {time: 2 s}}
  - scan: delay_stage.delay
    values: [-300, -60, 0, 60, 300]
    steps:
      - g2: {path: co, stop: {time: 2 s}}
      - g2: {path: cross, stop: {time: 2 s}}
"""


@pytest.fixture
def setup(tmp_path: Path) -> Path:
    text = (ROOT / "configs" / "setups" / "two_photon.yaml").read_text("utf-8")
    sample = (ROOT / "configs" / "samples" / "cspbbr3_23nm.yaml").as_posix()
    text = text.replace("../samples/cspbbr3_23nm.yaml", sample)
    text = text.replace("throughput_rel: 0.12", "throughput_rel: 0.5")
    path = tmp_path / "setup.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_scan_of_the_delay_gives_the_indistinguishability(setup: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    run = read_run(bench.run(bench.request(setup=setup, recipe=bench.recipe(RECIPE))).journal)
    assert run.status == "complete"
    found = {one.quantity: one.measured for one in analyze_run(run).results}
    # T2 / (2 T1); excitons that follow a biexciton come late, which costs 4 % here.
    assert found["visibility_corrected"].covers(0.4 * 0.96, 3.5)
    assert found["visibility_raw"].value < found["visibility_corrected"].value
    assert found["visibility_corrected"].error < 0.1
    assert found["crossed_coincidences"].value == pytest.approx(0.5, abs=0.06)
    assert found["splitter_transmission"].covers(0.54, 4.0)
    assert found["arms_ratio"].covers(0.47 / 0.43, 4.0)
    assert found["g2_zero"].value < 0.15
