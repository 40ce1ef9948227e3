"""Size of the laser spot: measured on the shipped set-up, used by the fluence, and demanded."""

import json
from pathlib import Path
from typing import Any

import pytest

import labctl
from labctl.errors import AnalysisError, ConfigError
from labctl.host import LocalHost, RunRequest
from labctl.measurements import CalibratePower, CalibrateSpotSize, Spectrum
from picture_lab import SCALE_RECORD
from small_setup import ROOT

SETUP = ROOT / "configs" / "setups" / "microscope.yaml"
# Wider than the 2.4 um of the set-up, and not round.
TRUTH = """
simulate:
  laser:
    {wavelength: 405 nm, rep_rate: 10 MHz, peak_fluence: 14 uJ/cm^2,
     spot_1e2_diameter: 2.7 um, spot_ratio: 1.1}
"""
REGION = (560, 192, 400, 192)
SCAN = """
name: fluences
steps:
  - calibrate: {kind: power, marks: 5}
  - scan: attenuator.fluence
    values: [0.2 uJ/cm^2]
    steps:
      - spectrum: {exposure: 0.1 s}
"""


def setup_in(folder: Path, *changes: tuple[str, str]) -> Path:
    text = SETUP.read_text("utf-8")
    samples = (ROOT / "configs" / "samples").as_posix()
    for before, after in (("../samples", samples), *changes):
        assert before in text
        text = text.replace(before, after)
    (folder / "setup.yaml").write_text(text + TRUTH, "utf-8")
    return folder / "setup.yaml"


def true_fluence_uj_cm2(lab: Any) -> float:
    world = lab._connection.rig.world
    return float(world.peak_uj_cm2())


def keep(folder: Path, name: str, key: str, result: dict[str, Any], made: str) -> None:
    """File a calibration as if an earlier run had made it."""
    path = folder / "calibrations" / "microscope" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"name": name, "results": {key: {**result, "calibrated_at": made}}}
    path.write_text(json.dumps(content), "utf-8")


def test_a_spot_that_was_measured_counts_instead_of_the_stated_one(tmp_path: Path) -> None:
    made = "2026-01-01T00:00:00+00:00"
    keep(tmp_path, "imaging_scale", "imaging_camera", SCALE_RECORD, made)
    with labctl.station(setup_in(tmp_path), simulate=True, out=tmp_path) as lab:
        attenuator: Any = lab.station["attenuator"]
        with lab.run("spot"):
            lab.measure(CalibratePower(marks=5))
            lab.set("attenuator.fluence", 2.0)
            with pytest.raises(AnalysisError, match="saturated; expose shorter"):
                lab.measure(CalibrateSpotSize(exposure="1 s", roi=REGION))
            with pytest.raises(AnalysisError, match="lies at the edge of the picture"):
                lab.measure(CalibrateSpotSize(exposure="5 ms", roi=(640, 192, 400, 192)))
            assert attenuator.excitation.spot_1e2_diameter_um == 2.4
            lab.measure(CalibrateSpotSize(exposure="5 ms", roi=REGION))
            lab.set("attenuator.fluence", 2.0)
            error_uj_cm2 = attenuator.fluence_error_uj_cm2()
            assert abs(true_fluence_uj_cm2(lab) - 2.0) < 2.0 * error_uj_cm2
            stored = lab.measure(Spectrum(exposure="0.1 s"))
    (file,) = tmp_path.rglob("spot_size.json")
    found = json.loads(file.read_text("utf-8"))["results"]["attenuator"]
    for name, diameter_um in (("", 2.7), ("_x", 2.7 * 1.1**0.5), ("_y", 2.7 / 1.1**0.5)):
        error_um = found[f"spot_1e2_diameter{name}_error_um"]
        assert abs(found[f"spot_1e2_diameter{name}_um"] - diameter_um) < 3.0 * error_um
        assert error_um < 0.06
    assert stored["laser_spot_1e2_diameter_um"].item() == found["spot_1e2_diameter_um"]
    assert stored["laser_peak_fluence_error_uj_cm2"].item() == error_uj_cm2


def run(folder: Path, setup: Path) -> Any:
    path = folder / "recipe.yaml"
    path.write_text(SCAN, "utf-8")
    request = RunRequest(setup=setup, recipe=path, simulate=True, seed=0, out=folder)
    return LocalHost().run(request)


def test_a_set_up_that_does_not_state_the_spot_demands_it(tmp_path: Path) -> None:
    setup = setup_in(tmp_path, ("  spot_uncertainty: 0.1 um\n", ""))
    hint = r"make it with a step 'calibrate: \{kind: spot_size\}' before"
    with pytest.raises(ConfigError, match=f"'spot_size' of attenuator is missing.*{hint}"):
        run(tmp_path, setup)
    spot = {"spot_1e2_diameter_um": 2.6, "spot_1e2_diameter_error_um": 0.13}
    keep(tmp_path, "spot_size", "attenuator", spot, "2020-01-01T00:00:00+00:00")
    with pytest.raises(ConfigError, match="'spot_size' of attenuator has expired: it is"):
        run(tmp_path, setup)
