"""What the light path favours, by a white lamp, against the simulated world."""

import json
from pathlib import Path
from typing import Any

import pytest

import labctl
from labctl.measurements import CalibratePolarizationResponse, Spectrum
from labctl.results._source import stored_spectra
from small_setup import ROOT

SETUP = ROOT / "configs" / "setups" / "microscope.yaml"
ASKED: dict[str, Any] = {
    "grating": "1800/mm",
    "center": "532 nm",
    "exposure": "20 ms",
    "frames": 2,
    "angles": 8,
}
FIXED = "driver: optics.half_wave_analyser"
TURNING = "driver: optics.analyser\n    remedy: reference_sweep"


def test_the_path_is_that_of_the_world_and_stored_with_spectra(tmp_path: Path) -> None:
    """The grating's s over p is 2.5; what passes along 0 deg is p, so that d1 is negative."""
    text = SETUP.read_text("utf-8").replace("../samples", (ROOT / "configs" / "samples").as_posix())
    setup = tmp_path / "setup.yaml"
    setup.write_text(text.replace(FIXED, TURNING), "utf-8")
    with labctl.station(setup, simulate=True, out=tmp_path) as lab, lab.run("path") as run:
        lab.measure(CalibratePolarizationResponse(**ASKED))
        lab.measure(Spectrum(exposure="10 ms", grating="1800/mm", center="532 nm"))
    (file,) = tmp_path.rglob("polarization_response.json")
    record = json.loads(file.read_text("utf-8"))["results"]["1800/mm front"]
    (spectrum,) = stored_spectra(run.data())
    found = spectrum.path_polarization
    assert found is not None
    assert found.to_record() == {key: record[key] for key in found.to_record()}
    # The believed zero of the analyser is off, so that the direction is; the strength is not.
    strength = (found.d1.value**2 + found.d2.value**2) ** 0.5
    assert found.d1.value < 0.0
    assert strength == pytest.approx(1.5 / 3.5, abs=4.0 * found.d1.error)
    assert 0.002 <= found.d1.error < 0.004
