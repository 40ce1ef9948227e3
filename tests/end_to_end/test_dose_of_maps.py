"""Light of maps and of wide fields is counted to the dots it falls on, as the world has it."""

import json
import math
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pytest

from labctl.events import Event
from labctl.host import LocalHost, RunRequest, simulate
from labctl.measurements import FoundDot, stored_dots
from labctl.storage import Run, read_run
from small_setup import ROOT

pytestmark = pytest.mark.timeout(600)
CENTRE = "F6"
LIT = "center: [0 um, 2.3 um], size: [5.5 um, 5.5 um], grating: 300/mm, wavelength: 531 nm"
RECIPE = f"""
name: light on dots
sample: {{name: CsPbBr3 23 nm, dot: {CENTRE}}}
steps:
  - calibrate: {{kind: power}}
  - calibrate: {{kind: imaging_scale, exposure: 50 ms, roi: [512, 256, 384, 256]}}
  - calibrate: {{kind: step_sizes, exposure: 50 ms, roi: [512, 256, 384, 256], ways: 6}}
  - scan: attenuator.fluence
    values: [0.85 uJ/cm^2]
    steps:
      - map: {{{LIT}, step: 0.5 um, dwell: 0.1 s, find: true}}
      - catalogue: {{sample: chip 12}}
      - map: {{{LIT}, step: 0.25 um, dwell: 10 ms, fly: true}}
      - image: {{exposure: 1 s, frames: 5, light: wide_field}}
"""
COUNTED = ("map", "map", "image")


class Witness:
    """Notes what each dot of the world had really had when each point was stored, uJ/cm²."""

    def __init__(self) -> None:
        self.world: Any = None
        self.doses: list[dict[str, float]] = []
        self.kinds: list[str] = []

    def simulate(self, spec: Any, *, seed: int, speed: float | None) -> Any:
        simulation = simulate(spec, seed=seed, speed=speed)
        self.world = cast("Any", simulation.rig).world
        return simulation

    def __call__(self, event: Event) -> None:
        if event.kind == "point_stored":
            world = self.world
            now_s, dots = world.now(), world.sample.dots
            self.kinds.append(event.measurement)
            self.doses.append(
                {n: world._dose(n, now_s) / world._excitations(dot, 1.0) for n, dot in dots.items()}
            )

    def given(self, name: str, index: int) -> float:
        """Return what a dot really got from one point to the next."""
        return self.doses[index][name] - self.doses[index - 1][name]


def measured(folder: Path, seed: int) -> tuple[Run, Witness]:
    recipe, witness = folder / "recipe.yaml", Witness()
    recipe.write_text(RECIPE, "utf-8")
    setup = ROOT / "configs" / "setups" / "microscope.yaml"
    request = RunRequest(setup=setup, recipe=recipe, simulate=True, seed=seed, out=folder / "data")
    with patch("labctl.host._connection.simulate", witness.simulate):
        run = read_run(LocalHost().run(request, [witness]).journal)
    assert run.status == "complete", run.stop
    return run, witness


def true_name(dot: FoundDot, witness: Witness) -> str:
    """Return the true dot that lies nearest; pictures are scaled by a nominal size, 4 % off."""
    dots = witness.world.sample.dots
    x0, y0, _ = dots[CENTRE].position_um
    places = {n: (x0 - d.position_um[0], y0 - d.position_um[1]) for n, d in dots.items()}
    name = min(places, key=lambda n: math.dist(places[n], (dot.x_um, dot.y_um)))
    assert math.dist(places[name], (dot.x_um, dot.y_um)) < 0.5
    return name


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_maps_give_to_dots_is_what_they_really_got(tmp_path: Path, seed: int) -> None:
    run, witness = measured(tmp_path, seed)
    *_, named = (stored_dots(record) for record in run.found if record["what"] == "dots")
    told = [record for record in run.found if "doses" in record]
    points = [n for n, kind in enumerate(witness.kinds) if kind in COUNTED]
    assert [witness.kinds[n] for n in points] == list(COUNTED)
    assert len(told) == len(points)
    assert len(named) == 2
    (file,) = tmp_path.rglob("dots.json")
    entries = json.loads(file.read_text("utf-8"))["results"]["chip 12"]["dots"]
    for dot in named:
        true, total = true_name(dot, witness), 0.0
        for record, index in zip(told, points, strict=True):
            given, stated = witness.given(true, index), record["doses"][dot.name]
            error = stated["dose_error_uj_cm2"]
            assert 0.0 < error < 0.5 * given
            # The error is one of scale (power, size of the spot), the same in all of a run.
            assert abs(stated["dose_uj_cm2"] - given) < 2.0 * error
            total += stated["dose_uj_cm2"]
        assert entries[dot.name]["dose_uj_cm2"] == pytest.approx(total, rel=1e-6)
