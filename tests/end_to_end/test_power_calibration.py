"""Fluence by calibration: agrees with the world within its stated error, and is demanded."""

import json
from pathlib import Path
from typing import Any

import pytest

import labctl
from labctl.errors import ConfigError
from labctl.host import LocalHost, RunRequest
from labctl.measurements import CalibratePower
from labctl.optics import Excitation
from labctl.storage import read_run
from small_setup import ROOT

SETUP = ROOT / "configs" / "setups" / "microscope.yaml"
# The laser gives more than the set-up believes, in a spot that is a little wider.
TRUTH = """
simulate:
  laser:
    {wavelength: 405 nm, rep_rate: 10 MHz, spot_1e2_diameter: 2.45 um, peak_fluence: 14 uJ/cm^2}
"""
SCAN = """
name: fluences
steps:
  - scan: attenuator.fluence
    values: [0.2, 2 uJ/cm^2]
    steps:
      - spectrum: {exposure: 0.1 s}
"""


def true_fluence_uj_cm2(lab: Any) -> float:
    world = lab._connection.rig.world
    return float(world._fluence_uj_cm2())


def test_a_calibrated_fluence_agrees_with_the_world_within_its_error(tmp_path: Path) -> None:
    samples = (ROOT / "configs" / "samples").as_posix()
    setup = tmp_path / "setup.yaml"
    setup.write_text(SETUP.read_text("utf-8").replace("../samples", samples) + TRUTH, "utf-8")
    with labctl.station(setup, simulate=True, out=tmp_path) as lab:
        attenuator: Any = lab.station["attenuator"]
        lab.set("attenuator.fluence", 2.0)
        believed_off = abs(true_fluence_uj_cm2(lab) / 2.0 - 1.0)
        assert attenuator.fluence_error_uj_cm2() is None
        with lab.run("power"):
            lab.measure(CalibratePower())
            for wanted in (0.05, 0.5, 2.0, 10.0):
                assert lab.set("attenuator.fluence", wanted) == pytest.approx(wanted, rel=1e-6)
                error = attenuator.fluence_error_uj_cm2()
                assert error is not None
                assert 0.05 < error / wanted < 0.15
                assert abs(true_fluence_uj_cm2(lab) - wanted) < 2.0 * error
        assert believed_off > 0.05


def test_powers_are_set_in_watts(tmp_path: Path) -> None:
    with labctl.station(SETUP, simulate=True, out=tmp_path) as lab:
        with lab.run("power"):
            lab.measure(CalibratePower(marks=5))
            lab.set("attenuator.power", 0.2e-6)
        fluence_uj_cm2 = Excitation(1e7, 2.4).fluence_uj_cm2(0.2e-6)
        assert true_fluence_uj_cm2(lab) == pytest.approx(fluence_uj_cm2, rel=0.15)


def test_power_follows_the_repetition_rate_and_the_fluence_stays(tmp_path: Path) -> None:
    with labctl.station(SETUP, simulate=True, out=tmp_path) as lab:
        with lab.run("power"):
            lab.set("laser.rep_rate", 5e6)
            # The curve is measured at a rate that is not that of the set-up.
            lab.measure(CalibratePower(marks=5))
            lab.set("attenuator.fluence", 1.0)
            assert true_fluence_uj_cm2(lab) == pytest.approx(1.0, rel=0.15)
            power_w = lab.station.read("attenuator.power")
            assert power_w == pytest.approx(Excitation(5e6, 2.4).power_w(1.0), rel=1e-6)
            lab.set("laser.rep_rate", 2.5e6)
            assert lab.station.read("attenuator.fluence") == pytest.approx(1.0, rel=1e-6)
            assert lab.station.read("attenuator.power") == pytest.approx(power_w / 2, rel=1e-6)
            lab.set("attenuator.power", power_w)
            assert lab.station.read("attenuator.fluence") == pytest.approx(2.0, rel=1e-6)
            assert true_fluence_uj_cm2(lab) == pytest.approx(2.0, rel=0.15)


def run(folder: Path, recipe: str) -> Any:
    path = folder / "recipe.yaml"
    path.write_text(recipe, "utf-8")
    request = RunRequest(setup=SETUP, recipe=path, simulate=True, seed=0, out=folder / "data")
    return LocalHost().run(request)


def test_a_scan_of_the_fluence_demands_the_calibration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        run(tmp_path, SCAN)
    assert [str(one).rpartition("/")[2] for one in raised.value.problems] == [
        "recipe.yaml:4: attenuator.fluence: the calibration 'power' of attenuator is missing"
        " (make it with a step 'calibrate: {kind: power}' before)"
    ]
    assert not list(tmp_path.rglob("*.lcj"))


def test_dots_in_a_picture_demand_where_the_picture_lies(tmp_path: Path) -> None:
    steps = "  - wide_field: {exposure: 0.5 s}\n"
    with pytest.raises(ConfigError) as raised:
        run(tmp_path, f"name: dots\nsteps:\n{steps}")
    assert [str(one).rpartition("/")[2] for one in raised.value.problems] == [
        f"recipe.yaml:3: wide_field: the calibration {name!r} of imaging_camera is missing"
        f" (make it with a step 'calibrate: {{kind: {name}}}' before)"
        for name in ("imaging_scale", "laser_spot")
    ]


def test_an_earlier_step_and_an_earlier_run_make_it(tmp_path: Path) -> None:
    made = SCAN.replace("steps:\n", "steps:\n  - calibrate: {kind: power, marks: 5}\n", 1)
    report = run(tmp_path, made)
    assert report.outcome.status == "complete"
    point = read_run(report.journal).data["spectrum"]
    assert point["laser_peak_fluence_error_uj_cm2"].values[1] == pytest.approx(0.2, rel=0.5)
    assert run(tmp_path, SCAN).outcome.status == "complete"


def test_an_expired_calibration_is_refused(tmp_path: Path) -> None:
    made = SCAN.replace("steps:\n", "steps:\n  - calibrate: {kind: power, marks: 5}\n", 1)
    run(tmp_path, made)
    (kept,) = tmp_path.rglob("calibrations/microscope/power.json")
    content = json.loads(kept.read_text("utf-8"))
    content["results"]["attenuator"]["calibrated_at"] = "2020-01-01T00:00:00+00:00"
    kept.write_text(json.dumps(content), "utf-8")
    with pytest.raises(ConfigError, match="'power' of attenuator has expired: it is"):
        run(tmp_path, SCAN)
