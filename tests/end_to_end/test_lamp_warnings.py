"""A calibration that few lines determine says so."""

import pytest

from labctl.host import LocalHost
from labctl.storage import read_run
from small_setup import Bench

RECIPE = """
name: calibration
steps:
  - calibrate: {kind: wavelength, grating: GRATING, center: 610 nm, lamp: neon, exposure: 0.5 s}
"""


@pytest.mark.parametrize(("grating", "warned"), [("300/mm", False), ("1800/mm", True)])
def test_few_lamp_lines_are_told(bench: Bench, grating: str, warned: bool) -> None:
    recipe = bench.recipe(RECIPE.replace("GRATING", grating))
    report = LocalHost().run(bench.request(recipe=recipe))
    assert report.outcome.status == "complete", report.outcome.reason
    run = read_run(report.journal)
    (found,) = [entry for entry in run.analyses if entry["name"] == "wavelength"]
    lines = len(found["result"]["evidence"]["wavelengths_nm"])
    assert (lines < 9) is warned
    told = [event.message for event in run.events if event.level == "warning"]
    said = [text for text in told if f"only {lines} lines of neon" in text]
    assert len(said) == int(warned)
    assert all(f"calibration of {grating} front" in text for text in said)
