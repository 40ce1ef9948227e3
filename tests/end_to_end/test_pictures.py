"""Pictures in whole runs: what is stored, calibrations of the camera, dots in the wide field."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from labctl.analysis import find_spots, measure_image_noise
from labctl.host import LocalHost, RunRequest
from labctl.storage import read_run

ROOT = Path(__file__).parents[2]
SETUP = f"""
schema_version: 1
name: pictures
sample: {(ROOT / "configs" / "samples" / "cspbbr3_23nm.yaml").as_posix()}
laser: {{wavelength: 405 nm, rep_rate: 10 MHz, spot_1e2_diameter: 2.4 um, peak_fluence: 12 uJ/cm^2}}
instruments:
  cryostat: {{driver: montana.cryostation, address: "TCPIP::cryostat.example::7773::SOCKET"}}
  shutter: {{driver: thorlabs.sc10, address: "ASRL5::INSTR"}}
  imaging_camera: {{driver: thorlabs.uc480, magnification: 60}}
  led: {{driver: thorlabs.dc2200, address: "USB0::0x1313::0x80C8::M00435922::INSTR"}}
  lens: {{driver: manual.selector, positions: [spot, wide_field]}}
  imaging_filter: {{driver: manual.selector, positions: [long_pass, grey]}}
paths:
  image: {{lens: spot, imaging_filter: long_pass}}
  laser_spot: {{lens: spot, imaging_filter: grey}}
  wide_field: {{lens: wide_field, imaging_filter: long_pass}}
laser_blocking:
  for: {{laser_spot: 2}}
  filters:
    long_pass: {{density: 6, in: {{imaging_filter: long_pass}}}}
    grey: {{density: 2.5, in: {{imaging_filter: grey}}}}
safe_state: [shutter.close, led.off]
calibrations:
  laser_spot: {{file: laser_spot.json, valid_for: 7 d}}
"""
RECIPE = """
name: pictures
sample: {name: CsPbBr3 23 nm, dot: A7}
steps:
  - calibrate: {kind: laser_spot, exposure: 5 ms, roi: [560, 192, 400, 192]}
  - image: {exposure: 50 ms, level: 0.8, roi: [520, 256, 370, 256]}
  - image: {exposure: 1 s, frames: 3, light: wide_field, gain: 3.9, roi: [600, 256, 380, 256]}
  - image: {exposure: 50 ms, light: none, roi: [600, 64, 450, 64]}
"""
# What nobody told: truth_defaults of the simulated camera.
SPOT_PX, SCALE_UM, TURN_DEG = (655.2, 498.7), 0.0921, 1.8


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "setup.yaml").write_text(SETUP, "utf-8")
    (folder / "recipe.yaml").write_text(RECIPE, "utf-8")
    request = RunRequest(
        setup=folder / "setup.yaml",
        recipe=folder / "recipe.yaml",
        simulate=True,
        seed=0,
        out=folder / "data",
    )
    report = LocalHost().run(request)
    assert report.outcome.status == "complete", report.outcome.reason
    return report.journal


def test_pictures_are_stored_with_their_settings(run: Path) -> None:
    found = read_run(run)
    led = found.data["image"]
    assert led["counts"].dims == ("point", "y", "x")
    assert led["counts"].shape == (1, 256, 256)
    assert 50 < float(led["counts"].mean()) < 1000
    dark = found.data["image_3"]["counts"].values
    # Offset and read noise alone: LED and shutter are closed again.
    assert float(dark.mean()) == pytest.approx(6.4, abs=0.3)
    assert found.data["image_2"]["frames"].dims == ("point", "frame", "y", "x")


def test_the_laser_spot_is_found_where_it_is(run: Path) -> None:
    """Within five of its errors and 0.1 px, 15 px from the middle of the sensor."""
    file = next(run.parents[3].rglob("laser_spot.json"))
    record = json.loads(file.read_text("utf-8"))["results"]["imaging_camera"]
    for axis, truth in zip("xy", SPOT_PX, strict=True):
        assert record[f"{axis}_px"] == pytest.approx(truth, abs=0.1)
        assert abs(record[f"{axis}_px"] - truth) < 5.0 * record[f"{axis}_error_px"]


def test_dots_shine_in_the_wide_field(run: Path) -> None:
    """A7 on the axis and B7 at (5.5, 0.57) um from it, both within 0.3 px; nothing else is near."""
    frames = read_run(run).data["image_2"]["frames"].values[0].astype(np.float64)
    noise = measure_image_noise(frames, 3.9 / 8.3)
    spots = find_spots(frames.mean(axis=0), noise, 1.52)
    angle = math.radians(TURN_DEG)
    x, y = 5.50 / SCALE_UM, 0.57 / SCALE_UM
    places = [
        (SPOT_PX[0] - 600.0, SPOT_PX[1] - 380.0),
        (
            SPOT_PX[0] - 600.0 + math.cos(angle) * x - math.sin(angle) * y,
            SPOT_PX[1] - 380.0 - math.sin(angle) * x - math.cos(angle) * y,
        ),
    ]
    for column, row in places:
        assert min(math.hypot(s.x_px.value - column, s.y_px.value - row) for s in spots) < 0.3
    # C7 and C9 are in this region, too; nothing else is beyond doubt.
    assert len([spot for spot in spots if spot.confidence > 0.999]) == 4
