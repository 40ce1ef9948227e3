"""Two cooldowns of one sample: dots of the second have the names of the first."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labctl.cli import app
from labctl.host import LocalHost, RunRequest
from labctl.measurements import FoundDot, stored_dots
from labctl.setup import load_yaml
from labctl.storage import Run, read_run
from small_setup import ROOT

pytestmark = pytest.mark.timeout(600)

CENTRE, LOST = "F6", "C7"
CALIBRATIONS = """
  - calibrate: {kind: power}
  - calibrate: {kind: imaging_scale, exposure: 50 ms, roi: [512, 256, 384, 256]}
  - calibrate: {kind: laser_spot, exposure: 5 ms, roi: [560, 192, 400, 192]}
"""
FIND = """
  - scan: attenuator.fluence
    values: [12 uJ/cm^2]
    steps:
      - wide_field:
          {exposure: 0.9 s, frames: 20, roi: [416, 480, 256, 480],
          grating: 0/mm, wavelength: 0 nm}
      - catalogue: {sample: chip 12}
      - dots:
          at_most: 1
          names: [D002]
          steps:
            - spectrum: {grating: 300/mm, center: 531 nm, exposure: 0.2 s, frames: 1}
"""
HEAD = f"name: cooldown\nsample: {{name: CsPbBr3 23 nm, dot: {CENTRE}}}\nsteps:"
Places = dict[str, tuple[float, float]]


def placed(turn_deg: float, without: str, path: Path) -> Places:
    """Write the sample, turned and without a dot; returns where its dots lie, um."""
    data: dict[str, Any] = load_yaml(ROOT / "configs" / "samples" / "cspbbr3_23nm.yaml").data
    data["dots"].pop(without, None)
    cos, sin = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    places: Places = {}
    for name, dot in data["dots"].items():
        x, y, z = (float(str(text).removesuffix(" um")) for text in dot["position"])
        places[name] = (cos * x - sin * y, sin * x + cos * y)
        dot["position"] = [f"{um:.3f} um" for um in (*places[name], z)]
    # JSON is YAML, too.
    path.write_text(json.dumps(data), "utf-8")
    return places


def cooldown(folder: Path, sample: Path, steps: str) -> Run:
    recipe = folder / f"{sample.stem}_recipe.yaml"
    recipe.write_text(HEAD + steps, "utf-8")
    request = RunRequest(
        setup=ROOT / "configs" / "setups" / "microscope.yaml",
        recipe=recipe,
        simulate=True,
        seed=0,
        out=folder / "data",
        sample=sample,
    )
    run = read_run(LocalHost().run(request).journal)
    assert run.status == "complete", run.stop
    return run


def true_names(run: Run, places: Places) -> dict[str, str]:
    """Return the true dot that lies nearest to each that was found, by its given name."""
    *_, record = (one for one in run.found if one["what"] == "dots")
    x0, y0 = places[CENTRE]

    def nearest(dot: FoundDot) -> str:
        apart = {
            name: math.dist((dot.x_um, dot.y_um), (x0 - x, y0 - y))
            for name, (x, y) in places.items()
        }
        name = min(apart, key=lambda one: apart[one])
        # Scaled by the nominal magnification, 4 % off, over 20 um.
        assert apart[name] < 1.2
        return name

    return {dot.name: nearest(dot) for dot in stored_dots(record)}


def test_names_are_those_of_the_first_cooldown(tmp_path: Path) -> None:
    first = placed(0.0, "", tmp_path / "first.yaml")
    second = placed(2.0, LOST, tmp_path / "second.yaml")
    known = true_names(cooldown(tmp_path, tmp_path / "first.yaml", CALIBRATIONS + FIND), first)
    run = cooldown(tmp_path, tmp_path / "second.yaml", FIND)
    again = true_names(run, second)
    assert len(again) >= 8
    assert {name: again[name] for name in again if name in known} == {
        name: dot for name, dot in known.items() if name in again
    }
    lost = next(name for name, dot in known.items() if dot == LOST)
    assert any("missing" in event.message and lost in event.message for event in run.events)
    assert run.data["spectrum"]["dot_name"].values.tolist() == ["D002"]
    (file,) = (tmp_path / "data").rglob("dots.json")
    # A dated copy when the dots are named, and one with the doses at the end of each run. Virtual
    # time runs ahead, so that their dates do not tell which run they are of.
    copies = [json.loads(one.read_text("utf-8")) for one in file.parent.glob("dots_*.json")]
    assert len(copies) == 4
    named = [one["results"]["chip 12"]["dots"]["D002"] for one in copies]
    doses = sorted({one["dose_uj_cm2"] for one in named if "dose_uj_cm2" in one})
    assert len(doses) == 2
    assert 0.0 < doses[0] < run.data["spectrum"]["dot_dose_uj_cm2"].item() <= doses[1]
    shown = CliRunner().invoke(app, ["show", str(file)])
    assert shown.exit_code == 0
    assert "chip 12" in shown.stdout
    assert lost in shown.stdout
    listed = CliRunner().invoke(app, ["show", "--json", str(file)])
    assert set(known) <= set(json.loads(listed.stdout)["chip 12"]["dots"])
